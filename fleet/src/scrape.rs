//! The size of a scrape or push of one process.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::Fleet;
use crate::forms::Form;
use crate::process::Process;
use crate::table::{Table, bytes, whole};

/// The number of processes to read, to see how far they differ.
const READ: usize = 8;

/// An hour of scrapes: how long each process has worked.
const INTERVALS: u32 = 240;

/// A few processes in every form.
#[derive(Clone, Debug, PartialEq)]
pub struct Scrapes(Vec<Scrape>);

/// The size of one form, over the processes that were read.
#[derive(Clone, Debug, PartialEq)]
pub struct Scrape {
    /// The form.
    pub form: Form,
    /// Bytes of the body: minimum, mean and maximum.
    pub bytes: [f64; 3],
    /// Bytes of the body compressed with gzip as the endpoint does it; the mean.
    pub gzip: f64,
    /// Samples that a server stores; the mean.
    pub samples: f64,
}

impl Scrapes {
    /// Reads some processes of a fleet, each after an hour of work.
    pub fn of(fleet: &Fleet) -> Self {
        let mut read: Vec<Vec<Measured>> = Form::ALL.map(|_| Vec::new()).into();
        for index in 0..READ.min(fleet.processes) as u64 {
            let mut process = Process::new(fleet.series, fleet.seed.wrapping_add(index));
            let mut encoders = Form::ALL.map(Form::encoder);
            process.work(INTERVALS - 1);
            // Gives deltas their starting point.
            encoders.iter_mut().for_each(|encode| drop(encode(&process.snapshot())));
            process.work(1);
            let snapshot = process.snapshot();
            for (read, encode) in read.iter_mut().zip(&mut encoders) {
                let body = encode(&snapshot);
                let gzip = compressed(&body.bytes) as f64;
                let (bytes, samples) = (body.bytes.len() as f64, body.samples as f64);
                read.push(Measured { bytes, gzip, samples });
            }
        }
        Self(Form::ALL.iter().zip(read).map(|(form, read)| Scrape::of(*form, &read)).collect())
    }

    /// One entry per form.
    pub fn iter(&self) -> impl Iterator<Item = &Scrape> {
        self.0.iter()
    }

    /// The scrapes as a table.
    pub fn table(&self) -> Table {
        let header = ["form", "bytes", "least to most", "gzip", "samples stored"];
        let mut table = Table::new(1, header);
        for scrape in self.iter() {
            let [least, mean, most] = scrape.bytes;
            table.row([
                scrape.form.name().to_owned(),
                bytes(mean),
                format!("{} to {}", bytes(least), bytes(most)),
                bytes(scrape.gzip),
                whole(scrape.samples),
            ]);
        }
        table
    }
}

/// One process in one form.
struct Measured {
    bytes: f64,
    gzip: f64,
    samples: f64,
}

impl Scrape {
    fn of(form: Form, read: &[Measured]) -> Self {
        let mean = |of: fn(&Measured) -> f64| read.iter().map(of).sum::<f64>() / read.len() as f64;
        let sizes = read.iter().map(|read| read.bytes);
        let least = sizes.clone().fold(f64::INFINITY, f64::min);
        let most = sizes.fold(0.0, f64::max);
        Self {
            form,
            bytes: [least, mean(|read| read.bytes), most],
            gzip: mean(|read| read.gzip),
            samples: mean(|read| read.samples),
        }
    }
}

/// The number of bytes after gzip at its fastest level, which the endpoint uses.
fn compressed(body: &[u8]) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Infallible: memory accepts every write.
    encoder.write_all(body).and_then(|()| encoder.finish()).map_or(0, |written| written.len())
}
