//! Gauges of many lanes, tags, windows and collectors together, against a model that keeps every
//! value and adds with integers.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tachograph::{
    Clock, Gauge, GaugeStats, MetricsCollector, MockClock, Recorder, Snapshot, Value, Views,
};

const STEP: Duration = Duration::from_secs(10);
const STEPS: u32 = 6;
const TAGS: [&str; 3] = ["a", "b", "c"];
const LANES: usize = 3;

/// A value is so many of these, so that sums of integers are exact.
const UNIT: f64 = 1.0 / 1_048_576.0;

/// What happens in a collector.
#[derive(Clone, Debug)]
enum Act {
    /// A lane sets the gauge of a tag.
    Set {
        lane: usize,
        tag: usize,
        value: Set,
    },
    /// Time passes, and with it steps of the window.
    Steps(u64),
    Reset,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Set {
    Units(i128),
    Infinite(f64),
}

impl Set {
    fn float(self) -> f64 {
        match self {
            Self::Units(units) => units as f64 * UNIT,
            Self::Infinite(float) => float,
        }
    }
}

fn value() -> impl Strategy<Value = Set> {
    // Far apart, so that sums cancel: each is a float, a sum of them is none.
    let units = (-(1i128 << 40)..1 << 40, prop::sample::select(vec![0, 20, 50]));
    prop_oneof![
        9 => units.prop_map(|(units, shift)| Set::Units(units << shift)),
        1 => prop::sample::select(vec![f64::INFINITY, f64::NEG_INFINITY]).prop_map(Set::Infinite),
    ]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let set = (0..LANES, 0..TAGS.len(), value()).prop_map(|(lane, tag, value)| Act::Set {
        lane,
        tag,
        value,
    });
    let act = prop_oneof![
        30 => set,
        3 => (0u64..4).prop_map(Act::Steps),
        1 => Just(Act::Reset),
    ];
    prop::collection::vec(act, 0..60)
}

/// A collector whose time is driven, with a lane for each recorder.
struct Shard {
    metrics: MetricsCollector,
    clock: Clock,
    hands: MockClock,
    recorders: [Recorder; LANES],
    gauges: [Gauge; TAGS.len()],
}

impl Shard {
    fn new() -> Self {
        let (clock, hands) = Clock::mock();
        let builder = MetricsCollector::builder().manual().clock(clock.clone());
        let metrics = builder.window(STEP * STEPS, STEPS).build();
        Self {
            recorders: [(); LANES].map(|()| metrics.recorder()),
            gauges: TAGS.map(|tag| metrics.with_tags(&[("tag", tag)]).register_gauge("gauge")),
            metrics,
            clock,
            hands,
        }
    }

    fn apply(&self, act: &Act) {
        match *act {
            Act::Set { lane, tag, value } => {
                self.recorders[lane].set(&self.gauges[tag], value.float());
            }
            Act::Steps(steps) => {
                // What was set belongs to the step that ends now.
                self.pass();
                self.hands.advance(STEP * steps as u32);
                self.pass();
            }
            Act::Reset => self.metrics.reset(),
        }
    }

    fn pass(&self) {
        self.metrics.run_pass(self.clock.now(), self.clock.wall());
    }
}

/// What was set in one collector: for each tag the values, with the step of each.
#[derive(Clone, Debug, Default)]
struct Model {
    step: u64,
    set: [Vec<(u64, Set)>; TAGS.len()],
}

impl Model {
    fn of(acts: &[Act]) -> Self {
        let mut model = Self::default();
        for act in acts {
            match *act {
                Act::Set { tag, value, .. } => model.set[tag].push((model.step, value)),
                Act::Steps(steps) => model.step += steps,
                Act::Reset => model.set.iter_mut().for_each(Vec::clear),
            }
        }
        model
    }

    fn values(&self, tag: usize, is_window: bool) -> impl Iterator<Item = Set> {
        let first = if is_window { (self.step + 1).saturating_sub(u64::from(STEPS)) } else { 0 };
        self.set[tag].iter().filter(move |(step, _)| *step >= first).map(|(_, value)| *value)
    }

