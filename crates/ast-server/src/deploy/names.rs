//! The server's metrics by the names that they have in Prometheus.

use std::collections::{BTreeMap, BTreeSet};

use tachograph_export::prometheus::family_name;

use super::JOB;
use super::error::DeployError;
use crate::server::ast_server::AstServer;

/// Every metric of the server, with its family.
#[derive(Debug)]
pub(super) struct Names(BTreeMap<String, Family>);

#[derive(Debug)]
struct Family {
    name: String,
    /// Keys of the tags of its series.
    tags: BTreeSet<String>,
    has_untagged: bool,
}

impl Names {
    /// Those of a server as it starts, and what Prometheus itself says of a target.
    pub(super) fn of_server() -> Self {
        let server = AstServer::new();
        let snapshot = server.metrics().get_all_metrics();
        let mut names = Self(BTreeMap::new());
        for series in snapshot.series() {
            let metric = &*series.metric;
            let family = names.0.entry(metric.name.to_string()).or_insert_with(|| Family {
                name: family_name(&metric.name, metric.kind, &metric.unit),
                tags: BTreeSet::new(),
                has_untagged: false,
            });
            family.tags.extend(series.tags.iter().map(|(key, _)| key.to_owned()));
            family.has_untagged |= series.tags.is_empty();
        }
        let up = Family { name: "up".to_owned(), tags: BTreeSet::new(), has_untagged: true };
        names.0.insert(up.name.clone(), up);
        names
    }

    /// The family of a metric.
    pub(super) fn family(&self, metric: &str) -> Result<&str, DeployError> {
        self.find(metric, metric).map(|family| &*family.name)
    }

    /// Puts PromQL in place of each `${…}`:
    ///
    /// * `${events.processed}`: the series without tags, or all of them if there is none without;
    /// * `${events.processed.by_type by event_type}`: those that have the tag;
    /// * `${instance:event.processing.duration:p95}`: what a recording rule made of the metric.
    ///
    /// Each with the job, and `matchers` if they are not empty.
    pub(super) fn expand(&self, template: &str, matchers: &str) -> Result<String, DeployError> {
        let mut expanded = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            let (inner, after) =
                after.split_once('}').ok_or_else(|| DeployError::unclosed(template))?;
            let (series, of_tag) = self.series(inner, template)?;
            let matchers = if matchers.is_empty() { "" } else { &*format!(",{matchers}") };
            expanded += &format!("{before}{series}{{job=\"{JOB}\"{of_tag}{matchers}}}");
            rest = after;
        }
        Ok(expanded + rest)
    }

    /// The name of what stands in braces, and the matchers that pick its series.
    fn series(&self, inner: &str, template: &str) -> Result<(String, String), DeployError> {
        if let [level, metric, operation] = inner.split(':').collect::<Vec<_>>()[..] {
            let family = self.find(metric, template)?;
            return Ok((format!("{level}:{}:{operation}", family.name), String::new()));
        }
        if let Some((metric, tag)) = inner.split_once(" by ") {
            let family = self.find(metric, template)?;
            if !family.tags.contains(tag) {
                return Err(DeployError::unknown_metric(inner, template));
            }
            return Ok((family.name.clone(), format!(",{tag}!=\"\"")));
        }
        let family = self.find(inner, template)?;
        let without = family.tags.iter().filter(|_| family.has_untagged);
        let without = without.map(|tag| format!(",{tag}=\"\"")).collect();
        Ok((family.name.clone(), without))
    }

    fn find(&self, metric: &str, template: &str) -> Result<&Family, DeployError> {
        self.0.get(metric).ok_or_else(|| DeployError::unknown_metric(metric, template))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_with_and_without_tags_is_read_one_way_or_the_other() {
        let names = Names::of_server();
        let expand = |template| names.expand(template, "").expect("a metric of the server");
        let duration = "event_processing_duration_seconds";
        assert_eq!(
            expand("rate(${event.processing.duration}[5m]) > 1"),
            format!("rate({duration}{{job=\"ast-server\",event_type=\"\"}}[5m]) > 1"),
        );
        assert_eq!(
            expand("${event.processing.duration by event_type}"),
            format!("{duration}{{job=\"ast-server\",event_type!=\"\"}}"),
        );
        assert_eq!(
            expand("${job:event.processing.duration:p95}"),
            format!("job:{duration}:p95{{job=\"ast-server\"}}"),
        );
        // Only with tags: all of them.
        assert_eq!(expand("${telemetry.dropped}"), "telemetry_dropped_total{job=\"ast-server\"}");
    }

    #[test]
    fn matchers_are_added_to_every_series() {
        let expanded = Names::of_server().expand("${up} + ${udp.queue.depth}", "instance=\"a\"");
        let expected =
            r#"up{job="ast-server",instance="a"} + udp_queue_depth{job="ast-server",instance="a"}"#;
        assert_eq!(expanded.expect("metrics of the server"), expected);
    }

    #[test]
    fn what_the_server_does_not_record_is_refused_by_name() {
        let names = Names::of_server();
        for (template, told) in [
            ("${events.lost}", "\"events.lost\""),
            ("${events.processed by event_type}", "\"events.processed by event_type\""),
            ("${job:events.lost:p95}", "\"events.lost\""),
            ("${events.processed", "without a `}`"),
        ] {
            let error = names.expand(template, "").expect_err(template).to_string();
            assert!(error.contains(told) && error.contains(template), "{error}");
        }
    }
}
