//! Rules from a file, and who is told when they fire.

use std::path::Path;

use ast_server::{alerts, read_text};
use tachograph_alert::Rule;
use tachograph_serve::{Alerts, Receiver};

use super::Failure;
use super::settings::Settings;

/// The rules of a file, or the default ones.
///
/// # Errors
/// Everything that is wrong with it, a line each.
pub(super) fn rules(file: Option<&Path>) -> Result<Vec<Rule>, Failure> {
    let Some(file) = file else { return Ok(alerts::defaults()) };
    let path = file.display();
    let text =
        read_text(file).map_err(|reason| format!("cannot read the rules in {path}: {reason}"))?;
    alerts::rules(&text).map_err(|invalid| {
        let errors = invalid.errors().iter();
        let lines: Vec<_> = errors.map(|error| format!("{path}:{error}")).collect();
        lines.join("\n").into()
    })
}

/// What the settings say: the rules, and who is told beside the log.
pub(super) fn alerts(settings: &Settings) -> Result<Alerts, Failure> {
    let page = format!("{}://{}/", settings.http_scheme(), settings.addresses().http);
    let mut alerts = Alerts::new(rules(settings.alerts.as_deref())?).log().page(&page);
    if let Some(url) = &settings.alertmanager {
        alerts = alerts.receiver(Receiver::alertmanager(url).map_err(Failure::usage)?);
    }
    if let Some(url) = &settings.alert_webhook {
        alerts = alerts.receiver(Receiver::webhook(url).map_err(Failure::usage)?);
    }
    Ok(alerts)
}
