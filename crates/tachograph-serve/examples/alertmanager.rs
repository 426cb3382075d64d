//! A program whose alerts go to an Alertmanager: `alertmanager URL`.
//!
//! Each line of standard input, such as `tape 3`, sets a load; above 1 it is an alert.

#![allow(clippy::print_stdout, reason = "an example's output is its purpose")]

use std::time::Duration;

use tachograph::MetricsCollector;
use tachograph_history::Settings;
use tachograph_serve::{Alerts, Endpoint, Receiver};

const RULES: &str = r#"
    [[rule]]
    name = "Load"
    metric = "load"
    tags = { machine = "*" }
    statistic = "current"
    op = ">"
    threshold = 1
    message = "the load of {labels.machine} is {value}"
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("the URL of an Alertmanager is needed")?;
    let metrics = MetricsCollector::new();
    let rules = tachograph_alert::parse(RULES)?;
    let alerts = Alerts::new(rules).receiver(Receiver::alertmanager(&url)?);
    let settings = Settings { step: Duration::from_millis(200), ..Settings::default() };
    let endpoint = Endpoint::new(metrics.clone()).listen(([127, 0, 0, 1], 0).into());
    let server = endpoint.history(settings).alerts(alerts).spawn()?;
    println!("{}", server.addr());
    for line in std::io::stdin().lines() {
        let line = line?;
        let (machine, load) = line.split_once(' ').ok_or("a machine and its load")?;
        metrics.with_tags(&[("machine", machine)]).gauge("load", load.parse()?);
    }
    server.shutdown();
    Ok(())
}
