//! Counters and gauges of a Tachograph collector as observable instruments of OpenTelemetry: a
//! program that has a metrics pipeline gets them through it.
//!
//! Timings and histograms do not pass: OpenTelemetry has no observable histograms. Push them by
//! OTLP with `tachograph-serve`, as exponential histograms.
//!
//! # What becomes what
//! | in the collector | in OpenTelemetry |
//! |---|---|
//! | counter | observable counter |
//! | up-down counter | observable up-down counter |
//! | gauge that was set | observable gauge of its current value |
//! | tags | attributes |
//! | unit | its UCUM code, such as `By` |
//!
//! All values are 64-bit floats: whole numbers are exact up to 2^53. Names become valid ones:
//! characters that OpenTelemetry does not allow become `_`, a name that begins with something else
//! than a letter gets an `m` before it, and one that is taken already a number after it. The
//! collector's `export_prefix` and `export_label` do not apply: this is a pipeline of the program's
//! own, whose meter, resource and views say such things.
//!
//! # Resets and removals
//! A counter that the collector resets goes on from its last total here, since OpenTelemetry has no
//! resets: cumulative readers see no fall, delta readers no negative gain. A removed series is not
//! observed any more, and begins at 0 if it returns. Of a removed gauge the SDK's cumulative
//! readers go on telling the last value.
//!
//! # Costs
//! Recording costs what it always does. A collection reads the last published snapshot and builds
//! all attributes anew; it waits for no recorder and no pass. Where there is a new metric, the
//! collector's background thread waits for a collection under way before it makes the instrument.
//!
//! # Example
//! ```
//! use opentelemetry::metrics::MeterProvider;
//! use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
//! use tachograph::MetricsCollector;
//!
//! let collector = MetricsCollector::new();
//! let provider = SdkMeterProvider::builder()
//!     .with_periodic_exporter(InMemoryMetricExporter::default())
//!     .build();
//! tachograph_opentelemetry::observe(&collector, provider.meter("my-program"));
//! collector.increment("requests");
//! ```
#![forbid(unsafe_code)]

mod instruments;
mod names;
mod totals;

pub use instruments::observe;
