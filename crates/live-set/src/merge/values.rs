//! Merges the contents of tracks, scenes, devices and clips.

use std::mem;
use std::sync::Arc;

use super::siblings::Merged;
use super::{COLOR, Merge, NAME, VOLUME};
use crate::compare::change::is_place;
use crate::compare::inherit;
use crate::touched::What;
use crate::tree::{Clip, ClipSlot, Device, Mixer, Node, NodeId, Parameter, Scene, Track, TreeNode};

impl Merged for Track {
    fn of(node: &Node) -> Option<&Self> {
        if let Node::Track(node) = node { Some(node) } else { None }
    }

    fn merge(
        &mut self,
        old: Option<&Self>,
        known: Option<&Self>,
        file: &mut Self,
        merge: &mut Merge<'_>,
    ) {
        let id = &self.id.clone();
        merge.value(id, "name", &mut self.name, (old.map(|it| &it.name), &file.name));
        let color = (old.map(|it| &it.color), &file.color);
        merge.value_unless_told(id, COLOR, &mut self.color, color);
        let armed = (old.map(|it| &it.is_armed), &file.is_armed);
        merge.value(id, "is_armed", &mut self.is_armed, armed);
        // No edit changes these.
        self.track_type = file.track_type;
        self.group_id = file.group_id;
        self.is_frozen = file.is_frozen;
        self.signal = file.signal;
        self.mixer.merge(old.map(|it| &it.mixer), &file.mixer, merge);
        let none = (&[][..], &[][..]);
        let (old_devices, old_slots) = old.map_or(none, |it| (&it.devices, &it.slots));
        let (known_devices, known_slots) = known.map_or(none, |it| (&it.devices, &it.slots));
        let (own, both) = (mem::take(&mut self.devices), (old_devices, known_devices));
        self.devices = merge.siblings(id, own, both, &mut file.devices);
        let (own, both) = (mem::take(&mut self.slots), (old_slots, known_slots));
        self.slots = merge.slots(id, own, both, &mut file.slots);
        self.arrangement = merge.follow(id, &self.arrangement, &mut file.arrangement);
    }

    fn is_same(&self, other: &Self) -> bool {
        let devices = |it: &Self| it.devices.iter().map(|it| it.hash).collect::<Vec<_>>();
        let arrangement = |it: &Self| it.arrangement.iter().map(|it| it.hash).collect::<Vec<_>>();
        let clip = |slot: &ClipSlot| slot.clip.as_ref().map(|it| it.hash);
        let mut slots = self.slots.iter().zip(&other.slots);
        has_same_values(self, other)
            && self.mixer.hash == other.mixer.hash
            && devices(self) == devices(other)
            && arrangement(self) == arrangement(other)
            && self.slots.len() == other.slots.len()
            && slots.all(|(own, its)| has_same_values(own, its) && clip(own) == clip(its))
    }

    /// A slot belongs to the row of its scene, wherever that is now.
    fn take_ids(&mut self, known: &Self, merge: &mut Merge<'_>) {
        let id = &self.id.clone();
        inherit::siblings(&mut merge.ids, &mut self.devices, &known.devices, id);
        merge.slots(id, Vec::new(), (&[], &known.slots), &mut self.slots);
        inherit::siblings(&mut merge.ids, &mut self.arrangement, &known.arrangement, id);
    }

    /// Its slots go where their scenes are in the set.
    fn arrive(&mut self, merge: &mut Merge<'_>) -> Self {
        let slots = merge.slots(&self.id.clone(), Vec::new(), (&[], &[]), &mut self.slots);
        Self { slots, ..self.clone() }
    }
}

impl Mixer {
    fn merge(&mut self, old: Option<&Self>, file: &Self, merge: &Merge<'_>) {
        let id = &self.id;
        let volume = (old.map(|it| &it.volume), &file.volume);
        merge.value_unless_told(id, VOLUME, &mut self.volume, volume);
        merge.value(id, "pan", &mut self.pan, (old.map(|it| &it.pan), &file.pan));
        let muted = (old.map(|it| &it.is_muted), &file.is_muted);
        merge.value(id, "is_muted", &mut self.is_muted, muted);
        let soloed = (old.map(|it| &it.is_soloed), &file.is_soloed);
        merge.value(id, "is_soloed", &mut self.is_soloed, soloed);
        // No edit changes these.
        self.sends.clone_from(&file.sends);
        self.sends_enabled.clone_from(&file.sends_enabled);
        self.crossfader = file.crossfader;
    }
}

