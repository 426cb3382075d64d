//! What does it cost to write all series in each format, alone and beside a thread that records?
//!
//! Each format's encoder is kept. Each snapshot was published just before, and every series in it
//! has changed.

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Instant, SystemTime};

use benches::{Budgets, Options, Scraped, Table, Turn, bounds, time_in_turns};
use tachograph::Snapshot;
use tachograph_export::json;
use tachograph_export::otlp::{Encoding, Settings};
use tachograph_export::prometheus::{self, Bounds, Form, Prometheus};

const COUNTERS: usize = 10_000;
const TIMINGS: usize = 1_000;
const NATIVE_MILLIS: f64 = 5.0;
/// The row that has a budget.
const NATIVE: &str = "protobuf, native histograms";

/// Appends a snapshot.
type Encode = Box<dyn FnMut(&Snapshot, &mut Vec<u8>)>;

/// Wraps a text encoder.
fn text(mut encode: impl FnMut(&Snapshot, &mut String) + 'static) -> Encode {
    Box::new(move |snapshot, out| {
        let mut text = String::from_utf8(std::mem::take(out)).expect("its own");
        encode(snapshot, &mut text);
        *out = text.into_bytes();
    })
}

fn classic() -> Prometheus {
    Prometheus::new().timings(Form::Classic(Bounds::new(bounds()).expect("ascending")))
}

fn otlp(encoding: Encoding) -> Encode {
    let mut encoder = Settings::new("bench").encoding(encoding).encoder();
    Box::new(move |snapshot, out| {
        // The encoder also writes its own series.
        assert!(encoder.encode(snapshot, out) > TIMINGS);
    })
}

/// A format's name and its encoder.
type Format = (&'static str, Encode);

fn of_counters() -> Vec<Format> {
    let (mut kept, mut open, mut messages) = (classic(), classic(), classic());
    vec![
        ("text", text(move |snapshot, out| _ = kept.text(snapshot, out))),
        ("text, encoder made anew", text(|snapshot, out| _ = prometheus::encode(snapshot, out))),
        ("OpenMetrics", text(move |snapshot, out| _ = open.open_metrics(snapshot, out))),
        ("protobuf", Box::new(move |snapshot, out| _ = messages.protobuf(snapshot, out))),
        ("OTLP, protobuf", otlp(Encoding::Protobuf)),
        ("OTLP, JSON", otlp(Encoding::Json)),
        ("JSON", Box::new(|snapshot, out| json::encode(snapshot, json::Options::default(), out))),
    ]
}

fn of_timings() -> Vec<Format> {
    let (mut kept, mut open, mut messages) = (classic(), classic(), classic());
    let (mut summaries, mut native) = (Prometheus::new(), Prometheus::new());
    vec![
        ("text, 20 buckets", text(move |snapshot, out| _ = kept.text(snapshot, out))),
        ("text, summaries", text(move |snapshot, out| _ = summaries.text(snapshot, out))),
        (
            "OpenMetrics, 20 buckets",
            text(move |snapshot, out| _ = open.open_metrics(snapshot, out)),
        ),
        (
            "protobuf, 20 buckets",
            Box::new(move |snapshot, out| _ = messages.protobuf(snapshot, out)),
        ),
        (NATIVE, Box::new(move |snapshot, out| _ = native.protobuf(snapshot, out))),
        ("OTLP, protobuf", otlp(Encoding::Protobuf)),
        ("OTLP, JSON", otlp(Encoding::Json)),
        ("JSON", Box::new(|snapshot, out| json::encode(snapshot, json::Options::default(), out))),
    ]
}

/// A format and the buffer that it writes into.
struct Written {
    name: &'static str,
    encode: RefCell<Encode>,
    out: RefCell<Vec<u8>>,
}

impl Written {
    fn write(&self, snapshot: &Snapshot) {
        let mut out = self.out.borrow_mut();
        out.clear();
        (self.encode.borrow_mut())(snapshot, &mut out);
        black_box(&*out);
    }

    /// Checks the text formats by reading them, and all formats by writing twice: the cache must
    /// change nothing. The exporters' own tests read the other formats.
    fn check(&self, scraped: &Scraped, snapshot: &Snapshot) {
        self.write(snapshot);
        let first = self.out.borrow().clone();
        self.write(snapshot);
        assert_eq!(*self.out.borrow(), first, "{} twice", self.name);
        let has_buckets = scraped.samples.is_empty() || self.name.ends_with("20 buckets");
        if has_buckets && (self.name.starts_with("text") || self.name.starts_with("Open")) {
            scraped.assert_in(&first);
        }
    }
}

/// Runs `act` while another thread records into all series as fast as it can.
fn beside_recording<T>(more: impl Fn() + Sync, act: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // Relaxed: the flag guards no other data.
            while !over.load(Ordering::Relaxed) {
                more();
            }
        });
        let done = act();
        // Relaxed: see above.
        over.store(true, Ordering::Relaxed);
        done
    })
}

fn run(
    name: &'static str,
    of: &str,
    scraped: &Scraped,
    formats: Vec<Format>,
    budgets: &mut Budgets,
) {
    let metrics = scraped.collector();
    let formats: Vec<_> = formats
        .into_iter()
        .map(|(name, encode)| Written { name, encode: encode.into(), out: RefCell::default() })
        .collect();
    formats.iter().for_each(|written| written.check(scraped, &metrics.snapshot()));

    let rounds = Options::get().rounds(25);
    let more = scraped.more(&metrics);
    let publish = || {
        more();
        metrics.run_pass(Instant::now(), SystemTime::now());
    };
    let (metrics, publish) = (&metrics, &publish);
    let timed = |formats: &[Written]| {
        let turn = |written| Turn {
            prepare: Box::new(publish),
            act: Box::new(move || Written::write(written, &metrics.snapshot())),
        };
        time_in_turns(rounds, &mut formats.iter().map(turn).collect::<Vec<_>>())
    };
    let figures = timed(&formats);
    let beside = beside_recording(scraped.more(metrics), || timed(&formats[..1]));

    let series = scraped.values.len();
    let title = format!("Writing {series} {of}: us; {rounds} rounds");
    let header = ["format", "median", "min", "ns a series", "bytes a series"];
    let mut table = Table::new(name, title, &header);
    let beside = (format!("{}, a thread recording", formats[0].name), beside[0], &formats[0]);
    let alone = formats.iter().zip(figures).map(|(it, figures)| (it.name.to_owned(), figures, it));
    for (name, figures, written) in alone.chain([beside]) {
        table.row([
            name.into(),
            (figures.median / 1e3).into(),
            (figures.min / 1e3).into(),
            (figures.median / series as f64).into(),
            (written.out.borrow().len() as f64 / series as f64).into(),
        ]);
        if written.name == NATIVE {
            budgets.at_most(NATIVE, figures.median / 1e6, NATIVE_MILLIS, "ms");
        }
    }
    table.print();
}

fn main() {
    let mut budgets = Budgets::new("budget-exposition");
    let counters = Scraped::counters(COUNTERS);
    run("exposition-counter", "counters with a tag", &counters, of_counters(), &mut budgets);
    let timings = Scraped::timings(TIMINGS);
    run("exposition-timing", "timings of 100 samples", &timings, of_timings(), &mut budgets);
    budgets.print();
}
