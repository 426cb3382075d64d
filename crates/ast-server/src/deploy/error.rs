//! Why nothing could be generated.

/// Why a file could not be generated. Settings are checked before; this is a mistake in the
/// generator.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DeployError(#[from] Reason);

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("`{template}` names the metric {name:?}, which the server does not have")]
    UnknownMetric { name: String, template: String },
    #[error("`{template}` has a `${{` without a `}}`")]
    Unclosed { template: String },
    #[error("cannot write YAML: {0}")]
    Yaml(yaml_serde::Error),
    #[error("cannot write JSON: {0}")]
    Json(serde_json::Error),
}

impl DeployError {
    pub(super) fn unknown_metric(name: &str, template: &str) -> Self {
        Reason::UnknownMetric { name: name.to_owned(), template: template.to_owned() }.into()
    }

    pub(super) fn unclosed(template: &str) -> Self {
        Reason::Unclosed { template: template.to_owned() }.into()
    }

    pub(super) fn yaml(error: yaml_serde::Error) -> Self {
        Reason::Yaml(error).into()
    }

    pub(super) fn json(error: serde_json::Error) -> Self {
        Reason::Json(error).into()
    }
}
