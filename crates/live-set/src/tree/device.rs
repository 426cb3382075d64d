//! Devices and their parameters.

use std::sync::Arc;

use serde::Serialize;

use super::node::{Attribute, TreeNode};
use super::{Hash, Hasher, NO_HASH, Node, NodeId, NodeType, ValueRef};

/// A device in a track's chain, or in a rack's.
///
/// The children of a rack are the devices of its chains, chain after chain.
///
/// Its parameters are an attribute, a list of `{name, value}`, not separate nodes: a set has ten
/// times as many parameters as nodes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Device {
    /// The owner's id and the `Id` of the device; in a rack also that of its chain.
    pub id: NodeId,
    /// The hash of the device and its contents.
    pub hash: Hash,
    /// The name given by the user, or else that of the plug-in, or else the device's class.
    pub name: String,
    /// The device's class: the name of its element, such as `Eq8` or `PluginDevice`. Empty if only
    /// an event announced the device.
    pub device_type: String,
    /// The parameters in Live's numbering: the device's switch first, called `On`, then those of
    /// the file in its order; a rack's start with its macros. Parameters that only events announced
    /// have no names.
    ///
    /// Copies of the device share the list until an edit changes one of them: it is half of a tree.
    pub parameters: Arc<[Parameter]>,
    /// The devices of a rack's chains.
    pub devices: Vec<Device>,
}

/// A parameter of a device.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Parameter {
    /// The name of its element, or the one that a plug-in or Max device gives it.
    pub name: String,
    /// The value in the file; a switch is 0 or 1.
    pub value: f64,
}

impl Parameter {
    /// The switch that every device has, switched on.
    pub(crate) fn switch() -> Self {
        Self { name: "On".to_owned(), value: 1.0 }
    }

    /// A parameter of which only the position is known.
    pub(crate) const fn unnamed(place: usize) -> Self {
        // A device is on unless an event or file says otherwise.
        Self { name: String::new(), value: if place == 0 { 1.0 } else { 0.0 } }
    }
}

impl PartialEq for Parameter {
    /// Bitwise equality: see [`ValueRef`].
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.value.to_bits() == other.value.to_bits()
    }
}

impl Device {
    pub(crate) fn new(id: NodeId, device_type: String) -> Self {
        Self {
            id,
            hash: NO_HASH,
            name: device_type.clone(),
            device_type,
            parameters: Arc::default(),
            devices: Vec::new(),
        }
    }

    /// The device's switch, which is its first parameter; on if unknown.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.parameters.first().is_none_or(|switch| switch.value != 0.0)
    }

    /// The number of devices, including those inside this one.
    pub(crate) fn count(&self) -> usize {
        1 + self.devices.iter().map(Self::count).sum::<usize>()
    }

    /// Hashes the contents of the device, then the device. Reading limits the depth.
    pub(crate) fn rehash_all(&mut self, hasher: &mut Hasher) {
        self.devices.iter_mut().for_each(|device| device.rehash_all(hasher));
        self.rehash(hasher);
    }

    /// Hashes the device, whose children's hashes must be correct.
    pub(crate) fn rehash(&mut self, hasher: &mut Hasher) {
        self.hash = hasher.hash(self);
    }
}

impl TreeNode for Device {
    const TYPE: NodeType = NodeType::Device;
    type Attributes<'a> = [Attribute<'a>; 4];

    fn id(&self) -> &NodeId {
        &self.id
    }

    fn attributes(&self) -> Self::Attributes<'_> {
        [
            ("name", ValueRef::Text(&self.name)),
            ("device_type", ValueRef::Text(&self.device_type)),
            ("is_enabled", ValueRef::Bool(self.is_enabled())),
            ("parameters", ValueRef::Parameters(&self.parameters)),
        ]
    }

    fn for_each_child_hash(&self, mut add: impl FnMut(Hash)) {
        self.devices.iter().for_each(|device| add(device.hash));
    }

    fn into_node(self) -> Node {
        Node::Device(Box::new(self))
    }
}
