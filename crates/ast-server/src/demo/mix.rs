//! Events like those of a busy session, for the demo and the benches.
//!
//! 60 % device parameters, volume and pan, 20 % clip slots and clips, 18.9 % names, colours and
//! states, 1 % transport, 0.1 % structure and cursor; it starts with one event of each path. The
//! same set and seed give the same events, and all of them refer to something that the set has.

use live_set::Set;

use crate::events::event_type::EventType;
use crate::osc::arg::Arg;

/// Events a second while nothing special happens. Of 4 slow events a second, as
/// [`Trouble::Latency`](crate::Trouble::Latency) makes them, more than 5 % have to be slow: that is
/// what the alert on the p95 looks for.
pub const ORDINARY_RATE: u32 = 25;

/// An event to send.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MixedEvent {
    /// Its type, which determines the path.
    pub event_type: EventType,
    /// Its arguments.
    pub args: Vec<Arg<'static>>,
}

/// The shares in thousandths, and the events that take turns in each.
const SHARES: [(u64, &[EventType]); 5] = [
    (600, &[EventType::DeviceParam, EventType::TrackVolume, EventType::TrackPan]),
    (
        200,
        &[
            EventType::ClipSlotCreated,
            EventType::ClipSlotHasStop,
            EventType::ClipSlotPlayingStatus,
            EventType::ClipSlotColor,
            EventType::ClipName,
            EventType::ClipColor,
            EventType::ClipMuted,
            EventType::ClipLooping,
            EventType::ClipAdded,
            EventType::ClipRemoved,
        ],
    ),
    (
        189,
        &[
            EventType::TrackRenamed,
            EventType::TrackMute,
            EventType::TrackArm,
            EventType::TrackSolo,
            EventType::TrackColor,
            EventType::SceneRenamed,
            EventType::SceneColor,
            EventType::SceneTriggered,
        ],
    ),
    (10, &[EventType::TransportPlay, EventType::TransportTempo, EventType::TransportPosition]),
    (
        1,
        &[
            EventType::TrackAdded,
            EventType::TrackDeleted,
            EventType::DeviceAdded,
            EventType::DeviceDeleted,
            EventType::SceneAdded,
            EventType::SceneRemoved,
            EventType::SceneReordered,
            EventType::CursorTrack,
            EventType::CursorScene,
            EventType::CursorClipSlot,
        ],
    ),
];

const NAMES: [&str; 8] = ["Bass", "Lead", "Pad", "Drums", "Vox", "Keys", "Strings", "Noise"];

/// An endless sequence of events.
#[derive(Clone, Debug)]
pub struct Mix {
    places: Places,
    random: Random,
    /// How many events of each share were produced.
    given: [u64; SHARES.len()],
}

impl Mix {
    /// A mix for a set. If the set has no device, no clip or no empty slot, the events that need
    /// one are invalid.
    #[must_use]
    pub fn new(set: &Set, seed: u64) -> Self {
        Self { places: Places::of(set), random: Random(seed | 1), given: Default::default() }
    }

    fn next_type(&mut self) -> EventType {
        let total: u64 = self.given.iter().sum();
        // First one event of each path; then a turn for the share that is furthest behind.
        let unfinished = |&share: &usize| self.given[share] < SHARES[share].1.len() as u64;
        let behind = |&share: &usize| {
            (SHARES[share].0 * (total + 1)).cast_signed()
                - (self.given[share] * 1_000).cast_signed()
        };
        let shares = 0..SHARES.len();
        let share = shares.clone().find(unfinished).or_else(|| shares.max_by_key(behind));
        let share = share.unwrap_or_default();
        let turns = SHARES[share].1;
        let turn = usize::try_from(self.given[share]).unwrap_or_default() % turns.len();
        self.given[share] += 1;
        turns[turn]
    }

