//! The order of siblings when some of them are new.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// Inserts the elements that are only in `other` into `first`, each after its predecessor.
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

/// Puts removed elements back directly after their former predecessors. `gone` is in the order of
/// removal, each with its predecessor, if any.
pub(super) fn put_back<T: Copy + Eq + Hash>(there: &[T], gone: &[(T, Option<T>)]) -> Vec<T> {
    let all: HashSet<T> = there.iter().copied().chain(gone.iter().map(|it| it.0)).collect();
    let mut behind: HashMap<Option<T>, Vec<T>> = HashMap::new();
    for (item, after) in gone {
        behind.entry(after.filter(|it| all.contains(it))).or_default().push(*item);
    }
    let mut behind = |item| behind.remove(&item).into_iter().flatten().rev();
    // Reversed, so that the next element is the last.
    let mut rest: Vec<T> = there.iter().rev().copied().collect();
    rest.extend(behind(None));
    let mut order = Vec::with_capacity(all.len());
    while let Some(item) = rest.pop() {
        order.push(item);
        rest.extend(behind(Some(item)));
    }
    order
}

/// Whether each is greater than the previous one.
pub(super) fn is_rising(values: impl IntoIterator<Item = usize>) -> bool {
    values.into_iter().is_sorted_by(|a, b| a < b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_comes_back_where_it_was() {
        // From 1 to 6, first 3 was removed, then 2, 1, 6 and 5.
        let gone = [(3, Some(2)), (2, Some(1)), (1, None), (6, Some(5)), (5, Some(4))];
        assert_eq!(put_back(&[4], &gone), [1, 2, 3, 4, 5, 6]);
        // 7 has been added after 4, and the predecessor of 8 is unknown.
        assert_eq!(put_back(&[4, 7], &[(5, Some(4)), (8, Some(9))]), [8, 4, 5, 7]);
        assert_eq!(put_back(&[1, 2], &[]), [1, 2]);
    }

    #[test]
    fn what_is_new_comes_behind_what_it_follows() {
        assert_eq!(weave(&[1, 2, 3], &[1, 2, 3]), [1, 2, 3]);
        assert_eq!(weave(&[1, 2, 3], &[9, 1, 8, 7, 3]), [9, 1, 8, 7, 2, 3]);
        assert_eq!(weave(&[3, 1], &[1, 8, 3, 9]), [3, 9, 1, 8]);
        assert_eq!(weave(&[], &[2, 1]), [2, 1]);
        assert!(is_rising([1, 3]) && !is_rising([1, 1]) && is_rising([]));
    }
}
