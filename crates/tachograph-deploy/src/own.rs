//! What a program adds for metrics whose meaning only it knows.
//!
//! Expressions are templates: `${name}` is the metric's series without tags, or all of them if there
//! is none without; `${instance:name:p95}` and the like are recording rules; `$window` and `$long` are
//! 20 and 40 scrapes in rules, and `$window` is Grafana's own span in panels.

/// Alerts, rules and panels of a program's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Own {
    /// Beside the alerts that every program gets.
    pub alerts: &'static [Alert],
    /// Beside quantiles and rates.
    pub recorded: &'static [Recorded],
    /// In the overview, before those that every program gets.
    pub panels: &'static [Panel],
}

/// An alert and its examples.
#[derive(Clone, Copy, Debug)]
pub struct Alert {
    /// Its name, without the program's.
    pub name: &'static str,
    /// When it is due: a template.
    pub expr: &'static str,
    /// Scrapes for which it must hold.
    pub hold: u32,
    /// [`Alert::PAGE`] or [`Alert::TICKET`].
    pub severity: &'static str,
    /// What is wrong. Names `{{ $labels.instance }}` if it is about one instance.
    pub summary: &'static str,
    /// What to look at first.
    pub description: &'static str,
    /// Series on which it fires after 80 scrapes.
    pub fires: &'static [Given],
    /// Series on which it does not: just below a threshold, if there is one.
    pub quiet: &'static [Given],
}

impl Alert {
    /// The severity of what somebody must look at now.
    pub const PAGE: &str = "page";
    /// The severity of what can wait until somebody is at work.
    pub const TICKET: &str = "ticket";

    /// It is about one instance, whose label it has.
    pub(crate) fn is_of_instance(&self) -> bool {
        self.summary.contains("$labels.instance")
    }
}

/// A series of an example: its metric, more labels, its values as promtool writes them.
#[derive(Clone, Copy, Debug)]
pub struct Given(pub &'static str, pub &'static str, pub &'static str);

/// A recording rule with labels `job` and `instance`, and its example.
#[derive(Clone, Copy, Debug)]
pub struct Recorded {
    /// Its name, such as `instance:udp_packet_loss:ratio`.
    pub name: &'static str,
    /// A template.
    pub expr: &'static str,
    /// What the example shows.
    pub example: &'static str,
    /// The example's series.
    pub given: &'static [Given],
    /// The value after 80 scrapes, to six decimals.
    pub value: f64,
}

/// A graph, or a number.
#[derive(Clone, Copy, Debug)]
pub struct Panel {
    /// Above it.
    pub title: &'static str,
    /// What it is.
    pub description: &'static str,
    /// The last value only; numbers stand before graphs.
    pub is_number: bool,
    /// As Grafana calls it.
    pub unit: &'static str,
    /// Templates, and the legend of each; an empty one is Grafana's choice.
    pub queries: &'static [(&'static str, &'static str)],
}
