//! Trouble on purpose: something to see for whoever looks at alerts.

use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use tachograph::MetricsCollector;

use crate::osc::arg::Arg;
use crate::osc::sender::EventSender;

/// What goes wrong; each is what one of the [default alerts](crate::alerts::DEFAULTS) looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Sequence numbers are left out: datagrams seem to get lost on their way.
    Loss,
    /// Events seem to take 150 ms each.
    Latency,
    /// Events seem to meet internal failures.
    Errors,
}

/// The time between two troubles.
const EVERY: Duration = Duration::from_millis(50);
/// Lost at a time: 200 in a second.
const LOST: u32 = 10;
/// More than the alert's 100 ms, whatever a bucket's width is.
const SLOW: Duration = Duration::from_millis(150);
/// Slow events at a time. Alerts ask for the slowest twentieth: of the demo's 5,000 in a second, a tenth
/// is enough.
const SLOW_EVENTS: u32 = 30;

impl Trouble {
    /// What happens, for people.
    pub fn told(self) -> &'static str {
        match self {
            Self::Loss => "200 sequence numbers a second are left out, as if datagrams got lost",
            Self::Latency => "600 events a second are recorded as if each had taken 150 ms",
            Self::Errors => "20 events a second are recorded as if the server had failed at them",
        }
    }

    /// Makes trouble for so long, at the server whose address and metrics these are; blocks meanwhile.
    ///
    /// Loss is real: the numbers are missing in what is sent. Slow and failing events are recorded
    /// only, each as received and in its class.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn make(
        self,
        to: SocketAddr,
        metrics: &MetricsCollector,
        lasting: Duration,
    ) -> io::Result<()> {
        let mut sender = EventSender::connect(to)?;
        let begun = Instant::now();
        while begun.elapsed() < lasting {
            match self {
                Self::Loss => {
                    sender.skip(LOST);
                    sender.send("/live/track/mute", &[Arg::from(0), Arg::from(true)])?;
                }
                Self::Latency => {
                    metrics.increment_by("events.received", u64::from(SLOW_EVENTS));
                    metrics.increment_by("events.processed", u64::from(SLOW_EVENTS));
                    for _ in 0..SLOW_EVENTS {
                        metrics.timing("event.processing.duration", SLOW);
                    }
                }
                Self::Errors => {
                    metrics.increment("events.received");
                    metrics.increment("errors.event_processing");
                }
            }
            thread::sleep(EVERY);
        }
        Ok(())
    }
}
