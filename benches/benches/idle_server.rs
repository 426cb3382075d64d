//! What does an idle server cost?
//!
//! The server runs in a process of its own, which is this program again. CPU time is what the
//! kernel counted for all its threads; memory is what is resident at the end, and the part of it that
//! is not code. For a set, what that part adds to a server without one is also given as a multiple of
//! the tree: the server keeps the tree, and the set as it last read it.

use std::error::Error;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

use ast_server::{Addresses, AstServer, Service};
use benches::host::{SetFile, large};
use benches::{Budgets, Options, Table};
use futures_util::StreamExt;
use tokio::runtime::Builder;
use tokio_tungstenite::connect_async;

/// Tells the program to be the server; the value is the file to load, or empty.
const ROLE: &str = "BENCH_IDLE_SERVER";
const CORE_PERCENT: f64 = 1.0;
const RESIDENT_MIB: f64 = 32.0;
/// What a set adds, as a multiple of its tree.
const TREES: f64 = 2.0;
const MIB: f64 = (1 << 20) as f64;
/// The effects of starting up are over by then.
const SETTLE: Duration = Duration::from_secs(2);

/// The server: prints the address for viewers and runs until nobody listens any more.
#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn serve(file: &str) -> Result<(), Box<dyn Error>> {
    Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let server = AstServer::new();
        if !file.is_empty() {
            server.load_project(file)?;
        }
        let service = Service::start(&server, Addresses::free()).await?;
        println!("{}", service.addresses().websocket);
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
        service.stop().await;
        Ok(())
    })
}

/// A server in its own process, killed on drop if something goes wrong.
struct Server {
    process: Child,
    out: BufReader<ChildStdout>,
}

impl Server {
    fn start(file: &str) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(env::current_exe()?);
        command.env(ROLE, file).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let out = process.stdout.take().ok_or("it has an output")?;
        Ok(Self { process, out: BufReader::new(out) })
    }

    fn viewers_address(&mut self) -> Result<String, Box<dyn Error>> {
        let mut line = String::new();
        self.out.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    fn folder(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.process.id()))
    }

    /// CPU time of its threads in nanoseconds.
    fn core_ns(&self) -> Result<u64, Box<dyn Error>> {
        let mut sum = 0;
        for thread in fs::read_dir(self.folder().join("task"))? {
            let told = fs::read_to_string(thread?.path().join("schedstat"))?;
            sum += told.split(' ').next().ok_or("no time")?.parse::<u64>()?;
        }
        Ok(sum)
    }

    /// A figure of the kernel's: `VmRSS` for what is resident, `RssAnon` for its part without files.
    fn mib(&self, figure: &str) -> Result<f64, Box<dyn Error>> {
        let status = fs::read_to_string(self.folder().join("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'));
        let line = line.ok_or_else(|| format!("no {figure}"))?;
        let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes / 1_024.0)
    }

    fn stop(mut self) -> Result<(), Box<dyn Error>> {
        drop(self.process.stdin.take());
        let status = self.process.wait()?;
        if status.success() { Ok(()) } else { Err(format!("the server: {status}").into()) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Err: it has already ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a server took.
struct Idle {
    core_percent: f64,
    resident: f64,
    data: f64,
}

fn measure(file: &str, has_viewer: bool, length: Duration) -> Result<Idle, Box<dyn Error>> {
    let mut server = Server::start(file)?;
    let address = server.viewers_address()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let viewer = runtime.block_on(async {
        if !has_viewer {
            return Ok(None);
        }
        let (mut viewer, _) = connect_async(format!("ws://{address}")).await?;
        let greeting = viewer.next().await.ok_or("no greeting came")??;
        assert!(greeting.to_text()?.contains("FULL_AST"), "it serves");
        Ok::<_, Box<dyn Error>>(Some(viewer))
    })?;
    thread::sleep(SETTLE);
    let before = server.core_ns()?;
    thread::sleep(length);
    let spent = server.core_ns()? - before;
    assert!(spent > 0, "it samples and publishes");
    let (resident, data) = (server.mib("VmRSS")?, server.mib("RssAnon")?);
    drop(viewer);
    server.stop()?;
    let core_percent = 100.0 * spent as f64 / length.as_nanos() as f64;
    Ok(Idle { core_percent, resident, data })
}

fn main() -> Result<(), Box<dyn Error>> {
    if let Ok(file) = env::var(ROLE) {
        return serve(&file);
    }
    let length = Duration::from_secs(if Options::get().quick { 3 } else { 20 });
    let set = SetFile::write()?;
    let largest = SetFile::of(&large())?;
    let title = format!("A server with nothing to do, over {length:?}");
    let header = ["server", "% of a core", "resident MiB", "without code", "tree MiB", "x tree"];
    let mut table = Table::new("idle-server", title, &header);
    let mut budgets = Budgets::new("budget-idle-server");
    let rows = [
        ("no set", None, false),
        ("50 tracks x 100 scenes", Some(&set), false),
        ("the same, and a viewer", Some(&set), true),
        ("the largest set", Some(&largest), false),
    ];
    let mut without_set = 0.0;
    for (name, set, has_viewer) in rows {
        let file = set.map_or(Ok(""), |set| set.path.to_str().ok_or("a plain name"))?;
        let idle = measure(file, has_viewer, length)?;
        let tree = set.map(|set| ast_server::read(&set.path)).transpose()?;
        let tree = tree.map(|set| set.tree_bytes() as f64 / MIB);
        let times = tree.map(|tree| (idle.data - without_set) / tree);
        table.row([
            name.into(),
            idle.core_percent.into(),
            idle.resident.into(),
            idle.data.into(),
            tree.into(),
            times.into(),
        ]);
        let what = format!("idle server, {name}");
        budgets.at_most(&what, idle.core_percent, CORE_PERCENT, "% of a core");
        budgets.at_most(&format!("{what}: resident"), idle.resident, RESIDENT_MIB, "MiB");
        match times {
            None => without_set = idle.data,
            Some(times) if !has_viewer => {
                budgets.at_most(&format!("{what}: added"), times, TREES, "x its tree");
            }
            // The tree as text, which the next viewer would be sent.
            Some(_) => {}
        }
    }
    table.print();
    budgets.print();
    Ok(())
}
