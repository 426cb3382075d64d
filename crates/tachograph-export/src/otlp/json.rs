//! OTLP/JSON, where it differs from serde's defaults.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use toml::Value;

/// Appends a request as JSON.
///
/// Protobuf's JSON mapping writes floats without a JSON number as words, and receivers refuse
/// `null` for a missing number. JSON's own values would turn both into `null`; TOML's keep
/// infinities and leave out what is missing.
pub(super) fn write(request: &ExportMetricsServiceRequest, out: &mut Vec<u8>) {
    let mut value = Value::try_from(request).expect("its integers are small or strings");
    spell(&mut value);
    serde_json::to_writer(out, &value).expect("keys are strings, and memory accepts every write");
}

/// Spells out floats without a JSON number, and drops the empty lists and texts that need not be
/// written: all but those of an attribute.
fn spell(value: &mut Value) {
    match value {
        Value::Float(float) if !float.is_finite() => {
            let words = [(f64::INFINITY, "Infinity"), (f64::NEG_INFINITY, "-Infinity")];
            let word = words.iter().find(|(infinite, _)| infinite == float);
            *value = Value::from(word.map_or("NaN", |(_, word)| word));
        }
        Value::Array(values) => values.iter_mut().for_each(spell),
        Value::Table(table) => {
            table.retain(|key, value| match value {
                Value::Array(values) => !values.is_empty(),
                Value::String(text) => !text.is_empty() || key == "stringValue",
                _ => true,
            });
            table.iter_mut().for_each(|(_, value)| spell(value));
        }
        _ => {}
    }
}
