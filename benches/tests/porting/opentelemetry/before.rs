use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram, MeterProvider, UpDownCounter};
use opentelemetry_sdk::metrics::SdkMeterProvider;

use crate::Request;
use crate::otlp::Exporter;

pub(crate) struct Metrics {
    provider: SdkMeterProvider,
    exporter: Exporter,
    requests: Counter<u64>,
    duration: Histogram<f64>,
    size: Histogram<u64>,
    open: UpDownCounter<i64>,
    waiting: Gauge<f64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let exporter = Exporter::default();
        let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
        let meter = provider.meter("shop");
        let requests = meter.u64_counter("http.requests").with_description("requests served");
        let duration = meter.f64_histogram("http.duration").with_unit("s");
        let size = meter.u64_histogram("http.size").with_unit("By");
        Self {
            requests: requests.build(),
            duration: duration.with_description("from request to answer").build(),
            size: size.with_description("what an answer takes").build(),
            open: meter.i64_up_down_counter("http.open").with_description("connections").build(),
            waiting: meter.f64_gauge("http.waiting").build(),
            provider,
            exporter,
        }
    }

    pub(crate) fn opened(&self) {
        self.open.add(1, &[]);
    }

    pub(crate) fn closed(&self) {
        self.open.add(-1, &[]);
    }

    pub(crate) fn waiting(&self, requests: usize) {
        self.waiting.record(requests as f64, &[]);
    }

    pub(crate) fn served(&self, request: &Request) {
        let route = KeyValue::new("route", request.route);
        let status = KeyValue::new("status", request.status.to_string());
        self.requests.add(1, &[route.clone(), status]);
        self.duration.record(request.took.as_secs_f64(), &[route]);
        self.size.record(request.bytes, &[]);
    }

    pub(crate) fn page(&self) -> String {
        self.provider.force_flush().expect("the exporter accepts everything");
        self.exporter.last()
    }
}
