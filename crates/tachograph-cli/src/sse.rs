//! Server-sent events, parsed from the pieces of a stream.

/// The maximum size of an event. A frame of 20,000 timings takes about 6 MB.
const EVENT_BYTES: usize = 32 << 20;

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// The field `event`; empty if it is missing.
    pub(crate) name: String,
    /// The field `id`: a client sends it back to get the events after this one.
    pub(crate) id: Option<String>,
    pub(crate) data: String,
}

/// Assembles events from the pieces of a stream.
#[derive(Debug, Default)]
pub(crate) struct Events {
    line: Vec<u8>,
    event: Event,
}

impl Events {
    /// Takes the next piece and returns the events that it completes; `None` if an event is too
    /// long or not UTF-8.
    pub(crate) fn take(&mut self, piece: &[u8]) -> Option<Vec<Event>> {
        let mut whole = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if self.line.len() + self.event.data.len() > EVENT_BYTES {
                return None;
            }
            if self.line.pop_if(|byte| *byte == b'\n').is_some() {
                self.line.pop_if(|byte| *byte == b'\r');
                let line = std::mem::take(&mut self.line);
                whole.extend(self.line(std::str::from_utf8(&line).ok()?));
            }
        }
        Some(whole)
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return (!event.data.is_empty()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "id" => self.event.id = Some(value.to_owned()),
            "data" => {
                if !self.event.data.is_empty() {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            // A comment, or a field that is not used here.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_however_they_are_cut() {
        let stream = ": keep-alive\n\nevent: frame\r\nid: 7\r\ndata: {\"a\":1}\r\n\r\n\
                      data:one\ndata: two\nretry: 5\n\nevent: nothing\n\n";
        let wanted = [
            Event {
                name: "frame".to_owned(),
                id: Some("7".to_owned()),
                data: "{\"a\":1}".to_owned(),
            },
            Event { data: "one\ntwo".to_owned(), ..Event::default() },
        ];
        for length in 1..stream.len() {
            let mut events = Events::default();
            let pieces = stream.as_bytes().chunks(length);
            let found: Vec<_> = pieces.flat_map(|it| events.take(it).expect("events")).collect();
            assert_eq!(found, wanted, "in pieces of {length}");
        }
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut events = Events::default();
        let piece = vec![b'x'; 1 << 20];
        assert!((0..40).any(|_| events.take(&piece).is_none()));
    }
}
