//! `ast-server demo`

use std::io::BufWriter;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use ast_server::mix::{Mix, ORDINARY_RATE};
use ast_server::{
    Addresses, AstServer, Dashboard, EventSender, Service, Summary, Trouble, alerts, read,
};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use live_set::generate::Spec;
use tachograph_serve::{Alerts, Endpoint, Receiver};
use tempfile::TempDir;

use super::log::Log;
use super::serve::print_addresses;
use super::settings::listen::{self, Listen};
use super::settings::whole::Whole;
use super::settings::{LogFormat, recording};
use super::signal::Signals;
use super::{Failure, log, output, viewer};

/// Generate a set, send the server events over UDP, and show the health dashboard.
///
/// The set has 50 tracks and 100 scenes, and is served on free ports to one viewer. The events are
/// those of a busy session, sent through a real UDP socket. A few tracks and scenes are queried
/// meanwhile. With --keep-running, the session then goes on with 25 events a second; a browser shows
/// the metrics at http://127.0.0.1:9464/ and `tachograph top` shows them in a terminal.
#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(super) struct Demo {
    /// How many events to send.
    #[arg(long, value_name = "N", default_value = "20000")]
    events: Whole,
    /// How many events to send a second; fewer where the server does not keep up.
    #[arg(long, value_name = "R", default_value = "5000")]
    rate: Whole<1>,
    /// Print only the summary, as JSON.
    #[arg(long)]
    json: bool,
    /// Keep running afterwards, until SIGINT or SIGTERM.
    #[arg(long)]
    keep_running: bool,
    /// Write what is recorded in each second to this file too, one JSON object a line, in gzip if
    /// its name ends in .gz: `tachograph top FILE` shows it.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Make trouble 10 s later, for 60 s, once: enough for one of the default alerts to fire and to
    /// be resolved.
    #[arg(long, value_name = "KIND", requires = "keep_running")]
    trouble: Option<Kind>,
    /// Tell this Alertmanager of alerts, such as http://127.0.0.1:9093. The log tells of them
    /// anyway.
    #[arg(long, value_name = "URL")]
    alertmanager: Option<String>,
    #[command(flatten)]
    listen: Listen,
}

/// What `--trouble` makes.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Sequence numbers are left out: PacketLoss.
    Loss,
    /// Events wait for a set that is kept locked: HighLatency.
    Latency,
    /// Events fail inside the server: ProcessingErrors.
    Errors,
}

impl From<Kind> for Trouble {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Loss => Self::Loss,
            Kind::Latency => Self::Latency,
            Kind::Errors => Self::Errors,
        }
    }
}

const TROUBLE_AFTER: Duration = Duration::from_secs(10);
const TROUBLE_LASTS: Duration = Duration::from_secs(60);

/// Events that may be in flight: as many as the smallest receive buffer of a kernel holds.
const UNPROCESSED_MAX: u64 = 128;
/// If the server makes no progress for this long, something is broken.
const STALLED: Duration = Duration::from_secs(10);
const SEED: u64 = 1;
/// The number of events after which the tracks and scenes in view are queried again.
const ASK_EVERY: u64 = 64;
/// The number of tracks, and of scenes, in view.
const IN_VIEW: usize = 4;

impl Demo {
    pub(super) fn run(self) -> Result<(), Failure> {
        let filter = log::filter(None, self.log_level())?;
        let addresses = self.listen.or(self.addresses());
        listen::check(addresses)?;
        let alertmanager = self.alertmanager.as_deref().map(Receiver::alertmanager);
        let alertmanager = alertmanager.transpose().map_err(Failure::usage)?;
        let _log = Log::start(filter, LogFormat::Text)?;
        let runtime = tokio::runtime::Runtime::new()?;
        let done = runtime.block_on(async {
            let mut signals = Signals::catch()?;
            let played = tokio::select! {
                done = self.play(addresses, alertmanager) => done?,
                _ = signals.next() => return Ok(()),
            };
            if self.keep_running {
                tokio::select! {
                    failed = played.sending.clone().ordinary(played.mix) => failed?,
                    failed = self.trouble(&played.sending) => failed?,
                    _ = signals.next() => {}
                }
            }
            played.service.stop().await;
            Ok(())
        });
        // An interrupted demo does not wait for the sending thread.
        runtime.shutdown_background();
        done
    }

