//! The estimated memory of nodes, for the limit.

use super::{ClipContent, Device, Node, NodeRef, Parameter};

/// The heap memory of an id, including allocator overhead.
pub(crate) const ID_BYTES: usize = 64;
/// The allocator overhead of a text.
pub(crate) const TEXT_BYTES: usize = 16;
/// A parameter without its name.
pub(crate) const PARAMETER_BYTES: usize = size_of::<Parameter>() + TEXT_BYTES;

impl NodeRef<'_> {
    /// The memory of the node and everything below it.
    pub(crate) fn bytes(self) -> usize {
        self.walk().map(Self::own_bytes).sum()
    }

    fn own_bytes(self) -> usize {
        let texts = match self {
            Self::Project(_) => 0,
            // Its mixer is a separate node.
            Self::Track(track) => track.name.len() + ID_BYTES,
            Self::Device(device) => device_bytes(device),
            Self::ClipSlot(_) => 0,
            Self::Clip(clip) => clip.name.len() + content_bytes(&clip.content),
            Self::Scene(scene) => scene.name.len() + scene.annotation.len(),
            Self::Mixer(mixer) => mixer.sends.len() * (size_of::<f64>() + size_of::<bool>()),
            Self::FileRef(file) => file.name.len() + file.path.len() + file.id.as_str().len(),
            Self::Locator(locator) => locator.name.len(),
        };
        texts + ID_BYTES + self.size()
    }

    /// The memory of the node itself, in its owner's list.
    fn size(self) -> usize {
        match self {
            Self::Project(node) => size_of_val(node),
            Self::Track(node) => size_of_val(node),
            Self::Device(node) => size_of_val(node),
            Self::ClipSlot(node) => size_of_val(node),
            Self::Clip(node) => size_of_val(node),
            Self::Scene(node) => size_of_val(node),
            // Part of its track.
            Self::Mixer(_) => 0,
            Self::FileRef(node) => size_of_val(node),
            Self::Locator(node) => size_of_val(node),
        }
    }
}

impl Node {
    pub(crate) fn bytes(&self) -> usize {
        self.as_ref().bytes()
    }
}

fn device_bytes(device: &Device) -> usize {
    device.name.len() + device.device_type.len() + parameters_bytes(&device.parameters)
}

pub(crate) fn parameters_bytes(parameters: &[Parameter]) -> usize {
    parameters.iter().map(|it| PARAMETER_BYTES + it.name.len()).sum()
}

fn content_bytes(content: &ClipContent) -> usize {
    match content {
        ClipContent::Midi { .. } => 0,
        ClipContent::Audio { sample_name } => sample_name.len(),
    }
}
