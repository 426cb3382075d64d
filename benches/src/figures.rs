//! The figures of one operation over its rounds.

/// Nanoseconds per operation over some rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// The fastest round.
    pub min: f64,
    /// The median round.
    pub median: f64,
}

impl Figures {
    /// Summarises the rounds; zero if there are none.
    pub fn of(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let at = |place: usize| rounds.get(place).copied().unwrap_or(0.0);
        Self { min: at(0), median: at(rounds.len() / 2) }
    }

    /// The figures minus those of the loop alone.
    pub fn over(self, empty: Self) -> Self {
        Self { min: self.min - empty.min, median: self.median - empty.median }
    }

    /// The median as a multiple of `limit`'s.
    pub fn times(self, limit: Self) -> f64 {
        self.median / limit.median
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_round_moves_neither_figure() {
        let figures = Figures::of(vec![3.0, 900.0, 1.0, 2.0, 4.0]);
        assert_eq!(figures, Figures { min: 1.0, median: 3.0 });
        assert_eq!(figures.over(Figures { min: 1.0, median: 1.0 }).median, 2.0);
        assert_eq!(figures.times(Figures { min: 1.0, median: 1.5 }), 2.0);
        assert_eq!(Figures::of(Vec::new()), Figures::default());
    }
}
