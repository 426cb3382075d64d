//! How statistics are written and read by serde, so that whatever is read is harmless.

use std::time::SystemTime;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

use crate::aggregate::distribution::Totals;
use crate::lane::bucket;
use crate::read::rows::Row;
use crate::read::stats::{Buckets, GaugeStats, SharedTotals, TimingStats};

/// A float that may be infinite, which JSON has no number for: `"inf"` and `"-inf"` there.
pub(crate) mod float {
    use super::{Deserialize, Deserializer, Error, Serialize, Serializer};

    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(untagged)]
    enum Told<'a> {
        Number(f64),
        Word(std::borrow::Cow<'a, str>),
    }

    pub(crate) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() || !to.is_human_readable() {
            return value.serialize(to);
        }
        to.serialize_str(if *value > 0.0 { "inf" } else { "-inf" })
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        if !from.is_human_readable() {
            return not_nan(f64::deserialize(from)?);
        }
        match Told::deserialize(from)? {
            Told::Number(value) => not_nan(value),
            Told::Word(word) if word == "inf" => Ok(f64::INFINITY),
            Told::Word(word) if word == "-inf" => Ok(f64::NEG_INFINITY),
            Told::Word(word) => Err(D::Error::custom(format!("{word:?} is no statistic"))),
        }
    }

    fn not_nan<E: Error>(value: f64) -> Result<f64, E> {
        if value.is_nan() { Err(E::custom("no statistic is NaN")) } else { Ok(value) }
    }

    /// As a float, where there is one.
    pub(crate) mod option {
        use super::{Deserialize, Deserializer, Serialize, Serializer};

        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        struct Float(#[serde(with = "super")] f64);

        pub(crate) fn serialize<S: Serializer>(
            value: &Option<f64>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            value.map(Float).serialize(to)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<f64>, D::Error> {
            Ok(Option::<Float>::deserialize(from)?.map(|float| float.0))
        }
    }
}

/// A time of the wall clock; one before 1970, which serde has no form for, is 1970.
pub(crate) mod wall {
    use super::{Deserialize, Deserializer, Serialize, Serializer, SystemTime};

    pub(crate) fn serialize<S: Serializer>(time: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
        (*time).max(SystemTime::UNIX_EPOCH).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SystemTime, D::Error> {
        SystemTime::deserialize(from)
    }
}

/// A timing's statistics as they are written. All but the buckets follow from these.
#[derive(serde::Deserialize)]
pub(super) struct ToldTiming {
    #[serde(rename = "count")]
    _count: u64,
    #[serde(rename = "sum", with = "float")]
    _sum: f64,
    #[serde(rename = "min", default, with = "float::option")]
    _min: Option<f64>,
    #[serde(rename = "max", default, with = "float::option")]
    _max: Option<f64>,
    #[serde(rename = "mean", default, with = "float::option")]
    _mean: Option<f64>,
    #[serde(rename = "p50", default, with = "float::option")]
    _p50: Option<f64>,
    #[serde(rename = "p90", default, with = "float::option")]
    _p90: Option<f64>,
    #[serde(rename = "p95", default, with = "float::option")]
    _p95: Option<f64>,
    #[serde(rename = "p99", default, with = "float::option")]
    _p99: Option<f64>,
    #[serde(rename = "p999", default, with = "float::option")]
    _p999: Option<f64>,
    buckets: Buckets,
}

impl From<ToldTiming> for TimingStats {
    fn from(told: ToldTiming) -> Self {
        let Buckets { rows, coarse, totals, scale } = told.buckets;
        Self::new(rows, &coarse, totals.into(), scale)
    }
}

/// Buckets as they are written.
#[derive(serde::Deserialize)]
pub(super) struct ToldBuckets {
    rows: Vec<Row>,
    coarse: Vec<Row>,
    totals: SharedTotals,
    scale: f64,
}

impl TryFrom<ToldBuckets> for Buckets {
    type Error = String;

    fn try_from(told: ToldBuckets) -> Result<Self, String> {
        let ToldBuckets { rows, coarse, totals, scale } = told;
        let Totals { count, min, max, coalesced, .. } = totals.into();
        let sum = |rows: &[Row]| rows.iter().map(|row| u128::from(row.1)).sum::<u128>();
        let counted = sum(&rows);
        let bad = if !rows.is_sorted_by_key(|row| row.0) {
            "its rows are not in the order of their buckets"
        } else if rows.last().is_some_and(|last| last.0 > bucket::index(u64::MAX)) {
            "it has a bucket beyond the last one"
        } else if rows.iter().any(|row| row.1 == 0) {
            "it has an empty bucket"
        } else if counted != u128::from(count) {
            "its count is not the sum of its buckets"
        } else if count > 0 && min > max {
            "its min is above its max"
        } else if count == 0 && totals != Totals::default().into() {
            "it has totals without samples"
        } else if coalesced > count {
            "more samples were coalesced than there are"
        } else if sum(&coarse) != u128::from(coalesced) {
            "its coalesced count is not the sum of its coarse buckets"
        } else if !coarse.is_sorted_by_key(|row| row.0) {
            "its coarse rows are not in the order of their buckets"
        } else if !(scale.is_finite() && scale > 0.0) {
            "its scale is not above 0"
        } else {
            return Ok(Self { rows: rows.into(), coarse: coarse.into(), totals, scale });
        };
        Err(format!("this is no distribution: {bad}"))
    }
}

/// A gauge's statistics as they are written.
#[derive(serde::Deserialize)]
pub(super) struct ToldGauge {
    #[serde(default, with = "float::option")]
    current: Option<f64>,
    #[serde(default, with = "float::option")]
    min: Option<f64>,
    #[serde(default, with = "float::option")]
    max: Option<f64>,
    #[serde(rename = "mean", default, with = "float::option")]
    _mean: Option<f64>,
    count: u64,
    finite: u64,
    sum: crate::lane::wide::Wide,
}

impl TryFrom<ToldGauge> for GaugeStats {
    type Error = String;

    fn try_from(told: ToldGauge) -> Result<Self, String> {
        let ToldGauge { current, min, max, _mean, count, finite, sum } = told;
        if finite > count {
            return Err("this is no gauge: more values were finite than were set".to_owned());
        }
        let mean = (finite > 0).then(|| sum.over(finite));
        Ok(Self { current, min, max, mean, count, finite, sum })
    }
}
