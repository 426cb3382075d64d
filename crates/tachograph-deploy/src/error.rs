//! Why files could not be generated or written.

use std::io;
use std::path::Path;

/// Why files could not be generated or written.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DeployError(#[from] Reason);

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(
        "{0:?} cannot name a job, as files and labels are called after it: use letters, digits, `-` and `_`"
    )]
    Job(String),
    #[error("`{template}` names the metric {name:?}, which the program does not have")]
    UnknownMetric { name: String, template: String },
    #[error("`{0}` has a `${{` without a `}}`")]
    Unclosed(String),
    #[error("cannot write YAML: {0}")]
    Yaml(yaml_serde::Error),
    #[error("cannot write JSON: {0}")]
    Json(serde_json::Error),
    #[error("{0} is there and has other contents: move it away, or give --force to overwrite it")]
    Changed(String),
    #[error("cannot {what} {path}, and have written nothing: {reason}")]
    Io { what: &'static str, path: String, reason: io::Error },
}

impl DeployError {
    pub(crate) fn job(name: &str) -> Self {
        Reason::Job(name.to_owned()).into()
    }

    pub(crate) fn unknown_metric(name: &str, template: &str) -> Self {
        Reason::UnknownMetric { name: name.to_owned(), template: template.to_owned() }.into()
    }

    pub(crate) fn unclosed(template: &str) -> Self {
        Reason::Unclosed(template.to_owned()).into()
    }

    pub(crate) fn yaml(error: yaml_serde::Error) -> Self {
        Reason::Yaml(error).into()
    }

    pub(crate) fn json(error: serde_json::Error) -> Self {
        Reason::Json(error).into()
    }

    pub(crate) fn changed(path: &Path) -> Self {
        Reason::Changed(path.display().to_string()).into()
    }

    pub(crate) fn io(what: &'static str, path: &Path, reason: io::Error) -> Self {
        Reason::Io { what, path: path.display().to_string(), reason }.into()
    }
}
