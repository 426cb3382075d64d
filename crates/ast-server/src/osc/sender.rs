//! The sender's side: datagrams as the script inside Live sends them.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use rosc::{OscMessage, OscPacket, OscType, encoder};

use crate::osc::arg::Arg;

/// Sends events in sequenced envelopes, counting from 0.
#[derive(Debug)]
pub struct EventSender {
    socket: UdpSocket,
    next: u32,
}

impl EventSender {
    /// A sender to an address, from a free port.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn connect(to: SocketAddr) -> io::Result<Self> {
        let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any)?;
        socket.connect(to)?;
        Ok(Self { socket, next: 0 })
    }

    /// Sends an event with the next number.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn send(&mut self, path: &str, args: &[Arg<'_>]) -> io::Result<()> {
        let datagram = encode_event(self.next, path, args);
        self.next = (self.next + 1) & i32::MAX.cast_unsigned();
        self.send_raw(&datagram)
    }

    /// Skips numbers, as if their events had been lost.
    pub fn skip(&mut self, numbers: u32) {
        self.next = self.next.wrapping_add(numbers) & i32::MAX.cast_unsigned();
    }

    /// Sends bytes unchanged.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn send_raw(&self, datagram: &[u8]) -> io::Result<()> {
        self.socket.send(datagram).map(drop)
    }
}

/// An event in a sequenced envelope. `seq` is below 2^31.
#[must_use]
pub fn encode_event(seq: u32, path: &str, args: &[Arg<'_>]) -> Vec<u8> {
    let envelope = [Arg::Int(seq.cast_signed()), Arg::Float(0.0), Arg::Text(path)];
    encode_message("/live/seq", &[&envelope, args].concat())
}

/// A message without an envelope.
#[must_use]
pub fn encode_message(address: &str, args: &[Arg<'_>]) -> Vec<u8> {
    let args = args.iter().map(|&arg| osc_type(arg)).collect();
    let packet = OscPacket::Message(OscMessage { addr: address.to_owned(), args });
    // Writing to a vector does not fail.
    encoder::encode(&packet).unwrap_or_default()
}

fn osc_type(arg: Arg<'_>) -> OscType {
    match arg {
        Arg::Int(value) => OscType::Int(value),
        Arg::Float(value) => OscType::Float(value),
        Arg::Text(value) => OscType::String(value.to_owned()),
        Arg::Bool(value) => OscType::Bool(value),
        Arg::Other => OscType::Nil,
    }
}
