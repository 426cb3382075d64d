//! Runs every example, so that none of them rots.

use std::error::Error;

#[path = "../examples/dashboard.rs"]
mod dashboard;
#[path = "../examples/errors_and_loss.rs"]
mod errors_and_loss;
#[path = "../examples/event_rate.rs"]
mod event_rate;
#[path = "../examples/monitoring.rs"]
mod monitoring;
#[path = "../examples/over_time.rs"]
mod over_time;
#[path = "../examples/profiling.rs"]
mod profiling;
#[path = "../examples/quick_start.rs"]
mod quick_start;
#[path = "../examples/switched_off.rs"]
mod switched_off;

type Outcome = Result<(), Box<dyn Error>>;

#[test]
fn dashboard_redraws() -> Outcome {
    dashboard::main()
}

#[test]
fn errors_and_loss_are_counted() -> Outcome {
    errors_and_loss::main()
}

#[test]
fn event_rate_is_measured() -> Outcome {
    event_rate::main()
}

#[test]
fn monitoring_sees_every_event() -> Outcome {
    monitoring::main()
}

#[test]
fn over_time_reports() -> Outcome {
    over_time::main()
}

#[test]
fn profiling_times_operations() -> Outcome {
    profiling::main()
}

#[test]
fn quick_start_shows_metrics() -> Outcome {
    quick_start::main()
}

#[test]
fn switched_off_records_nothing() -> Outcome {
    switched_off::main()
}
