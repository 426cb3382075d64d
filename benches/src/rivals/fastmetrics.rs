//! `fastmetrics`: OpenMetrics types on shared atomics.

use fastmetrics::encoder::{EncodeLabelSet, LabelSetEncoder};
use fastmetrics::metrics::counter::Counter;
use fastmetrics::metrics::family::Family;
use fastmetrics::metrics::gauge::Gauge;
use fastmetrics::metrics::histogram::Histogram;
use fastmetrics::raw::LabelSetSchema;

use super::{Rival, TAG, bounds};
use crate::case::Case;

const NAME: &str = "fastmetrics";

pub(super) fn counter() -> Rival {
    let counter = Counter::<u64>::default();
    let read = counter.clone();
    let case = Case::new(
        NAME,
        move || counter.clone(),
        |counter, _| {
            counter.inc();
        },
    )
    .check(move |done| assert_eq!(read.total(), done.operations));
    Rival::new(case, "one shared word")
}

/// A label set in the form that users write.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Labels {
    pub(super) event_type: String,
}

impl LabelSetSchema for Labels {
    fn names() -> Option<&'static [&'static str]> {
        Some(&[TAG.0])
    }
}

impl EncodeLabelSet for Labels {
    fn encode(&self, encoder: &mut dyn LabelSetEncoder) -> fastmetrics::error::Result<()> {
        encoder.encode(&(TAG.0, &*self.event_type))
    }
}

pub(super) fn tagged() -> Rival {
    let family = Family::<Labels, Counter<u64>>::default();
    let read = family.clone();
    let subject = move || (family.clone(), TAG.1);
    let case = Case::new(NAME, subject, |(family, value), _| {
        let labels = Labels { event_type: (*value).to_owned() };
        family.with_or_new(&labels, |counter| counter.inc());
    })
    .check(move |done| {
        let labels = Labels { event_type: TAG.1.to_owned() };
        let total = read.with(&labels, |counter| counter.total());
        assert_eq!(total, Some(done.operations));
    });
    Rival::new(case, "no name to look up: the family is held")
}

pub(super) fn gauge() -> Rival {
    let gauge = Gauge::<f64>::default();
    let read = gauge.clone();
    let case = Case::new(
        NAME,
        move || gauge.clone(),
        |gauge, i| {
            gauge.set(i as f64);
        },
    )
    .check(move |_| assert!(read.get() >= 0.0));
    Rival::new(case, super::PLAIN_GAUGE)
}

pub(super) fn timing() -> Rival {
    let timing = Histogram::new(bounds());
    let read = timing.clone();
    let case = Case::new(NAME, move || timing.clone(), |timing, i| timing.observe(i as f64)).check(
        move |done| {
            let found = read.with_snapshot(|snapshot| (snapshot.count(), snapshot.sum()));
            assert_eq!(found, (done.operations, done.sum as f64));
        },
    );
    Rival::new(case, "20 buckets").within(super::DOUBLING)
}
