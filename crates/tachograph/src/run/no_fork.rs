//! Replaces fork handling on platforms without forks, and in models.

use crate::run::engine::Core;
use crate::sync::Arc;

pub(crate) fn install() {}

pub(crate) fn watch(_core: &Arc<Core>) {}
