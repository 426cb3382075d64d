//! The selection of nodes by a query.

use std::str::FromStr;

use live_set::{NodeRef, NodeType, ValueRef};

/// Selects nodes by the value of an attribute; see [`AstServer::query_nodes`].
///
/// The value is text, and is interpreted by the attribute's type: a number is compared as a number,
/// a flag is `true` or `false`, text is compared as text, case-sensitively. A node without the
/// attribute, or with one of a different type than the value, never matches.
///
/// ```
/// use ast_server::{NodeQuery, Operator};
///
/// let loud = NodeQuery::new("volume", Operator::Greater, "0.9").of_type("track".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`AstServer::query_nodes`]: crate::AstServer::query_nodes
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeQuery {
    node_type: Option<NodeType>,
    attribute: String,
    operator: Operator,
    value: String,
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `>`
    Greater,
    /// `contains`: part of a text, a number or a flag in a list, the name of a parameter.
    Contains,
}

impl FromStr for Operator {
    type Err = UnknownOperator;

    fn from_str(text: &str) -> Result<Self, UnknownOperator> {
        Ok(match text {
            "==" => Self::Equal,
            "!=" => Self::NotEqual,
            "<" => Self::Less,
            ">" => Self::Greater,
            "contains" => Self::Contains,
            _ => return Err(UnknownOperator),
        })
    }
}

/// The text is none of the operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown operator: use ==, !=, <, > or contains")]
pub struct UnknownOperator;

impl NodeQuery {
    /// Nodes of any type whose attribute compares with a value as given.
    #[must_use]
    pub fn new(attribute: impl Into<String>, operator: Operator, value: impl Into<String>) -> Self {
        Self { node_type: None, attribute: attribute.into(), operator, value: value.into() }
    }

    /// Only selects nodes of that type.
    #[must_use]
    pub fn of_type(mut self, node_type: NodeType) -> Self {
        self.node_type = Some(node_type);
        self
    }

    pub(crate) fn means(&self, node: NodeRef<'_>) -> bool {
        self.node_type.is_none_or(|wanted| node.node_type() == wanted)
            && node.attribute(&self.attribute).is_some_and(|value| self.fits(value))
    }

    fn fits(&self, value: ValueRef<'_>) -> bool {
        match value {
            ValueRef::Bool(value) => self.compare(self.value.parse().ok().map(|it| (value, it))),
            ValueRef::Int(value) => self.compare(self.number().map(|it| (value as f64, it))),
            ValueRef::Float(value) => self.compare(self.number().map(|it| (value, it))),
            ValueRef::Text(value) if self.operator == Operator::Contains => {
                value.contains(&self.value)
            }
            ValueRef::Text(value) => self.compare(Some((value, self.value.as_str()))),
            ValueRef::Numbers(values) => {
                self.operator == Operator::Contains
                    && self.number().is_some_and(|wanted| values.contains(&wanted))
            }
            ValueRef::Flags(values) => {
                self.operator == Operator::Contains
                    && self.value.parse().is_ok_and(|wanted| values.contains(&wanted))
            }
            ValueRef::Parameters(parameters) => {
                self.operator == Operator::Contains
                    && parameters.iter().any(|parameter| *parameter.name == *self.value)
            }
            _ => false,
        }
    }

    fn number(&self) -> Option<f64> {
        self.value.parse().ok()
    }

    /// The attribute's value and the query's, if they have the same type.
    fn compare<T: PartialOrd>(&self, values: Option<(T, T)>) -> bool {
        values.is_some_and(|(value, wanted)| match self.operator {
            Operator::Equal => value == wanted,
            Operator::NotEqual => value != wanted,
            Operator::Less => value < wanted,
            Operator::Greater => value > wanted,
            Operator::Contains => false,
        })
    }
}
