//! What the process uses, by the names that Prometheus has for it.

use std::fs;
use std::sync::{Mutex, TryLockError};
use std::time::{Duration, Instant};

use tachograph::{Counter, Gauge, MetricsCollector, Unit};

/// The process's use of the system: the metrics that Prometheus' own libraries call `process_*`.
///
/// | metric | in Prometheus | what |
/// |---|---|---|
/// | `process.cpu` | `process_cpu_seconds_total` | user and system time, in steps of 10 ms |
/// | `process.open_fds` | `process_open_fds` | open file descriptors |
/// | `process.max_fds` | `process_max_fds` | how many may be open |
/// | `process.virtual_memory` | `process_virtual_memory_bytes` | address space in use |
/// | `process.virtual_memory_max` | `process_virtual_memory_max_bytes` | how much there may be; 2^64 if it is not limited |
/// | `process.resident_memory` | `process_resident_memory_bytes` | memory in RAM |
/// | `process.start_time` | `process_start_time_seconds` | when the process started, since 1970 |
/// | `process.threads` | `process_threads` | threads |
///
/// All are read from Linux's `/proc`, in some 50 us. What the system does not tell when this is
/// created, on other systems anything, is left out.
///
/// ```
/// use tachograph::MetricsCollector;
/// use tachograph_loop::ProcessMetrics;
///
/// let metrics = MetricsCollector::new();
/// ProcessMetrics::install(&metrics);
/// # #[cfg(target_os = "linux")]
/// assert!(metrics.get_gauge("process.threads").and_then(|threads| threads.current) >= Some(1.0));
/// ```
#[derive(Debug)]
pub struct ProcessMetrics {
    cpu: Option<Counter>,
    /// Indices of [`GAUGES`].
    gauges: Vec<(usize, Gauge)>,
    /// When the system started, in seconds since 1970.
    boot: Option<f64>,
}

/// Ticks per second in `/proc`: the same on every Linux that Rust supports.
const TICKS_PER_SECOND: f64 = 100.0;

/// Name, unit and description.
type Description = (&'static str, Unit, &'static str);

const CPU: Description = ("process.cpu", Unit::Seconds, "user and system time of the process");

/// The gauges, in the order of [`Usage::gauges`].
const GAUGES: [Description; 7] = [
    ("process.open_fds", Unit::None, "file descriptors that the process has open"),
    ("process.max_fds", Unit::None, "file descriptors that the process may have open"),
    ("process.virtual_memory", Unit::Bytes, "address space that the process uses"),
    ("process.virtual_memory_max", Unit::Bytes, "address space that the process may use"),
    ("process.resident_memory", Unit::Bytes, "memory of the process that is in RAM"),
    ("process.start_time", Unit::Seconds, "when the process started, since 1970"),
    ("process.threads", Unit::None, "threads of the process"),
];

/// [`ProcessMetrics::install`] reads as often as this.
const INTERVAL: Duration = Duration::from_secs(1);

impl ProcessMetrics {
    /// Registers the metrics that this system has, and has the collector update them before it
    /// publishes, at most once a second. A collector that a loop drives by hand reads `/proc` on
    /// that loop's thread then; use [`ProcessMetrics::new`] and another thread if it must not wait.
    pub fn install(metrics: &MetricsCollector) {
        let process = Self::new(metrics);
        let last = Mutex::new(Instant::now());
        metrics.on_publish(move |_| {
            let mut last = match last.try_lock() {
                Ok(last) => last,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                // Another thread updates them just now.
                Err(TryLockError::WouldBlock) => return,
            };
            if last.elapsed() >= INTERVAL {
                *last = Instant::now();
                process.update();
            }
        });
    }

