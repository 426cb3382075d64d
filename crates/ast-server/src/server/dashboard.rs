//! The health dashboard for the terminal.

use std::fmt;

use crate::summary::{LatencyMs, Summary};

/// Shows a summary as the health dashboard. Latencies are those of the sliding window, and `no data`
/// without an event in it.
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
        let LatencyMs { p50, p95, p99 } = events.latency_ms;
        for (quantile, ms, end) in [("p50", p50, ""), ("p95", p95, ""), ("p99", p99, "\n")] {
            // No event takes no time: without one in the window, the summary has 0.
            let told = if ms > 0.0 { format!("{ms}ms") } else { "no data".to_owned() };
            writeln!(f, "   Latency {quantile}: {told}{end}")?;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_is_told_once_there_is_one() {
        let mut summary = Summary::default();
        let page = Dashboard(&summary).to_string();
        for quantile in ["p50", "p95", "p99"] {
            assert!(page.contains(&format!("Latency {quantile}: no data\n")), "{page}");
        }
        summary.event_processing.latency_ms = LatencyMs { p50: 0.25, p95: 1.5, p99: 7.0 };
        let page = Dashboard(&summary).to_string();
        assert!(
            page.contains("p50: 0.25ms\n   Latency p95: 1.5ms\n   Latency p99: 7ms\n\n"),
            "{page}"
        );
    }
}
