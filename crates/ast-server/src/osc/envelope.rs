//! The meaning of an OSC message for the server: an event, numbered or not, or a marker.

use crate::osc::arg::Arg;
use crate::osc::decode::{Malformed, Message};

/// The meaning of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Incoming<'a> {
    /// An event; `seq` is its number, 0 to 2^31 - 1, if it came in an envelope.
    Event { seq: Option<u32>, sent_at: Option<f64>, path: &'a str, args: &'a [Arg<'a>] },
    /// The start or the end of a batch.
    BatchMarker,
}

impl<'a> Incoming<'a> {
    /// Opens the envelope, if there is one.
    ///
    /// # Errors
    /// If an envelope lacks a sequence number from 0 up, a time or a path.
    pub(crate) fn of(message: &'a Message<'a>) -> Result<Self, Malformed> {
        match message.address {
            "/live/seq" => Self::open(&message.args),
            "/live/batch/start" | "/live/batch/end" => Ok(Self::BatchMarker),
            path => Ok(Self::Event { seq: None, sent_at: None, path, args: &message.args }),
        }
    }

    fn open(args: &'a [Arg<'a>]) -> Result<Self, Malformed> {
        let [Arg::Int(seq), time, Arg::Text(path), args @ ..] = args else {
            return Err(Malformed::Envelope);
        };
        let sent_at = match *time {
            Arg::Float(time) => f64::from(time),
            Arg::Int(time) => f64::from(time),
            _ => return Err(Malformed::Envelope),
        };
        let seq = u32::try_from(*seq).map_err(|_| Malformed::Envelope)?;
        Ok(Self::Event { seq: Some(seq), sent_at: Some(sent_at), path, args })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open<'a>(message: &'a Message<'a>) -> Result<Incoming<'a>, Malformed> {
        Incoming::of(message)
    }

    fn envelope(args: Vec<Arg<'_>>) -> Message<'_> {
        Message { address: "/live/seq", args }
    }

    #[test]
    fn an_envelope_gives_the_number_the_path_and_the_rest() {
        let args = vec![Arg::Int(7), Arg::Float(1.5), Arg::Text("/live/track/mute"), Arg::Int(3)];
        let expected = Incoming::Event {
            seq: Some(7),
            sent_at: Some(1.5),
            path: "/live/track/mute",
            args: &[Arg::Int(3)],
        };
        assert_eq!(open(&envelope(args)), Ok(expected));
    }

    #[test]
    fn numbers_that_are_no_int32_from_0_up_are_malformed() {
        let path = Arg::Text("/live/track/mute");
        let time = Arg::Float(0.0);
        for seq in [Arg::Bool(true), Arg::Float(1.0), Arg::Text("1"), Arg::Other, Arg::Int(-1)] {
            assert_eq!(open(&envelope(vec![seq, time, path])), Err(Malformed::Envelope), "{seq:?}");
        }
        for args in [vec![], vec![Arg::Int(1)], vec![Arg::Int(1), path, path]] {
            assert_eq!(open(&envelope(args)), Err(Malformed::Envelope));
        }
    }

    #[test]
    fn markers_and_plain_events_carry_no_number() {
        let marker = Message { address: "/live/batch/end", args: vec![Arg::Int(1)] };
        assert_eq!(open(&marker), Ok(Incoming::BatchMarker));
        let plain = Message { address: "/live/track/mute", args: vec![] };
        assert!(matches!(open(&plain), Ok(Incoming::Event { seq: None, .. })));
    }
}
