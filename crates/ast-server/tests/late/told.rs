//! Events as a sender sends them, and random ones.

use ast_server::{Arg, EventType, encode_event};
use fastrand::Rng;
use serde_json::{Value, json};

pub(crate) const STRUCTURE: [&str; 4] =
    ["/live/track/added", "/live/track/deleted", "/live/scene/added", "/live/scene/removed"];

/// An event as it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) path: &'static str,
    pub(crate) at: Vec<usize>,
    pub(crate) values: Vec<Value>,
}

impl Told {
    pub(crate) fn datagram(&self, seq: u32) -> Vec<u8> {
        let position = |at: &usize| Arg::from(i32::try_from(*at).expect("small"));
        let value = |value| match value {
            &Value::Bool(value) => Arg::from(value),
            Value::String(text) => Arg::from(text),
            Value::Number(number) if number.is_f64() => {
                Arg::from(number.as_f64().expect("a float") as f32)
            }
            other => Arg::from(i32::try_from(other.as_i64().expect("whole")).expect("small")),
        };
        let args: Vec<_> =
            self.at.iter().map(position).chain(self.values.iter().map(value)).collect();
        encode_event(seq, self.path, &args)
    }
}

/// The values of an event.
fn value(random: &mut Rng, kind: &str) -> Vec<Value> {
    let name = |random: &mut Rng| json!(["Bass", "Keys", "Pad"][random.usize(..3)]);
    let float = |random: &mut Rng| json!(f64::from(random.u8(..)) / 256.0);
    match kind {
        "track/renamed" | "scene/renamed" | "scene/reordered" | "clip/name" => vec![name(random)],
        "scene/added" | "device/added" | "clip/added" => vec![name(random)],
        "track/added" => vec![name(random), json!("midi")],
        "track/volume" | "track/pan" | "device/param" => vec![float(random)],
        "transport/tempo" | "transport/position" => vec![float(random)],
        "track/color" | "scene/color" | "clip_slot/color" | "clip/color" => {
            vec![json!(random.i32(100..1 << 24))]
        }
        "clip_slot/playing_status" => vec![json!(random.i32(0..3))],
        "clip_slot/created" => {
            vec![json!(random.bool()), json!(random.bool()), json!(random.i32(0..3))]
        }
        "track/deleted" | "device/deleted" | "scene/removed" | "scene/triggered" => vec![],
        "clip/removed" => vec![],
        kind if kind.starts_with("cursor") => vec![json!(random.i32(0..3))],
        _ => vec![json!(random.bool())],
    }
}

/// Any event of the table. Structure is rare: everything older than it is superseded. A few point
/// at nothing.
pub(crate) fn told(random: &mut Rng) -> Told {
    let path = loop {
        let event_type = EventType::ALL[random.usize(..EventType::ALL.len())];
        let path = event_type.path();
        if !STRUCTURE.contains(&path) || random.usize(..12) == 0 {
            break path;
        }
    };
    let kind = path.trim_start_matches("/live/");
    let at = match kind.split('/').next().expect("a kind") {
        "track" => vec![random.usize(..7)],
        "scene" => vec![random.usize(..9)],
        "clip_slot" | "clip" => vec![random.usize(..3), random.usize(..3)],
        "device" if kind == "device/param" => {
            vec![random.usize(..2), random.usize(..3), random.usize(..4)]
        }
        "device" => vec![random.usize(..2), random.usize(..3)],
        _ => vec![],
    };
    Told { path, at, values: value(random, kind) }
}
