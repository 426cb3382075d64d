//! The order of siblings of which some are new.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// Puts what is in `other` only among what is in `first`: behind whatever it follows there.
pub(super) fn weave<T: Copy + Eq + Hash>(first: &[T], other: &[T]) -> Vec<T> {
    let known: HashSet<T> = first.iter().copied().collect();
    let mut behind: HashMap<Option<T>, Vec<T>> = HashMap::new();
    let mut last = None;
    for item in other {
        if known.contains(item) {
            last = Some(*item);
        } else {
            behind.entry(last).or_default().push(*item);
        }
    }
    let mut woven = behind.remove(&None).unwrap_or_default();
    for item in first {
        woven.push(*item);
        woven.extend(behind.remove(&Some(*item)).unwrap_or_default());
    }
    woven
}

/// Whether each is greater than the one before.
pub(super) fn is_rising(values: impl IntoIterator<Item = usize>) -> bool {
    values.into_iter().is_sorted_by(|a, b| a < b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_comes_behind_what_it_follows() {
        assert_eq!(weave(&[1, 2, 3], &[1, 2, 3]), [1, 2, 3]);
        assert_eq!(weave(&[1, 2, 3], &[9, 1, 8, 7, 3]), [9, 1, 8, 7, 2, 3]);
        assert_eq!(weave(&[3, 1], &[1, 8, 3, 9]), [3, 9, 1, 8]);
        assert_eq!(weave(&[], &[2, 1]), [2, 1]);
        assert!(is_rising([1, 3]) && !is_rising([1, 1]) && is_rising([]));
    }
}
