//! `tachograph rules --prometheus`.

use std::path::Path;
use std::process::ExitCode;

use super::names::Names;
use super::{Source, promql, read_rules, told};
use crate::failure::Failure;
use crate::output;

pub(crate) fn run(file: &Path, of: Option<&Source>) -> Result<ExitCode, Failure> {
    let definitions = of.map(Source::definitions).transpose()?.unwrap_or_default();
    match read_rules(file, &definitions)? {
        Ok(rules) => {
            output::print(&promql::file(&rules, &Names::new(&definitions)))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(invalid) => {
            output::say(&told(file, &invalid));
            Ok(ExitCode::FAILURE)
        }
    }
}
