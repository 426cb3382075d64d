//! HTTP receivers of alerts.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::USER_AGENT;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::Error;
use crate::push::client::Client;
use crate::push::destination::Destination;
use crate::push::target::Target;

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
    to: Destination,
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
        // Refused as it was given.
        Target::parse(url, ALERTS)?;
        // It may be below a proxy's path.
        let url = url.trim_end_matches('/');
        let url = if url.ends_with(ALERTS) { url.to_owned() } else { format!("{url}{ALERTS}") };
        Ok(Self::new(Form::Alertmanager, Target::parse(&url, ALERTS)?))
    }

    fn new(form: Form, target: Target) -> Self {
        let mut to = Destination::new(target);
        to.headers.insert(USER_AGENT, AGENT);
        Self { form, to }
    }

    /// Sends this header too, for example one with a token. It replaces one with the same name.
    ///
    /// # Errors
    /// Those of [`Push::header`](crate::Push::header).
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self.to.header(name, value)?;
        Ok(self)
    }

    /// How long one request may take, including connecting; at least 10 ms, 10 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.to.timeout(timeout);
        self
    }

    /// Makes connections with a function instead of over TCP, like
    /// [`Push::connect_with`](crate::Push::connect_with).
    pub fn connect_with<F, S>(mut self, connect: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.to.connect_with(connect);
        self
    }

    /// Trusts receivers with certificates from these authorities, in PEM, instead of the system's.
    ///
    /// # Errors
    /// If there is none in it, or one cannot be read.
    #[cfg(feature = "tls")]
    pub fn authorities(mut self, pem: &[u8]) -> Result<Self, Error> {
        self.to.authorities(pem)?;
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
        self.to.client("application/json")
    }
}
