use tachograph::{Gauge, Histogram, MetricsCollector, Unit, UpDownCounter};
use tachograph_export::otlp::{Encoding, Settings};

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
        let mut encoder = Settings::new("shop").encoding(Encoding::Json).encoder();
        let mut page = Vec::new();
        encoder.encode(&self.collector.get_all_metrics(), &mut page);
        String::from_utf8(page).expect("JSON is UTF-8")
    }
}
