//! The thread beside the screen: the stream, the alerts, the signals.

use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use super::Message;
use super::screen::Vital;
use crate::commands::Source;
use crate::failure::Failure;
use crate::http::Endpoint;
use crate::live::follow;

/// The time between two requests for alerts, and the time if the program has none.
const ALERTS_EVERY: Duration = Duration::from_secs(2);
const NO_ALERTS_EVERY: Duration = Duration::from_secs(60);

/// Starts the thread. It ends with the program.
pub(super) fn start(source: Source, send: &Sender<Message>) -> Result<(), Failure> {
    let cannot = |error: std::io::Error| Failure::Failed(format!("cannot start: {error}"));
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    let (interrupt, terminate, hang_up) = {
        let _context = runtime.enter();
        (
            signal(SignalKind::interrupt()).map_err(cannot)?,
            signal(SignalKind::terminate()).map_err(cannot)?,
            signal(SignalKind::hangup()).map_err(cannot)?,
        )
    };
    let send = send.clone();
    let signals = async {
        let (mut interrupt, mut terminate, mut hang_up) = (interrupt, terminate, hang_up);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    };
    let run = move || {
        let _vital = Vital;
        let failure = runtime.block_on(async {
            match &source {
                Source::File(_) => {
                    signals.await;
                    None
                }
                Source::Program(endpoint) => tokio::select! {
                    () = signals => None,
                    failure = stream(endpoint, &send) => failure,
                    () = alerts(endpoint, &send) => None,
                },
            }
        });
        let _ = send.send(Message::Stop(failure));
    };
    thread::Builder::new().name("feed".to_owned()).spawn(run).map_err(cannot)?;
    Ok(())
}

async fn stream(endpoint: &Endpoint, send: &Sender<Message>) -> Option<Failure> {
    follow(endpoint, "", |news| send.send(Message::News(news)).is_ok()).await.err()
}

/// Sends the alerts again and again; `None` if the program has no such page or does not answer.
async fn alerts(endpoint: &Endpoint, send: &Sender<Message>) {
    loop {
        let answer = endpoint.get("/alerts").await;
        let pause = if matches!(answer, Ok(None)) { NO_ALERTS_EVERY } else { ALERTS_EVERY };
        let body = answer.ok().flatten();
        let alerts = body.and_then(|body| serde_json::from_slice(&body).ok());
        if send.send(Message::Alerts(alerts)).is_err() {
            return;
        }
        sleep(pause).await;
    }
}
