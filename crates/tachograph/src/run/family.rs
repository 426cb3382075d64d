//! Families: one handle for each of the tag sets that a type can have.

use std::fmt;
use std::marker::PhantomData;

use crate::record::handles::{AnyHandle, Counter, Gauge, Histogram, Timing, UpDownCounter};
use crate::run::collector::MetricsCollector;
use crate::run::tagged::Tagged;

/// A type of which each value is a tag set, known at compile time; usually written by
/// [`tag_set!`](crate::tag_set).
pub trait TagSet {
    /// The number of tag sets, at least 1.
    const COUNT: usize;

    /// The number of this tag set, below `COUNT`. A greater one counts as the last.
    fn index(&self) -> usize;

    /// The tags of the set with a number below `COUNT`.
    fn tags(index: usize) -> Vec<(&'static str, &'static str)>;
}

/// A type of which each value is the value of a tag; see [`tag_set!`](crate::tag_set).
///
/// ```
/// use tachograph::TagValue;
///
/// assert_eq!(bool::VALUES[true.index()], "true");
/// ```
pub trait TagValue {
    /// Every value.
    const VALUES: &'static [&'static str];

    /// The index of this value in `VALUES`.
    fn index(&self) -> usize;
}

impl TagValue for bool {
    const VALUES: &'static [&'static str] = &["false", "true"];

    #[inline]
    fn index(&self) -> usize {
        usize::from(*self)
    }
}

/// A metric with a handle for each tag set of a type, registered in advance: choosing one costs an
/// index.
///
/// ```
/// use std::time::Duration;
/// use tachograph::{MetricsCollector, tag_set};
///
/// tag_set! {
///     enum Handler: "handler" {
///         Track = "track",
///         Scene = "scene",
///     }
/// }
///
/// let metrics = MetricsCollector::new();
/// let durations = metrics.register_timing_family::<Handler>("handler.duration");
/// durations.get(&Handler::Track).record(Duration::from_micros(120));
/// # durations.get(&Handler::Scene).record_ns(7);
/// let track = metrics.with_tags(&[("handler", "track")]).get_timing("handler.duration");
/// assert_eq!(track.map(|stats| stats.count), Some(1));
/// ```
pub struct Family<T, H> {
    handles: Box<[H]>,
    /// The last of them.
    last: H,
    tags: PhantomData<fn(&T)>,
}

impl<T: TagSet, H: AnyHandle> Family<T, H> {
    fn new(tagged: &Tagged<'_>, name: &str) -> Self {
        let register = |index| tagged.register_more(name, &T::tags(index));
        let last = register(T::COUNT.saturating_sub(1));
        Self { handles: (0..T::COUNT).map(register).collect(), last, tags: PhantomData }
    }

    /// The handle of a tag set.
    #[inline]
    pub fn get(&self, tags: &T) -> &H {
        // No index that may panic, so that nothing remains where recording is compiled out.
        self.handles.get(tags.index()).unwrap_or(&self.last)
    }
}

impl<T, H: fmt::Debug> fmt::Debug for Family<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Family").field(&self.handles).finish()
    }
}

impl<T, H: Clone> Clone for Family<T, H> {
    fn clone(&self) -> Self {
        Self { handles: self.handles.clone(), last: self.last.clone(), tags: PhantomData }
    }
}

macro_rules! families {
    ($($(#[$doc:meta])* $register:ident: $handle:ident;)*) => {
        impl MetricsCollector {$(
            $(#[$doc])*
            ///
            /// Registers every series now; those beyond the limit of series per metric share its
            /// overflow series. See [`Family`].
            pub fn $register<T: TagSet>(&self, name: &str) -> Family<T, $handle> {
                self.with_tags(&[]).$register(name)
            }
        )*}

        impl Tagged<'_> {$(
            $(#[$doc])*
            ///
            /// Each has these tags too; where both have a key, the type's value wins. See
            /// [`Family`].
            pub fn $register<T: TagSet>(&self, name: &str) -> Family<T, $handle> {
                Family::new(self, name)
            }
        )*}
    };
}

families! {
    /// A monotonic counter for each tag set of a type.
    register_counter_family: Counter;
    /// An up-down counter for each tag set of a type.
    register_up_down_counter_family: UpDownCounter;
    /// A timing for each tag set of a type.
    register_timing_family: Timing;
    /// A histogram for each tag set of a type.
    register_histogram_family: Histogram;
    /// A gauge for each tag set of a type.
    register_gauge_family: Gauge;
}

/// Declares the tag sets of a [`Family`](crate::Family): an enum of a tag's values, or a struct
/// whose fields are such enums and bools, with the fields' names as keys.
///
/// ```
/// use tachograph::{MetricsCollector, tag_set};
///
/// tag_set! {
///     #[derive(Clone, Copy, Debug)]
///     pub enum Outcome: "outcome" {
///         Ok = "ok",
///         Failed = "failed",
///     }
/// }
///
/// tag_set! {
///     pub struct Request {
///         outcome: Outcome,
///         cached: bool,
///     }
/// }
///
/// let metrics = MetricsCollector::new();
/// let requests = metrics.register_counter_family::<Request>("requests");
/// requests.get(&Request { outcome: Outcome::Failed, cached: true }).increment();
///
/// let tags = [("outcome", "failed"), ("cached", "true")];
/// let failed = metrics.with_tags(&tags).get_counter("requests");
/// assert_eq!(failed.map(|stats| stats.value), Some(1));
/// # requests.get(&Request { outcome: Outcome::Ok, cached: false }).increment();
/// ```
#[macro_export]
macro_rules! tag_set {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident: $key:literal {
            $($(#[$variant_meta:meta])* $variant:ident = $value:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis enum $name {
            $($(#[$variant_meta])* $variant),+
        }

        impl $crate::TagValue for $name {
            const VALUES: &'static [&'static str] = &[$($value),+];

            #[inline]
            fn index(&self) -> usize {
                match self {
                    $(Self::$variant => Self::$variant as usize),+
                }
            }
        }

        impl $crate::TagSet for $name {
            const COUNT: usize = <Self as $crate::TagValue>::VALUES.len();

            #[inline]
            fn index(&self) -> usize {
                $crate::TagValue::index(self)
            }

            fn tags(index: usize) -> ::std::vec::Vec<(&'static str, &'static str)> {
                ::std::vec![($key, <Self as $crate::TagValue>::VALUES[index])]
            }
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type),+
        }

        impl $crate::TagSet for $name {
            const COUNT: usize = 1 $(* <$type as $crate::TagValue>::VALUES.len())+;

            #[inline]
            fn index(&self) -> usize {
                let (mut index, mut step) = (0, 1);
                $(
                    index += step * $crate::TagValue::index(&self.$field);
                    step *= <$type as $crate::TagValue>::VALUES.len();
                )+
                let _ = step;
                index
            }

            fn tags(index: usize) -> ::std::vec::Vec<(&'static str, &'static str)> {
                let mut index = index;
                let tags = ::std::vec![$({
                    let values = <$type as $crate::TagValue>::VALUES;
                    let value = values[index % values.len()];
                    index /= values.len();
                    let key = ::core::stringify!($field);
                    // A key may be a keyword, which a field cannot be called without this.
                    (key.strip_prefix("r#").unwrap_or(key), value)
                }),+];
                let _ = index;
                tags
            }
        }
    };
}
