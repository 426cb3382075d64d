//! The trace that a sample belongs to, as defined by W3C Trace Context.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

use crate::limits::TRACE_WORDS;

/// Defines an id of a fixed number of bytes that is never all zero.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $word:ident, $wrong:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// The id with these bytes; `None` if all are zero, which is not a valid id.
            pub fn new(bytes: [u8; $bytes]) -> Option<Self> {
                (bytes != [0; $bytes]).then_some(Self(bytes))
            }

            /// Its bytes, in transmission order.
            pub fn to_bytes(self) -> [u8; $bytes] {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = InvalidTrace;

            /// Parses lower-case hexadecimal digits.
            fn from_str(text: &str) -> Result<Self, InvalidTrace> {
                let value = hex(text, 2 * $bytes).ok_or(InvalidTrace::$wrong)?;
                // The value has no more bytes than the digits represent.
                Self::new((value as $word).to_be_bytes()).ok_or(InvalidTrace::$wrong)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    };
}

id! {
    /// The id of a trace: 16 bytes, not all zero. As text, and in JSON, 32 lower-case
    /// hexadecimal digits.
    TraceId, 16, u128, TraceId
}

id! {
    /// The id of a span: 8 bytes, not all zero. As text, and in JSON, 16 lower-case hexadecimal
    /// digits.
    SpanId, 8, u64, SpanId
}

/// A trace that a sample belongs to, and the span within it, if known.
///
/// Follows W3C Trace Context. As text it is the trace id and, after a hyphen, the span id; the
/// value of a `traceparent` header can be parsed too.
///
/// ```
/// use tachograph::Trace;
///
/// let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let trace: Trace = header.parse()?;
/// assert_eq!(trace.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// assert_eq!(trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7");
/// # Ok::<(), tachograph::InvalidTrace>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Trace {
    trace_id: TraceId,
    span_id: Option<SpanId>,
}

/// Returns the trace that the calling thread is in.
pub(crate) type TraceSource = fn() -> Option<Trace>;

/// Why a text is not a valid trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidTrace {
    /// Its trace id is not 32 lower-case hexadecimal digits, or all zero.
    TraceId,
    /// Its span id is not 16 lower-case hexadecimal digits, or all zero.
    SpanId,
    /// It is neither plain ids nor a `traceparent` of a known form.
    Form,
}

impl fmt::Display for InvalidTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TraceId => "a trace id is 32 lower-case hexadecimal digits, not all zero",
            Self::SpanId => "a span id is 16 lower-case hexadecimal digits, not all zero",
            Self::Form => "a trace is `trace-id`, `trace-id-span-id` or a `traceparent` header",
        })
    }
}

impl std::error::Error for InvalidTrace {}

/// The value of exactly `digits` lower-case hexadecimal digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let all = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (all && text.len() == digits).then(|| u128::from_str_radix(text, 16).ok())?
}

impl Trace {
    /// The trace with these ids, in transmission order; `None` if the trace id is all zero. An
    /// all-zero span id means no span.
    pub fn new(trace_id: [u8; 16], span_id: [u8; 8]) -> Option<Self> {
        Some(Self { trace_id: TraceId::new(trace_id)?, span_id: SpanId::new(span_id) })
    }

    /// The trace id.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The span id, if known.
    pub fn span_id(&self) -> Option<SpanId> {
        self.span_id
    }

    /// The words that travel in a lane.
    #[inline]
    pub(crate) fn to_words(self) -> [u64; TRACE_WORDS] {
        let id = u128::from_be_bytes(self.trace_id.0);
        let span = self.span_id.map_or(0, |span| u64::from_be_bytes(span.0));
        let words = [id as u64, span, (id >> 64) as u64];
        std::array::from_fn(|i| words[i])
    }

    /// The inverse of `to_words`; `None` for any other words.
    pub(crate) fn from_words(words: [u64; TRACE_WORDS]) -> Option<Self> {
        // In models the upper half is left out.
        let high = words.get(2).copied().unwrap_or(0);
        let id = (u128::from(high) << 64) | u128::from(words[0]);
        Self::new(id.to_be_bytes(), words[1].to_be_bytes())
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.trace_id.fmt(f)?;
        self.span_id.map_or(Ok(()), |span| write!(f, "-{span}"))
    }
}

impl FromStr for Trace {
    type Err = InvalidTrace;

    fn from_str(text: &str) -> Result<Self, InvalidTrace> {
        let parts: Vec<_> = text.splitn(5, '-').collect();
        let (trace_id, span_id) = match parts[..] {
            [trace_id] => (trace_id, None),
            [trace_id, span_id] => (trace_id, Some(span_id)),
            [version, trace_id, span_id, flags, ref more @ ..] => {
                // A later version may have more after the flags, version 00 may not.
                let known = hex(version, 2).is_some_and(|v| v < 0xff && (v > 0 || more.is_empty()));
                if !known || hex(flags, 2).is_none() {
                    return Err(InvalidTrace::Form);
                }
                (trace_id, Some(span_id))
            }
            _ => return Err(InvalidTrace::Form),
        };
        let span_id = span_id.map(str::parse).transpose()?;
        Ok(Self { trace_id: trace_id.parse()?, span_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn text_and_words_come_back_as_they_were() {
        for text in [ID.to_owned(), format!("{ID}-{SPAN}")] {
            let trace: Trace = text.parse().expect("valid");
            assert_eq!(trace.to_string(), text);
            assert_eq!(Trace::from_words(trace.to_words()), Some(trace));
            let json = serde_json::to_string(&trace).expect("serializes");
            assert_eq!(serde_json::from_str::<Trace>(&json).expect("is its own"), trace);
        }
    }

    #[test]
    fn a_traceparent_is_taken_by_the_rules_of_its_version() {
        let whole = Trace::from_str(&format!("{ID}-{SPAN}"));
        assert_eq!(Trace::from_str(&format!("00-{ID}-{SPAN}-01")), whole);
        assert_eq!(Trace::from_str(&format!("cc-{ID}-{SPAN}-01-later")), whole);
        for form in ["00-{ID}-{SPAN}", "00-{ID}-{SPAN}-01-later", "ff-{ID}-{SPAN}-01"] {
            let text = form.replace("{ID}", ID).replace("{SPAN}", SPAN);
            assert_eq!(Trace::from_str(&text), Err(InvalidTrace::Form), "{text}");
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", &ID[1..], &ID.to_uppercase(), &"0".repeat(32), &format!("+{}", &ID[1..])] {
            assert_eq!(Trace::from_str(text), Err(InvalidTrace::TraceId), "{text}");
        }
        for text in [&format!("{ID}-"), &format!("{ID}-{}", "0".repeat(16)), &format!("{ID}-é")] {
            assert_eq!(Trace::from_str(text), Err(InvalidTrace::SpanId), "{text}");
        }
        assert_eq!(Trace::new([0; 16], [1; 8]), None);
        assert_eq!(Trace::new([1; 16], [0; 8]).and_then(|trace| trace.span_id()), None);
    }
}
