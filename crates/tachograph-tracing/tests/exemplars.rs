//! Exemplars of spans that OpenTelemetry traces.

use std::time::{Instant, SystemTime};

use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use tachograph::{MetricsCollector, Trace};
use tachograph_tracing::{BUSY, IDLE, TachographLayer};
use tracing::{info_span, subscriber};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

fn sampled() -> Option<Trace> {
    opentelemetry::Context::map_current(|context| {
        let ids = context.span().span_context().clone();
        let trace = Trace::new(ids.trace_id().to_bytes(), ids.span_id().to_bytes());
        trace.filter(|_| ids.is_sampled())
    })
}

fn exemplars(collector: &MetricsCollector, metric: &str, span: &str) -> Vec<Trace> {
    collector.run_pass(Instant::now(), SystemTime::now());
    let snapshot = collector.snapshot();
    let series = snapshot.metric(metric).filter(|series| series.tags.get("span") == Some(span));
    series.filter_map(|series| Some(series.exemplar.as_ref()?.trace)).collect()
}

#[test]
fn a_spans_timings_carry_the_ids_that_its_trace_is_exported_with() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let otel = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let collector = MetricsCollector::builder().manual().build();
    let layer = TachographLayer::new(collector.clone()).with_trace(sampled);
    subscriber::with_default(registry().with(otel).with(layer), || {
        let _outer = info_span!("outer").entered();
        let inner = info_span!("inner");
        // Entered twice, closed outside of itself.
        inner.in_scope(|| ());
        inner.in_scope(|| ());
        drop(info_span!("never entered"));
    });
    let exported = exporter.get_finished_spans().expect("in memory");
    assert_eq!(exported.len(), 3);
    for span in exported.iter().filter(|span| span.name != "never entered") {
        let ids = &span.span_context;
        let trace = Trace::new(ids.trace_id().to_bytes(), ids.span_id().to_bytes());
        for metric in [BUSY, IDLE] {
            let carried = exemplars(&collector, metric, &span.name);
            assert_eq!(carried, Vec::from_iter(trace), "{metric} of {}", span.name);
        }
    }
    assert_eq!(exemplars(&collector, BUSY, "never entered"), []);
}

#[test]
fn without_a_trace_there_is_no_exemplar() {
    let collector = MetricsCollector::builder().manual().build();
    for layer in [
        TachographLayer::new(collector.clone()),
        TachographLayer::new(collector.clone()).with_trace(sampled),
    ] {
        subscriber::with_default(registry().with(layer), || info_span!("plain").in_scope(|| ()));
    }
    assert_eq!(exemplars(&collector, BUSY, "plain"), []);
    let total = collector.total(BUSY).expect("recorded");
    assert_eq!(total.as_timing().map(|views| views.lifetime.count), Some(2));
}
