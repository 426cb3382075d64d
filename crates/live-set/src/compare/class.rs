//! The names that Live shows for devices, and their classes in files.

/// Names that Live shows for its own devices, if removing the spaces does not give the class.
const CLASSES: [(&str, &str); 22] = [
    ("Analog", "UltraAnalog"),
    ("Arpeggiator", "MidiArpeggiator"),
    ("Audio Effect Rack", "AudioEffectGroupDevice"),
    ("CC Control", "MidiCcControl"),
    ("Chord", "MidiChord"),
    ("Drum Rack", "DrumGroupDevice"),
    ("EQ Eight", "Eq8"),
    ("EQ Three", "FilterEQ3"),
    ("Electric", "LoungeLizard"),
    ("Impulse", "InstrumentImpulse"),
    ("Instrument Rack", "InstrumentGroupDevice"),
    ("MIDI Effect Rack", "MidiEffectGroupDevice"),
    ("Note Length", "MidiNoteLength"),
    ("Pitch", "MidiPitcher"),
    ("Random", "MidiRandom"),
    ("Sampler", "MultiSampler"),
    ("Scale", "MidiScale"),
    ("Simpler", "OriginalSimpler"),
    ("Tension", "StringStudio"),
    ("Utility", "StereoGain"),
    ("Velocity", "MidiVelocity"),
    ("Wavetable", "InstrumentVector"),
];

/// Whether Live may show a device of this class under this name: a class has no spaces, and often
/// ends with its version number.
pub(crate) fn is_class_of(class: &str, name: &str) -> bool {
    let bare = class.trim_end_matches(|c: char| c.is_ascii_digit());
    let letters = name.chars().filter(|c| !c.is_whitespace());
    let is_spelled = |class: &str| {
        !class.is_empty()
            && letters
                .clone()
                .map(|c| c.to_ascii_lowercase())
                .eq(class.chars().map(|c| c.to_ascii_lowercase()))
    };
    is_spelled(class) || is_spelled(bare) || CLASSES.contains(&(name, class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_known_by_the_name_that_live_shows() {
        for (class, name) in [
            ("AutoFilter", "Auto Filter"),
            ("AutoFilter2", "Auto Filter"),
            ("Compressor2", "Compressor"),
            ("StereoGain", "Utility"),
            ("Eq8", "EQ Eight"),
            ("Reverb", "Reverb"),
        ] {
            assert!(is_class_of(class, name), "{name}");
        }
        for (class, name) in [("StereoGain", "Limiter"), ("", ""), ("Eq8", "EQ Three")] {
            assert!(!is_class_of(class, name), "{name}");
        }
    }
}
