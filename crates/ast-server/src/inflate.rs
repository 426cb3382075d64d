//! `permessage-deflate` (RFC 7692), the viewers' side: what a viewer compresses is inflated before
//! the WebSocket library sees it, which knows no extensions.
//!
//! Stands between the socket and the library. Frames that are not compressed pass through as they
//! are, whatever is wrong with them; a compressed message is collected and becomes one plain frame.
//! Both the compressed and the inflated message are held to what a viewer may send.

use std::io::{self, Cursor};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use zlib_rs::{Inflate, InflateFlush};

use crate::deflate::TAIL;
use crate::websocket::REQUEST_BYTES_MAX;

/// What is read from a socket at once.
const READ_BYTES: usize = 4 << 10;
/// Largest window there is: the base-2 logarithm of 32 KiB.
const WINDOW_BITS: u8 = 15;

/// Turns a viewer's frames into plain ones.
#[derive(Debug, Default)]
pub(crate) struct Inflater {
    /// What has come of a frame that is not whole yet.
    waiting: Vec<u8>,
    /// Bytes to come that belong to a frame which passes through.
    passing: u64,
    /// The compressed message that is being collected.
    message: Option<Collected>,
    /// Plain frames that nobody has taken yet, from this place on.
    plain: Vec<u8>,
    taken: usize,
    /// The library is to see, and refuse, all that comes.
    is_broken: bool,
}

#[derive(Debug)]
struct Collected {
    opcode: OpCode,
    bytes: Vec<u8>,
}

impl Inflater {
    /// Takes bytes as the viewer has sent them.
    ///
    /// # Errors
    /// A compressed message is too large, or is not one.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.waiting.extend_from_slice(bytes);
        let mut used = 0;
        while let Some(more) = self.step(used)? {
            used += more;
        }
        self.waiting.drain(..used);
        Ok(())
    }

    /// Gives out what there is of plain frames.
    pub(crate) fn take(&mut self, into: &mut ReadBuf<'_>) {
        let ready = &self.plain[self.taken..];
        let len = ready.len().min(into.remaining());
        into.put_slice(&ready[..len]);
        self.taken += len;
        if self.taken == self.plain.len() {
            self.plain.clear();
            self.taken = 0;
        }
    }

    /// Gives out all that there is.
    pub(crate) fn take_all(&mut self) -> Vec<u8> {
        self.plain.drain(..self.taken);
        self.taken = 0;
        std::mem::take(&mut self.plain)
    }

    /// Goes one frame or a part of one on; gives how many bytes that was, `None` where more have
    /// to come.
    fn step(&mut self, used: usize) -> io::Result<Option<usize>> {
        let bytes = &self.waiting[used..];
        if bytes.is_empty() {
            return Ok(None);
        }
        if self.is_broken || self.passing > 0 {
            let len = if self.is_broken { bytes.len() } else { at_most(self.passing, bytes.len()) };
            self.plain.extend_from_slice(&bytes[..len]);
            self.passing = self.passing.saturating_sub(len as u64);
            return Ok(Some(len));
        }
        let mut cursor = Cursor::new(bytes);
        let Ok(header) = FrameHeader::parse(&mut cursor) else {
            self.is_broken = true;
            return Ok(Some(0));
        };
        let Some((header, len)) = header else { return Ok(None) };
        let start = at_most(cursor.position(), bytes.len());
        let Some(mask) = header.mask.filter(|_| self.is_ours(&header)) else {
            if self.message.is_some() && matches!(header.opcode, OpCode::Data(_)) {
                return Err(broken("a message begins inside of another"));
            }
            self.plain.extend_from_slice(&bytes[..start]);
            self.passing = len;
            return Ok(Some(start));
        };
        let held = self.message.as_ref().map_or(0, |message| message.bytes.len());
        let len = usize::try_from(len).ok().filter(|len| held + len <= REQUEST_BYTES_MAX);
        let len = len.ok_or_else(|| broken("a compressed message is too large"))?;
        let Some(payload) = bytes.get(start..start + len) else { return Ok(None) };
        let new = || Collected { opcode: header.opcode, bytes: Vec::new() };
        let message = self.message.get_or_insert_with(new);
        let unmasked = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        message.bytes.extend(unmasked);
        if header.is_final
            && let Some(message) = self.message.take()
        {
            self.inflate(message)?;
        }
        Ok(Some(start + len))
    }

    /// Whether a frame is part of a compressed message: the first of its frames alone says so.
    fn is_ours(&self, header: &FrameHeader) -> bool {
        if header.rsv2 || header.rsv3 {
            return false;
        }
        match header.opcode {
            OpCode::Data(Data::Text | Data::Binary) => header.rsv1 && self.message.is_none(),
            OpCode::Data(Data::Continue) => !header.rsv1 && self.message.is_some(),
            _ => false,
        }
    }

    fn inflate(&mut self, Collected { opcode, mut bytes }: Collected) -> io::Result<()> {
        bytes.extend_from_slice(&TAIL);
        // One more than there may be: what fills it is too much.
        let mut inflated = vec![0; REQUEST_BYTES_MAX + 1];
        let mut stream = Inflate::new(false, WINDOW_BITS);
        stream
            .decompress(&bytes, &mut inflated, InflateFlush::SyncFlush)
            .map_err(|error| broken(error.as_str()))?;
        let len = at_most(stream.total_out(), inflated.len());
        if len > REQUEST_BYTES_MAX {
            return Err(broken("a message is too large once it is inflated"));
        }
        let header = FrameHeader { opcode, mask: Some([0; 4]), ..FrameHeader::default() };
        header.format(len as u64, &mut self.plain).map_err(io::Error::other)?;
        self.plain.extend_from_slice(&inflated[..len]);
        Ok(())
    }
}