    fn args(&mut self, event_type: EventType) -> Vec<Arg<'static>> {
        use EventType as E;
        let Self { places, random, .. } = self;
        let track = Arg::Int(random.below(places.tracks));
        let scene = Arg::Int(random.below(places.scenes));
        let name = Arg::Text(random.pick(&NAMES).copied().unwrap_or_default());
        let color = Arg::Int(random.below(1 << 24));
        let flag = Arg::Int(random.below(2));
        let float = Arg::Float(random.unit());
        let at = |(track, scene): (i32, i32)| [Arg::Int(track), Arg::Int(scene)];
        let in_slot = |place: (i32, i32), value| [at(place).as_slice(), &[value]].concat();
        match event_type {
            E::DeviceParam => {
                let (track, device, parameters) =
                    random.pick(&places.devices).copied().unwrap_or_default();
                let parameter = random.below(parameters);
                // The first parameter is the device's switch.
                let value = if parameter == 0 { flag } else { float };
                vec![Arg::Int(track), Arg::Int(device), Arg::Int(parameter), value]
            }
            E::TrackVolume | E::TrackPan => vec![track, float],
            E::TrackMute | E::TrackArm | E::TrackSolo => vec![track, flag],
            E::TrackColor => vec![track, color],
            E::TrackRenamed => vec![track, name],
            E::SceneColor => vec![scene, color],
            E::SceneRenamed | E::SceneReordered => vec![scene, name],
            E::SceneTriggered | E::CursorScene => vec![scene],
            E::ClipSlotCreated => {
                let place = random.pick(&places.empty_slots).copied().unwrap_or_default();
                [at(place).as_slice(), &[Arg::Int(0), flag, Arg::Int(0)]].concat()
            }
            E::ClipSlotHasStop => in_slot(places.any_slot(random), flag),
            E::ClipSlotPlayingStatus => in_slot(places.any_slot(random), Arg::Int(random.below(3))),
            E::ClipSlotColor => in_slot(places.any_slot(random), color),
            E::ClipName => in_slot(places.clip(random), name),
            E::ClipColor => in_slot(places.clip(random), color),
            E::ClipMuted | E::ClipLooping => in_slot(places.clip(random), flag),
            // A clip is removed where the last one was added: the two take turns.
            E::ClipAdded => {
                places.guest = random.pick(&places.guest_slots).copied().unwrap_or_default();
                in_slot(places.guest, name)
            }
            E::ClipRemoved => at(places.guest).to_vec(),
            E::TransportPlay => vec![flag],
            E::TransportTempo => vec![Arg::Float(60.0 + 100.0 * random.unit())],
            E::TransportPosition => vec![Arg::Float(1_000.0 * random.unit())],
            E::CursorTrack => vec![track],
            E::CursorClipSlot => vec![track, scene],
            // What is added is removed at the next turn, from the same place.
            E::TrackAdded => vec![Arg::Int(places.add_track(random)), name, Arg::Text("midi")],
            E::TrackDeleted => vec![Arg::Int(places.delete_track())],
            E::DeviceAdded => [at(places.add_device(random)).as_slice(), &[name]].concat(),
            E::DeviceDeleted => at(places.delete_device()).to_vec(),
            E::SceneAdded => vec![Arg::Int(places.add_scene(random)), name],
            E::SceneRemoved => vec![Arg::Int(places.remove_scene())],
        }
    }
}

impl Iterator for Mix {
    type Item = MixedEvent;

    fn next(&mut self) -> Option<MixedEvent> {
        let event_type = self.next_type();
        Some(MixedEvent { event_type, args: self.args(event_type) })
    }
}

/// The nodes of a set that events can refer to.
#[derive(Clone, Debug)]
struct Places {
    tracks: i32,
    scenes: i32,
    /// Track, device, and number of parameters.
    devices: Vec<(i32, i32, i32)>,
    clips: Vec<(i32, i32)>,
    /// Slots that never hold a clip.
    empty_slots: Vec<(i32, i32)>,
    /// Slots to which clips are added and from which they are removed.
    guest_slots: Vec<(i32, i32)>,
    guest: (i32, i32),
    /// The track added last, to be removed next.
    new_track: i32,
    /// The device added last: its track and its position there.
    new_device: (i32, i32),
    /// The scene added last.
    new_scene: i32,
}

