//! The lines of recordings and of the live stream: one JSON object each.

use serde::{Deserialize, Serialize};

use crate::definition::Definition;
use crate::frame::Frame;

/// The version of the lines' format.
pub const FORMAT: u32 = 1;

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The first line, and the first after each restart.
    Meta(Meta),
    /// Defines a series number before its first use.
    Series(Definition),
    /// What was recorded in a step.
    Frame(Frame),
}

/// The origin of the frames.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// [`FORMAT`].
    pub format: u32,
    /// The program that recorded, such as `ast-server`.
    pub program: String,
    /// That program's version.
    pub version: String,
    /// When the program was started: milliseconds since 1970, UTC.
    pub started_ms: u64,
    /// The time between frames, in milliseconds.
    pub step_ms: u64,
    /// The sliding window behind [`WindowQuantiles`](crate::WindowQuantiles), in milliseconds;
    /// `None` without windows, and in a recording that does not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<u64>,
}

/// Serialises without copying the content.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Borrowed<'a> {
    Meta(&'a Meta),
    Series(&'a Definition),
    Frame(&'a Frame),
}

fn encode(line: &Borrowed<'_>) -> String {
    // Infallible: every key is a text, and memory accepts every write.
    serde_json::to_string(line).unwrap_or_default() + "\n"
}

impl Meta {
    /// As a line, including its line break.
    pub fn to_line(&self) -> String {
        encode(&Borrowed::Meta(self))
    }
}

impl Definition {
    /// As a line, including its line break.
    pub fn to_line(&self) -> String {
        encode(&Borrowed::Series(self))
    }
}

impl Frame {
    /// As a line, including its line break.
    pub fn to_line(&self) -> String {
        encode(&Borrowed::Frame(self))
    }
}
