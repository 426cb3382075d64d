//! The caller's choices.

use std::collections::HashMap;

use super::form::Form;

/// The form of each timing and histogram, and the other options.
#[derive(Clone, Debug)]
pub(super) struct Choices {
    pub(super) timings: Form,
    pub(super) by_metric: HashMap<String, Form>,
    pub(super) timestamps: bool,
    pub(super) created: bool,
    /// Whether a summary's quantiles cover the lifetime.
    pub(super) lifetime_quantiles: bool,
    /// Whether the collector's own series are written.
    pub(super) telemetry: bool,
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            timings: Form::default(),
            by_metric: HashMap::new(),
            timestamps: false,
            created: true,
            lifetime_quantiles: false,
            telemetry: true,
        }
    }
}

impl Choices {
    /// The form of a metric.
    pub(super) fn form(&self, metric: &str) -> &Form {
        self.by_metric.get(metric).unwrap_or(&self.timings)
    }
}
