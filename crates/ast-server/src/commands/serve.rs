//! `ast-server serve SET`

use std::path::PathBuf;

use ast_server::{Addresses, AstServer, Dashboard, Service};
use clap::Args;

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
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        tokio::runtime::Runtime::new()?.block_on(self.serve())
    }

    async fn serve(self) -> Result<(), Failure> {
        let mut stop = StopSignals::catch()?;
        let server = AstServer::new();
        server.load_project(&self.set)?;
        let service = Service::start(&server, self.listen.or(Addresses::default())).await?;
        print_addresses(service.addresses())?;
        stop.wait().await;
        service.stop().await;
        output::line(&Dashboard(&server.get_metrics_summary()).to_string())
    }
}

/// Says where the server listens, one address a line.
pub(super) fn print_addresses(addresses: Addresses) -> Result<(), Failure> {
    let Addresses { udp, websocket, http, .. } = addresses;
    output::line(&format!(
        "events   udp://{udp}\nviewers  ws://{websocket}\nmetrics  http://{http}"
    ))
}
