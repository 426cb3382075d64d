//! A server on its sockets with a set, for the benches of the host.

use std::error::Error;
use std::fs::File;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use ast_server::{Addresses, AstServer, Service};
use live_set::generate::Spec;
use tempfile::TempDir;

/// Upper bound for every wait, on any machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// The largest set of today: 19 MB of XML.
#[must_use]
pub fn large() -> Spec {
    Spec {
        tracks: 40,
        groups: 4,
        scenes: 120,
        clips: 40,
        notes: 32,
        devices: 4,
        parameters: 32,
        racks: 2,
        plug_ins: 2,
        arrangement: 8,
        ..Spec::default()
    }
}

/// A file with a set, deleted on drop.
#[derive(Debug)]
pub struct SetFile {
    /// Where it is.
    pub path: PathBuf,
    _folder: TempDir,
}

impl SetFile {
    /// Writes a set of 50 tracks and 100 scenes.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write() -> std::io::Result<Self> {
        Self::of(&Spec::default())
    }

    /// Writes a set made to order.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn of(spec: &Spec) -> std::io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("set.als");
        spec.write_als(File::create(&path)?)?;
        Ok(Self { path, _folder: folder })
    }

    /// An in-process server that has loaded the file.
    ///
    /// # Errors
    /// If it cannot be loaded.
    pub fn server(&self, enable_metrics: bool) -> Result<AstServer, ast_server::Error> {
        let server = AstServer::builder().enable_metrics(enable_metrics).watch(false).build();
        server.load_project(&self.path)?;
        Ok(server)
    }

    /// Such a server on free ports.
    ///
    /// # Errors
    /// If it cannot be loaded, or the machine has no free port.
    pub async fn serve(&self) -> Result<(AstServer, Service), ast_server::Error> {
        let server = self.server(true)?;
        let service = Service::start(&server, Addresses::free()).await?;
        Ok((server, service))
    }
}

/// The value of a server's counter.
///
/// # Panics
/// If it has none of that name.
pub fn counted(server: &AstServer, name: &str) -> u64 {
    let counter = server.metrics().get_counter(name).unwrap_or_else(|| panic!("no {name}"));
    counter.value.try_into().unwrap_or_else(|_| panic!("{name} only grows"))
}

/// Waits until `holds` returns true.
///
/// # Errors
/// If it does not within a minute.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > DEADLINE {
            return Err(format!("not within {DEADLINE:?}: {what}").into());
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Calls `send` with 0, 1, 2… at a fixed rate per second; returns the number of calls.
///
/// A late thread catches up, so the rate holds over the whole time.
///
/// # Errors
/// Those of `send`.
pub fn at_rate<E>(
    per_second: u32,
    length: Duration,
    mut send: impl FnMut(u32) -> Result<(), E>,
) -> Result<u32, E> {
    let total = (length.as_secs_f64() * f64::from(per_second)) as u32;
    let (start, mut sent) = (Instant::now(), 0);
    while sent < total {
        let due = (start.elapsed().as_secs_f64() * f64::from(per_second)) as u32 + 1;
        for number in sent..due.min(total) {
            send(number)?;
        }
        sent = due.min(total);
        let next = Duration::from_secs_f64(f64::from(sent) / f64::from(per_second));
        thread::sleep(next.saturating_sub(start.elapsed()));
    }
    Ok(sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_a_rate_every_number_comes_once_and_an_error_ends_it() {
        let mut numbers = Vec::new();
        let sent = at_rate(20_000, Duration::from_millis(20), |number| {
            numbers.push(number);
            Ok::<_, ()>(())
        });
        assert_eq!(sent, Ok(400));
        assert!(numbers.into_iter().eq(0..400));
        let failed = at_rate(1_000, Duration::from_secs(1), |number| {
            (number < 3).then_some(()).ok_or(number)
        });
        assert_eq!(failed, Err(3));
    }
}
