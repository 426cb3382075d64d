//! `ast-server serve SET`

use std::path::PathBuf;
use std::time::Duration;

use ast_server::{Addresses, AstServer, Dashboard, Service};
use clap::Args;
use tachograph_serve::{AlertsHandle, Endpoint, Push, Pusher};
use tokio::time::{Instant, timeout_at};

use super::log::Log;
use super::settings::{Settings, listen, push};
use super::signal::Signals;
use super::{Failure, alerts, check, log, output};

/// How long stopping may take: connections ending, then the last push. The dashboard and the log
/// come on top, all within five seconds of the signal.
const STOP_MAX: Duration = Duration::from_millis(2_500);
const LAST_PUSH_MIN: Duration = Duration::from_millis(500);
/// How often the number of dropped log lines is checked.
const LOG_COUNT_EVERY: Duration = Duration::from_secs(1);

/// Load a set and serve it: events in over UDP, changes out over WebSocket.
///
/// Prints the addresses that it listens on, serves until SIGINT or SIGTERM, then prints the health
/// dashboard. A second signal ends it at once; it always ends within five seconds. On SIGHUP it
/// reads the --config file, the files named in it, the alert rules and the set again: if one of
/// them cannot be used, nothing changes and the log says why.
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Defaults: --udp 127.0.0.1:9002 --ws 127.0.0.1:8765 --http 127.0.0.1:9464"
)]
pub(super) struct Serve {
    #[command(flatten)]
    pub(super) settings: Settings,
    /// Take settings from a TOML file whose keys are named like the flags, plus `set`; those of
    /// --otlp flags are under `[otlp]`. Flags override it; paths in it are relative to its folder.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the settings and everything that they name, print the resulting settings as TOML, and
    /// exit: with 0 if a server can start with them once its addresses are free.
    #[arg(long)]
    check: bool,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        let settings = self.settings()?;
        let filter = log::filter(settings.log_level.as_deref(), "info")?;
        if self.check {
            return check::run(settings);
        }
        let log = Log::start(filter, settings.log_format.unwrap_or_default())?;
        let runtime = tokio::runtime::Runtime::new()?;
        let done = runtime.block_on(self.serve(settings, &log));
        // Blocked threads are not waited for.
        runtime.shutdown_background();
        done
    }

    /// The current settings: the file is read each time.
    fn settings(&self) -> Result<Settings, Failure> {
        let settings = match &self.config {
            Some(file) => self.settings.clone().or(Settings::read(file)?),
            None => self.settings.clone(),
        };
        if settings.set.is_none() && settings.sets.is_none() {
            let told = "there is no set to serve: name one, or put `set = \"song.als\"` into the \
                        --config file, or name a folder of sets by --sets";
            return Err(Failure::usage(told));
        }
        listen::check(settings.addresses())?;
        check_folder(&settings)?;
        Ok(settings)
    }

    async fn serve(&self, settings: Settings, log: &Log) -> Result<(), Failure> {
        let mut signals = Signals::catch()?;
        let server = settings.builder().build();
        let alerts = alerts::alerts(&settings)?;
        let rules = alerts.handle();
        let endpoint = settings.set_up(Endpoint::new(server.metrics().clone()))?.alerts(alerts);
        let push = settings.otlp.push(server.metrics())?;
        tokio::select! {
            loaded = load(&server, &settings) => loaded?,
            () = signals.stop() => return Ok(()),
        }
        let service = Service::start_with(&server, settings.addresses(), endpoint).await?;
        print_addresses(service.addresses(), settings.http_scheme());
        let pusher = push.map(Push::start).transpose()?;
        let mut running = Running { settings, server: server.clone(), service, rules, pusher };
        running.until_stopped(self, &mut signals, log).await;
        tracing::info!("stopping");
        tokio::select! {
            () = running.finish() => {}
            () = signals.stop() => tracing::warn!("stopped at once, by a second signal"),
        }
        output::line_in_time(&Dashboard(&server.get_metrics_summary()).to_string());
        Ok(())
    }
}

