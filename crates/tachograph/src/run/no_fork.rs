//! What stands in for fork handling where there are no forks, and under the model.

use crate::run::engine::Core;
use crate::sync::Arc;

pub(crate) fn install() {}

pub(crate) fn watch(_core: &Arc<Core>) {}
