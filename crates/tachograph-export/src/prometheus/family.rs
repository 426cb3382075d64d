//! A family: all series of one metric.

use std::sync::Arc;

use tachograph::{Kind, Metric, Series, Snapshot};

use super::bounds::Edges;
use super::choices::Choices;
use super::claims::Claims;
use super::escape::push_quoted;
use super::form::Schema;
use super::names::{Labels, Names};

/// One metric with its final names.
#[derive(Clone, Debug)]
pub(super) struct Family {
    metric: Arc<Metric>,
    pub(super) names: Names,
    /// What the text format and protobuf call it.
    pub(super) name: String,
    /// What HELP says, not escaped.
    pub(super) help: String,
    pub(super) labels: Labels,
    /// By what its classic buckets count, if it has any.
    pub(super) edges: Option<Edges>,
    /// The schema of its native histograms, where the format has them.
    pub(super) schema: Option<Schema>,
    members: Vec<Member>,
}

/// A series of a family.
#[derive(Clone, Debug)]
struct Member {
    /// Held, so that no other series is ever known by its address.
    key: Arc<str>,
    /// Where it stands in the snapshot.
    place: usize,
    /// See [`Family::series`].
    text: String,
}

impl Family {
    /// The family of some series with their places; there is at least one.
    pub(super) fn new(
        series: &[(usize, &Arc<Series>)],
        choices: &Choices,
        claims: &mut Claims,
    ) -> Self {
        let metric = Arc::clone(&series[0].1.metric);
        let names = Names::claimed(&metric, claims);
        let name = names.full(metric.kind);
        let help = match &*metric.description {
            "" => format!("{} {}", metric.kind.name(), metric.name),
            told => told.to_owned(),
        };
        let labels = Labels::of(series.iter().map(|(_, series)| &***series));
        let member = |&(place, series): &(usize, &Arc<Series>)| Member {
            key: Arc::clone(&series.key),
            place,
            text: match metric.kind {
                Kind::Timing | Kind::Histogram => label_text(&labels, series),
                _ => line_start(&name, &label_text(&labels, series)),
            },
        };
        let members = series.iter().map(member).collect();
        let form = choices.form(&metric.name);
        let edges = series[0].1.value.as_timing().zip(form.bounds()).map(|(views, bounds)| {
            Edges::new(bounds.of(&metric.unit), views.lifetime.buckets().scale())
        });
        let schema = form.schema();
        Self { metric, names, name, help, labels, edges, schema, members }
    }

    /// Whether it is that of the same series, with the same description, in this snapshot.
    pub(super) fn fits(&self, snapshot: &Snapshot) -> bool {
        let is_there = |member: &Member| {
            let series = snapshot.series().get(member.place);
            series.is_some_and(|series| Arc::ptr_eq(&series.key, &member.key))
        };
        let described = |member: &Member| {
            let metric = &snapshot.series()[member.place].metric;
            Arc::ptr_eq(metric, &self.metric) || *metric == self.metric
        };
        self.members.iter().all(is_there) && self.members.first().is_some_and(described)
    }

    pub(super) fn kind(&self) -> Kind {
        self.metric.kind
    }

    /// Whether protobuf has its distributions as histograms.
    pub(super) fn is_histogram(&self) -> bool {
        self.schema.is_some() || self.edges.is_some()
    }

    /// Each series with its text: of a timing or histogram the labels, `a="b",c="d"`; of any other
    /// the whole line up to the value, `name{a="b"} `.
    pub(super) fn series<'a>(
        &'a self,
        snapshot: &'a Snapshot,
    ) -> impl ExactSizeIterator<Item = (&'a Series, &'a str)> {
        let all = snapshot.series();
        self.members.iter().map(|member| (&*all[member.place], &*member.text))
    }
}

fn label_text(labels: &Labels, series: &Series) -> String {
    let mut text = String::new();
    for (label, value) in labels.tags(series) {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(label);
        text.push_str("=\"");
        push_quoted(&mut text, value);
        text.push('"');
    }
    text.shrink_to_fit();
    text
}

fn line_start(name: &str, labels: &str) -> String {
    match labels {
        "" => format!("{name} "),
        labels => format!("{name}{{{labels}}} "),
    }
}