/// Refuses a folder of sets that is not a folder: nothing could ever be loaded from it.
pub(super) fn check_folder(settings: &Settings) -> Result<(), Failure> {
    let Some(folder) = &settings.sets else { return Ok(()) };
    let told = |reason| format!("cannot load sets from {}: {reason}", folder.display());
    std::fs::read_dir(folder).map(|_| ()).map_err(|reason| told(reason).into())
}

/// Loads the set in the settings, if there is one.
async fn load(server: &AstServer, settings: &Settings) -> Result<(), Failure> {
    let Some(set) = settings.set.clone() else { return Ok(()) };
    let server = server.clone();
    tokio::task::spawn_blocking(move || server.load_project(set)).await??;
    Ok(())
}

/// A running server and its settings.
struct Running {
    settings: Settings,
    server: AstServer,
    service: Service,
    rules: AlertsHandle,
    pusher: Option<Pusher>,
}

impl Running {
    /// Serves until a signal to stop; reads the settings again on SIGHUP.
    async fn until_stopped(&mut self, serve: &Serve, signals: &mut Signals, log: &Log) {
        let mut tick = tokio::time::interval(LOG_COUNT_EVERY);
        let mut dropped = 0;
        loop {
            tokio::select! {
                is_reload = signals.next() => {
                    if !is_reload {
                        return;
                    }
                    match self.reload(serve, log).await {
                        Ok(()) => tracing::info!("the settings and the set are read again"),
                        Err(reason) => tracing::warn!(%reason, "nothing is changed"),
                    }
                }
                _ = tick.tick() => {
                    let now = log.dropped();
                    self.server.count_dropped_log_lines(now - dropped);
                    dropped = now;
                }
            }
        }
    }

    /// Applies the current settings, and has the set checked.
    ///
    /// # Errors
    /// If something cannot be used; then nothing has changed.
    async fn reload(&mut self, serve: &Serve, log: &Log) -> Result<(), Failure> {
        let settings = serve.settings()?;
        let filter = log::filter(settings.log_level.as_deref(), "info")?;
        let metrics = self.server.metrics();
        let endpoint = settings.set_up(Endpoint::new(metrics.clone()))?;
        let push = settings.otlp.push(metrics)?;
        let rules = alerts::rules(settings.alerts.as_deref())?;
        if let Some(fixed) = settings.first_fixed_difference(&self.settings) {
            return Err(format!("{fixed} can be changed by a restart only").into());
        }
        // The last step that can fail; then the loaded set stays.
        if settings.set == self.settings.set {
            let server = self.server.clone();
            tokio::task::spawn_blocking(move || server.check_file()).await??;
            self.server.look_at_file();
        } else {
            load(&self.server, &settings).await?;
        }
        log.set_filter(filter)?;
        self.service.let_in(endpoint);
        self.rules.replace(rules);
        if let Some(pusher) = self.pusher.take() {
            push::finish(pusher, STOP_MAX).await;
        }
        self.pusher = push.map(Push::start).transpose()?;
        self.settings = settings;
        Ok(())
    }

    /// Stops, and pushes what was recorded until then.
    async fn finish(self) {
        let deadline = Instant::now() + STOP_MAX;
        if timeout_at(deadline, self.service.stop()).await.is_err() {
            tracing::warn!("some connections were closed before they had read all");
        }
        if let Some(pusher) = self.pusher {
            // The remaining time, and always enough for a receiver that responds.
            let left = deadline.saturating_duration_since(Instant::now());
            push::finish(pusher, left.max(LAST_PUSH_MIN)).await;
        }
    }
}

/// Prints the addresses that the server listens on, one per line.
pub(super) fn print_addresses(addresses: Addresses, http_scheme: &str) {
    let Addresses { udp, websocket, http, .. } = addresses;
    output::line_in_time(&format!(
        "events   udp://{udp}\nviewers  ws://{websocket}\nmetrics  {http_scheme}://{http}"
    ));
}
