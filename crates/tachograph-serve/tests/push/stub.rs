//! A receiver in memory that answers by a script and writes down everything it was sent.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use tachograph_serve::Push;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) at: Instant,
    /// Method and path.
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// What the receiver does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// These bytes, and the connection stays.
    Bytes(Vec<u8>),
    /// The connection is closed.
    Close,
    /// Nothing, ever.
    Silence,
}

pub(crate) fn reply(status: u16, headers: &str, body: &[u8]) -> Reply {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} x\r\n{headers}Content-Length: {length}\r\n\r\n");
    Reply::Bytes([head.as_bytes(), body].concat())
}

type Script = Box<dyn FnMut(&Received) -> Reply + Send>;

#[derive(Clone)]
pub(crate) struct Stub(Arc<Mutex<State>>);

struct State {
    script: Script,
    received: Vec<Received>,
    connections: usize,
    is_down: bool,
}

impl Stub {
    pub(crate) fn new(script: impl FnMut(&Received) -> Reply + Send + 'static) -> Self {
        let script = Box::new(script);
        Self(Arc::new(Mutex::new(State {
            script,
            received: Vec::new(),
            connections: 0,
            is_down: false,
        })))
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.state().received.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state().connections
    }

    /// While it is down, connections are refused.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.state().is_down = is_down;
    }

    /// Has a push connect here, in memory.
    pub(crate) fn receives(&self, push: Push) -> Push {
        self.receives_over(push, None)
    }

    /// The same, with TLS on this side.
    pub(crate) fn receives_over(&self, push: Push, tls: Option<TlsAcceptor>) -> Push {
        let stub = self.clone();
        push.connect_with(move || {
            let (stub, tls) = (stub.clone(), tls.clone());
            async move { stub.connect(tls) }
        })
    }

    /// Has everyone connect who comes to this address, over a socket.
    pub(crate) async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (addr, stub) = (listener.local_addr().expect("bound"), self.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stub.state().connections += 1;
                tokio::spawn(stub.clone().serve(stream));
            }
        });
        addr
    }

    fn connect(self, tls: Option<TlsAcceptor>) -> std::io::Result<DuplexStream> {
        if self.state().is_down {
            return Err(std::io::ErrorKind::ConnectionRefused.into());
        }
        self.state().connections += 1;
        let (client, server) = duplex(64 * 1024);
        tokio::spawn(async move {
            match tls {
                None => self.serve(server).await,
                // Err: the client does not like the certificate.
                Some(tls) => match tls.accept(server).await {
                    Ok(stream) => self.serve(stream).await,
                    Err(_) => None,
                },
            }
        });
        Ok(client)
    }

    async fn serve(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<()> {
        loop {
            let received = read(&mut stream).await?;
            let reply = {
                let mut state = self.state();
                state.received.push(received.clone());
                (state.script)(&received)
            };
            match reply {
                Reply::Bytes(bytes) => stream.write_all(&bytes).await.ok()?,
                Reply::Close => return None,
                Reply::Silence => std::future::pending().await,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic in a script")
    }
}

/// The next request; `None` once the client is gone.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Received> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).expect("UTF-8");
    let mut lines = head.trim_end().split("\r\n");
    let line = lines.next()?.strip_suffix(" HTTP/1.1").expect("a request").to_owned();
    let headers: BTreeMap<_, _> = lines
        .map(|line| line.split_once(": ").expect("a header"))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = vec![0; headers["content-length"].parse().expect("a length")];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received { at: Instant::now(), line, headers, body })
}
