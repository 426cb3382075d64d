//! `serve --check`: tries what serving would fail on, and leaves no trace.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, UdpSocket};
use std::path::Path;

use ast_server::{Addresses, read};
use tachograph::MetricsCollector;
use tachograph_serve::Endpoint;

use super::settings::Settings;
use super::{Failure, alerts, output};

/// Checks that these settings can be served now. An address that is in use is only told: the server
/// whose settings are checked may be running.
pub(super) fn run(settings: Settings) -> Result<(), Failure> {
    let nothing = MetricsCollector::builder().manual().build();
    settings.set_up(Endpoint::new(nothing.clone()))?;
    settings.record.as_deref().map_or(Ok(()), recording)?;
    alerts::alerts(&settings)?;
    if let Some(push) = settings.otlp.push(&nothing)? {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // Ends before its first push.
        drop(runtime.block_on(async { push.start() })?);
    }
    settings.set.as_deref().map(read).transpose()?;
    listening(settings.addresses())?;
    output::line(toml::to_string(&settings.complete())?.trim_end())
}

/// Whether a file can be recorded to.
fn recording(file: &Path) -> Result<(), Failure> {
    let tried = match File::options().append(true).open(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
            tempfile::tempfile_in(folder.unwrap_or(Path::new(".")))
        }
        tried => tried,
    };
    let told =
        |reason| format!("cannot record to {}: {reason}; choose another file", file.display());
    Ok(tried.map(drop).map_err(told)?)
}

/// Whether all addresses can be listened on.
fn listening(addresses: Addresses) -> Result<(), Failure> {
    let Addresses { udp, websocket, http, .. } = addresses;
    let events = UdpSocket::bind(udp).map(drop);
    let tcp = |addr| TcpListener::bind(addr).map(drop);
    let all = [("udp", udp, events), ("ws", websocket, tcp(websocket)), ("http", http, tcp(http))];
    for (flag, addr, tried) in all {
        match tried {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                output::note(&format!(
                    "{addr} is in use: before a server starts with --{flag} {addr}, the program \
                     that has it must end"
                ));
            }
            tried => tried.map_err(|error: io::Error| {
                format!("cannot listen on {addr}: {error}; choose another address for --{flag}")
            })?,
        }
    }
    Ok(())
}
