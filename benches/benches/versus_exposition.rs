//! What does writing all series as text cost in other libraries, in the same process?
//!
//! All write the same series with the same values into buffers that they keep, in turns; each text
//! is read back before the first round. Ours writes a snapshot published just before, in which
//! every series has changed. Publishing is the aggregator's work, ten times a second regardless of
//! scrapes; a separate row includes it.

use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Instant, SystemTime};

use benches::rivals::{self, Exposition, counter_expositions, timing_expositions};
use benches::{Figures, Options, Scraped, Table, Turn, bounds, time_in_turns};
use tachograph::MetricsCollector;
use tachograph_export::prometheus::{Bounds, Form, Prometheus};

const HEADER: [&str; 7] =
    ["library", "median", "min", "ns a series", "x ours", "verdict", "what differs"];

/// The series to write, and the other libraries that write them.
struct Contest {
    name: &'static str,
    title: String,
    scraped: Scraped,
    rivals: Vec<Exposition>,
}

fn contests() -> Vec<Contest> {
    let (counters, timings) = (Scraped::counters(10_000), Scraped::timings(1_000));
    vec![
        Contest {
            name: "versus-exposition-counter",
            title: format!("{} counters with a tag", counters.values.len()),
            rivals: counter_expositions(&counters.values, &counters.counts),
            scraped: counters,
        },
        Contest {
            name: "versus-exposition-timing",
            title: format!("{} timings of {} buckets", timings.values.len(), bounds().len()),
            rivals: timing_expositions(&timings.values, &timings.samples),
            scraped: timings,
        },
    ]
}

fn pass(metrics: &MetricsCollector) {
    metrics.run_pass(Instant::now(), SystemTime::now());
}

/// Ours as a server uses it: encoder and text are kept.
struct Ours {
    metrics: MetricsCollector,
    prometheus: RefCell<Prometheus>,
    text: RefCell<String>,
}

impl Ours {
    fn new(scraped: &Scraped) -> Self {
        let bounds = Bounds::new(bounds()).expect("ascending");
        let prometheus = Prometheus::new().timings(Form::Classic(bounds));
        let ours = Self {
            metrics: scraped.collector(),
            prometheus: RefCell::new(prometheus),
            text: RefCell::default(),
        };
        ours.write();
        scraped.assert_in(ours.text.borrow().as_bytes());
        ours
    }

    fn write(&self) {
        let mut text = self.text.borrow_mut();
        text.clear();
        self.prometheus.borrow_mut().text(&self.metrics.snapshot(), &mut text);
        black_box(text.as_bytes());
    }
}

fn run(contest: Contest) {
    let Contest { name, title, scraped, mut rivals } = contest;
    let ours = Ours::new(&scraped);
    for rival in &mut rivals {
        (rival.write)(&mut |text| scraped.assert_in(text));
    }
    let more = scraped.more(&ours.metrics);
    let published = || {
        more();
        pass(&ours.metrics);
    };
    let both = || {
        pass(&ours.metrics);
        ours.write();
    };
    let mut turns = vec![
        Turn { prepare: Box::new(published), act: Box::new(|| ours.write()) },
        Turn { prepare: Box::new(&more), act: Box::new(both) },
    ];
    turns.extend(rivals.iter_mut().map(|rival| Turn {
        prepare: Box::new(|| ()),
        act: Box::new(|| (rival.write)(&mut |text| _ = black_box(text))),
    }));
    let rounds = Options::get().rounds(25);
    let figures = time_in_turns(rounds, &mut turns);
    drop(turns);

    let ours_alone = figures[0];
    let title = format!("Against other libraries, text of {title}: us; {rounds} rounds");
    let mut table = Table::new(name, title, &HEADER);
    let mut row = |name: &str, figures: Figures, rival: Option<&Exposition>| {
        let ratio = figures.times(ours_alone);
        table.row([
            name.into(),
            (figures.median / 1e3).into(),
            (figures.min / 1e3).into(),
            (figures.median / scraped.values.len() as f64).into(),
            ratio.into(),
            rival.map_or("", |_| rivals::verdict(&[ratio])).into(),
            rival.map_or("", |rival| rival.differs).into(),
        ]);
    };
    row("ours", figures[0], None);
    row("ours, publication included", figures[1], None);
    for (rival, figures) in rivals.iter().zip(&figures[2..]) {
        row(rival.name, *figures, Some(rival));
    }
    table.print();
}

fn main() {
    contests().into_iter().for_each(run);
}