    fn current(&self, tag: usize) -> Option<f64> {
        self.set[tag].last().map(|(_, value)| value.float())
    }
}

/// Compares both views with lists of what they cover, and the current value.
fn check(
    told: &Views<GaugeStats>,
    [lifetime, window]: [Vec<Set>; 2],
    current: Option<f64>,
) -> Result<(), TestCaseError> {
    let Some(window_told) = told.window else { return Err(TestCaseError::fail("no window")) };
    for (told, set) in [(told.lifetime, lifetime), (window_told, window)] {
        let floats = || set.iter().map(|value| value.float());
        prop_assert_eq!(told.count, set.len() as u64);
        prop_assert_eq!(told.min, floats().reduce(f64::min));
        prop_assert_eq!(told.max, floats().reduce(f64::max));
        let finite = set.iter().filter_map(|value| match value {
            Set::Units(units) => Some(*units),
            Set::Infinite(_) => None,
        });
        let (sum, count) = finite.fold((0, 0), |(sum, count), units| (sum + units, count + 1));
        let mean = (count > 0).then(|| sum as f64 * UNIT / f64::from(count));
        prop_assert_eq!(told.mean, mean);
        // NaN: +inf and -inf are current at once.
        let is_same = told.current.map(f64::to_bits) == current.map(f64::to_bits);
        let is_nan = current.is_some_and(f64::is_nan) && told.current.is_some_and(f64::is_nan);
        prop_assert!(is_same || is_nan, "{:?}, not {:?}", told.current, current);
    }
    Ok(())
}

fn gauge(value: Option<&Value>) -> Result<&Views<GaugeStats>, TestCaseError> {
    value.and_then(Value::as_gauge).ok_or_else(|| TestCaseError::fail("no gauge"))
}

fn of_tag(snapshot: &Snapshot, tag: usize) -> Result<&Views<GaugeStats>, TestCaseError> {
    gauge(snapshot.find("gauge", &[("tag", TAGS[tag])]).map(|series| &series.value))
}

/// The sum of those that there are.
fn sum(currents: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    currents.flatten().reduce(|a, b| a + b)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn gauges_of_lanes_tags_and_collectors_together_are_what_a_list_of_all_values_says(
        shards in prop::collection::vec(acts(), 1..4),
    ) {
        let all_tags = 0..TAGS.len();
        let mut snapshots: Vec<Arc<Snapshot>> = Vec::new();
        let models: Vec<Model> = shards.iter().map(|acts| Model::of(acts)).collect();
        for (acts, model) in shards.iter().zip(&models) {
            let shard = Shard::new();
            acts.iter().for_each(|act| shard.apply(act));
            let snapshot = shard.metrics.get_all_metrics();
            for tag in all_tags.clone() {
                let views = [false, true].map(|it| model.values(tag, it).collect());
                check(of_tag(&snapshot, tag)?, views, model.current(tag))?;
            }
            let views = [false, true]
                .map(|it| all_tags.clone().flat_map(|tag| model.values(tag, it)).collect());
            let current = sum(all_tags.clone().map(|tag| model.current(tag)));
            check(gauge(shard.metrics.total("gauge").as_ref())?, views, current)?;
            snapshots.push(snapshot);
        }

        let merged = Snapshot::merge(snapshots.iter().map(|snapshot| &**snapshot));
        // The newest snapshot that has a current value tells it; of equally new ones the last.
        let mut by_age: Vec<&Model> = models.iter().collect();
        by_age.sort_by_key(|model| model.step);
        let current = |tag| by_age.iter().rev().find_map(|model| model.current(tag));
        for tag in all_tags.clone() {
            let views = [false, true]
                .map(|it| models.iter().flat_map(|model| model.values(tag, it)).collect());
            check(of_tag(&merged, tag)?, views, current(tag))?;
        }
        let every = |it| {
            let tags = all_tags.clone();
            models.iter().flat_map(move |m| tags.clone().flat_map(move |tag| m.values(tag, it)))
        };
        let views = [false, true].map(|it| every(it).collect());
        check(gauge(merged.total("gauge").as_ref())?, views, sum(all_tags.clone().map(current)))?;
    }
}