    /// Free ports. A demo that keeps running is looked at: its page is at the usual address if no
    /// other program has that.
    fn addresses(&self) -> Addresses {
        let free = Addresses::free();
        let usual = Addresses::default().http;
        let is_free = || std::net::TcpListener::bind(usual).is_ok();
        let http = if self.keep_running && is_free() { usual } else { free.http };
        Addresses::new(free.udp, free.websocket, http)
    }

    /// With trouble, the log tells of resolved alerts too.
    fn log_level(&self) -> &'static str {
        if self.trouble.is_some() { "warn,tachograph_serve=info" } else { "warn" }
    }

    /// Serves, sends, and shows the result.
    async fn play(
        &self,
        addresses: Addresses,
        alertmanager: Option<Receiver>,
    ) -> Result<Played, Failure> {
        let folder = TempDir::new()?;
        let file = folder.path().join("demo.als");
        Spec::default().write_als(BufWriter::new(std::fs::File::create(&file)?))?;
        let mix = Mix::new(&read(&file)?, SEED);

        let server = AstServer::new();
        server.load_project(&file)?;
        let endpoint = Endpoint::new(server.metrics().clone());
        let endpoint = recording(endpoint, self.record.as_deref())?;
        let page = format!("http://{}/", addresses.http);
        let mut alerts = Alerts::new(alerts::defaults()).log().page(&page);
        if let Some(alertmanager) = alertmanager {
            alerts = alerts.receiver(alertmanager);
        }
        let endpoint = endpoint.alerts(alerts);
        let service = Service::start_with(&server, addresses, endpoint).await?;
        if !self.json {
            print_addresses(service.addresses(), "http");
        }
        let mut seen = viewer::connect(service.addresses().websocket).await?;
        // Waits for the tree: while a large one is being sent, the first events would have to wait.
        seen.wait_for(|&seen| seen > 0).await?;

        let sending = Sending {
            server: server.clone(),
            to: service.addresses().udp,
            events: self.events.get(),
            rate: self.rate.get(),
        };
        let mix = sending.clone().run(mix, progress_bar(self.events.get())).await?;
        let summary = wait_for_viewer(&server, seen).await?;
        if self.json {
            output::json(&summary)?;
        } else {
            output::line(&Dashboard(&summary).to_string())?;
        }
        Ok(Played { _folder: folder, service, sending, mix })
    }

    /// Makes the trouble that is asked for; never ends.
    async fn trouble(&self, sending: &Sending) -> Result<(), Failure> {
        if let Some(trouble) = self.trouble.map(Trouble::from) {
            tracing::warn!("trouble begins in {} s", TROUBLE_AFTER.as_secs());
            tokio::time::sleep(TROUBLE_AFTER).await;
            tracing::warn!("for {} s, {}", TROUBLE_LASTS.as_secs(), trouble.told());
            let (to, server) = (sending.to, sending.server.clone());
            let make = move || trouble.make(to, &server, TROUBLE_LASTS);
            tokio::task::spawn_blocking(make).await??;
            tracing::warn!("the trouble is over: the alert is resolved within 30 s");
        }
        std::future::pending().await
    }
}

/// A demo that has shown its result.
struct Played {
    /// The set's, which stays while the server watches it.
    _folder: TempDir,
    service: Service,
    sending: Sending,
    /// Continues after the events that were sent.
    mix: Mix,
}

/// Waits until the viewer has read everything that was sent to it.
async fn wait_for_viewer(
    server: &AstServer,
    mut seen: tokio::sync::watch::Receiver<u64>,
) -> Result<Summary, Failure> {
    loop {
        let summary = server.get_metrics_summary();
        let sent = summary.websocket.broadcasts_sent;
        let reading = seen.wait_for(|&seen| seen > sent);
        match tokio::time::timeout(STALLED, reading).await {
            Ok(Ok(_)) if server.get_metrics_summary().websocket.broadcasts_sent == sent => {
                return Ok(summary);
            }
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return Err("the viewer was disconnected".into()),
            Err(_) => return Err("the viewer was not sent all changes in 10 s".into()),
        }
    }
}

