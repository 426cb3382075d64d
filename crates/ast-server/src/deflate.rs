//! `permessage-deflate` (RFC 7692), the server's side: what is granted, and messages compressed
//! once for all viewers.
//!
//! Every message stands alone, in both directions: so one compression serves everyone, and a
//! connection keeps no window. The window is a small one, because Python's
//! `websockets` asks for that by default; so all who are granted the extension are sent the same
//! bytes.

use std::sync::Arc;

use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use tokio_tungstenite::tungstenite::Bytes;
use zlib_rs::{Deflate, DeflateFlush, Status};

use crate::message::Text;

/// The base-2 logarithm of the window: 4 KiB.
const WINDOW_BITS: u8 = 12;
/// The usual one: a tree of 1.9 MB becomes an eighth in 6 ms.
const LEVEL: i32 = 6;
/// Shorter messages go as they are: most changes are, and compressing one takes 7 µs and saves a
/// third of 300 bytes.
const BYTES_MIN: usize = 1 << 10;
/// Longer ones are compressed where they keep nobody else waiting.
const BYTES_AT_ONCE: usize = 16 << 10;
/// What every compressed message would end with, and none does.
pub(crate) const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// The answer to the first offer in a header `Sec-WebSocket-Extensions` that can be granted.
pub(crate) fn grant(offers: &str) -> Option<String> {
    offers.split(',').find_map(grant_one)
}

fn grant_one(offer: &str) -> Option<String> {
    let mut parts = offer.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case("permessage-deflate") {
        return None;
    }
    let mut answer =
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover".to_owned();
    let mut seen = Vec::new();
    for part in parts {
        let (name, value) = match part.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(value.trim().trim_matches('"'))),
            None => (part, None),
        };
        if seen.contains(&name) {
            return None;
        }
        seen.push(name);
        match (name, value) {
            ("server_no_context_takeover" | "client_no_context_takeover", None)
            | ("client_max_window_bits", None) => {}
            ("client_max_window_bits", Some(bits)) => drop(window_bits(bits)?),
            ("server_max_window_bits", Some(bits)) if window_bits(bits)? >= WINDOW_BITS => {
                answer.push_str(&format!("; server_max_window_bits={WINDOW_BITS}"));
            }
            _ => return None,
        }
    }
    Some(answer)
}

/// A size of a window as the extension spells it.
fn window_bits(text: &str) -> Option<u8> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|bits| is_plain && (8..=15).contains(bits))
}

/// A message for any number of viewers: compressed at most once, when the first of them needs it
/// to be. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) text: Text,
    /// `None` for what goes as it is; `None` inside where compressing makes it no smaller.
    deflated: Option<Arc<OnceCell<Option<Bytes>>>>,
}

impl From<Text> for Outgoing {
    fn from(text: Text) -> Self {
        let deflated = (text.len() >= BYTES_MIN).then(Arc::default);
        Self { text, deflated }
    }
}

impl Outgoing {
    /// The message's compressed bytes; `None` where it goes as it is.
    pub(crate) async fn deflated(&self) -> Option<Bytes> {
        let text = self.text.clone();
        let make = || async move {
            if text.len() <= BYTES_AT_ONCE {
                return deflate(text.as_bytes());
            }
            // Err: the runtime ends.
            spawn_blocking(move || deflate(text.as_bytes())).await.unwrap_or_default()
        };
        self.deflated.as_ref()?.get_or_init(make).await.clone()
    }
}

/// Compresses a message, without the tail; `None` where that makes it no smaller.
fn deflate(message: &[u8]) -> Option<Bytes> {
    let mut stream = Deflate::new(LEVEL, false, WINDOW_BITS);
    let mut deflated = vec![0; message.len()];
    let status = stream.compress(message, &mut deflated, DeflateFlush::SyncFlush);
    let len = usize::try_from(stream.total_out()).ok()?;
    let is_whole = stream.total_in() == message.len() as u64 && len < deflated.len();
    if !matches!(status, Ok(Status::Ok)) || !is_whole {
        return None;
    }
    deflated.truncate(len);
    let kept = deflated.strip_suffix(&TAIL)?.len();
    deflated.truncate(kept);
    deflated.shrink_to_fit();
    Some(deflated.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str =
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    #[test]
    fn the_first_offer_that_can_be_kept_is_granted() {
        let small = format!("{PLAIN}; server_max_window_bits=12");
        for (offers, granted) in [
            ("permessage-deflate", Some(PLAIN)),
            ("permessage-deflate; client_max_window_bits", Some(PLAIN)),
            ("x-webkit-frame, Permessage-Deflate; server_no_context_takeover", Some(PLAIN)),
            (
                "permessage-deflate; server_max_window_bits=12; client_max_window_bits=\"12\"",
                Some(&*small),
            ),
            ("permessage-deflate ; server_max_window_bits = 15", Some(&small)),
            ("permessage-deflate; server_max_window_bits=11", None),
            ("permessage-deflate; server_max_window_bits=9, permessage-deflate", Some(PLAIN)),
        ] {
            assert_eq!(grant(offers).as_deref(), granted, "{offers}");
        }
    }

    #[test]
    fn offers_that_break_the_rules_are_not_granted() {
        for parameter in [
            "server_max_window_bits",
            "server_max_window_bits=16",
            "server_max_window_bits=012",
            "server_max_window_bits=+12",
            "client_max_window_bits=7",
            "client_max_window_bits=",
            "server_no_context_takeover=1",
            "other",
            "",
            "client_max_window_bits; client_max_window_bits",
        ] {
            let offer = format!("permessage-deflate; {parameter}");
            assert_eq!(grant(&offer), None, "{offer}");
        }
        for offer in ["", ",", ";", "deflate", "permessage-deflate-2", "permessage-bzip2"] {
            assert_eq!(grant(offer), None, "{offer}");
        }
    }

    #[tokio::test]
    async fn a_message_is_compressed_once_and_only_where_that_pays() {
        let long = Outgoing::from(Text::from(r#"{"name":"a track"}"#.repeat(5_000)));
        let (first, second) = (long.deflated().await, long.clone().deflated().await);
        let (first, second) = (first.expect("compressed"), second.expect("compressed"));
        assert_eq!(first.as_ptr(), second.as_ptr(), "the same bytes");
        assert!(first.len() < long.text.len() / 20);
        assert_eq!(Outgoing::from(Text::from("x".repeat(BYTES_MIN - 1))).deflated().await, None);
        let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(2_000).collect();
        assert_eq!(deflate(&noise), None);
    }
}
