//! OSC 1.0: from the bytes of a datagram to messages, and back.
//!
//! Uses nothing of the other folders.

// A value in a message.
pub(crate) mod arg;
// Datagrams: messages and bundles of messages.
pub(crate) mod decode;
// The envelope that Live's script adds to an event: a sequence number and the time.
pub(crate) mod envelope;
// The sender's side: writes messages and sends them.
pub(crate) mod sender;

pub use self::decode::{Malformed, Message, Packet, decode};
