//! The files that a fleet of servers needs: [`tachograph_deploy`]'s output for the server's
//! metrics, the server's own alerts and panels, and a unit for systemd.

mod own;
mod unit;

use tachograph_deploy::{DeployError, File, Metric, Settings};

use crate::server::ast_server::AstServer;

/// The settings for one server at its default address.
pub fn settings() -> Settings {
    let http = crate::Addresses::default().http;
    let mut settings = Settings::new("ast-server", [http.to_string()]);
    settings.command = "ast-server deploy".to_owned();
    settings.own = own::OWN;
    settings
}

/// All files. The same settings give the same bytes.
///
/// ```
/// let files = ast_server::deploy::files(&ast_server::deploy::settings())?;
/// let alerts = files.iter().find(|file| file.name == "ast-server.alerts.yml");
/// assert!(alerts.is_some_and(|file| file.content.contains("alert: AstServerDown")));
/// # Ok::<(), tachograph_deploy::DeployError>(())
/// ```
///
/// # Errors
/// The settings name a metric that the server does not have.
pub fn files(settings: &Settings) -> Result<Vec<File>, DeployError> {
    let metrics = Metric::all(&AstServer::new().metrics().get_all_metrics());
    let mut files = tachograph_deploy::files(&metrics, settings)?;
    if let Some(readme) = files.iter_mut().find(|file| file.name == "README.md") {
        readme.content += unit::README;
    }
    let units = [("ast-server.service", unit::text()), ("ast-server.toml", unit::config(settings))];
    files.extend(units.map(|(name, content)| File { name: name.to_owned(), content }));
    Ok(files)
}
