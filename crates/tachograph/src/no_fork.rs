//! What stands in for fork handling where there are no forks, and under the model.

use std::ffi::CStr;
use std::io;
use std::thread;

use crate::core::Core;
use crate::intake::Intake;
use crate::sync::Arc;

pub(crate) fn watch(_core: &Arc<Core>) {}

pub(crate) fn resume(intake: &Intake) {
    if intake.is_forked() {
        open(intake);
    }
}

/// Models have the lanes of a child without its background thread.
pub(crate) fn open(_intake: &Intake) {
    #[cfg(tachograph_loom)]
    _intake.reopen();
}

pub(crate) fn spawn(name: &'static CStr, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let name = name.to_string_lossy().into_owned();
    thread::Builder::new().name(name).spawn(body).map(drop)
}
