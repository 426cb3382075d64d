//! Trouble on purpose: something to see for whoever looks at alerts.

use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use crate::events::event::Event;
use crate::events::event_type::EventType;
use crate::events::stale::Stale;
use crate::osc::arg::Arg;
use crate::osc::sender::EventSender;
use crate::server::ast_server::AstServer;

/// What goes wrong; each is what one of the [default alerts](crate::alerts::DEFAULTS) looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Sequence numbers are left out: datagrams seem to get lost on their way.
    Loss,
    /// The set is kept locked for 200 ms at a time, as by a query that takes too long: events wait
    /// for it.
    Latency,
    /// Events fail inside the server.
    Errors,
}

/// Lost every 50 ms: 200 in a second.
const LOST: u32 = 10;
/// More than the alert's 100 ms, also if the event is late by a third of it.
const LOCKED: Duration = Duration::from_millis(200);

impl Trouble {
    /// What happens, for people.
    pub fn told(self) -> &'static str {
        match self {
            Self::Loss => "200 sequence numbers a second are left out, as if datagrams got lost",
            Self::Latency => "the set is locked for 200 ms at a time, so that events wait for it",
            Self::Errors => "5 events a second fail inside the server",
        }
    }

    /// The time between two troubles.
    fn pause(self) -> Duration {
        Duration::from_millis(if self == Self::Errors { 200 } else { 50 })
    }

    /// Makes trouble for so long, at a server that has a set and listens at this address; blocks
    /// meanwhile.
    ///
    /// All of it really happens, so metrics, log, viewers and alerts agree: numbers are missing in
    /// what is sent, events wait, and a panic in their handler is caught.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn make(self, to: SocketAddr, server: &AstServer, lasting: Duration) -> io::Result<()> {
        let mut sender = EventSender::connect(to)?;
        let args = [Arg::from(0), Arg::from(true)];
        let begun = Instant::now();
        while begun.elapsed() < lasting {
            match self {
                Self::Loss => {
                    sender.skip(LOST);
                    sender.send("/live/track/mute", &args)?;
                }
                Self::Latency => {
                    let _locked = server.state();
                    sender.send("/live/track/mute", &args)?;
                    thread::sleep(LOCKED);
                }
                Self::Errors => {
                    let _failed = server.handle_failing(Event {
                        event_type: EventType::TrackMute,
                        args: &args,
                        seq: None,
                        timestamp: 0.0,
                        stale: Stale::default(),
                    });
                }
            }
            thread::sleep(self.pause());
        }
        Ok(())
    }
}
