//! Timing operations on a set: `cargo run -p ast-server --example profiling`.
#![allow(clippy::print_stdout, reason = "an example's output is its purpose")]

use ast_server::AstServer;
use live_set::generate::Spec;

/// Runs the example.
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let (one, two) = (folder.path().join("one.als"), folder.path().join("two.als"));
    let small = |tracks| Spec { tracks, scenes: 8, ..Spec::default() };
    small(4).write_als(std::fs::File::create(&one)?)?;
    small(5).write_als(std::fs::File::create(&two)?)?;

    let server = AstServer::new();
    let metrics = server.metrics();
    {
        let _timer = metrics.timer("operation.load_project");
        server.load_project(&one)?;
    }
    {
        let _timer = metrics.timer("operation.find_tracks");
        assert!(!server.find_nodes_by_type("track")?.is_empty());
    }
    {
        let _timer = metrics.timer("operation.compute_diff");
        assert!(!server.diff_with_file(&two)?.is_empty());
    }

    for operation in ["load_project", "find_tracks", "compute_diff"] {
        let stats = metrics.get_timing(&format!("operation.{operation}")).ok_or("it was timed")?;
        let ms = |value: Option<f64>| value.unwrap_or_default() * 1_000.0;
        println!("{operation}: {:.3} ms (p95: {:.3} ms)", ms(stats.mean), ms(stats.p95));
    }
    Ok(())
}
