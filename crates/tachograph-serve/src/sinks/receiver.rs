//! HTTP receivers of alerts.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, HeaderValue};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::bounds::bounded;
use crate::error::Error;
use crate::push::client::{Client, header};
use crate::push::target::{Connect, Target};

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("Tachograph/", env!("CARGO_PKG_VERSION")));

/// Alertmanager's path for alerts.
const ALERTS: &str = "/api/v2/alerts";

/// The destination of alerts: a webhook, or an Alertmanager.
///
/// A failed attempt is repeated, after a pause that doubles up to 15 s, and changes are sent in
/// order. A status from 400 to 499 except 408 and 429 is final. Up to 1,000 changes wait; beyond
/// that the oldest are dropped and counted. A change may arrive twice if the answer to it was lost.
#[derive(Clone, Debug)]
pub struct Receiver {
    pub(crate) form: Form,
    target: Target,
    connect: Connect,
    headers: HeaderMap,
    timeout: Duration,
    #[cfg(feature = "tls")]
    authorities: Vec<rustls::pki_types::CertificateDer<'static>>,
}

/// The format of the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Webhook,
    Alertmanager,
}

impl Receiver {
    /// Posts each alert that starts or stops firing, as JSON, to a URL:
    ///
    /// ```json
    /// {"status":"firing","rule":"HighLatency","labels":{"alertname":"HighLatency","severity":"warning"},
    ///  "value":0.187,"value_text":"187 ms","threshold_text":"100 ms","message":"…",
    ///  "since":1764479958.1,"at":1764479963.1,"exemplar":null,"page":"http://127.0.0.1:9464/"}
    /// ```
    ///
    /// # Errors
    /// If the URL cannot be posted to.
    pub fn webhook(url: &str) -> Result<Self, Error> {
        Ok(Self::new(Form::Webhook, Target::parse(url, "/")?))
    }

    /// Posts to the Alertmanager at a URL, such as `http://127.0.0.1:9093`: changes at once, and
    /// every minute all firing alerts and those resolved in the last five minutes.
    ///
    /// # Errors
    /// If the URL cannot be posted to.
    pub fn alertmanager(url: &str) -> Result<Self, Error> {
        // It may be below a proxy's path.
        let url = url.trim_end_matches('/');
        let url = if url.ends_with(ALERTS) { url.to_owned() } else { format!("{url}{ALERTS}") };
        Ok(Self::new(Form::Alertmanager, Target::parse(&url, ALERTS)?))
    }

    fn new(form: Form, target: Target) -> Self {
        Self {
            form,
            connect: Connect::tcp(&target),
            target,
            headers: HeaderMap::from_iter([(USER_AGENT, AGENT)]),
            timeout: Duration::from_secs(10),
            #[cfg(feature = "tls")]
            authorities: Vec::new(),
        }
    }

    /// Sends this header too, for example one with a token. It replaces one with the same name.
    ///
    /// # Errors
    /// Those of [`Push::header`](crate::Push::header).
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let (key, value) = header(name, value)?;
        self.headers.insert(key, value);
        Ok(self)
    }

    /// How long one request may take, including connecting; at least 10 ms, 10 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = bounded(timeout, Duration::from_millis(10));
        self
    }

    /// Makes connections with a function instead of over TCP, like
    /// [`Push::connect_with`](crate::Push::connect_with).
    pub fn connect_with<F, S>(mut self, connect: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.connect = Connect::new(connect);
        self
    }

    /// Trusts receivers with certificates from these authorities, in PEM, instead of the system's.
    ///
    /// # Errors
    /// If there is none in it, or one cannot be read.
    #[cfg(feature = "tls")]
    pub fn authorities(mut self, pem: &[u8]) -> Result<Self, Error> {
        self.authorities.extend(crate::push::tls::authorities(pem)?);
        Ok(self)
    }

    pub(crate) fn name(&self) -> &'static str {
        match self.form {
            Form::Webhook => "webhook",
            Form::Alertmanager => "alertmanager",
        }
    }

    /// # Errors
    /// If the URL is `https` and no authority is trusted.
    pub(crate) fn client(self) -> Result<Client, Error> {
        #[cfg(feature = "tls")]
        let trust = self
            .target
            .is_https
            .then(|| crate::push::tls::Trust::new(&self.target, &self.authorities))
            .transpose()?;
        Ok(Client {
            target: self.target,
            connect: self.connect,
            #[cfg(feature = "tls")]
            trust,
            content_type: "application/json",
            headers: self.headers,
            timeout: self.timeout,
            kept: None,
        })
    }
}