impl Merged for Scene {
    fn of(node: &Node) -> Option<&Self> {
        if let Node::Scene(node) = node { Some(node) } else { None }
    }

    fn merge(
        &mut self,
        old: Option<&Self>,
        _: Option<&Self>,
        file: &mut Self,
        merge: &mut Merge<'_>,
    ) {
        let id = &self.id;
        merge.value(id, "name", &mut self.name, (old.map(|it| &it.name), &file.name));
        let color = (old.map(|it| &it.color), &file.color);
        merge.value_unless_told(id, COLOR, &mut self.color, color);
        // No edit changes these.
        self.tempo = file.tempo;
        self.is_tempo_enabled = file.is_tempo_enabled;
        self.time_signature_id = file.time_signature_id;
        self.annotation.clone_from(&file.annotation);
    }

    fn is_same(&self, other: &Self) -> bool {
        has_same_values(self, other)
    }
}

impl Merged for Device {
    fn of(node: &Node) -> Option<&Self> {
        if let Node::Device(node) = node { Some(node) } else { None }
    }

    fn merge(
        &mut self,
        old: Option<&Self>,
        _: Option<&Self>,
        file: &mut Self,
        merge: &mut Merge<'_>,
    ) {
        let id = &self.id.clone();
        let name = (old.map(|it| &it.name), &file.name);
        merge.value_unless_told(id, NAME, &mut self.name, name);
        self.device_type.clone_from(&file.device_type);
        let old = old.map(|it| &*it.parameters);
        merge.parameters(id, &mut self.parameters, (old, &file.parameters));
        self.devices = merge.follow(id, &self.devices, &mut file.devices);
    }

    fn is_same(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Merge<'_> {
    /// The file's, in its order, followed by those that edits created beyond the file's list. If
    /// that is just the file's list, it is shared.
    fn parameters(
        &self,
        id: &NodeId,
        own: &mut Arc<[Parameter]>,
        (old, file): (Option<&[Parameter]>, &Arc<[Parameter]>),
    ) {
        let is_newer = |at| self.is_newer(id, What::Parameter(at));
        let mut merged = file.to_vec();
        for (at, (parameter, own)) in merged.iter_mut().zip(&**own).enumerate() {
            let is_other = !own.name.is_empty() && own.name != parameter.name;
            if is_other && !is_newer(at) {
                continue;
            }
            let old = old.and_then(|old| old.get(at)).filter(|old| old.name == parameter.name);
            let mut value = own.value;
            let both = (old.map(|old| &old.value), &parameter.value);
            self.value_of(id, What::Parameter(at), &mut value, both);
            parameter.value = value;
        }
        let is_made = |at: &usize| !self.terms.as_it_is && own[*at].name.is_empty();
        let beyond = (file.len()..own.len()).rfind(|at| is_newer(*at) || is_made(at));
        merged.extend(beyond.into_iter().flat_map(|last| own[file.len()..=last].to_vec()));
        *own = if *merged == **file { Arc::clone(file) } else { merged.into() };
    }

    /// Merges a clip with the file's clip in its place.
    pub(super) fn clip(&self, own: &mut Clip, old: Option<&Clip>, file: &Clip) {
        let id = &own.id.clone();
        self.value(id, "name", &mut own.name, (old.map(|it| &it.name), &file.name));
        let color = (old.map(|it| &it.color), &file.color);
        self.value_unless_told(id, COLOR, &mut own.color, color);
        let muted = (old.map(|it| &it.is_muted), &file.is_muted);
        self.value(id, "is_muted", &mut own.is_muted, muted);
        let looped = (old.map(|it| &it.is_looped), &file.is_looped);
        self.value(id, "is_looped", &mut own.is_looped, looped);
        // No edit changes these.
        own.start_time = file.start_time;
        own.end_time = file.end_time;
        own.loop_start = file.loop_start;
        own.loop_end = file.loop_end;
        own.content.clone_from(&file.content);
    }
}

/// Whether two nodes have the same attributes except for positions.
fn has_same_values<N: TreeNode>(one: &N, other: &N) -> bool {
    let (one, other) = (one.attributes(), other.attributes());
    let pairs = one.as_ref().iter().zip(other.as_ref());
    pairs.filter(|((name, _), _)| !is_place(name)).all(|(one, other)| one == other)
}
