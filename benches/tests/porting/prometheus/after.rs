use tachograph::{Gauge, Histogram, MetricsCollector, Unit, UpDownCounter};
use tachograph_export::prometheus::{Bounds, Form, Prometheus};

use crate::Request;

pub(crate) struct Metrics {
    collector: MetricsCollector,
    size: Histogram,
    open: UpDownCounter,
    waiting: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let collector = MetricsCollector::new();
        collector.describe("http.requests", Unit::None, "requests served");
        collector.describe("http.duration", Unit::Seconds, "from request to answer");
        collector.describe("http.size", Unit::Bytes, "what an answer takes");
        collector.describe("http.open", Unit::None, "connections");
        collector.describe("http.waiting", Unit::None, "requests in the queue");
        Self {
            size: collector.register_histogram("http.size"),
            open: collector.register_up_down_counter("http.open"),
            waiting: collector.register_gauge("http.waiting"),
            collector,
        }
    }

    pub(crate) fn opened(&self) {
        self.open.increment();
    }

    pub(crate) fn closed(&self) {
        self.open.decrement();
    }

    pub(crate) fn waiting(&self, requests: usize) {
        self.waiting.set(requests as f64);
    }

    pub(crate) fn served(&self, request: &Request) {
        let (route, status) = (("route", request.route), request.status.to_string());
        self.collector.with_tags(&[route, ("status", &status)]).increment("http.requests");
        self.collector.with_tags(&[route]).timing("http.duration", request.took);
        self.size.record(request.bytes);
    }

    pub(crate) fn page(&self) -> String {
        let seconds = Bounds::new([0.001, 0.01, 0.1, 1.0]).expect("they ascend");
        let bytes = Bounds::new([100.0, 1_000.0, 10_000.0]).expect("they ascend");
        let mut page = String::new();
        Prometheus::new()
            .timings(Form::Classic(seconds))
            .metric("http.size", Form::Classic(bytes))
            .text(&self.collector.get_all_metrics(), &mut page);
        page
    }
}
