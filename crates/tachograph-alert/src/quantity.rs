//! Amounts with units, as written in rules: `100ms`, `1%`, `5MiB`, `1000`.

use std::fmt;
use std::time::Duration;

use tachograph::Unit;

/// The dimension of an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// A plain number.
    Number,
    /// Seconds.
    Time,
    /// Bytes.
    Bytes,
    /// A share: 1 is the whole.
    Share,
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "a number, such as 1000",
            Self::Time => "a time, such as \"100ms\"",
            Self::Bytes => "an amount of bytes, such as \"5MiB\"",
            Self::Share => "a share, such as \"1%\"",
        })
    }
}

/// An amount: seconds, bytes, a share, or a plain number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantity {
    /// The value in seconds, in bytes, or as a share of 1.
    pub value: f64,
    /// Its dimension.
    pub dimension: Dimension,
}

/// Multiples of a byte. Longer names come first, because `KiB` also ends in `B`.
const BYTES: [(&str, f64); 9] = [
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("B", 1.0),
];

impl Quantity {
    /// A plain number.
    pub fn number(value: f64) -> Self {
        Self { value, dimension: Dimension::Number }
    }

    /// Parses an amount; a rate may end in `/s`. `None` if it is not an amount or not finite.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_suffix("/s").unwrap_or(text).trim_end();
        let number = |text: &str| text.trim_end().parse().ok().filter(|it: &f64| it.is_finite());
        let of = |value: f64, dimension| value.is_finite().then_some(Self { value, dimension });
        if let Some(share) = text.strip_suffix('%') {
            return of(number(share)? / 100.0, Dimension::Share);
        }
        if let Some(value) = number(text) {
            return of(value, Dimension::Number);
        }
        let bytes =
            BYTES.iter().find_map(|(unit, worth)| Some(number(text.strip_suffix(unit)?)? * worth));
        if let Some(bytes) = bytes {
            return of(bytes, Dimension::Bytes);
        }
        time(text).and_then(|seconds| of(seconds, Dimension::Time))
    }

    /// The amount in a metric's unit, or the dimension that would fit as the error.
    pub fn in_unit(self, unit: &Unit) -> Result<f64, Dimension> {
        let (wanted, factor) = match unit {
            Unit::Seconds => (Dimension::Time, 1.0),
            Unit::Bytes => (Dimension::Bytes, 1.0),
            Unit::Ratio => (Dimension::Share, 1.0),
            Unit::Percent => (Dimension::Share, 100.0),
            Unit::None | Unit::Other(_) => (Dimension::Number, 1.0),
        };
        match self.dimension {
            dimension if dimension == wanted => Ok(self.value * factor),
            // A share without a percent sign is in the metric's own scale.
            Dimension::Number if wanted == Dimension::Share => Ok(self.value),
            _ => Err(wanted),
        }
    }
}

/// Seconds. Fractions of a unit (`1.5s`) are accepted too.
fn time(text: &str) -> Option<f64> {
    let units = [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0)];
    let fraction = units.iter().find_map(|(unit, worth)| {
        let value: f64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
        (value.is_finite() && value >= 0.0).then_some(value * worth)
    });
    fraction.or_else(|| humantime::parse_duration(text).ok().map(|it: Duration| it.as_secs_f64()))
}
