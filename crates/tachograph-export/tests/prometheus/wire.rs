//! A protobuf decoder, written from the description of the wire format and from the field numbers
//! in Prometheus's definition: it shares nothing with the encoder.

/// The content of one field of a message.
#[derive(Debug)]
enum Field<'a> {
    Varint(u64),
    Double(f64),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    fn integer(&self) -> u64 {
        if let Self::Varint(value) = self { *value } else { panic!("no varint: {self:?}") }
    }

    fn zigzag(&self) -> i64 {
        unzigzag(self.integer())
    }

    fn double(&self) -> f64 {
        if let Self::Double(value) = self { *value } else { panic!("no double: {self:?}") }
    }

    fn bytes(&self) -> &'a [u8] {
        if let Self::Bytes(bytes) = self { bytes } else { panic!("no bytes: {self:?}") }
    }

    fn text(&self) -> String {
        String::from_utf8(self.bytes().to_vec()).expect("UTF-8")
    }
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0).expect("a varint ends");
    let (varint, rest) = bytes.split_at(end + 1);
    *bytes = rest;
    varint.iter().rev().fold(0, |value, byte| (value << 7) | u64::from(byte & 0x7f))
}

fn taken<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at_checked(length).expect("as long as it says");
    *bytes = rest;
    taken
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let field = match tag & 7 {
            0 => Field::Varint(varint(&mut bytes)),
            1 => {
                let eight = taken(&mut bytes, 8).try_into().expect("eight");
                Field::Double(f64::from_le_bytes(eight))
            }
            2 => {
                let length = varint(&mut bytes) as usize;
                Field::Bytes(taken(&mut bytes, length))
            }
            other => panic!("wire type {other}"),
        };
        fields.push((tag >> 3, field));
    }
    fields
}

#[derive(Debug, Default)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) kind: u64,
    pub(crate) unit: String,
    pub(crate) metrics: Vec<Metric>,
}

#[derive(Debug, Default)]
pub(crate) struct Metric {
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) gauge: Option<f64>,
    pub(crate) counter: Option<f64>,
    pub(crate) summary: Option<Summary>,
    pub(crate) histogram: Option<Histogram>,
    pub(crate) timestamp_ms: Option<u64>,
    /// When a counter, summary or histogram was created, in milliseconds.
    pub(crate) created_ms: Option<u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) quantiles: Vec<(f64, f64)>,
}

