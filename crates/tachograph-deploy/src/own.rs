//! The alerts, rules and panels that a program adds for its own metrics.
//!
//! Expressions are templates of PromQL:
//! - `${name}`: the metric's series without tags, or all its series if each has tags
//! - `${instance:name:p95}`, `${job:name:rate}`: the results of recording rules
//! - `$window`: 20 scrapes in rules, Grafana's rate interval in panels
//! - `$long`: 40 scrapes

/// Additional alerts, rules and panels of a program.
#[derive(Clone, Copy, Debug, Default)]
pub struct Own {
    /// Alerts in addition to those that every program gets.
    pub alerts: &'static [Alert],
    /// Recording rules in addition to quantiles and rates.
    pub recorded: &'static [Recorded],
    /// Panels of the overview, shown before those that every program gets.
    pub panels: &'static [Panel],
}

/// An alert, with examples for its test.
#[derive(Clone, Copy, Debug)]
pub struct Alert {
    /// The name, without the prefix made of the job.
    pub name: &'static str,
    /// The condition: a template.
    pub expr: &'static str,
    /// The number of scrapes for which the condition must hold.
    pub hold: u32,
    /// The severity: [`Alert::PAGE`] or [`Alert::TICKET`].
    pub severity: &'static str,
    /// The problem, in one sentence. Contains `{{ $labels.instance }}` if it concerns one instance.
    pub summary: &'static str,
    /// What to check first.
    pub description: &'static str,
    /// Series for which it fires after 80 scrapes.
    pub fires: &'static [Given],
    /// Series for which it does not fire: just below the threshold, if there is one.
    pub quiet: &'static [Given],
}

impl Alert {
    /// The severity of a problem that somebody must look at now.
    pub const PAGE: &str = "page";
    /// The severity of a problem that can wait for working hours.
    pub const TICKET: &str = "ticket";

    /// Whether it concerns one instance and has its label.
    pub(crate) fn is_of_instance(&self) -> bool {
        self.summary.contains("$labels.instance")
    }
}

/// A series of an example: the metric, additional labels, and the values in promtool's notation.
#[derive(Clone, Copy, Debug)]
pub struct Given(pub &'static str, pub &'static str, pub &'static str);

/// A recording rule with the labels `job` and `instance`, and an example for its test.
#[derive(Clone, Copy, Debug)]
pub struct Recorded {
    /// The name, such as `instance:udp_packet_loss:ratio`.
    pub name: &'static str,
    /// The expression: a template.
    pub expr: &'static str,
    /// The name of the test.
    pub example: &'static str,
    /// The series of the example.
    pub given: &'static [Given],
    /// The value after 80 scrapes, to six decimals.
    pub value: f64,
}

/// A panel: a graph or a number.
#[derive(Clone, Copy, Debug)]
pub struct Panel {
    /// The title.
    pub title: &'static str,
    /// The description.
    pub description: &'static str,
    /// Whether only the last value is shown. Numbers are placed before graphs.
    pub is_number: bool,
    /// The unit, by its name in Grafana.
    pub unit: &'static str,
    /// The templates, each with its legend. With an empty legend, Grafana chooses one.
    pub queries: &'static [(&'static str, &'static str)],
}
