//! Gauges that keep their value: a frame has only those that were set in it.

use std::sync::Arc;

use crate::frame::{Frame, GaugeStep, Mark, merge};

/// The gauges as they stand after the frames noted so far. Whatever starts in the middle begins
/// with them: a recording, a listener, a range of a [`History`](crate::History).
#[derive(Clone, Debug, Default)]
pub struct Standing(Frame);

impl Standing {
    /// Notes the next frame. A start, a restart and a reset leave only what was set after them.
    pub fn note(&mut self, frame: &Frame) {
        let Self(standing) = self;
        (standing.version, standing.end_ms) = (frame.version, frame.end_ms);
        if frame.marks.iter().any(Mark::ends_gauges) {
            standing.gauges.clear();
        }
        let stands = |step: &GaugeStep| GaugeStep {
            current: step.current,
            min: step.current,
            max: step.current,
            ..GaugeStep::default()
        };
        let set: Vec<_> = frame.gauges.iter().map(|(number, it)| (*number, stands(it))).collect();
        merge(&mut standing.gauges, &set, |old, new| *old = *new);
        standing.gauges.retain(|(_, step)| step.current.is_some());
    }

    /// The gauges as a frame that covers no time and contains no records; `None` if there are none.
    pub fn frame(&self) -> Option<&Frame> {
        Some(&self.0).filter(|frame| !frame.gauges.is_empty())
    }

    /// Adds every gauge that stands to the first frame of what begins here.
    pub fn begin(&self, first: &mut Arc<Frame>) {
        if let Some(standing) = self.frame()
            && !first.marks.iter().any(Mark::ends_gauges)
        {
            let mut begin = standing.clone();
            begin.append(first);
            *first = Arc::new(begin);
        }
    }

    /// Forgets gauges.
    pub(crate) fn retain(&mut self, keep: impl Fn(u32) -> bool) {
        self.0.gauges.retain(|(number, _)| keep(*number));
        self.0.gauges.shrink_to_fit();
    }

    /// The size of the gauges in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.gauges.capacity() * size_of::<(u32, GaugeStep)>()
    }
}
