//! What viewers send: frames of any shape, JSON of any depth. Every message is answered, in order,
//! and a request known to be valid is acknowledged with its own id.
#![no_main]

use arbitrary::Arbitrary;
use ast_server::parts::answers;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

/// The limit for one message from a viewer.
const REQUEST_BYTES_MAX: usize = 64 << 10;

const CONTINUE: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const PING: u8 = 9;

#[derive(Arbitrary, Debug)]
enum Sent<'a> {
    /// JSON with arbitrary members, in several frames.
    Request {
        id: Option<Id<'a>>,
        others: Vec<(&'a str, f64)>,
        frames: u8,
        pings: bool,
    },
    /// Lists nested this deep.
    Nested(u16),
    /// Any bytes, in one frame.
    Binary(&'a [u8]),
    /// Any text, in one frame.
    Text(&'a str),
    Ping(&'a [u8]),
    /// Bytes in place of a frame: nothing after them is certain.
    Raw(&'a [u8]),
}

#[derive(Arbitrary, Debug)]
enum Id<'a> {
    Text(&'a str),
    Number(u64),
    List(Vec<bool>),
    Null,
}

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    mask: [u8; 4],
    sent: Vec<Sent<'a>>,
}

impl Id<'_> {
    fn json(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Number(number) => json!(number),
            Self::List(list) => json!(list),
            Self::Null => Value::Null,
        }
    }
}

/// A frame as a client sends it.
fn frame(into: &mut Vec<u8>, (opcode, is_last): (u8, bool), payload: &[u8], mask: [u8; 4]) {
    into.push(opcode | if is_last { 0x80 } else { 0 });
    match payload.len() {
        len @ 0..126 => into.push(0x80 | len as u8),
        len @ 126..65_536 => {
            into.push(0x80 | 126);
            into.extend((len as u16).to_be_bytes());
        }
        len => {
            into.push(0x80 | 127);
            into.extend((len as u64).to_be_bytes());
        }
    }
    into.extend(mask);
    into.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// The text of a request. Its id comes after the other members, so that none of them replaces it.
fn request(id: Option<&Id<'_>>, others: &[(&str, f64)]) -> String {
    let quoted = |text: &str| serde_json::to_string(text).expect("text");
    let others = others.iter().filter(|(_, number)| number.is_finite());
    let mut members: Vec<_> = others
        .filter(|(key, _)| *key != "request_id")
        .map(|(key, number)| format!("{}:{number:e}", quoted(key)))
        .collect();
    members.extend(id.map(|id| format!("\"request_id\" : {}", id.json())));
    format!(" {{{}}}\n", members.join(" ,\t"))
}

/// The expected answer.
enum Expected {
    Exactly(Value),
    /// Either of the two kinds.
    Either,
}

/// Adds the frames of a message; `None` if nothing after it is certain.
fn add(sent: &Sent<'_>, mask: [u8; 4], bytes: &mut Vec<u8>) -> Option<Option<Expected>> {
    let mut whole = |opcode, payload: &[u8]| {
        frame(bytes, (opcode, true), payload, mask);
        payload.len() <= REQUEST_BYTES_MAX
    };
    match sent {
        Sent::Request { id, others, frames, pings } => {
            let text = request(id.as_ref(), others);
            let count = 1 + usize::from(*frames % 8);
            let size = text.len().div_ceil(count);
            let parts: Vec<_> = text.as_bytes().chunks(size).collect();
            for (i, part) in parts.iter().enumerate() {
                let opcode = if i == 0 { TEXT } else { CONTINUE };
                frame(bytes, (opcode, i + 1 == parts.len()), part, mask);
                if *pings && i + 1 < parts.len() {
                    frame(bytes, (PING, true), b"between", mask);
                }
            }
            let mut payload = json!({ "status": "ok" });
            if let Some(id) = id {
                payload["request_id"] = id.json();
            }
            let answer = json!({ "type": "ACK", "payload": payload });
            (text.len() <= REQUEST_BYTES_MAX).then_some(Some(Expected::Exactly(answer)))
        }
        Sent::Nested(depth) => {
            let depth = usize::from(*depth) % (REQUEST_BYTES_MAX / 2);
            let text = "[".repeat(depth) + &"]".repeat(depth);
            whole(TEXT, text.as_bytes()).then_some(Some(Expected::Either))
        }
        Sent::Binary(payload) => whole(BINARY, payload).then_some(Some(Expected::Either)),
        Sent::Text(text) => whole(TEXT, text.as_bytes()).then_some(Some(Expected::Either)),
        Sent::Ping(payload) => whole(PING, &payload[..payload.len().min(125)]).then_some(None),
        Sent::Raw(raw) => {
            bytes.extend(*raw);
            None
        }
    }
}

fuzz_target!(|input: Input<'_>| {
    let (mut bytes, mut expected, mut is_certain) = (Vec::new(), Vec::new(), true);
    for sent in &input.sent {
        let answer = add(sent, input.mask, &mut bytes);
        is_certain &= answer.is_some();
        expected.extend(answer.flatten().filter(|_| is_certain));
    }
    let answers = answers(&bytes);
    assert!(answers.len() >= expected.len(), "{} of {}", answers.len(), expected.len());
    assert!(!is_certain || answers.len() == expected.len());
    for (i, answer) in answers.iter().enumerate() {
        let (Ok(text) | Err(text)) = answer;
        let json: Value = serde_json::from_str(text).expect("an answer is JSON");
        match expected.get(i) {
            Some(Expected::Exactly(wanted)) => assert_eq!(json, *wanted),
            _ if answer.is_ok() => assert_eq!(json["type"], "ACK"),
            _ => {
                assert_eq!(json["type"], "ERROR");
                assert_eq!(json["payload"]["error"], "Invalid JSON");
            }
        }
    }
});
