//! Runs every example, so that none of them rots.

use std::error::Error;

#[path = "../examples/dashboard.rs"]
mod dashboard;
#[path = "../examples/error_tracking.rs"]
mod error_tracking;
#[path = "../examples/event_rate.rs"]
mod event_rate;
#[path = "../examples/monitoring.rs"]
mod monitoring;
#[path = "../examples/over_time.rs"]
mod over_time;
#[path = "../examples/packet_loss.rs"]
mod packet_loss;
#[path = "../examples/profiling.rs"]
mod profiling;
#[path = "../examples/quick_start.rs"]
mod quick_start;
#[path = "../examples/switched_off.rs"]
mod switched_off;
#[path = "../examples/websocket_health.rs"]
mod websocket_health;

type Outcome = Result<(), Box<dyn Error>>;

#[test]
fn dashboard_redraws() -> Outcome {
    dashboard::main()
}

#[test]
fn errors_are_tracked_by_type() -> Outcome {
    error_tracking::main()
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
fn packet_loss_is_tracked_by_hand_and_by_the_server() -> Outcome {
    packet_loss::main()
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

#[test]
fn websocket_health_is_tracked_by_hand() -> Outcome {
    websocket_health::main()
}
