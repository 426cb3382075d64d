//! What the page shows, in its order.

use super::plots::{Kind, Plot, Series};

/// A part of the page.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) text: &'static str,
    pub(super) plots: &'static [Plot],
    pub(super) tables: &'static [&'static str],
}

const fn series(label: &'static str, table: &'static str, column: &'static str) -> Series {
    Series { label, table, column }
}

/// One thread and two, of a contest.
macro_rules! contest {
    ($table:literal, $title:literal) => {
        Plot {
            file: concat!($table, ".svg"),
            title: concat!($title, ", beside other libraries"),
            unit: "ns over the loop alone, median; shorter is better",
            kind: Kind::Bars(&[
                series("one thread", $table, "1 thread"),
                series("two threads", $table, "2 threads"),
            ]),
        }
    };
}

pub(super) const SECTIONS: [Section; 10] = [
    Section {
        title: "Recording: on, off, compiled out",
        text: "\
What a call costs on one thread and on two that record the same series, with recording switched on,
switched off at run time, and compiled out (without the feature `record`). `x limit` compares with
the least that the machine could do: a load and a store of a word of one's own, or two reads of the
time-stamp counter.",
        plots: &[Plot {
            file: "record.svg",
            title: "A call, by whether recording is on",
            unit: "ns over the loop alone, median",
            kind: Kind::Bars(&[
                series("on", "record", "median"),
                series("off", "record", "off"),
                series("compiled out", "record-compiled-out", "median"),
            ]),
        }],
        tables: &["record", "record-two-threads", "record-compiled-out"],
    },
    Section {
        title: "Beside other libraries",
        text: "\
In one process, in the same loop, in turns. `x ours` is their whole figure against ours by handle, the
loop included: above 1 where ours costs less. Where a library is ahead, the last column says what it
does not do.",
        plots: &[
            contest!("versus-counter", "A counter by its handle"),
            contest!("versus-tagged", "A counter by name and a tag"),
            contest!("versus-gauge", "A gauge by its handle"),
            contest!("versus-timing", "A timing or histogram by its handle"),
            contest!("versus-timer", "A timer: start, stop, record"),
        ],
        tables: &[
            "versus-counter",
            "versus-tagged",
            "versus-gauge",
            "versus-timing",
            "versus-timer",
        ],
    },
    Section {
        title: "Tails of single calls",
        text: "\
A million single calls of each kind, the background aggregator running and a scraper rendering a
thousand series every 10 ms. After each call comes a pair of stamps with nothing in between: what the
machine does to both is not the call's doing.",
        plots: &[Plot {
            file: "tail.svg",
            title: "Single calls by handle, and none at all",
            unit: "ns, the pair of stamps included; logarithmic",
            kind: Kind::Tails { table: "tail", only: "handle" },
        }],
        tables: &["tail"],
    },
    Section {
        title: "Cold calls",
        text: "\
A call after 4 MiB of other work, which has evicted what the call reads: that is how a real loop
records. A word that all threads share is found from the handle at once and costs one miss; ours is
found by way of the thread's own lane, a second miss, and is the price of sharing nothing.",
        plots: &[Plot {
            file: "cold.svg",
            title: "A timing after 4 MiB of other work",
            unit: "ns over none, median",
            kind: Kind::Bars(&[series("median", "versus-cold-timing", "median")]),
        }],
        tables: &["cold", "versus-cold-counter", "versus-cold-timing"],
    },
    Section {
        title: "The first record of a thread",
        text: "\
What a new thread's first call costs: it takes over a lane or makes one. Where threads share a word
there is nothing to set up, and every later call pays for it instead.",
        plots: &[],
        tables: &[
            "first",
            "versus-first-counter",
            "versus-first-tagged",
            "versus-first-timing",
        ],
    },
    Section {
        title: "Aggregating and reading",
        text: "\
What the background does with a sample, what a pass costs, and what a reader waits for. Bursts show
when samples are coalesced.",
        plots: &[],
        tables: &["aggregate", "read", "burst", "idle"],
    },
    Section {
        title: "Memory",
        text: "\
Bytes requested from the allocator and still held. Ours holds of each series the running values, the
steps of a window, and what the last snapshot shows of both; one word and its labels take less.",
        plots: &[],
        tables: &["memory", "versus-memory"],
    },
    Section {
        title: "Exports",
        text: "\
A snapshot written in each format, by an encoder that has written one before. A scrape beside a thread
that records has a row of its own.",
        plots: &[],
        tables: &[
            "exposition-counter",
            "exposition-timing",
            "versus-exposition-counter",
            "versus-exposition-timing",
        ],
    },
    Section {
        title: "The endpoint",
        text: "\
What a scrape costs the thread that records, and what a thousand clients that never end their request
and a hundred that never read their answer cost the scraper.",
        plots: &[],
        tables: &["serve-record", "serve-scrape"],
    },
    Section {
        title: "The host server",
        text: "\
`ast-server` on a set of 50 tracks and 100 scenes: the whole way of an event, with metrics on and
off; viewers beside others that never read; more datagrams than it can take; reading a large set.",
        plots: &[],
        tables: &["event", "event-sockets", "viewers", "datagrams", "queries", "load", "idle-server"],
    },
];

/// Every column that some plot reads, with its table, in the order of reading.
#[cfg(test)]
pub(super) fn columns() -> Vec<(&'static str, &'static str)> {
    let plots = SECTIONS.iter().flat_map(|section| section.plots);
    let read = plots.flat_map(|plot| match plot.kind {
        Kind::Bars(series) => {
            let mut tables = Vec::new();
            for Series { table, column, .. } in series {
                if !tables.contains(&(*table, "operation")) {
                    tables.push((*table, "operation"));
                }
                tables.push((*table, *column));
            }
            tables
        }
        Kind::Tails { table, .. } => {
            let quantiles = super::plots::QUANTILES.iter().map(|name| (table, *name));
            [(table, "operation"), (table, "")].into_iter().chain(quantiles).collect()
        }
    });
    read.collect()
}
