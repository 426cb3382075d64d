//! Names that OpenTelemetry accepts.

use std::collections::HashSet;

/// The longest name that it accepts.
const LENGTH_MAX: usize = 255;

/// Room for a number that tells equal names apart.
const NUMBER_LENGTH: usize = 8;

/// Names in use, in lower case: OpenTelemetry does not tell cases apart.
#[derive(Debug, Default)]
pub(crate) struct Names(HashSet<String>);

impl Names {
    /// A valid name that no other metric has.
    pub(crate) fn take(&mut self, name: &str) -> String {
        let valid = valid(name);
        let mut free = valid.clone();
        let mut number = 1u64;
        while !self.0.insert(free.to_ascii_lowercase()) {
            number += 1;
            free = format!("{valid}_{number}");
        }
        free
    }
}

fn valid(name: &str) -> String {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let before = if begins_well { "" } else { "m" };
    let characters = name.chars().map(|c| if is_allowed(c) { c } else { '_' });
    before.chars().chain(characters).take(LENGTH_MAX - NUMBER_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_valid_and_differ() {
        let mut names = Names::default();
        let mut take = |name: &str| names.take(name);
        assert_eq!(take("event.processed"), "event.processed");
        assert_eq!(take("über flüssig"), "m_ber_fl_ssig");
        assert_eq!(take("9 lives"), "m9_lives");
        assert_eq!(take(""), "m");
        assert_eq!(take("a b"), "a_b");
        assert_eq!(take("a+b"), "a_b_2");
        assert_eq!(take("A_B"), "A_B_3");
        let long = "x".repeat(1_000);
        assert_eq!(take(&long).len(), 247);
        assert_eq!(take(&long).len(), 249);
    }
}