    /// Registers the metrics that this system has, and sets them.
    pub fn new(metrics: &MetricsCollector) -> Self {
        // A large file, with a line for each CPU and each interrupt.
        let boot = number_after(&text("/proc/stat"), "btime ");
        let usage = Usage::read(boot);
        let cpu = usage.cpu_ticks.map(|_| {
            let (name, unit, description) = CPU;
            metrics.describe_scaled(name, unit, 1.0 / TICKS_PER_SECOND, description);
            metrics.register_counter(name)
        });
        let told = usage.gauges.iter().zip(GAUGES).enumerate();
        let register = |(i, (value, (name, unit, description))): (usize, (&Option<f64>, _))| {
            (*value)?;
            metrics.describe(name, unit, description);
            Some((i, metrics.register_gauge(name)))
        };
        let gauges = told.filter_map(register).collect();
        let process = Self { cpu, gauges, boot };
        process.set(&usage);
        process
    }

    /// Reads and sets all of them. Opens files: not for a loop that must not wait.
    pub fn update(&self) {
        self.set(&Usage::read(self.boot));
    }

    fn set(&self, usage: &Usage) {
        if let (Some(cpu), Some(ticks)) = (&self.cpu, usage.cpu_ticks) {
            cpu.advance_to(ticks);
        }
        for (i, gauge) in &self.gauges {
            if let Some(value) = usage.gauges[*i] {
                gauge.set(value);
            }
        }
    }
}

/// What the system tells.
#[derive(Debug, Default)]
struct Usage {
    cpu_ticks: Option<u64>,
    gauges: [Option<f64>; 7],
}

impl Usage {
    fn read(boot: Option<f64>) -> Self {
        let (stat, status) = (text("/proc/self/stat"), text("/proc/self/status"));
        let limits = text("/proc/self/limits");
        // One of them is the directory being read.
        let open = fs::read_dir("/proc/self/fd").map(|files| files.count().saturating_sub(1));
        let bytes = |key| Some(1_024.0 * number_after(&status, key)?);
        let limit = |key| number_after(&limits, key);
        let start = || {
            let ticks = stat_field(&stat, 22)? as f64;
            Some(boot? + ticks / TICKS_PER_SECOND)
        };
        Self {
            cpu_ticks: stat_field(&stat, 14).zip(stat_field(&stat, 15)).map(|(u, s)| u + s),
            gauges: [
                open.ok().map(|open| open as f64),
                limit("Max open files"),
                bytes("VmSize:"),
                limit("Max address space"),
                bytes("VmRSS:"),
                start(),
                number_after(&status, "Threads:"),
            ],
        }
    }
}

/// A file; empty if the system has none. The program's name in it may be anything, also no UTF-8.
fn text(file: &str) -> String {
    String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned()
}

/// The first number on the line that begins with `key`. A limit that is not set is the greatest
/// number, as Prometheus' Go library has it.
fn number_after(text: &str, key: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    let number = match line.split_whitespace().next()? {
        "unlimited" => u64::MAX,
        number => number.parse().ok()?,
    };
    Some(number as f64)
}

/// A field of `/proc/self/stat`, counted from 1 as in its manual. The second one, the program's
/// name, may contain anything, so counting starts at its closing parenthesis.
fn stat_field(stat: &str, number: usize) -> Option<u64> {
    let after_name = stat.get(stat.rfind(')')? + 1..)?;
    after_name.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_whatever_the_program_is_called() {
        let stat = "7 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 11 12 13";
        assert_eq!(stat_field(stat, 4), Some(1));
        assert_eq!(stat_field(stat, 14), Some(11));
        assert_eq!(stat_field(stat, 3), None);
        assert_eq!(stat_field("", 14), None);
        assert_eq!(number_after("Name:\tx\nThreads:\t12\n", "Threads:"), Some(12.0));
        let limits = "Max open files  1024  524288  files\nMax address space  unlimited\n";
        assert_eq!(number_after(limits, "Max open files"), Some(1_024.0));
        assert_eq!(number_after(limits, "Max address space"), Some(2f64.powi(64)));
        assert_eq!(number_after(limits, "Max locked memory"), None);
    }
}
