//! Bounds that hold for every fleet: the error of each way of aggregating.

use fleet::{Accuracy, Fleet};

/// A sample this close to an edge may be counted in the neighbouring bucket.
const PLACED: f64 = 1.0 / 2_048.0;

/// A bucket's width at this scale, relative to its lower edge.
fn width(scale: i32) -> f64 {
    f64::from(-scale).exp2().exp2() - 1.0
}

#[test]
fn added_up_buckets_are_off_by_no_more_than_their_width() {
    for seed in 1..=2 {
        let accuracy = Accuracy::of(&Fleet { processes: 50, series: 1, seed });
        for resolution in accuracy.resolutions() {
            let rows = accuracy.rows().filter(|row| row.shape == resolution.shape);
            for row in rows {
                assert!(row.native.abs() <= width(5) + PLACED, "{row:?}");
                assert!(row.limited.abs() <= width(resolution.limited_schema) + PLACED, "{row:?}");
                assert!(row.otlp.abs() <= width(resolution.otlp_scale) + PLACED, "{row:?}");
            }
        }
    }
}

#[test]
fn one_slow_process_in_a_hundred_is_lost_in_a_mean_of_quantiles() {
    let accuracy = Accuracy::of(&Fleet { processes: 100, series: 1, seed: 1 });
    let row = |permille| {
        let mut rows = accuracy.rows().filter(|row| row.shape == "1 % slow");
        rows.find(|row| row.permille == permille).expect("asked for")
    };
    assert!(row(990).mean < -0.2 && row(999).mean < -0.7, "{:?}", row(999));
    assert!(row(990).greatest > 2.0, "{:?}", row(990));
}
