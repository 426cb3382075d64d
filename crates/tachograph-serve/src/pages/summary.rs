//! The program's own summary.

use std::fmt;
use std::sync::Arc;

use axum::body::Bytes;
use serde::Serialize;
use tachograph::Snapshot;

use crate::pages::page::to_json;

/// Writes the summary of a snapshot as JSON.
#[derive(Clone)]
pub(crate) struct Summary(Arc<dyn Fn(&Snapshot) -> Bytes + Send + Sync>);

impl Summary {
    pub(crate) fn new<T: Serialize>(of: impl Fn(&Snapshot) -> T + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |snapshot| to_json(&of(snapshot))))
    }

    pub(crate) fn of(&self, snapshot: &Snapshot) -> Bytes {
        (self.0)(snapshot)
    }
}

impl fmt::Debug for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Summary").finish_non_exhaustive()
    }
}
