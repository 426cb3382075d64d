use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};

use crate::Request;

pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    duration: HistogramVec,
    size: Histogram,
    open: IntGauge,
    waiting: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let requests = Opts::new("http_requests_total", "requests served");
        let duration = HistogramOpts::new("http_duration_seconds", "from request to answer")
            .buckets(vec![0.001, 0.01, 0.1, 1.0]);
        let size = HistogramOpts::new("http_size_bytes", "what an answer takes")
            .buckets(vec![100.0, 1_000.0, 10_000.0]);
        let metrics = Self {
            registry: Registry::new(),
            requests: IntCounterVec::new(requests, &["route", "status"]).expect("valid"),
            duration: HistogramVec::new(duration, &["route"]).expect("valid"),
            size: Histogram::with_opts(size).expect("valid"),
            open: IntGauge::new("http_open", "connections").expect("valid"),
            waiting: Gauge::new("http_waiting", "requests in the queue").expect("valid"),
        };
        let register = |it| metrics.registry.register(it).expect("registered once");
        register(Box::new(metrics.requests.clone()));
        register(Box::new(metrics.duration.clone()));
        register(Box::new(metrics.size.clone()));
        register(Box::new(metrics.open.clone()));
        register(Box::new(metrics.waiting.clone()));
        metrics
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
        let status = request.status.to_string();
        self.requests.with_label_values(&[request.route, &status]).inc();
        self.duration.with_label_values(&[request.route]).observe(request.took.as_secs_f64());
        self.size.observe(request.bytes as f64);
    }

    pub(crate) fn page(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).expect("valid")
    }
}
