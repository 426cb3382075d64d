//! Metrics pushed to a receiver of OTLP, beside being served.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tachograph::MetricsCollector;
use tachograph_export::otlp::{Settings, Temporality};
use tachograph_serve::{Push, Pusher};

use super::Failure;

/// How long the last push may take.
const LAST_PUSH: Duration = Duration::from_secs(5);

/// Where metrics are pushed to, if anywhere.
#[derive(Debug, Args)]
pub(super) struct Otlp {
    /// Push metrics to this receiver of OTLP over HTTP too, such as http://127.0.0.1:4318; for the
    /// last time when the server stops.
    #[arg(long, value_name = "URL")]
    otlp_url: Option<String>,
    /// Seconds from one push to the next.
    #[arg(long, value_name = "SECONDS", requires = "otlp_url", default_value = "60")]
    otlp_every: u32,
    /// Push what came since the last push instead of totals.
    #[arg(long, requires = "otlp_url")]
    otlp_delta: bool,
    /// Send the headers in this file along, `Name: value`, one a line.
    #[arg(long, value_name = "FILE", requires = "otlp_url")]
    otlp_headers_file: Option<PathBuf>,
}

impl Otlp {
    /// The push that is asked for; it does not run yet.
    pub(super) fn push(&self, metrics: &MetricsCollector) -> Result<Option<Push>, Failure> {
        let Some(url) = &self.otlp_url else { return Ok(None) };
        let temporality =
            if self.otlp_delta { Temporality::Delta } else { Temporality::Cumulative };
        let settings = Settings::new(env!("CARGO_PKG_NAME"))
            .attribute("service.version", env!("CARGO_PKG_VERSION"))
            .attribute("service.instance.id", &instance_id())
            .attribute("process.pid", &std::process::id().to_string())
            .temporality(temporality);
        let push = Push::new(metrics.clone(), url, settings)?;
        let push = push.every(Duration::from_secs(self.otlp_every.into())).gzip(true);
        let headers = self.otlp_headers_file.as_deref().map(read_headers).transpose()?;
        let add = |push: Push, (name, value): &(String, String)| push.header(name, value);
        Ok(Some(headers.iter().flatten().try_fold(push, add)?))
    }
}

/// A name for this process that no other has.
fn instance_id() -> String {
    use std::hash::BuildHasher;
    // Seeded at random by the system.
    let random = || std::hash::RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", random(), random())
}

/// Pushes what was recorded since the last push, and says what could not be delivered.
pub(super) async fn finish(pusher: Pusher) {
    let report = pusher.shutdown(LAST_PUSH).await;
    if report.dropped > 0 {
        tracing::warn!(
            "{} of {} payloads of metrics were not delivered",
            report.dropped,
            report.payloads
        );
    }
}

/// Names and values, but for empty lines.
fn read_headers(file: &Path) -> Result<Vec<(String, String)>, Failure> {
    let told = |reason: &dyn std::fmt::Display| {
        format!("cannot take headers from {}: {reason}", file.display())
    };
    let text = std::fs::read_to_string(file).map_err(|reason| told(&reason))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let header = |(i, line): (usize, &str)| {
        let header = line.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
        let (name, value) =
            header.ok_or_else(|| told(&format!("line {} is not `Name: value`", i + 1)))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    lines.map(header).collect()
}
