//! Checks that `docs/FLEET.md` shows the simulation's results.

use fleet::{Fleet, Page, Tables};

const PAGE: &str = include_str!("../../docs/FLEET.md");

/// Allowed deviation of byte figures, as a share: one more series of the collector's own should not
/// require rewriting the page.
const SLACK: f64 = 0.05;

/// Whether two lines agree: exactly, or nearly if they are about bytes.
fn says_the_same(made: &str, shown: &str) -> bool {
    let number = |word: &str| word.replace(',', "").parse::<f64>().ok();
    let is_near = |(made, shown): (&str, &str)| match (number(made), number(shown)) {
        (Some(made), Some(shown)) => (made / shown - 1.0).abs() <= SLACK,
        _ => made == shown,
    };
    let is_about_bytes = ["kB |", "MB |", "GB |"].iter().any(|unit| shown.contains(unit));
    let words = || made.split_whitespace().zip(shown.split_whitespace());
    made == shown || (is_about_bytes && words().all(is_near))
}

#[test]
fn the_page_shows_the_tables_that_the_default_fleet_gives() {
    let mut page = Page::new(PAGE);
    page.set(&Tables::quick(&Fleet::default())).expect("a place for each table");
    assert_eq!(page.text().lines().count(), PAGE.lines().count());
    for (made, shown) in page.text().lines().zip(PAGE.lines()) {
        let told = "write it again with `cargo fleet --write docs/FLEET.md`";
        assert!(says_the_same(made, shown), "{told}: {shown}\nis now {made}");
    }
}

#[test]
fn only_figures_of_bytes_may_differ_and_only_a_little() {
    assert!(says_the_same("| text | 103 kB | 2,100 |", "| text | 100 kB | 2,050 |"));
    assert!(!says_the_same("| text | 107 kB | 2,050 |", "| text | 100 kB | 2,050 |"));
    assert!(!says_the_same("| html | 100 kB | 2,050 |", "| text | 100 kB | 2,050 |"));
    assert!(!says_the_same("| alike | +1.01 % |", "| alike | +1.00 % |"));
}
