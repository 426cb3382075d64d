//! What does a span cost with a registry alone, with our layer, and with others that time spans?
//!
//! Each operation creates a span, enters it, leaves it and closes it; or counts an event in one.

use std::time::Instant;

use benches::{Bed, Case, Done, Figures, Plan, SharedClock, Table, empty, measure, number};
use tachograph::MetricsCollector;
use tachograph_tracing::{BUSY, EVENTS, TachographLayer};
use tracing::{Dispatch, Subscriber, dispatcher, info, info_span};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, registry};

const HEADER: [&str; 6] =
    ["subscriber", "1 thread", "min", "x registry", "2 threads", "x registry, 2"];

/// The least that times a span: both clock reads, and a place in its extensions. Records nothing.
struct Stopwatch;

struct Started(Instant);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Stopwatch {
    fn on_new_span(
        &self,
        _: &tracing::span::Attributes<'_>,
        id: &tracing::Id,
        context: Context<'_, S>,
    ) {
        let span = context.span(id).expect("new");
        span.extensions_mut().insert(Started(Instant::now()));
    }

    fn on_close(&self, id: tracing::Id, context: Context<'_, S>) {
        let span = context.span(&id).expect("closing");
        let started = span.extensions_mut().remove::<Started>();
        std::hint::black_box(started.map(|started| started.0.elapsed()));
    }
}

/// A case whose threads have this subscriber.
fn with(
    name: &'static str,
    dispatch: &Dispatch,
    operation: impl Fn(&(), u64) + Copy + Sync + 'static,
) -> Case<'static> {
    let dispatch = dispatch.clone();
    let local = move || std::mem::forget(dispatcher::set_default(&dispatch));
    Case::new(name, || (), operation).before(local)
}

fn span(_: &(), i: u64) {
    info_span!("request", route = "/users", i).in_scope(|| std::hint::black_box(i));
}

fn event(_: &(), i: u64) {
    info!(route = "/users", i, "an event");
}

fn total(bed: &Bed, name: &str) -> u64 {
    let value = bed.metrics.total(name).expect("recorded");
    let counter = value.as_counter().map(|views| views.lifetime.value as u64);
    counter.unwrap_or_else(|| value.as_timing().map_or(0, |views| views.lifetime.count))
}

/// Ours without and with fields; both record into the same collector.
fn ours(bed: &'static Bed) -> [Dispatch; 2] {
    let layer = || TachographLayer::new(bed.metrics.clone());
    let with_field = layer().with_field("route");
    [Dispatch::new(registry().with(layer())), Dispatch::new(registry().with(with_field))]
}

fn print(name: &'static str, title: &str, cases: &[Case<'_>]) {
    let plan = Plan::of_bursts();
    let one = measure(cases, plan);
    let two = measure(cases, Plan { threads: 2, ..plan });
    let loops = [one[0].median, two[0].median].map(number);
    let title = format!("{title}: ns over the loop's {} and {}", loops[0], loops[1]);
    let mut table = Table::new(name, title, &HEADER);
    for i in 1..cases.len() {
        let over = |figures: &[Figures]| figures[i].over(figures[0]);
        table.row([
            cases[i].name().into(),
            over(&one).median.into(),
            over(&one).min.into(),
            one[i].times(one[1]).into(),
            over(&two).median.into(),
            two[i].times(two[1]).into(),
        ]);
    }
    table.print();
}

fn main() {
    let shared = SharedClock::new();
    let metrics = MetricsCollector::builder().manual().clock(shared.clock()).build();
    let bed: &'static Bed = Box::leak(Box::new(Bed::of(metrics)));
    let [plain, with_field] = ours(bed);
    let alone = Dispatch::new(registry());
    let stopwatch = Dispatch::new(registry().with(Stopwatch));
    let timing = tracing_timing::Builder::default();
    let timing = timing.layer(|| tracing_timing::Histogram::new(3).expect("three digits"));
    let timing = Dispatch::new(registry().with(timing));

    let drained = |case: Case<'static>| case.between(|| bed.pass());
    let counted = |case: Case<'static>, name: &'static str| {
        drained(case).check(move |done: Done| assert!(total(bed, name) >= done.operations))
    };
    print(
        "versus-spans",
        "A span: created, entered, left, closed",
        &[
            empty(),
            with("registry alone", &alone, span),
            with("a stopwatch that records nothing", &stopwatch, span),
            counted(with("tachograph-tracing", &plain, span), BUSY),
            counted(with("tachograph-tracing, one field", &with_field, span), BUSY),
            with("tracing-timing, which times events", &timing, span),
        ],
    );
    print(
        "versus-events",
        "An event",
        &[
            empty(),
            with("registry alone", &alone, event),
            counted(with("tachograph-tracing", &plain, event), EVENTS),
            counted(with("tachograph-tracing, one field", &with_field, event), EVENTS),
        ],
    );
}
