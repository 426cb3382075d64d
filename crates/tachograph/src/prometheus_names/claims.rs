//! Reserves exported names, so that each is used only once.

use std::collections::{HashMap, HashSet};

/// The names that are taken, and the next suffix to try for each stem.
#[derive(Debug, Default)]
pub(super) struct Claims {
    taken: HashSet<String>,
    /// The last suffix of each stem, so that a thousand collisions cost a thousand steps.
    last: HashMap<String, usize>,
}

impl Claims {
    /// Takes a name that is known to be free.
    pub(super) fn take(&mut self, name: &str) {
        self.taken.insert(name.to_owned());
    }

    /// Takes the wanted name if given and free, or else the first free one of `stem_1`, `stem_2`,
    /// …. A name is free if all its forms are.
    pub(super) fn claim(
        &mut self,
        wanted: Option<&str>,
        stem: &str,
        forms: impl Fn(&str) -> Vec<String>,
    ) -> String {
        if let Some(wanted) = wanted
            && self.take_all(forms(wanted))
        {
            return wanted.to_owned();
        }
        let mut number = self.last.get(stem).copied().unwrap_or(0);
        loop {
            number += 1;
            let candidate = format!("{stem}_{number}");
            if self.take_all(forms(&candidate)) {
                self.last.insert(stem.to_owned(), number);
                return candidate;
            }
        }
    }

    fn take_all(&mut self, names: Vec<String>) -> bool {
        let free = names.iter().all(|name| !self.taken.contains(name));
        if free {
            self.taken.extend(names);
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn ten_thousand_collisions_take_two_steps_each() {
        let (mut claims, steps) = (Claims::default(), Cell::new(0));
        for _ in 0..10_000 {
            claims.claim(Some("a"), "a", |name| {
                steps.set(steps.get() + 1);
                vec![name.to_owned()]
            });
        }
        assert_eq!((claims.taken.len(), steps.get()), (10_000, 1 + 9_999 * 2));
    }
}