fn at_most(wanted: u64, most: usize) -> usize {
    usize::try_from(wanted).map_or(most, |wanted| wanted.min(most))
}

fn broken(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_owned())
}

/// A viewer's connection, which inflates what it reads once the extension is granted.
#[derive(Debug)]
pub(crate) struct Inflating<S> {
    stream: S,
    inflater: Option<Inflater>,
}

impl<S> Inflating<S> {
    pub(crate) const fn new(stream: S) -> Self {
        Self { stream, inflater: None }
    }

    /// The viewer may compress what it sends from now on.
    pub(crate) fn grant(&mut self) {
        self.inflater = Some(Inflater::default());
    }

    pub(crate) const fn is_granted(&self) -> bool {
        self.inflater.is_some()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Inflating<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, inflater } = self.get_mut();
        let Some(inflater) = inflater else { return Pin::new(stream).poll_read(context, into) };
        let before = into.filled().len();
        loop {
            inflater.take(into);
            if into.filled().len() > before || into.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = [0; READ_BYTES];
            let mut read = ReadBuf::new(&mut buffer);
            ready!(Pin::new(&mut *stream).poll_read(context, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            inflater.feed(read.filled())?;
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Inflating<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::deflate::Outgoing;

    const TEXT: OpCode = OpCode::Data(Data::Text);

    fn frame(header: &FrameHeader, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        header.format(payload.len() as u64, &mut bytes).expect("a vector takes it");
        let mask = header.mask.unwrap_or_default();
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    /// What becomes of bytes that come in pieces of such sizes, over and over.
    fn plain(bytes: &[u8], sizes: &[usize]) -> Vec<u8> {
        let (mut inflater, mut plain) = (Inflater::default(), Vec::new());
        let (mut sizes, mut left) = (sizes.iter().cycle(), bytes);
        while !left.is_empty() {
            let (piece, rest) = left.split_at(left.len().min(*sizes.next().expect("a size")));
            inflater.feed(piece).expect("nothing is wrong");
            left = rest;
            let mut room = [0; 7];
            let mut into = ReadBuf::new(&mut room);
            inflater.take(&mut into);
            plain.extend_from_slice(into.filled());
        }
        plain.extend(inflater.take_all());
        plain
    }

    proptest! {
        #[test]
        fn frames_that_are_not_compressed_pass_as_they_are_and_so_does_nonsense(
            frames in prop::collection::vec((any::<bool>(), any::<[u8; 4]>(), 0..300_usize), 0..4),
            nonsense in prop::collection::vec(any::<u8>(), 0..40),
            sizes in prop::collection::vec(1..90_usize, 1..5),
        ) {
            let mut bytes = Vec::new();
            for (is_final, mask, len) in frames {
                let header = FrameHeader { is_final, opcode: TEXT, mask: Some(mask), ..FrameHeader::default() };
                bytes.extend(frame(&header, &vec![7; len]));
            }
            // An opcode that there is not: everything behind it is the library's to refuse.
            bytes.push(0x8f);
            bytes.push(0);
            bytes.extend(nonsense);
            prop_assert_eq!(plain(&bytes, &sizes), bytes);
        }
    }

    #[tokio::test]
    async fn a_compressed_message_becomes_one_plain_frame_in_whatever_pieces_it_comes() {
        let text = r#"{"request_id":"a"}"#.repeat(100);
        let packed = Outgoing::from(crate::message::Text::from(text.as_str())).deflated().await;
        let packed = packed.expect("it is long");
        let mask = Some([9, 8, 7, 6]);
        let sent = FrameHeader { rsv1: true, opcode: TEXT, mask, ..FrameHeader::default() };
        let wanted = FrameHeader { opcode: TEXT, mask: Some([0; 4]), ..FrameHeader::default() };
        for size in [1, 2, 3, 1_000] {
            let plain = plain(&frame(&sent, &packed).repeat(2), &[size]);
            assert_eq!(plain, frame(&wanted, text.as_bytes()).repeat(2), "pieces of {size}");
        }
    }
}
