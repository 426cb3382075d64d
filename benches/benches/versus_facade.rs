//! What does the `metrics` facade cost over our own calls, and with `metrics-exporter-prometheus`?
//!
//! Ratios use whole figures, including the loop's share.

use benches::{Bed, Case, Done, Figures, Plan, SharedClock, Table, calls, empty, measure, number};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use metrics::{Recorder, set_default_local_recorder, with_local_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tachograph::MetricsCollector;
use tachograph_metrics::TachographRecorder;

const HEADER: [&str; 7] =
    ["call", "1 thread", "min", "x native", "2 threads", "x native, 2", "over native"];

/// A recorder of the facade, and how its bursts are drained and its counts read.
#[derive(Clone, Copy)]
struct Side {
    names: [&'static str; 4],
    recorder: &'static (dyn Recorder + Sync),
    drain: &'static (dyn Fn() + Sync),
    count: &'static (dyn Fn(&str) -> f64 + Sync),
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn ours(bed: &'static Bed) -> Side {
    let count = |name: &str| {
        let snapshot = bed.metrics.get_all_metrics();
        let series = snapshot.metric(name).next().expect("registered");
        let counter = series.value.as_counter().map(|views| views.lifetime.value as f64);
        counter
            .unwrap_or_else(|| series.value.as_timing().map_or(0.0, |it| it.lifetime.count as f64))
    };
    Side {
        names: ["ours: counter", "ours: gauge", "ours: histogram", "ours: macro with a label"],
        recorder: leak(TachographRecorder::new(bed.metrics.clone())),
        drain: leak(|| bed.pass()),
        count: leak(count),
    }
}

fn theirs() -> Side {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle: &PrometheusHandle = leak(recorder.handle());
    let count = |name: &str| {
        let text = handle.render();
        // A histogram's own name is that of its quantiles.
        let after = |end: &str| {
            let line = text.lines().find(|line| line.starts_with(&format!("{name}{end}")))?;
            line.rsplit_once(' ')?.1.parse().ok()
        };
        let value = after("_count ").or_else(|| after(" ")).or_else(|| after("{"));
        value.unwrap_or_else(|| panic!("{name} is not in\n{text}"))
    };
    Side {
        names: [
            "prometheus: counter",
            "prometheus: gauge",
            "prometheus: histogram",
            "prometheus: macro with a label",
        ],
        recorder: leak(recorder),
        drain: leak(|| handle.run_upkeep()),
        count: leak(count),
    }
}

impl Side {
    fn registered<T>(self, register: impl FnOnce() -> T) -> T {
        with_local_recorder(self.recorder, register)
    }

    fn case(self, case: Case<'static>, name: &'static str) -> Case<'static> {
        case.between(self.drain).check(move |done: Done| {
            assert_eq!((self.count)(name), done.operations as f64);
        })
    }

    fn counter(self) -> Case<'static> {
        let handle = self.registered(|| counter!("facade_counter"));
        let increment = |counter: &Counter, _| counter.increment(1);
        self.case(Case::new(self.names[0], move || handle.clone(), increment), "facade_counter")
    }

    fn gauge(self) -> Case<'static> {
        let handle = self.registered(|| gauge!("facade_gauge"));
        let set = |gauge: &Gauge, _| gauge.set(0.5);
        Case::new(self.names[1], move || handle.clone(), set).between(self.drain)
    }

    fn histogram(self) -> Case<'static> {
        let handle = self.registered(|| histogram!("facade_histogram"));
        let record = |histogram: &Histogram, i| histogram.record(i as f64 * 1e-9);
        let case = Case::new(self.names[2], move || handle.clone(), record);
        self.case(case, "facade_histogram")
    }

    fn by_macro(self) -> Case<'static> {
        let increment = |(): &(), _| counter!("facade_macro", "route" => "/").increment(1);
        let local = || std::mem::forget(set_default_local_recorder(self.recorder));
        self.case(Case::new(self.names[3], || (), increment).before(local), "facade_macro")
    }
}

fn main() {
    let shared = SharedClock::new();
    let metrics = MetricsCollector::builder().manual().clock(shared.clock()).build();
    let bed: &'static Bed = leak(Bed::of(metrics));
    let native = [
        calls::counter_by_handle,
        calls::gauge_by_handle,
        calls::histogram_by_handle,
        calls::counter_by_name_and_tag,
    ];
    let facade = [Side::counter, Side::gauge, Side::histogram, Side::by_macro];
    let sides = [ours(bed), theirs()];
    let mut cases = vec![empty()];
    for (native, facade) in native.into_iter().zip(facade) {
        cases.push(native(bed).between(|| bed.pass()));
        cases.extend(sides.map(facade));
    }
    let plan = Plan::of_bursts();
    let one = measure(&cases, plan);
    let two = measure(&cases, Plan { threads: 2, ..plan });

    let loops = [one[0].median, two[0].median].map(number);
    let title =
        format!("The `metrics` facade: ns a call over the loop's {} and {}", loops[0], loops[1]);
    let mut table = Table::new("versus-facade", title, &HEADER);
    for i in 1..cases.len() {
        let native = (i - 1) / 3 * 3 + 1;
        let over = |figures: &[Figures]| figures[i].over(figures[0]);
        table.row([
            cases[i].name().into(),
            over(&one).median.into(),
            over(&one).min.into(),
            one[i].times(one[native]).into(),
            over(&two).median.into(),
            two[i].times(two[native]).into(),
            (one[i].median - one[native].median).into(),
        ]);
    }
    table.print();
    bed.assert_never_full();
}
