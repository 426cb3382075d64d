//! Whether `docs/ARCHITECTURE.md` speaks of the files that exist.

use std::collections::BTreeSet;
use std::path::Path;

use crate::steps::Outcome;

/// Checks that the page names every source file of the crates, and none that does not exist.
pub(crate) fn check(page: &str, crates: &Path) -> Outcome {
    let mut existing = BTreeSet::new();
    for entry in list(crates)? {
        collect(&entry.join("src"), &mut existing)?;
    }
    let named: BTreeSet<String> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|code| code.rsplit('/').next())
        .filter(|name| name.ends_with(".rs"))
        .map(str::to_owned)
        .collect();
    let tests = |name: &&String| page.contains(&format!("`tests/{name}`"));
    let missing = existing.difference(&named).map(|name| format!("{name} is not on the page"));
    let gone = named.difference(&existing).filter(|name| !tests(name));
    let gone = gone.map(|name| format!("{name} is on the page and does not exist"));
    let problems: Vec<_> = missing.chain(gone).collect();
    if problems.is_empty() {
        Ok(format!("{} files", existing.len()))
    } else {
        Err(format!("docs/ARCHITECTURE.md: {}", problems.join("; ")))
    }
}

fn list(folder: &Path) -> Result<Vec<std::path::PathBuf>, String> {
    let read = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let paths: Result<Vec<_>, _> = read.map(|entry| entry.map(|entry| entry.path())).collect();
    paths.map_err(|e| format!("{}: {e}", folder.display()))
}

fn collect(folder: &Path, names: &mut BTreeSet<String>) -> Result<(), String> {
    for path in list(folder)? {
        if path.is_dir() {
            collect(&path, names)?;
        } else if let Some(name) = path.file_name().and_then(|name| name.to_str())
            && name.ends_with(".rs")
        {
            names.insert(name.to_owned());
        }
    }
    Ok(())
}
