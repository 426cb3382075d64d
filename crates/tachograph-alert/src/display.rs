//! Conditions as people read them: `p95(turn, last 30 s) > 100 ms`.

use std::fmt;
use std::time::Duration;

use tachograph::Unit;
use tachograph_history::format;

use crate::quantity::{Dimension, Quantity};
use crate::rule::{Comparison, Condition, Op, Selector, Statistic, TagMatch};

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(comparison) => comparison.fmt(f),
            Self::Absent { metric } => write!(f, "absent({metric})"),
            Self::Stale { selector: Some(selector), last } => {
                write!(f, "nothing recorded({selector}, last {})", time(*last))
            }
            Self::Stale { selector: None, last } => write!(f, "no frame(last {})", time(*last)),
            Self::Heartbeat => f.write_str("always"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}", self.statistic, self.selector)?;
        self.minus.iter().try_for_each(|other| write!(f, " \u{2212} {other}"))?;
        if !self.over.is_empty() {
            write!(f, " of {}", self.over.join(" + "))?;
        }
        if let Some(last) = self.last {
            write!(f, ", last {}", time(last))?;
        }
        write!(f, ") {} {}", self.op, self.threshold)?;
        self.until.iter().try_for_each(|until| write!(f, ", until {until}"))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.metric)?;
        for (place, (key, wanted)) in self.tags.iter().enumerate() {
            f.write_str(if place == 0 { "[" } else { "," })?;
            match wanted {
                TagMatch::OneOf(values) => write!(f, "{key}={}", values.join("|"))?,
                TagMatch::Each => write!(f, "{key}=*")?,
            }
        }
        f.write_str(if self.tags.is_empty() { "" } else { "]" })
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (Self::NAMES.iter().find(|(_, it)| it == self), self) {
            (Some((name, _)), _) => f.write_str(name),
            (None, Self::Quantile(q)) => write!(f, "quantile {q}"),
            // Every other statistic has a name.
            (None, _) => Ok(()),
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(_, it)| it == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.dimension {
            Dimension::Number => Unit::None,
            Dimension::Time => Unit::Seconds,
            Dimension::Bytes => Unit::Bytes,
            Dimension::Share => Unit::Ratio,
        };
        f.write_str(&format(self.value, &unit))
    }
}

fn time(time: Duration) -> String {
    format(time.as_secs_f64(), &Unit::Seconds)
}
