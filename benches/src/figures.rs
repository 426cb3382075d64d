//! What the rounds of one operation come to.

/// Nanoseconds an operation over some rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// The fastest round.
    pub min: f64,
    /// The median round.
    pub median: f64,
}

impl Figures {
    /// The figures of some rounds; zero without any.
    pub fn of(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let at = |place: usize| rounds.get(place).copied().unwrap_or(0.0);
        Self { min: at(0), median: at(rounds.len() / 2) }
    }

    /// What is left over the loop alone.
    pub fn over(self, empty: Self) -> Self {
        Self { min: self.min - empty.min, median: self.median - empty.median }
    }

    /// How many times the median of `limit`.
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
