//! Upper bounds for figures.

use crate::table::Table;

/// The budget rows that a bench measures.
#[derive(Clone, Debug)]
pub struct Budgets(Table);

impl Budgets {
    /// Starts an empty list. `name` is that of its JSON file, which starts with `budget-`.
    pub fn new(name: &'static str) -> Self {
        let header = ["budget", "measured", "at most", "unit", "holds"];
        Self(Table::new(name, "Budget", &header))
    }

    /// Adds a row. A broken budget is reported but fails nothing: a busy machine breaks most of
    /// them.
    pub fn at_most(&mut self, what: &str, measured: f64, most: f64, unit: &str) {
        // Figures of almost nothing can come out below zero.
        let holds = if measured <= most { "yes" } else { "no" };
        self.0.row([what.into(), measured.into(), most.into(), unit.into(), holds.into()]);
    }

    /// Prints the rows, and writes them as JSON if the command line asks for it.
    pub fn print(&self) {
        self.0.print();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_holds_up_to_its_limit() {
        let mut budgets = Budgets::new("budget-test");
        budgets.at_most("a", 1.5, 1.5, "ns");
        budgets.at_most("b", 1.51, 1.5, "ns");
        let shown = budgets.0.to_string();
        let verdicts: Vec<_> =
            shown.lines().skip(2).filter_map(|l| l.split(' ').next_back()).collect();
        assert_eq!(verdicts, ["yes", "no"]);
    }
}
