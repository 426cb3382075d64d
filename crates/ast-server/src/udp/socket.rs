//! The UDP socket: reads datagrams, stamps them, queues them.
//!
//! A separate thread reads, so that the socket is drained however busy the event loop is. If the
//! event loop is behind by a whole queue, the thread waits and the kernel's buffer fills; the
//! kernel counts what does not fit, and [`Receiver`] reads that count.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, RecvMsg, SockaddrStorage, recvmsg, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::mpsc;

use crate::metrics::ServerMetrics;
use crate::quiet::Quiet;

/// The requested receive buffer. Without the right to administer the network, the kernel limits it
/// to `net.core.rmem_max`.
const RECEIVE_BUFFER_BYTES: usize = 8 << 20;
/// A longer datagram is malformed; events take about 100 bytes.
pub(crate) const DATAGRAM_BYTES_MAX: usize = 16 << 10;
/// Datagrams that may wait for the event loop.
pub(crate) const QUEUE_DATAGRAMS: usize = 4_096;
/// How soon the thread notices that it must stop.
const STOP_POLL: Duration = Duration::from_millis(50);

/// A received datagram.
#[derive(Clone, Debug)]
pub(crate) struct Datagram {
    pub(crate) bytes: Box<[u8]>,
    pub(crate) source: SocketAddr,
    /// When it was read from the socket.
    pub(crate) received: Instant,
    /// How long it had been in the kernel by then.
    pub(crate) waited: Duration,
    /// Whether it was longer than the read limit.
    pub(crate) is_cut: bool,
}

/// Opens the socket.
pub(crate) fn bind(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER_BYTES).is_err() {
        socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    }
    socket.set_read_timeout(Some(STOP_POLL))?;
    socket.bind(&addr.into())?;
    setsockopt(&socket, sockopt::RxqOvfl, &1)?;
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
    Ok(socket.into())
}

/// Reads a socket until it is told to stop, or nobody takes its datagrams.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) socket: UdpSocket,
    pub(crate) queue: mpsc::Sender<Datagram>,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) metrics: Arc<ServerMetrics>,
    /// The kernel's count of dropped datagrams when it was last read.
    pub(crate) dropped_before: u32,
}

impl Receiver {
    /// Blocks; call it on a separate thread.
    pub(crate) fn run(&mut self) {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        let mut control = nix::cmsg_space!(u32, TimeSpec);
        let mut failures = Quiet::default();
        // Relaxed: the flag guards no other data.
        while !self.stop.load(Ordering::Relaxed) {
            match self.receive(&mut buffer, &mut control) {
                Ok((datagram, dropped)) => {
                    self.metrics.packet_received.increment();
                    if let Some(dropped) = dropped {
                        let more = dropped.wrapping_sub(self.dropped_before);
                        self.metrics.socket_dropped.increment_by(more.into());
                        self.dropped_before = dropped;
                    }
                    if self.queue.blocking_send(datagram).is_err() {
                        return;
                    }
                }
                Err(error) if is_pause(&error) => {}
                Err(error) => {
                    failures.say(|left_out| {
                        tracing::warn!(%error, left_out, "cannot read the UDP socket");
                    });
                    std::thread::sleep(STOP_POLL);
                }
            }
        }
    }

    /// The next datagram, and how many the kernel has dropped since the socket was opened, if it
    /// says so.
    fn receive(
        &self,
        buffer: &mut [u8],
        control: &mut Vec<u8>,
    ) -> io::Result<(Datagram, Option<u32>)> {
        control.clear();
        let space = control.capacity();
        control.resize(space, 0);
        let mut parts = [IoSliceMut::new(buffer)];
        let fd = self.socket.as_raw_fd();
        let message = recvmsg::<SockaddrStorage>(fd, &mut parts, Some(control), MsgFlags::empty())?;
        let received = Instant::now();
        let (mut dropped, mut waited) = (None, Duration::ZERO);
        for control in message.cmsgs()? {
            match control {
                ControlMessageOwned::RxqOvfl(count) => dropped = Some(count),
                ControlMessageOwned::ScmTimestampns(at) => waited = since(at),
                _ => {}
            }
        }
        let source = source(&message)?;
        let is_cut = message.flags.contains(MsgFlags::MSG_TRUNC);
        let len = message.bytes;
        let bytes = buffer[..len].into();
        Ok((Datagram { bytes, source, received, waited, is_cut }, dropped))
    }
}

/// The time since the kernel received a datagram, by the wall clock; none if that was set back.
fn since(at: TimeSpec) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.saturating_sub(Duration::from(at))
}

fn source(message: &RecvMsg<'_, '_, SockaddrStorage>) -> io::Result<SocketAddr> {
    let address = message.address.as_ref();
    let v4 = address.and_then(|address| address.as_sockaddr_in()).map(|v4| SocketAddr::from(*v4));
    let v6 = || address.and_then(|address| address.as_sockaddr_in6()).map(|v6| (*v6).into());
    v4.or_else(v6).ok_or_else(|| io::Error::other("the datagram has no source address"))
}

/// Nothing arrived in time, or a signal interrupted.
fn is_pause(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::WouldBlock | Kind::TimedOut | Kind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::ast_server::AstServer;

    #[test]
    fn the_time_in_the_kernel_counts_as_waiting() {
        const PAUSE: Duration = Duration::from_millis(20);
        let socket = bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let to = socket.local_addr().expect("bound");
        let sender = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let (queue, _taken) = mpsc::channel(1);
        let metrics = Arc::clone(AstServer::small().handles());
        let receiver = Receiver { socket, queue, stop: Arc::default(), metrics, dropped_before: 0 };
        let (mut buffer, mut control) = ([0; 16], nix::cmsg_space!(u32, TimeSpec));
        let mut waited = |pause| {
            sender.send_to(b"datagram", to).expect("sent");
            std::thread::sleep(pause);
            let (datagram, _) = receiver.receive(&mut buffer, &mut control).expect("it is there");
            assert_eq!(&*datagram.bytes, b"datagram");
            datagram.waited
        };
        let [long, short] = [PAUSE, Duration::ZERO].map(&mut waited);
        assert!(long >= PAUSE && short < long, "{long:?}, {short:?}");
    }
}
