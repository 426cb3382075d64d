//! `ast-server serve SET`

use std::path::{Path, PathBuf};

use ast_server::{Addresses, AstServer, Dashboard, Service};
use clap::Args;
use tachograph_serve::{Endpoint, Push};

use super::push::{self, Otlp};
use super::signal::StopSignals;
use super::{Failure, Listen, output};

/// Load a set and serve it: events in over UDP, changes out over WebSocket.
///
/// Prints the addresses that it listens on, serves until SIGINT or SIGTERM, then prints the health
/// dashboard.
#[derive(Debug, Args)]
#[command(after_help = "Defaults: --udp 127.0.0.1:9002 --ws 127.0.0.1:8765 --http 127.0.0.1:9464")]
pub(super) struct Serve {
    /// The set: an .als file, or the .xml inside one.
    #[arg(value_name = "SET")]
    set: PathBuf,
    #[command(flatten)]
    listen: Listen,
    /// Answer requests for metrics only with the token in this file: `Authorization: Bearer TOKEN`.
    #[arg(long, value_name = "FILE")]
    metrics_token_file: Option<PathBuf>,
    /// Answer requests for metrics under this host name too. May be given more than once.
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,
    #[command(flatten)]
    otlp: Otlp,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        tokio::runtime::Runtime::new()?.block_on(self.serve())
    }

    async fn serve(self) -> Result<(), Failure> {
        let token = self.metrics_token_file.as_deref().map(read_token).transpose()?;
        let mut stop = StopSignals::catch()?;
        let server = AstServer::new();
        let push = self.otlp.push(server.metrics())?;
        server.load_project(&self.set)?;
        let set_up = |endpoint: Endpoint| {
            let endpoint = self.allow_host.iter().fold(endpoint, Endpoint::allow_host);
            match token {
                Some(token) => endpoint.bearer_token(token),
                None => endpoint,
            }
        };
        let addresses = self.listen.or(Addresses::default());
        let service = Service::start_with(&server, addresses, set_up).await?;
        print_addresses(service.addresses())?;
        let pusher = push.map(Push::start).transpose()?;
        stop.wait().await;
        service.stop().await;
        if let Some(pusher) = pusher {
            push::finish(pusher).await;
        }
        output::line(&Dashboard(&server.get_metrics_summary()).to_string())
    }
}

/// The token in a file, without the line break at its end.
fn read_token(file: &Path) -> Result<String, Failure> {
    let told = |reason: &dyn std::fmt::Display| {
        format!("cannot take the token from {}: {reason}", file.display())
    };
    let text = std::fs::read_to_string(file).map_err(|reason| told(&reason))?;
    match text.trim_end() {
        "" => Err(told(&"it is empty, which would let nobody in").into()),
        token => Ok(token.to_owned()),
    }
}

/// Says where the server listens, one address a line.
pub(super) fn print_addresses(addresses: Addresses) -> Result<(), Failure> {
    let Addresses { udp, websocket, http, .. } = addresses;
    output::line(&format!(
        "events   udp://{udp}\nviewers  ws://{websocket}\nmetrics  http://{http}"
    ))
}