#[derive(Debug, Default)]
pub(crate) struct Histogram {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    /// Upper bound and cumulative count.
    pub(crate) classic: Vec<(f64, u64)>,
    pub(crate) schema: i64,
    pub(crate) zero_threshold: f64,
    pub(crate) zero_count: u64,
    /// The exemplars of the native histogram.
    pub(crate) exemplars: Vec<Exemplar>,
    /// The exemplars of classic buckets, each with its bucket's upper bound.
    pub(crate) classic_exemplars: Vec<(f64, Exemplar)>,
    spans: Vec<(i64, u64)>,
    deltas: Vec<i64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Exemplar {
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: f64,
    pub(crate) timestamp_ms: u64,
}

impl Histogram {
    /// Index and count of each native bucket, including empty ones that are written.
    pub(crate) fn native(&self) -> Vec<(i64, u64)> {
        let (mut next, mut count, mut buckets) = (0, 0u64, Vec::new());
        let mut deltas = self.deltas.iter();
        for (offset, length) in &self.spans {
            next += offset;
            for _ in 0..*length {
                count = count.wrapping_add_signed(*deltas.next().expect("a delta a bucket"));
                buckets.push((next, count));
                next += 1;
            }
        }
        assert!(deltas.next().is_none(), "deltas of no bucket");
        buckets
    }
}

pub(crate) fn decode(mut bytes: &[u8]) -> Vec<Family> {
    let mut families = Vec::new();
    while !bytes.is_empty() {
        let length = varint(&mut bytes) as usize;
        families.push(family(taken(&mut bytes, length)));
    }
    families
}

fn family(bytes: &[u8]) -> Family {
    let mut family = Family::default();
    for (number, field) in fields(bytes) {
        match number {
            1 => family.name = field.text(),
            2 => family.help = field.text(),
            3 => family.kind = field.integer(),
            4 => family.metrics.push(metric(field.bytes())),
            5 => family.unit = field.text(),
            _ => panic!("field {number} of a family"),
        }
    }
    family
}

fn metric(bytes: &[u8]) -> Metric {
    let mut metric = Metric::default();
    for (number, field) in fields(bytes) {
        match number {
            1 => metric.labels.push(label(field.bytes())),
            2 => metric.gauge = Some(value(field.bytes(), &mut metric.created_ms)),
            3 => metric.counter = Some(value(field.bytes(), &mut metric.created_ms)),
            4 => metric.summary = Some(summary(field.bytes(), &mut metric.created_ms)),
            6 => metric.timestamp_ms = Some(field.integer()),
            7 => metric.histogram = Some(histogram(field.bytes(), &mut metric.created_ms)),
            _ => panic!("field {number} of a metric"),
        }
    }
    metric
}

fn label(bytes: &[u8]) -> (String, String) {
    let mut label = (String::new(), String::new());
    for (number, field) in fields(bytes) {
        match number {
            1 => label.0 = field.text(),
            2 => label.1 = field.text(),
            _ => panic!("field {number} of a label"),
        }
    }
    label
}

fn value(bytes: &[u8], created_ms: &mut Option<u64>) -> f64 {
    let mut value = 0.0;
    for (number, field) in fields(bytes) {
        match number {
            1 => value = field.double(),
            3 => *created_ms = Some(milliseconds(field.bytes())),
            _ => panic!("field {number} of a value"),
        }
    }
    value
}

fn milliseconds(bytes: &[u8]) -> u64 {
    let part = |(number, field): &(u64, Field<'_>)| match number {
        1 => field.integer() * 1_000,
        2 => field.integer() / 1_000_000,
        _ => panic!("field {number} of a time"),
    };
    fields(bytes).iter().map(part).sum()
}

fn summary(bytes: &[u8], created_ms: &mut Option<u64>) -> Summary {
    let mut summary = Summary::default();
    for (number, field) in fields(bytes) {
        match number {
            1 => summary.count = field.integer(),
            2 => summary.sum = field.double(),
            3 => summary.quantiles.push(pair(field.bytes())),
            4 => *created_ms = Some(milliseconds(field.bytes())),
            _ => panic!("field {number} of a summary"),
        }
    }
    summary
}

fn pair(bytes: &[u8]) -> (f64, f64) {
    let mut pair = [0.0; 2];
    fields(bytes).iter().for_each(|(number, field)| pair[*number as usize - 1] = field.double());
    pair.into()
}

fn histogram(bytes: &[u8], created_ms: &mut Option<u64>) -> Histogram {
    let mut histogram = Histogram::default();
    for (number, field) in fields(bytes) {
        match number {
            1 => histogram.count = field.integer(),
            2 => histogram.sum = field.double(),
            3 => {
                let (bucket, exemplar) = bucket(field.bytes());
                histogram.classic.push(bucket);
                let exemplar = exemplar.map(|exemplar| (bucket.0, exemplar));
                histogram.classic_exemplars.extend(exemplar);
            }
            5 => histogram.schema = field.zigzag(),
            6 => histogram.zero_threshold = field.double(),
            7 => histogram.zero_count = field.integer(),
            12 => histogram.spans.push(span(field.bytes())),
            13 => {
                let mut packed = field.bytes();
                while !packed.is_empty() {
                    histogram.deltas.push(unzigzag(varint(&mut packed)));
                }
            }
            15 => *created_ms = Some(milliseconds(field.bytes())),
            16 => histogram.exemplars.push(exemplar(field.bytes())),
            _ => panic!("field {number} of a histogram"),
        }
    }
    histogram
}

fn bucket(bytes: &[u8]) -> ((f64, u64), Option<Exemplar>) {
    let (mut bucket, mut found) = ((0.0, 0), None);
    for (number, field) in fields(bytes) {
        match number {
            1 => bucket.1 = field.integer(),
            2 => bucket.0 = field.double(),
            3 => assert_eq!(found.replace(exemplar(field.bytes())), None, "one a bucket"),
            _ => panic!("field {number} of a bucket"),
        }
    }
    (bucket, found)
}

fn exemplar(bytes: &[u8]) -> Exemplar {
    let mut exemplar = Exemplar::default();
    for (number, field) in fields(bytes) {
        match number {
            1 => exemplar.labels.push(label(field.bytes())),
            2 => exemplar.value = field.double(),
            3 => exemplar.timestamp_ms = milliseconds(field.bytes()),
            _ => panic!("field {number} of an exemplar"),
        }
    }
    exemplar
}

fn span(bytes: &[u8]) -> (i64, u64) {
    let mut span = (0, 0);
    for (number, field) in fields(bytes) {
        match number {
            1 => span.0 = field.zigzag(),
            2 => span.1 = field.integer(),
            _ => panic!("field {number} of a span"),
        }
    }
    span
}
