//! Pushes metrics to an OTLP receiver, in addition to serving them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ast_server::read_text;
use clap::Args;
use serde::{Deserialize, Serialize};
use tachograph::MetricsCollector;
use tachograph_export::otlp::{Settings, Temporality};
use tachograph_serve::{Push, Pusher};

use super::whole::Whole;
use super::{Failure, tls};

/// Seconds between pushes.
type Every = Whole<1, { u32::MAX as u64 }>;

const EVERY: Every = Every::new(60).unwrap();

/// The push settings: flags that start with `otlp`, keys of `[otlp]`.
#[derive(Clone, Debug, Default, Args, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Otlp {
    /// Also push metrics to this OTLP/HTTP receiver, such as http://127.0.0.1:4318; for the last
    /// time when the server stops.
    #[arg(id = "otlp-url", long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// Seconds between pushes; 60 by default.
    #[arg(id = "otlp-every", long, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) every: Option<Every>,
    /// Push deltas since the last push instead of totals.
    #[arg(id = "otlp-delta", long)]
    pub(crate) delta: bool,
    /// Also send the headers in this file, `Name: value`, one per line.
    #[arg(id = "otlp-headers-file", long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) headers_file: Option<PathBuf>,
    /// Trust an https:// receiver through the authorities in this PEM file instead of the system's.
    /// Requires a program built with `--features tls`.
    #[arg(id = "otlp-authorities-file", long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authorities_file: Option<PathBuf>,
}

impl Otlp {
    /// These settings, with missing ones taken from `other`.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            url: self.url.or(other.url),
            every: self.every.or(other.every),
            delta: self.delta || other.delta,
            headers_file: self.headers_file.or(other.headers_file),
            authorities_file: self.authorities_file.or(other.authorities_file),
        }
    }

    /// Fills in the defaults, if anything is pushed.
    pub(crate) fn complete(self) -> Self {
        let every = self.every.or(self.url.is_some().then_some(EVERY));
        Self { every, ..self }
    }

    pub(crate) fn is_empty(&self) -> bool {
        let Self { url, every, delta, headers_file, authorities_file } = self;
        let files = [headers_file, authorities_file];
        url.is_none() && every.is_none() && !delta && files.into_iter().all(Option::is_none)
    }

    /// The requested push, not yet running.
    pub(crate) fn push(&self, metrics: &MetricsCollector) -> Result<Option<Push>, Failure> {
        let Some(url) = &self.url else {
            let told = "nothing is pushed without a receiver: name one by --otlp-url, or by `url` \
                        under [otlp]";
            return if self.is_empty() { Ok(None) } else { Err(Failure::usage(told)) };
        };
        let temporality = if self.delta { Temporality::Delta } else { Temporality::Cumulative };
        let settings = Settings::new(env!("CARGO_PKG_NAME"))
            .attribute("service.version", env!("CARGO_PKG_VERSION"))
            .attribute("service.instance.id", &instance_id())
            .attribute("process.pid", &std::process::id().to_string())
            .temporality(temporality);
        tls::check_url(url)?;
        let push = Push::new(metrics.clone(), url, settings).map_err(Failure::usage)?;
        let push = match &self.authorities_file {
            Some(file) => tls::trust(push, file)?,
            None => push,
        };
        let push = push.every(Duration::from_secs(self.every.unwrap_or(EVERY).get()));
        let push = push.gzip(true);
        let headers = self.headers_file.as_deref().map(read_headers).transpose()?;
        let add = |push: Push, (name, value): &(String, String)| push.header(name, value);
        Ok(Some(headers.iter().flatten().try_fold(push, add)?))
    }
}

/// A unique name for this process.
fn instance_id() -> String {
    use std::hash::BuildHasher;
    // The system seeds this randomly.
    let random = || std::hash::RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", random(), random())
}

/// Pushes what was recorded since the last push, and logs what could not be delivered.
pub(crate) async fn finish(pusher: Pusher, limit: Duration) {
    let report = pusher.shutdown(limit).await;
    if report.dropped > 0 {
        tracing::warn!(
            "{} of {} payloads of metrics were not delivered",
            report.dropped,
            report.payloads
        );
    }
}

/// Names and values; empty lines are skipped.
fn read_headers(file: &Path) -> Result<Vec<(String, String)>, Failure> {
    let told = |reason: &dyn std::fmt::Display| {
        format!("cannot take headers from {}: {reason}", file.display())
    };
    let text = read_text(file).map_err(|reason| told(&reason))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let header = |(i, line): (usize, &str)| {
        let header = line.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
        let (name, value) =
            header.ok_or_else(|| told(&format!("line {} is not `Name: value`", i + 1)))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    lines.map(header).collect()
}
