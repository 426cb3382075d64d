//! PromQL over a program's metrics.

use crate::error::DeployError;
use crate::metric::Metric;
use crate::settings::Settings;

/// The quantiles in rules and panels, with their names.
pub(crate) const QUANTILES: [(&str, &str); 3] = [("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99")];

/// The window of a rate in scrapes: 5 min at the default of 15 s.
const WINDOW: u32 = 20;
/// The window for counting rare events, in scrapes: 10 min at the default.
const LONG: u32 = 40;

/// Writes the expressions of either rules or panels.
#[derive(Debug)]
pub(crate) struct Expressions<'a> {
    metrics: &'a [Metric],
    up: Metric,
    job: &'a str,
    /// The window of a rate, and the longer window.
    window: String,
    long: String,
    /// The matchers of every selector, after that of the job.
    chosen: &'static str,
}

impl<'a> Expressions<'a> {
    /// For rules. Windows are multiples of the scrape interval, so that they always hold enough
    /// samples.
    pub(crate) fn for_rules(metrics: &'a [Metric], settings: &'a Settings) -> Self {
        let job = &settings.job;
        let (window, long) = (settings.steps(WINDOW), settings.steps(LONG));
        Self { metrics, up: Metric::up(), job, window, long, chosen: "" }
    }

    /// For panels. Windows are Grafana's rate interval, of at least four scrapes. Only the
    /// instances selected in the dashboard count.
    pub(crate) fn for_panels(metrics: &'a [Metric], settings: &'a Settings) -> Self {
        let window = "$__rate_interval".to_owned();
        let chosen = ",instance=~\"$instance\"";
        Self { window, chosen, ..Self::for_rules(metrics, settings) }
    }

    /// The program's own metrics, without those of the collector and the endpoint.
    pub(crate) fn metrics(&self) -> impl Iterator<Item = &'a Metric> + use<'a> {
        self.metrics.iter().filter(|metric| !metric.is_of_telemetry())
    }

    /// Selects the series without tags, or all series if each has tags.
    pub(crate) fn whole(&self, metric: &Metric) -> String {
        let without = metric.labels.iter().filter(|_| metric.has_untagged);
        let without: String = without.map(|label| format!(",{label}=\"\"")).collect();
        self.select(&metric.exported, &without)
    }

    /// Selects the series that have a label.
    pub(crate) fn by(&self, metric: &Metric, label: &str) -> String {
        self.select(&metric.exported, &format!(",{label}!=\"\""))
    }

    /// A quantile over native histograms, which are added up first.
    pub(crate) fn quantile(&self, q: &str, by: &str, selector: &str) -> String {
        format!("histogram_quantile({q}, {})", self.rate(by, selector))
    }

    pub(crate) fn rate(&self, by: &str, selector: &str) -> String {
        format!("sum by ({by}) (rate({selector}[{}]))", self.window)
    }

    /// Puts PromQL in place of `$window`, `$long` and each `${…}`:
    ///
    /// * `${events.processed}`: the series without tags, or all series if each has tags;
    /// * `${instance:event.processing.duration:p95}`: the result of a recording rule.
    pub(crate) fn expand(&self, template: &str) -> Result<String, DeployError> {
        let filled = template.replace("$window", &self.window).replace("$long", &self.long);
        let mut expanded = String::new();
        let mut rest = &*filled;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((inner, after)) = after.split_once('}') else {
                return Err(DeployError::unclosed(template));
            };
            expanded += before;
            expanded += &match inner.split(':').collect::<Vec<_>>()[..] {
                [_, _, _] => self.select(&self.name(inner, template)?, ""),
                _ => self.whole(self.find(inner, template)?),
            };
            rest = after;
        }
        Ok(expanded + rest)
    }

    /// The exported name of a metric, or the name of a recording rule's result.
    pub(crate) fn name(&self, metric: &str, template: &str) -> Result<String, DeployError> {
        Ok(match metric.split(':').collect::<Vec<_>>()[..] {
            [level, metric, operation] => {
                format!("{level}:{}:{operation}", self.find(metric, template)?.stem())
            }
            _ => self.find(metric, template)?.exported.clone(),
        })
    }

    fn find(&self, name: &str, template: &str) -> Result<&Metric, DeployError> {
        let mut known = self.metrics.iter().chain([&self.up]);
        let found = known.find(|metric| metric.name == name);
        found.ok_or_else(|| DeployError::unknown_metric(name, template))
    }

    fn select(&self, name: &str, matchers: &str) -> String {
        format!("{name}{{job=\"{}\"{matchers}{}}}", self.job, self.chosen)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tachograph::MetricsCollector;

    use super::*;

    /// A program with a timing with and without tags, and a counter without.
    fn expanded(template: &str) -> Result<(String, String), DeployError> {
        let metrics = MetricsCollector::new();
        metrics.timing("turn", Duration::from_millis(1));
        metrics.with_tags(&[("hand.ler", "a")]).timing("turn", Duration::from_millis(1));
        metrics.increment("taken");
        let metrics = Metric::all(&metrics.get_all_metrics());
        let mut settings = Settings::new("shop", ["a:1"]);
        settings.scrape_interval = Duration::from_secs(1);
        let rules = Expressions::for_rules(&metrics, &settings).expand(template)?;
        let panels = Expressions::for_panels(&metrics, &settings).expand(template)?;
        Ok((rules, panels))
    }

    #[test]
    fn series_with_and_without_tags_are_not_added_up() {
        let (rule, panel) = expanded("rate(${turn}[$window])").expect("it is a metric");
        assert_eq!(rule, "rate(turn_seconds{job=\"shop\",hand_ler=\"\"}[20s])");
        let chosen = "job=\"shop\",hand_ler=\"\",instance=~\"$instance\"";
        assert_eq!(panel, format!("rate(turn_seconds{{{chosen}}}[$__rate_interval])"));
        // Each of its series has tags, so all are selected.
        let (rule, _) = expanded("${telemetry.dropped}").expect("every program has it");
        assert_eq!(rule, "telemetry_dropped_total{job=\"shop\"}");
    }

    #[test]
    fn recorded_series_and_up_are_known() {
        let (rule, _) = expanded("${job:taken:rate} / ${up} > $long").expect("they are known");
        assert_eq!(rule, "job:taken:rate{job=\"shop\"} / up{job=\"shop\"} > 40s");
    }

    #[test]
    fn what_the_program_does_not_record_is_refused_by_name() {
        for (template, told) in [
            ("${lost}", "\"lost\""),
            ("${taken by handler}", "\"taken by handler\""),
            ("${job:lost:p95}", "\"lost\""),
            ("${taken", "without a `}`"),
        ] {
            let error = expanded(template).expect_err(template).to_string();
            assert!(error.contains(told) && error.contains(template), "{error}");
        }
    }
}
