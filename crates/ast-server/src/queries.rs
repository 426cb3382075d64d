//! What can be asked of the set.

use std::path::{Path, PathBuf};

use live_set::{Changes, Hash, NodeType, ProjectInfo, diff};
use serde::Serialize;
use serde_json::Value;

use crate::error::Error;
use crate::loading::{as_text, read};
use crate::server::AstServer;

/// What [`AstServer::get_project_info`] answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileInfo {
    /// The file.
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// The summary of the set.
    #[serde(flatten)]
    pub info: ProjectInfo,
}

impl AstServer {
    /// Every node of a type, in the order of the tree, each as
    /// `{node_type, id, hash, attributes, children}`.
    ///
    /// # Errors
    /// No set is loaded, or there is no such type.
    pub fn find_nodes_by_type(&self, node_type: &str) -> Result<Vec<Value>, Error> {
        let node_type: NodeType = node_type.parse()?;
        let state = self.state();
        let nodes = state.loaded()?.set.nodes_by_type(node_type);
        Ok(nodes.map(|node| serde_json::to_value(node).unwrap_or_default()).collect())
    }

    /// How a file differs from the set as it is now.
    ///
    /// # Errors
    /// No set is loaded, or the file cannot be read.
    pub fn diff_with_file(&self, file: impl AsRef<Path>) -> Result<Changes, Error> {
        let timer = self.handles().diff_duration.start();
        let compare = || {
            // A copy, so that events go on meanwhile.
            let current = self.state().loaded()?.set.clone();
            let mut other = read(file.as_ref())?;
            other.continue_from(&current);
            Ok(diff(&current, &other))
        };
        compare().inspect_err(|_| timer.discard())
    }

    /// What the set holds, in numbers.
    ///
    /// # Errors
    /// No set is loaded.
    pub fn get_project_info(&self) -> Result<FileInfo, Error> {
        let state = self.state();
        let loaded = state.loaded()?;
        Ok(FileInfo { file: loaded.file.clone(), info: loaded.set.project_info() })
    }

    /// The hash of the whole tree as it is now.
    ///
    /// # Errors
    /// No set is loaded.
    pub fn root_hash(&self) -> Result<Hash, Error> {
        Ok(self.state().loaded()?.set.root_hash())
    }
}
