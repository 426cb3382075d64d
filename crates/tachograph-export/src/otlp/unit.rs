//! Units in OpenTelemetry's spelling, the Unified Code for Units of Measure (UCUM).

use std::borrow::Cow;

use tachograph::Unit;

/// The UCUM code of a unit. A unit without one becomes an annotation in braces: `{packets}`.
pub fn code(unit: &Unit) -> Cow<'_, str> {
    match unit {
        Unit::None => "".into(),
        Unit::Seconds => "s".into(),
        Unit::Bytes => "By".into(),
        Unit::Ratio => "1".into(),
        Unit::Percent => "%".into(),
        Unit::Other(name) => match known(name) {
            Some(code) => code.into(),
            None => annotation(name).into(),
        },
    }
}

/// The code of a base unit, looked up by its plural name.
fn known(name: &str) -> Option<&'static str> {
    Some(match name {
        "" => "",
        "seconds" => "s",
        "bytes" => "By",
        "ratio" => "1",
        "percent" => "%",
        "days" => "d",
        "hours" => "h",
        "minutes" => "min",
        "milliseconds" => "ms",
        "microseconds" => "us",
        "nanoseconds" => "ns",
        "bits" => "bit",
        "kibibytes" => "KiBy",
        "mebibytes" => "MiBy",
        "gibibytes" => "GiBy",
        "amperes" => "A",
        "celsius" => "Cel",
        "grams" => "g",
        "hertz" => "Hz",
        "joules" => "J",
        "kelvins" => "K",
        "meters" => "m",
        "volts" => "V",
        "watts" => "W",
        _ => return None,
    })
}

/// Text in braces. UCUM allows only visible ASCII without braces inside.
fn annotation(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_graphic() && !matches!(c, '{' | '}');
    let text: String = name.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    format!("{{{text}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_units_have_their_codes_and_others_are_annotations() {
        let other = |name: &str| code(&Unit::Other(name.into())).into_owned();
        let own = [Unit::None, Unit::Seconds, Unit::Bytes, Unit::Ratio, Unit::Percent];
        for (unit, expected) in own.iter().zip(["", "s", "By", "1", "%"]) {
            assert_eq!(code(unit), expected);
            assert_eq!(other(unit.name()), expected, "the same by name");
        }
        assert_eq!(other("volts"), "V");
        assert_eq!(other("packets"), "{packets}");
        assert_eq!(other("a{b} c\né"), "{a_b__c__}");
    }
}
