//! The error of this crate.

use std::io;
use std::path::Path;

/// The reason why files could not be generated or written.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DeployError(#[from] Reason);

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(
        "{0:?} is no valid job name: use up to 200 letters, digits, `-` and `_`, because files are named after it"
    )]
    Job(String),
    #[error("{what}: {expected}")]
    Setting { what: String, expected: String },
    #[error("`{template}` names the metric {name:?}, which the program does not have")]
    UnknownMetric { name: String, template: String },
    #[error("`{0}` has a `${{` without a `}}`")]
    Unclosed(String),
    #[error("cannot write YAML: {0}")]
    Yaml(yaml_serde::Error),
    #[error("cannot write JSON: {0}")]
    Json(serde_json::Error),
    #[error("{0} already exists with other contents: move it away, or overwrite it with --force")]
    Changed(String),
    #[error("cannot {what} {path}; no file was written: {reason}")]
    Io { what: &'static str, path: String, reason: io::Error },
}

impl DeployError {
    pub(crate) fn job(name: &str) -> Self {
        Reason::Job(name.to_owned()).into()
    }

    pub(crate) fn setting(what: &str, expected: String) -> Self {
        Reason::Setting { what: what.to_owned(), expected }.into()
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
