//! A family: all series of one metric.

use std::mem;
use std::sync::Arc;

use tachograph::{ExportedNames, Kind, Metric, MetricNames, Series, Snapshot, TimingStats, Views};

use super::bounds::Edges;
use super::choices::Choices;
use super::escape::{label_value, push_quoted};
use super::form::Schema;

/// One metric with its final names.
#[derive(Clone, Debug)]
pub(super) struct Family {
    metric: Arc<Metric>,
    pub(super) names: MetricNames,
    /// The name in the text format and in protobuf.
    pub(super) name: String,
    /// The HELP text, not escaped.
    pub(super) help: String,
    /// The edges of its classic buckets, if it has any.
    pub(super) edges: Option<Edges>,
    /// The schema of its native histograms, in formats that have them.
    pub(super) schema: Option<Schema>,
    lifetime_quantiles: bool,
    members: Vec<Member>,
    /// The text before each member's values, concatenated; see [`Family::series`].
    texts: String,
}

/// A series of a family.
#[derive(Clone, Debug)]
struct Member {
    /// Held so that its address is never reused for another series.
    key: Arc<str>,
    /// Its index in the snapshot.
    place: usize,
    /// The end of its text in `texts`.
    end: usize,
}

impl Family {
    /// The family of these series, at least one, each with its index in the snapshot; `None` if it
    /// is not to be written.
    pub(super) fn new(
        series: &[(usize, &Arc<Series>)],
        choices: &Choices,
        all_names: &ExportedNames,
    ) -> Option<Self> {
        let metric = Arc::clone(&series[0].1.metric);
        // Never `None`: a snapshot has the exported names of all its metrics.
        let names = all_names.metric(&metric.name)?;
        if metric.is_telemetry() && !choices.telemetry {
            return None;
        }
        let name = names.full(metric.kind);
        let help = help(&metric, names);
        let mut texts = String::new();
        let member = |&(place, series): &(usize, &Arc<Series>)| {
            let labels = constants(all_names).chain(labels(names, series));
            match metric.kind {
                Kind::Timing | Kind::Histogram => push_labels(&mut texts, labels),
                _ => push_line_start(&mut texts, &name, labels),
            }
            Member { key: Arc::clone(&series.key), place, end: texts.len() }
        };
        let members = series.iter().map(member).collect();
        texts.shrink_to_fit();
        let form = choices.form(&metric.name);
        let edges = series[0].1.value.as_timing().zip(form.bounds()).map(|(views, bounds)| {
            Edges::new(bounds.of(&metric.unit), views.lifetime.buckets().scale())
        });
        let schema = form.schema();
        Some(Self {
            metric,
            names: names.clone(),
            name,
            help,
            edges,
            schema,
            lifetime_quantiles: choices.lifetime_quantiles,
            members,
            texts,
        })
    }

    /// Whether the snapshot has the same series at the same indexes with the same descriptions.
    pub(super) fn fits(&self, snapshot: &Snapshot) -> bool {
        let all = snapshot.series();
        let is_there = |member: &Member| {
            all.get(member.place).is_some_and(|series| Arc::ptr_eq(&series.key, &member.key))
        };
        let is_described = |member: &Member| {
            let metric = &all[member.place].metric;
            Arc::ptr_eq(metric, &self.metric) || *metric == self.metric
        };
        self.members.iter().all(is_there) && self.members.first().is_some_and(is_described)
    }

    pub(super) fn kind(&self) -> Kind {
        self.metric.kind
    }

    /// Whether protobuf writes its distributions as histograms.
    pub(super) fn is_histogram(&self) -> bool {
        self.schema.is_some() || self.edges.is_some()
    }

    /// The statistics that a summary's quantiles come from.
    pub(super) fn quantiles<'a>(&self, views: &'a Views<TimingStats>) -> &'a TimingStats {
        let window = views.window.as_ref().filter(|_| !self.lifetime_quantiles);
        window.unwrap_or(&views.lifetime)
    }

    /// Each series with its text. For a timing or histogram these are the labels, `a="b",c="d"`;
    /// for other kinds the whole line up to the value, `name{a="b"} `. The family must
    /// [fit](Self::fits) the snapshot.
    pub(super) fn series<'a>(
        &'a self,
        snapshot: &'a Snapshot,
    ) -> impl Iterator<Item = (&'a Series, &'a str)> {
        let mut start = 0;
        self.members.iter().map(move |member| {
            let text = &self.texts[mem::replace(&mut start, member.end)..member.end];
            (&*snapshot.series()[member.place], text)
        })
    }
}

/// The label and value that every series has.
pub(super) fn constants(names: &ExportedNames) -> impl Iterator<Item = (&str, &str)> {
    names.constants().iter().map(|constant| (&*constant.label, &*constant.value))
}

/// The label and value of each tag.
pub(super) fn labels<'a>(
    names: &'a MetricNames,
    series: &'a Series,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    series.tags.iter().filter_map(|(key, value)| Some((names.label(key)?, value)))
}

/// The HELP text. It mentions the metric's unit if the name carries another one.
fn help(metric: &Metric, names: &MetricNames) -> String {
    let told = match &*metric.description {
        "" => format!("{} {}", metric.kind.name(), metric.name),
        told => told.to_owned(),
    };
    let natural = MetricNames::new(&metric.name, metric.kind, &metric.unit);
    match metric.unit.name() {
        unit if natural.unit() != names.unit() && !unit.is_empty() => format!("{told} ({unit})"),
        _ => told,
    }
}

/// Appends labels as `a="b",c="d"`.
pub(super) fn push_labels<'a>(text: &mut String, labels: impl Iterator<Item = (&'a str, &'a str)>) {
    let mut comma = "";
    for (label, value) in labels {
        for part in [comma, label, "=\""] {
            text.push_str(part);
        }
        push_quoted(text, &label_value(value));
        text.push('"');
        comma = ",";
    }
}

fn push_line_start<'a>(
    text: &mut String,
    name: &str,
    labels: impl Iterator<Item = (&'a str, &'a str)>,
) {
    let mut labels = labels.peekable();
    text.push_str(name);
    if labels.peek().is_some() {
        text.push('{');
        push_labels(text, labels);
        text.push('}');
    }
    text.push(' ');
}
