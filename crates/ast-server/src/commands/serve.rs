//! `ast-server serve SET`

use std::path::{Path, PathBuf};

use ast_server::{Addresses, Dashboard, Service, read};
use clap::Args;
use tachograph::MetricsCollector;
use tachograph_serve::{Endpoint, Push, Pusher};

use super::push;
use super::settings::Settings;
use super::signal::StopSignals;
use super::{Failure, log, output};

/// Load a set and serve it: events in over UDP, changes out over WebSocket.
///
/// Prints the addresses that it listens on, serves until SIGINT or SIGTERM, then prints the health
/// dashboard. A second signal ends it at once.
#[derive(Debug, Args)]
#[command(after_help = "Defaults: --udp 127.0.0.1:9002 --ws 127.0.0.1:8765 --http 127.0.0.1:9464")]
pub(super) struct Serve {
    #[command(flatten)]
    settings: Settings,
    /// Take settings from a TOML file whose keys are named as the flags are, and `set`; those of
    /// --otlp flags stand under `[otlp]`. Flags go before it; paths in it start from its folder.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the settings, the token and the set, print what would run as TOML, and end.
    #[arg(long)]
    check: bool,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        let settings = match &self.config {
            Some(file) => self.settings.or(Settings::read(file)?),
            None => self.settings,
        };
        if settings.set.is_none() && settings.sets.is_none() {
            let told = "there is no set to serve: name one, or put `set = \"song.als\"` into the \
                        --config file, or name a folder of sets by --sets";
            return Err(told.into());
        }
        let filter = log::filter(settings.log_level.as_deref(), "info")?;
        if self.check {
            let nothing = MetricsCollector::builder().manual().build();
            settings.set_up(Endpoint::new(nothing.clone()))?;
            settings.otlp.push(&nothing)?;
            settings.set.as_deref().map(read).transpose()?;
            settings.sets.as_deref().map(folder_of_sets).transpose()?;
            return output::line(toml::to_string(&settings.complete())?.trim_end());
        }
        log::start(filter, settings.log_format.unwrap_or_default());
        let runtime = tokio::runtime::Runtime::new()?;
        let done = runtime.block_on(serve(&settings));
        // A file that never ends may be being read: nobody waits for that.
        runtime.shutdown_background();
        done
    }
}

async fn serve(settings: &Settings) -> Result<(), Failure> {
    let mut stop = StopSignals::catch()?;
    let server = settings.builder().build();
    let endpoint = settings.set_up(Endpoint::new(server.metrics().clone()))?;
    let push = settings.otlp.push(server.metrics())?;
    settings.sets.as_deref().map(folder_of_sets).transpose()?;
    if let Some(set) = settings.set.clone() {
        let loading = server.clone();
        tokio::select! {
            loaded = tokio::task::spawn_blocking(move || loading.load_project(set)) => { loaded??; }
            () = stop.wait() => return Ok(()),
        }
    }
    let service = Service::start_with(&server, settings.addresses(), endpoint).await?;
    print_addresses(service.addresses(), settings.http_scheme())?;
    let pusher = push.map(Push::start).transpose()?;
    stop.wait().await;
    tracing::info!("stopping");
    tokio::select! {
        () = finish(service, pusher) => {}
        () = stop.wait() => tracing::warn!("stopped at once, by a second signal"),
    }
    output::line(&Dashboard(&server.get_metrics_summary()).to_string())
}

/// Refuses what is no folder: nothing could ever be loaded from it.
fn folder_of_sets(folder: &Path) -> Result<(), Failure> {
    let told = |reason| format!("cannot load sets from {}: {reason}", folder.display());
    std::fs::read_dir(folder).map(|_| ()).map_err(|reason| told(reason).into())
}

/// Stops, and pushes what was recorded until then.
async fn finish(service: Service, pusher: Option<Pusher>) {
    service.stop().await;
    if let Some(pusher) = pusher {
        push::finish(pusher).await;
    }
}

/// Says where the server listens, one address a line.
pub(super) fn print_addresses(addresses: Addresses, http_scheme: &str) -> Result<(), Failure> {
    let Addresses { udp, websocket, http, .. } = addresses;
    output::line(&format!(
        "events   udp://{udp}\nviewers  ws://{websocket}\nmetrics  {http_scheme}://{http}"
    ))
}
