//! Messages to viewers: JSON text frames `{type, payload}`, each serialised once.

use std::path::Path;

use live_set::{Changes, NodeRef, Set};
use serde::Serialize;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::events::event::Event;
use crate::osc::arg::Arg;

/// A message as it goes over the wire; cheap to clone, whatever its size.
pub(crate) type Text = Utf8Bytes;

#[derive(Serialize)]
struct Message<P> {
    r#type: &'static str,
    payload: P,
}

#[derive(Serialize)]
struct FullAst<'a> {
    ast: NodeRef<'a>,
    project_path: &'a str,
}

#[derive(Serialize)]
struct DiffUpdate<'a> {
    diff: &'a Changes,
}

#[derive(Serialize)]
struct Problem<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Value>,
}

#[derive(Serialize)]
struct LiveEvent<'a> {
    event_path: &'static str,
    args: &'a [Arg<'a>],
    seq_num: Option<u32>,
    timestamp: f64,
}

#[derive(Serialize)]
struct Ack {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Value>,
}

/// The whole tree of a set from a file.
pub(crate) fn full_ast(set: &Set, file: &Path) -> Text {
    text("FULL_AST", FullAst { ast: set.root(), project_path: &file.to_string_lossy() })
}

/// The changes of an event.
pub(crate) fn diff_update(diff: &Changes) -> Text {
    text("DIFF_UPDATE", DiffUpdate { diff })
}

/// An event, unchanged.
pub(crate) fn live_event(event: &Event<'_>) -> Text {
    let &Event { event_type, args, seq: seq_num, timestamp, .. } = event;
    text("live_event", LiveEvent { event_path: event_type.path(), args, seq_num, timestamp })
}

/// A problem that viewers should know about.
pub(crate) fn error(error: &str, details: Option<Value>) -> Text {
    text("ERROR", Problem { error, details })
}

/// The answer to a viewer's message.
pub(crate) fn answer(request: &[u8]) -> Result<Text, Text> {
    match serde_json::from_slice::<Value>(request) {
        Ok(mut request) => {
            let request_id = request.get_mut("request_id").map(Value::take);
            Ok(text("ACK", Ack { status: "ok", request_id }))
        }
        Err(reason) => Err(error("Invalid JSON", Some(reason.to_string().into()))),
    }
}

fn text(r#type: &'static str, payload: impl Serialize) -> Text {
    // A tree only contains finite numbers and string keys, so JSON can represent everything.
    let mut text = serde_json::to_string(&Message { r#type, payload }).unwrap_or_default();
    // Queued messages are counted by their length, and half of a vector may be spare capacity.
    text.shrink_to_fit();
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_valid_json_is_acknowledged_with_its_request_id() {
        let ack = |request: &str| answer(request.as_bytes()).map(|text| text.to_string());
        let plain = r#"{"type":"ACK","payload":{"status":"ok"}}"#;
        for request in ["{}", "1", "null", "[]", r#""text""#] {
            assert_eq!(ack(request), Ok(plain.into()), "{request}");
        }
        let echoed = r#"{"type":"ACK","payload":{"status":"ok","request_id":"a1"}}"#;
        assert_eq!(ack(r#"{"request_id": "a1"}"#), Ok(echoed.into()));
        let echoed = r#"{"type":"ACK","payload":{"status":"ok","request_id":7}}"#;
        assert_eq!(ack(r#"{"request_id": 7, "type": "PING"}"#), Ok(echoed.into()));
    }

    #[test]
    fn what_is_not_json_is_answered_with_an_error() {
        let nested = "[".repeat(100_000);
        for request in ["", "{", "nonsense", "\u{0}", &nested] {
            let error = answer(request.as_bytes()).expect_err("an error").to_string();
            assert!(error.starts_with(r#"{"type":"ERROR","payload":{"error":"Invalid JSON""#));
        }
    }
}
