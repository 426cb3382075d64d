//! The health dashboard for the terminal.

use std::fmt;

use crate::summary::Summary;

/// Shows a summary as the health dashboard.
///
/// ```
/// use ast_server::{AstServer, Dashboard};
///
/// let server = AstServer::new();
/// let page = Dashboard(&server.get_metrics_summary()).to_string();
/// assert!(page.contains("Total processed: 0"));
/// ```
#[derive(Debug)]
pub struct Dashboard<'a>(pub &'a Summary);

const RULE: &str = "============================================================";

impl fmt::Display for Dashboard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { event_processing: events, udp_listener: udp, websocket, .. } = self.0;
        let uptime = self.0.uptime_seconds;
        writeln!(f, "{RULE}\n AST Server Health Dashboard\n{RULE}\n")?;
        writeln!(f, "⏱️  Uptime: {uptime:.0}s ({:.1}min)\n", uptime / 60.0)?;
        writeln!(f, "📊 Event Processing:")?;
        writeln!(f, "   Received: {}", events.received)?;
        writeln!(f, "   Total processed: {}", events.total_processed)?;
        writeln!(f, "   Ignored: {}", events.ignored)?;
        writeln!(f, "   Unhandled: {}", events.unhandled)?;
        writeln!(f, "   Rejected: {}", events.rejected)?;
        writeln!(f, "   Latency p50: {}ms", events.latency_ms.p50)?;
        writeln!(f, "   Latency p95: {}ms", events.latency_ms.p95)?;
        writeln!(f, "   Latency p99: {}ms\n", events.latency_ms.p99)?;
        writeln!(f, "📡 UDP Listener:")?;
        writeln!(f, "   Packets received: {}", udp.packets_received)?;
        writeln!(f, "   Packets dropped: {}", udp.packets_dropped)?;
        writeln!(f, "   Loss rate: {:.2}%\n", udp.loss_rate_percent)?;
        writeln!(f, "🌐 WebSocket:")?;
        writeln!(f, "   Clients: {}", websocket.clients_connected)?;
        writeln!(f, "   Broadcasts: {}\n", websocket.broadcasts_sent)?;
        writeln!(f, "💾 Cache:")?;
        writeln!(f, "   Hit rate: {:.1}%\n", self.0.cache.hit_rate_percent)?;
        writeln!(f, "⚠️  Errors: {}", self.0.errors_total)?;
        for (name, count) in self.0.errors.iter().filter(|(_, count)| **count > 0) {
            writeln!(f, "   {name}: {count}")?;
        }
        write!(f, "\n{RULE}")
    }
}
