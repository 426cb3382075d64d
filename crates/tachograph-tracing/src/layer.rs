//! The layer.

use std::sync::Arc;

use tachograph::{MetricsCollector, Tagged, Trace, Unit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{ExtensionsMut, LookupSpan};

use crate::life::Life;
use crate::values::Values;

/// How long a span was entered by some thread.
pub const BUSY: &str = "tracing.span.busy";

/// How long a span was entered by no thread, from its creation to its end.
pub const IDLE: &str = "tracing.span.idle";

/// Events.
pub const EVENTS: &str = "tracing.events";

/// Times spans and counts events; see the crate's documentation.
///
/// It holds a clone of the collector. Filter it like any other layer, with
/// [`Layer::with_filter`].
#[derive(Debug)]
pub struct TachographLayer {
    collector: MetricsCollector,
    fields: Vec<String>,
    trace: Option<fn() -> Option<Trace>>,
    /// Tells layers apart.
    identity: Arc<()>,
}

/// What a span's extensions hold.
struct Timed {
    life: Life,
    /// The address of the layer's identity.
    by: usize,
}

impl TachographLayer {
    /// A layer that records into the collector.
    pub fn new(collector: MetricsCollector) -> Self {
        let busy = "how long a span was entered by some thread";
        let idle = "how long a span was entered by no thread, from its creation to its end";
        collector.describe(BUSY, Unit::Seconds, busy);
        collector.describe(IDLE, Unit::Seconds, idle);
        collector.describe(EVENTS, Unit::None, "events by level and target");
        Self { collector, fields: Vec::new(), trace: None, identity: Arc::default() }
    }

    /// Makes the values of a field tags of spans and events that have it. Choose fields with few
    /// values, such as a route or a status.
    ///
    /// A string is taken as it is, anything else as it is formatted. A value that is recorded after
    /// the span's creation counts too; the last one holds. Fields called `span`, `target` or
    /// `level` lose against the tags of that name.
    #[must_use]
    pub fn with_field(mut self, name: impl Into<String>) -> Self {
        self.fields.push(name.into());
        self
    }

    /// Sets the function that returns the trace which the calling thread is in. It is called when a
    /// span is first entered, and the span's timings then carry that trace as their exemplar.
    ///
    /// OpenTelemetry's layer makes a span's context the thread's while the span is entered, so add
    /// this layer after that one:
    ///
    /// ```
    /// use opentelemetry::trace::TraceContextExt;
    /// use tachograph::{MetricsCollector, Trace};
    /// use tachograph_tracing::TachographLayer;
    ///
    /// fn sampled() -> Option<Trace> {
    ///     opentelemetry::Context::map_current(|context| {
    ///         let ids = context.span().span_context().clone();
    ///         let trace = Trace::new(ids.trace_id().to_bytes(), ids.span_id().to_bytes());
    ///         trace.filter(|_| ids.is_sampled())
    ///     })
    /// }
    /// # let _ = TachographLayer::new(MetricsCollector::new()).with_trace(sampled);
    /// ```
    #[must_use]
    pub fn with_trace(mut self, current: fn() -> Option<Trace>) -> Self {
        self.trace = Some(current);
        self
    }

    fn identity(&self) -> usize {
        Arc::as_ptr(&self.identity) as usize
    }

    /// Does something with a span's life, if this layer times it.
    fn with_life<S, R>(
        &self,
        id: &Id,
        context: &Context<'_, S>,
        act: impl FnOnce(&mut Life) -> R,
    ) -> Option<R>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let span = context.span(id)?;
        self.act(&mut span.extensions_mut(), act)
    }

    fn act<R>(
        &self,
        extensions: &mut ExtensionsMut<'_>,
        act: impl FnOnce(&mut Life) -> R,
    ) -> Option<R> {
        let timed = extensions.get_mut::<Timed>().filter(|timed| timed.by == self.identity())?;
        Some(act(&mut timed.life))
    }

    fn record(&self, life: &Life, metadata: &Metadata<'_>) {
        let Life { busy, idle, trace, values, .. } = life;
        let (busy, idle) = (*busy, *idle);
        let tags = values.with([("span", metadata.name()), ("target", metadata.target())]);
        let tagged: Tagged<'_> = self.collector.with_tags(&tags);
        match *trace {
            Some(trace) => {
                tagged.timing_traced(BUSY, busy, trace);
                tagged.timing_traced(IDLE, idle, trace);
            }
            None => {
                tagged.timing(BUSY, busy);
                tagged.timing(IDLE, idle);
            }
        }
    }
}

impl<S> Layer<S> for TachographLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let now = self.collector.now();
        if now.is_none() {
            return;
        }
        let mut values = Values::default();
        if !self.fields.is_empty() {
            attributes.record(&mut values.of(&self.fields));
        }
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        let life = Life::new(now, values);
        // Another layer was first. To look for that before would cost every span a look-up.
        if let Some(first) = extensions.replace(Timed { life, by: self.identity() }) {
            extensions.replace(first);
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        if self.fields.is_empty() {
            return;
        }
        // Formatted before the extensions are locked: a value's own code may use its span, and
        // where it panics, the lock would be poisoned.
        let mut values = Values::default();
        record.record(&mut values.of(&self.fields));
        self.with_life(id, &context, |life| life.values.add(values));
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let first = self.with_life(id, &context, |life| life.enter(&self.collector));
        if let (Some(true), Some(current)) = (first, self.trace) {
            // Asked for while the extensions are free: the function may look at them.
            let trace = current();
            self.with_life(id, &context, |life| life.trace = trace);
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.with_life(id, &context, |life| life.exit(&self.collector));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        // Taken out, because the lock of the extensions is not held while this records.
        let Some(mut timed) = span.extensions_mut().remove::<Timed>() else { return };
        if timed.by != self.identity() {
            span.extensions_mut().insert(timed);
        } else if timed.life.end(&self.collector) {
            self.record(&timed.life, span.metadata());
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut values = Values::default();
        if !self.fields.is_empty() {
            event.record(&mut values.of(&self.fields));
        }
        let level = level(*metadata.level());
        let tags = values.with([("level", level), ("target", metadata.target())]);
        self.collector.with_tags(&tags).increment(EVENTS);
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}
