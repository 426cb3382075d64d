use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::Request;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Served {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Served, Counter>,
    duration: Family<Route, Histogram>,
    size: Histogram,
    open: Gauge,
    waiting: Gauge<f64, AtomicU64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let requests = Family::default();
        let duration: fn() -> Histogram = || Histogram::new([0.001, 0.01, 0.1, 1.0]);
        let duration = Family::new_with_constructor(duration);
        let size = Histogram::new([100.0, 1_000.0, 10_000.0]);
        let (open, waiting) = (Gauge::default(), Gauge::default());
        let (seconds, bytes) = (Unit::Seconds, Unit::Bytes);
        let registered = duration.clone();
        registry.register("http_requests", "requests served", Family::clone(&requests));
        registry.register_with_unit("http_duration", "from request to answer", seconds, registered);
        registry.register_with_unit("http_size", "what an answer takes", bytes, size.clone());
        registry.register("http_open", "connections", Gauge::clone(&open));
        registry.register("http_waiting", "requests in the queue", Gauge::clone(&waiting));
        Self { registry, requests, duration, size, open, waiting }
    }

    pub(crate) fn opened(&self) {
        self.open.inc();
    }

    pub(crate) fn closed(&self) {
        self.open.dec();
    }

    pub(crate) fn waiting(&self, requests: usize) {
        self.waiting.set(requests as f64);
    }

    pub(crate) fn served(&self, request: &Request) {
        let route = request.route.to_owned();
        let served = Served { route: route.clone(), status: request.status };
        self.requests.get_or_create(&served).inc();
        self.duration.get_or_create(&Route { route }).observe(request.took.as_secs_f64());
        self.size.observe(request.bytes as f64);
    }

    pub(crate) fn page(&self) -> String {
        let mut page = String::new();
        encode(&mut page, &self.registry).expect("memory accepts every write");
        page
    }
}