/// Sends events at a fixed rate, but never more than the server can take.
#[derive(Clone)]
struct Sending {
    server: AstServer,
    to: SocketAddr,
    events: u64,
    rate: u64,
}

impl Sending {
    /// Goes on at an ordinary rate, so that there is something to see; never ends.
    async fn ordinary(mut self, mix: Mix) -> Result<(), Failure> {
        (self.events, self.rate) = (u64::MAX, ORDINARY_RATE.into());
        self.run(mix, ProgressBar::hidden()).await.map(drop)
    }

    /// Sends all events on a thread of its own, and gives the mix back.
    async fn run(self, mut mix: Mix, bar: ProgressBar) -> Result<Mix, Failure> {
        let send = move || match self.send(&mut mix, &bar) {
            Ok(()) => Ok(mix),
            Err(failure) => Err(failure.to_string()),
        };
        Ok(tokio::task::spawn_blocking(send).await??)
    }

    fn send(&self, mix: &mut Mix, bar: &ProgressBar) -> Result<(), Failure> {
        let mut sender = EventSender::connect(self.to)?;
        let pause = Duration::from_millis(1_000 / self.rate.min(1_000));
        let (started, before) = (Instant::now(), self.done());
        let mut sent = 0;
        while sent < self.events {
            let due = started.elapsed().as_nanos() * u128::from(self.rate) / 1_000_000_000;
            let due = u64::try_from(due).unwrap_or(u64::MAX).saturating_add(1).min(self.events);
            if sent >= due {
                thread::sleep(pause);
                continue;
            }
            self.wait_until(before + sent, before + sent.saturating_sub(UNPROCESSED_MAX / 2))?;
            let burst = (due - sent).min(UNPROCESSED_MAX / 2);
            for event in mix.by_ref().take(usize::try_from(burst)?) {
                sender.send(event.event_type.path(), &event.args)?;
            }
            let asked = sent / ASK_EVERY;
            sent += burst;
            if sent / ASK_EVERY > asked {
                self.ask()?;
            }
            bar.set_position(sent);
        }
        self.wait_until(before + sent, before + sent)?;
        bar.finish_and_clear();
        Ok(())
    }

    /// Queries the tracks and scenes in view.
    fn ask(&self) -> Result<(), Failure> {
        for index in 0..IN_VIEW {
            self.server.get_track(index)?;
            self.server.get_scene(index)?;
        }
        Ok(())
    }

    /// Waits until the server has finished this many of the events sent.
    fn wait_until(&self, sent: u64, wanted: u64) -> Result<(), Failure> {
        let (mut done, mut moved) = (self.done(), Instant::now());
        while done < wanted {
            if moved.elapsed() > STALLED {
                let lost = sent - done;
                return Err(format!("{lost} of {sent} events did not arrive within 10 s").into());
            }
            thread::sleep(Duration::from_micros(200));
            let now = self.done();
            if now > done {
                (done, moved) = (now, Instant::now());
            }
        }
        Ok(())
    }

    /// Events that the server has finished, with any outcome.
    fn done(&self) -> u64 {
        const CLASSES: [&str; 5] = [
            "events.processed",
            "events.ignored.no_ast",
            "events.unhandled",
            "events.rejected",
            "errors.event_processing",
        ];
        let count = |name| self.server.metrics().get_counter(name).map_or(0, |stats| stats.value);
        u64::try_from(CLASSES.into_iter().map(count).sum::<i128>()).unwrap_or_default()
    }
}

/// On standard error, and only if that is a terminal.
fn progress_bar(events: u64) -> ProgressBar {
    let template = "{msg} {wide_bar} {human_pos}/{human_len} events, {per_sec}, {eta} left";
    let style = ProgressStyle::with_template(template);
    let bar = ProgressBar::new(events).with_message("sending");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