impl Places {
    fn of(set: &Set) -> Self {
        let tracks = || (0..).zip(&set.project().tracks);
        let devices = tracks().flat_map(|(track, owner)| {
            (0..).zip(&owner.devices).map(move |(device, found)| {
                (track, device, i32::try_from(found.parameters.len()).unwrap_or_default())
            })
        });
        let slots = tracks().flat_map(|(track, owner)| {
            let slots = owner.slots.iter();
            slots.map(move |slot| {
                let row = i32::try_from(slot.scene_index).unwrap_or_default();
                (slot.clip.is_some(), (track, row))
            })
        });
        let (clips, empty): (Vec<_>, Vec<_>) = slots.partition(|(has_clip, _)| *has_clip);
        let places = |slots: &[(bool, (i32, i32))]| slots.iter().map(|slot| slot.1).collect();
        let (empty, guests) = empty.split_at(empty.len() / 2);
        Self {
            tracks: i32::try_from(set.num_tracks()).unwrap_or_default(),
            scenes: i32::try_from(set.num_scenes()).unwrap_or_default(),
            devices: devices.filter(|(.., parameters)| *parameters > 0).collect(),
            clips: places(&clips),
            empty_slots: places(empty),
            guest_slots: places(guests),
            guest: (0, 0),
            new_track: 0,
            new_device: (0, 0),
            new_scene: 0,
        }
    }

    fn add_track(&mut self, random: &mut Random) -> i32 {
        self.new_track = random.below(self.tracks + 1);
        self.move_tracks(self.new_track, 1);
        self.new_track
    }

    fn delete_track(&mut self) -> i32 {
        self.move_tracks(self.new_track, -1);
        self.new_track
    }

    fn add_scene(&mut self, random: &mut Random) -> i32 {
        self.new_scene = random.below(self.scenes + 1);
        self.move_scenes(self.new_scene, 1);
        self.new_scene
    }

    fn remove_scene(&mut self) -> i32 {
        self.move_scenes(self.new_scene, -1);
        self.new_scene
    }

    /// Adds it before the first device of a track.
    fn add_device(&mut self, random: &mut Random) -> (i32, i32) {
        self.new_device = (random.below(self.tracks), 0);
        self.move_devices(1);
        self.new_device
    }

    fn delete_device(&mut self) -> (i32, i32) {
        self.move_devices(-1);
        self.new_device
    }

    /// A new track contains none of these nodes, so everything from there on moves.
    fn move_tracks(&mut self, first: i32, by: i32) {
        self.tracks += by;
        let devices = self.devices.iter_mut().map(|(track, ..)| track);
        let slots = [&mut self.clips, &mut self.empty_slots, &mut self.guest_slots];
        let slots = slots.into_iter().flatten().map(|(track, _)| track);
        shift(devices.chain(slots).chain([&mut self.guest.0]), first, by);
    }

    fn move_scenes(&mut self, first: i32, by: i32) {
        self.scenes += by;
        let slots = [&mut self.clips, &mut self.empty_slots, &mut self.guest_slots];
        let slots = slots.into_iter().flatten().map(|(_, scene)| scene);
        shift(slots.chain([&mut self.guest.1]), first, by);
    }

    fn move_devices(&mut self, by: i32) {
        let (track, first) = self.new_device;
        let of_track = self.devices.iter_mut().filter(|device| device.0 == track);
        shift(of_track.map(|(_, device, _)| device), first, by);
    }

    fn clip(&self, random: &mut Random) -> (i32, i32) {
        random.pick(&self.clips).copied().unwrap_or_default()
    }

    fn any_slot(&self, random: &mut Random) -> (i32, i32) {
        let slots = if random.below(2) == 0 { &self.clips } else { &self.empty_slots };
        random.pick(slots).copied().unwrap_or_default()
    }
}

/// Moves the positions from `first` on.
fn shift<'a>(positions: impl Iterator<Item = &'a mut i32>, first: i32, by: i32) {
    for position in positions.filter(|position| **position >= first) {
        *position += by;
    }
}

/// An xorshift generator: fast, and the same on every platform.
#[derive(Clone, Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    fn below(&mut self, end: i32) -> i32 {
        let end = u64::try_from(end.max(1)).unwrap_or(1);
        i32::try_from(self.next() % end).unwrap_or_default()
    }

    fn unit(&mut self) -> f32 {
        self.below(1_000_001) as f32 / 1_000_000.0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let len = i32::try_from(from.len()).unwrap_or(i32::MAX);
        from.get(usize::try_from(self.below(len)).unwrap_or_default())
    }
}
