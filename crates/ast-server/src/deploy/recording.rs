//! Recording rules: what the fleet and each server does, ready to be shown and compared.
//!
//! `job:…` is the whole fleet, `instance:…` one server.

use tachograph::Kind;

use super::error::DeployError;
use super::names::Names;
use super::pace::Pace;
use super::rules::{Group, Rule, RuleFile};
use crate::metrics::DECLARED;

/// The quantiles that are recorded, with their names.
pub(super) const QUANTILES: [(&str, &str); 3] = [("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99")];

/// Distributions whose quantiles are recorded for each server too: alerts ask for them.
const BY_INSTANCE: [&str; 2] = ["event.processing.duration", "udp.queue.delay"];

/// Counters whose rate is recorded for the fleet.
const RATES: [&str; 6] = [
    "events.received",
    "events.processed",
    "errors.event_processing",
    "udp.packet.received",
    "udp.packet.dropped",
    "websocket.broadcast.success",
];

/// The share of sequence numbers that never came, by server.
pub(super) const LOSS: &str = "instance:udp_packet_loss:ratio";

/// Late ones that filled a gap are not lost.
const LOSS_EXPR: &str = "\
(rate(${udp.packet.dropped}[$window]) - rate(${udp.packet.recovered}[$window])) / \
(rate(${udp.packet.received}[$window]) + rate(${udp.packet.dropped}[$window]) - \
rate(${udp.packet.recovered}[$window]))";

pub(super) fn file(names: &Names, pace: Pace) -> Result<RuleFile, DeployError> {
    let group = |name, rules| Group { name, rules };
    let groups = vec![
        group("ast-server.quantiles", quantiles(names, pace)?),
        group("ast-server.rates", rates(names, pace)?),
    ];
    Ok(RuleFile { groups })
}

/// Quantiles of native histograms: the buckets of all servers are added up first, then asked.
fn quantiles(names: &Names, pace: Pace) -> Result<Vec<Rule>, DeployError> {
    let mut rules = Vec::new();
    let mut metrics: Vec<_> = DECLARED
        .iter()
        .filter(|metric| matches!(metric.kind, Kind::Timing | Kind::Histogram))
        .map(|metric| metric.name)
        .collect();
    metrics.sort_unstable();
    metrics.dedup();
    for metric in metrics {
        let levels: &[_] = match BY_INSTANCE.contains(&metric) {
            true => &[("job", "job"), ("instance", "job, instance")],
            false => &[("job", "job")],
        };
        for (level, by) in levels {
            for (q, name) in QUANTILES {
                rules.push(recorded(
                    names,
                    format!("{level}:{}:{name}", names.family(metric)?),
                    &pace.fill(&quantile(q, metric, by)),
                )?);
            }
        }
    }
    Ok(rules)
}

fn rates(names: &Names, pace: Pace) -> Result<Vec<Rule>, DeployError> {
    let mut rules = Vec::new();
    for metric in RATES {
        let family = names.family(metric)?;
        let name = format!("job:{}:rate", family.strip_suffix("_total").unwrap_or(family));
        let expr = format!("sum by (job) (rate(${{{metric}}}[$window]))");
        rules.push(recorded(names, name, &pace.fill(&expr))?);
    }
    rules.push(recorded(names, LOSS.to_owned(), &pace.fill(LOSS_EXPR))?);
    Ok(rules)
}

/// The template of a quantile over native histograms.
pub(super) fn quantile(q: &str, metric: &str, by: &str) -> String {
    format!("histogram_quantile({q}, sum by ({by}) (rate(${{{metric}}}[$window])))")
}

fn recorded(names: &Names, record: String, template: &str) -> Result<Rule, DeployError> {
    Ok(Rule::Recording { record, expr: names.expand(template, "")? })
}
