//! Whether the core's atomics come through its one door, and each ordering is explained.

use std::path::Path;

use crate::steps::Outcome;

/// Files that may name std's or loom's atomics: the door, and the stand-ins behind it. Their
/// orderings are explained as everyone's.
const DOORS: [&str; 2] = ["sync.rs", "model.rs"];

/// An ordering has its comment in the lines before it, no further up than this.
const COMMENT_WITHIN: usize = 4;

/// Checks every file of the core.
pub(crate) fn check(sources: &Path) -> Outcome {
    let mut problems = Vec::new();
    let mut orderings = 0;
    let entries = std::fs::read_dir(sources).map_err(|e| format!("{}: {e}", sources.display()))?;
    for entry in entries {
        let path = entry.map_err(|e| format!("{}: {e}", sources.display()))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if !name.ends_with(".rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{name}: {e}"))?;
        orderings += check_file(&name, &text, &mut problems);
    }
    problems.sort();
    if problems.is_empty() {
        Ok(format!("{orderings} orderings, each explained"))
    } else {
        Err(problems.join("\n"))
    }
}

fn check_file(name: &str, text: &str, problems: &mut Vec<String>) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let mut orderings = 0;
    for (i, line) in lines.iter().enumerate() {
        let names_atomics = line.contains("sync::atomic") || line.contains("loom::");
        if names_atomics && !DOORS.contains(&name) {
            problems.push(format!("{name}:{}: atomics come through sync.rs", i + 1));
        }
        for ordering in ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"] {
            if !line.contains(&format!("Ordering::{ordering}")) {
                continue;
            }
            orderings += 1;
            let before = &lines[i.saturating_sub(COMMENT_WITHIN)..i];
            let told = before.iter().any(|line| line.contains("// ") && line.contains(ordering));
            let told = told || before.iter().any(|line| line.contains(&format!("{ordering}:")));
            if !told {
                problems.push(format!("{name}:{}: {ordering} has no line that says why", i + 1));
            }
        }
    }
    orderings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordering_without_its_line_and_a_second_door_are_told() {
        let mut problems = Vec::new();
        let text = "use std::sync::atomic::AtomicU8;\nx.load(Ordering::Acquire);\n\
                    // Release: pairs with something.\nx.store(1, Ordering::Release);\n";
        assert_eq!(check_file("a.rs", text, &mut problems), 2);
        assert_eq!(problems.len(), 2, "{problems:?}");
        problems.clear();
        check_file("model.rs", text, &mut problems);
        assert_eq!(problems.len(), 1, "a door explains its orderings: {problems:?}");
    }
}
