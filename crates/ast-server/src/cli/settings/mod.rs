//! The settings of `serve`: flags and a configuration file.

#[cfg(test)]
mod extremes;
pub(super) mod listen;
pub(super) mod push;
mod tls;
pub(super) mod whole;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ast_server::{Addresses, AstServer, Builder, read_text};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use tachograph_serve::Endpoint;

use self::listen::{Listen, address, address_key};
use self::push::Otlp;
use self::whole::Whole;
use super::Failure;

/// Everything that can be set by a flag or by a key of the file. The names are the same; those that
/// start with `otlp-` are under `[otlp]`.
#[derive(Clone, Debug, Default, Args, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Settings {
    /// The set: an .als file, or the .xml inside one.
    #[arg(value_name = "SET")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) set: Option<PathBuf>,
    /// A folder of sets: `POST /load` loads one of them, or one in the folder of SET, in place of
    /// the present one. With it, SET may be omitted.
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sets: Option<PathBuf>,
    /// Address for events, OSC over UDP. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR", value_parser = address)]
    #[serde(deserialize_with = "address_key", skip_serializing_if = "Option::is_none")]
    pub(super) udp: Option<SocketAddr>,
    /// Address for viewers, WebSocket. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR", value_parser = address)]
    #[serde(deserialize_with = "address_key", skip_serializing_if = "Option::is_none")]
    pub(super) ws: Option<SocketAddr>,
    /// Address for metrics and queries, HTTP: /metrics, /summary, /health, /project, /nodes and
    /// more. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR", value_parser = address)]
    #[serde(deserialize_with = "address_key", skip_serializing_if = "Option::is_none")]
    pub(super) http: Option<SocketAddr>,
    /// Serve metrics and queries over HTTPS, with the certificate chain in this PEM file. Requires
    /// a program built with `--features tls`.
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) http_certificate_file: Option<PathBuf>,
    /// The private key of that certificate, in PEM.
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) http_key_file: Option<PathBuf>,
    /// Answer requests for metrics only with the token in this file: `Authorization: Bearer TOKEN`.
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metrics_token_file: Option<PathBuf>,
    /// Also answer requests for metrics under this host name, and let its pages connect as viewers.
    /// `null` stands for pages opened from disk. May be given more than once.
    #[arg(long, value_name = "HOST")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) allow_host: Vec<String>,
    /// Load the set again when it is saved; true by default.
    #[arg(long, value_name = "BOOL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) watch: Option<bool>,
    /// Record metrics; true by default.
    #[arg(long, value_name = "BOOL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metrics: Option<bool>,
    /// The number of tracks, and of scenes, that the cache keeps; 256 by default, 0 turns it off.
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_entries: Option<Whole>,
    /// The maximum number of connected viewers; 1000 by default.
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_clients: Option<Whole>,
    /// The maximum number of messages queued for a viewer; 1000 by default.
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_queue: Option<Whole>,
    /// The maximum bytes of messages queued for a viewer; 4 MiB by default.
    #[arg(long, value_name = "BYTES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_queue_bytes: Option<Whole>,
    /// The maximum bytes of the messages for all viewers; 64 MiB by default.
    #[arg(long, value_name = "BYTES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) clients_bytes: Option<Whole>,
    /// Seconds after which a viewer that reads nothing is disconnected, while there is something to
    /// read; 30 by default.
    #[arg(long, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) evict_after: Option<Whole>,
    /// Seconds between pings of a viewer; 20 by default.
    #[arg(long, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ping_every: Option<Whole<1>>,
    /// Seconds after which a viewer without a sign of life is disconnected; 60 by default.
    #[arg(long, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ping_timeout: Option<Whole<1>>,
    /// The maximum bytes of answers to queries that are not read yet; 64 MiB by default.
    #[arg(long, value_name = "BYTES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answers_bytes: Option<Whole>,
    /// The log level: off, error, warn, info, debug or trace, for everything or by module, as in
    /// `info,ast_server=debug`; info by default. Overrides `RUST_LOG`.
    #[arg(long, value_name = "LEVEL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log_level: Option<String>,
    /// The format of the log.
    #[arg(long, value_name = "FORMAT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log_format: Option<LogFormat>,
    /// Write what is recorded in each second to this file too, one JSON object a line, in gzip if
    /// its name ends in .gz: `tachograph top FILE` shows it. The file is made anew.
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) record: Option<PathBuf>,
    /// Alert by the rules in this TOML file too; one that has the name of a default rule replaces
    /// it, and with `enabled = false` silences it. SIGHUP has it read again. `ast-server rules`
    /// prints one with every key explained; --check says whether it can be used.
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alerts: Option<PathBuf>,
    /// Tell this Alertmanager of alerts, such as http://127.0.0.1:9093. The log tells of them
    /// anyway.
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alertmanager: Option<String>,
    /// Post each change of an alert to this URL, as JSON.
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alert_webhook: Option<String>,
    #[command(flatten)]
    #[serde(skip_serializing_if = "Otlp::is_empty")]
    pub(super) otlp: Otlp,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

