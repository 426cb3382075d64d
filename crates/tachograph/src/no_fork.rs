//! What stands in for fork handling where there are no forks, and under the model.

use crate::core::Core;
use crate::intake::Intake;
use crate::sync::Arc;

pub(crate) fn watch(_core: &Arc<Core>) {}

pub(crate) fn resume(_intake: &Intake) {}

pub(crate) fn open(_intake: &Intake) {}