impl Settings {
    /// Reads a configuration file. Paths in it are relative to its folder.
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let told = |reason: &dyn std::fmt::Display| {
            format!("cannot use the configuration {}: {reason}", file.display())
        };
        let text = read_text(file).map_err(|reason| told(&reason))?;
        let mut settings: Self =
            toml::from_str(&text).map_err(|reason| Failure::usage(told(&reason)))?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let Self {
            set,
            sets,
            http_certificate_file,
            http_key_file,
            metrics_token_file,
            record,
            alerts,
            otlp,
            ..
        } = &mut settings;
        let files = [http_certificate_file, http_key_file, metrics_token_file, record, alerts];
        let pushing = [&mut otlp.headers_file, &mut otlp.authorities_file];
        for path in files.into_iter().chain(pushing).chain([set, sets]).flatten() {
            *path = folder.join(&path);
        }
        Ok(settings)
    }

    /// These settings, with missing ones taken from `other`. Hosts are combined.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            set: self.set.or(other.set),
            sets: self.sets.or(other.sets),
            udp: self.udp.or(other.udp),
            ws: self.ws.or(other.ws),
            http: self.http.or(other.http),
            http_certificate_file: self.http_certificate_file.or(other.http_certificate_file),
            http_key_file: self.http_key_file.or(other.http_key_file),
            metrics_token_file: self.metrics_token_file.or(other.metrics_token_file),
            allow_host: [other.allow_host, self.allow_host].concat(),
            watch: self.watch.or(other.watch),
            metrics: self.metrics.or(other.metrics),
            cache_entries: self.cache_entries.or(other.cache_entries),
            max_clients: self.max_clients.or(other.max_clients),
            client_queue: self.client_queue.or(other.client_queue),
            client_queue_bytes: self.client_queue_bytes.or(other.client_queue_bytes),
            clients_bytes: self.clients_bytes.or(other.clients_bytes),
            evict_after: self.evict_after.or(other.evict_after),
            ping_every: self.ping_every.or(other.ping_every),
            ping_timeout: self.ping_timeout.or(other.ping_timeout),
            answers_bytes: self.answers_bytes.or(other.answers_bytes),
            log_level: self.log_level.or(other.log_level),
            log_format: self.log_format.or(other.log_format),
            record: self.record.or(other.record),
            alerts: self.alerts.or(other.alerts),
            alertmanager: self.alertmanager.or(other.alertmanager),
            alert_webhook: self.alert_webhook.or(other.alert_webhook),
            otlp: self.otlp.or(other.otlp),
        }
    }

    /// Fills in all defaults.
    pub(super) fn complete(self) -> Self {
        let Addresses { udp, websocket, http, .. } = Addresses::default();
        let otlp = self.otlp.clone().complete();
        self.or(Self {
            udp: Some(udp),
            ws: Some(websocket),
            http: Some(http),
            watch: Some(true),
            metrics: Some(true),
            cache_entries: Whole::new(256),
            max_clients: Whole::new(1_000),
            client_queue: Whole::new(1_000),
            client_queue_bytes: Whole::new(4 << 20),
            clients_bytes: Whole::new(64 << 20),
            evict_after: Whole::new(30),
            ping_every: Whole::new(20),
            ping_timeout: Whole::new(60),
            answers_bytes: Whole::new(64 << 20),
            log_format: Some(LogFormat::Text),
            otlp,
            ..Self::default()
        })
    }

    /// The first setting that differs and that a running server cannot change.
    pub(super) fn first_fixed_difference(&self, other: &Self) -> Option<&'static str> {
        let is_https = |it: &Self| it.http_certificate_file.is_some();
        let differs = [
            ("udp", self.udp != other.udp),
            ("ws", self.ws != other.ws),
            ("http", self.http != other.http),
            ("http-certificate-file", is_https(self) != is_https(other)),
            ("sets", self.sets != other.sets),
            ("watch", self.watch != other.watch),
            ("metrics", self.metrics != other.metrics),
            ("cache-entries", self.cache_entries != other.cache_entries),
            ("max-clients", self.max_clients != other.max_clients),
            ("client-queue", self.client_queue != other.client_queue),
            ("client-queue-bytes", self.client_queue_bytes != other.client_queue_bytes),
            ("clients-bytes", self.clients_bytes != other.clients_bytes),
            ("evict-after", self.evict_after != other.evict_after),
            ("ping-every", self.ping_every != other.ping_every),
            ("ping-timeout", self.ping_timeout != other.ping_timeout),
            ("answers-bytes", self.answers_bytes != other.answers_bytes),
            ("log-format", self.log_format != other.log_format),
            ("record", self.record != other.record),
            ("alertmanager", self.alertmanager != other.alertmanager),
            ("alert-webhook", self.alert_webhook != other.alert_webhook),
        ];
        differs.into_iter().find_map(|(name, differs)| differs.then_some(name))
    }

    /// The addresses to listen on.
    pub(super) fn addresses(&self) -> Addresses {
        Listen { udp: self.udp, ws: self.ws, http: self.http }.or(Addresses::default())
    }

    /// A server builder with these settings, and defaults for the rest.
    pub(super) fn builder(&self) -> Builder {
        let mut builder = AstServer::builder();
        if let Some(folder) = &self.sets {
            builder = builder.sets(folder);
        }
        if let Some(watch) = self.watch {
            builder = builder.watch(watch);
        }
        if let Some(metrics) = self.metrics {
            builder = builder.enable_metrics(metrics);
        }
        if let Some(entries) = self.cache_entries {
            builder = builder.cache(entries.get() > 0).cache_entries(entries.size());
        }
        if let Some(clients) = self.max_clients {
            builder = builder.max_clients(clients.size());
        }
        if let Some(messages) = self.client_queue {
            builder = builder.client_queue(messages.size());
        }
        if let Some(bytes) = self.client_queue_bytes {
            builder = builder.client_queue_bytes(bytes.size());
        }
        if let Some(bytes) = self.clients_bytes {
            builder = builder.clients_bytes(bytes.size());
        }
        if let Some(seconds) = self.evict_after {
            builder = builder.evict_after(Duration::from_secs(seconds.get()));
        }
        if let Some(seconds) = self.ping_every {
            builder = builder.ping_every(Duration::from_secs(seconds.get()));
        }
        if let Some(seconds) = self.ping_timeout {
            builder = builder.ping_timeout(Duration::from_secs(seconds.get()));
        }
        if let Some(bytes) = self.answers_bytes {
            builder = builder.answers_bytes(bytes.size());
        }
        builder
    }

    /// Applies access control, history, recording and HTTPS to an endpoint, as these settings say.
    pub(super) fn set_up(&self, endpoint: Endpoint) -> Result<Endpoint, Failure> {
        let endpoint = recording(endpoint, self.record.as_deref())?;
        let endpoint = self.allow_host.iter().try_fold(endpoint, Endpoint::allow_host);
        let endpoint = endpoint.map_err(Failure::usage)?;
        let endpoint = match &self.metrics_token_file {
            Some(file) => with_token(endpoint, file)?,
            None => endpoint,
        };
        match (&self.http_certificate_file, &self.http_key_file) {
            (Some(certificates), Some(key)) => tls::https(endpoint, certificates, key),
            (None, None) => Ok(endpoint),
            _ => Err(Failure::usage(
                "HTTPS needs both: name --http-certificate-file and --http-key-file",
            )),
        }
    }

    /// The URL scheme of the address for metrics.
    pub(super) fn http_scheme(&self) -> &'static str {
        if self.http_certificate_file.is_some() { "https" } else { "http" }
    }
}

/// With the last minutes, and all that is recorded from now on in a file if one is named.
pub(super) fn recording(endpoint: Endpoint, file: Option<&Path>) -> Result<Endpoint, Failure> {
    let endpoint = endpoint.history(tachograph_history::Settings::default());
    match file {
        Some(file) => Ok(endpoint.record(file)?),
        None => Ok(endpoint),
    }
}

/// Adds the token in a file, without its final line break.
fn with_token(endpoint: Endpoint, file: &Path) -> Result<Endpoint, Failure> {
    let told = |reason: &dyn std::fmt::Display| {
        format!("cannot take the token from {}: {reason}", file.display())
    };
    let text = read_text(file).map_err(|reason| told(&reason))?;
    Ok(endpoint.bearer_token(text.trim_end()).map_err(|reason| told(&reason))?)
}
