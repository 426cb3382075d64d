//! Decodes an event's arguments into its request.

use live_set::{Edit, Rejected, TrackKind};

use crate::events::event_type::EventType;
use crate::osc::arg::Arg;

/// Why an event was rejected. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// Its arguments do not match its path.
    #[error(transparent)]
    Arguments(#[from] BadArgument),
    /// It refers to something that the set does not have.
    #[error(transparent)]
    Set(#[from] Rejected),
}

/// An argument that does not match the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("argument {position} (counted from 0) is not {wanted}: see the protocol's table")]
pub struct BadArgument {
    /// Its position, counted from 0.
    pub position: usize,
    /// The expected argument.
    pub wanted: &'static str,
}

/// The request of an event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Request {
    /// An edit of the set.
    Edit(Edit),
    /// Forward the event to viewers unchanged.
    Forward,
    /// Nothing, because other events cover it. A scene has been added in this row.
    Announced { scene: usize },
}

/// Decodes the arguments of an event. Extra arguments are ignored.
///
/// # Errors
/// [`BadArgument`] if an argument is missing, has the wrong type, is a negative position, or is not
/// finite.
pub(crate) fn decode(event_type: EventType, args: &[Arg<'_>]) -> Result<Request, BadArgument> {
    use EventType as E;
    let args = Args(args);
    let edit = match event_type {
        E::TrackRenamed | E::TrackMute | E::TrackArm | E::TrackSolo => track(event_type, args)?,
        E::TrackVolume | E::TrackPan | E::TrackColor => track(event_type, args)?,
        E::TrackAdded | E::TrackDeleted => track(event_type, args)?,
        E::DeviceAdded | E::DeviceDeleted | E::DeviceParam => device(event_type, args)?,
        E::SceneRenamed => Edit::SceneName { scene: args.index(0)?, name: args.text(1)? },
        E::SceneColor => Edit::SceneColor { scene: args.index(0)?, color: args.int(1)? },
        E::SceneTriggered => Edit::SceneTriggered { scene: args.index(0)? },
        E::ClipSlotCreated | E::ClipSlotHasStop | E::ClipSlotPlayingStatus | E::ClipSlotColor => {
            slot(event_type, args)?
        }
        E::ClipName | E::ClipColor | E::ClipMuted | E::ClipLooping => clip(event_type, args)?,
        E::ClipAdded | E::ClipRemoved => clip(event_type, args)?,
        E::TransportPlay => Edit::TransportPlay { is_playing: args.flag(0)? },
        E::TransportTempo => Edit::TransportTempo { tempo: args.float(0)? },
        E::TransportPosition => Edit::TransportPosition { position: args.float(0)? },
        E::SceneAdded => Edit::SceneAdded { scene: args.index(0)?, name: args.text(1)? },
        E::SceneRemoved => Edit::SceneRemoved { scene: args.index(0)? },
        E::SceneReordered => {
            let scene = args.index(0)?;
            args.text(1)?;
            return Ok(Request::Announced { scene });
        }
        E::CursorTrack | E::CursorScene | E::CursorClipSlot => {
            args.can_be_told()?;
            return Ok(Request::Forward);
        }
    };
    Ok(Request::Edit(edit))
}

fn track(event_type: EventType, args: Args<'_>) -> Result<Edit, BadArgument> {
    let track = args.index(0)?;
    Ok(match event_type {
        EventType::TrackRenamed => Edit::TrackName { track, name: args.text(1)? },
        EventType::TrackMute => Edit::TrackMute { track, is_muted: args.flag(1)? },
        EventType::TrackArm => Edit::TrackArm { track, is_armed: args.flag(1)? },
        EventType::TrackSolo => Edit::TrackSolo { track, is_soloed: args.flag(1)? },
        EventType::TrackVolume => Edit::TrackVolume { track, volume: args.float(1)? },
        EventType::TrackPan => Edit::TrackPan { track, pan: args.float(1)? },
        EventType::TrackAdded => {
            Edit::TrackAdded { track, name: args.text(1)?, kind: args.track_kind(2)? }
        }
        EventType::TrackDeleted => Edit::TrackDeleted { track },
        _ => Edit::TrackColor { track, color: args.int(1)? },
    })
}

fn device(event_type: EventType, args: Args<'_>) -> Result<Edit, BadArgument> {
    let (track, device) = (args.index(0)?, args.index(1)?);
    Ok(match event_type {
        EventType::DeviceAdded => Edit::DeviceAdded { track, device, name: args.text(2)? },
        EventType::DeviceDeleted => Edit::DeviceDeleted { track, device },
        _ => Edit::DeviceParameter {
            track,
            device,
            parameter: args.index(2)?,
            value: args.float(3)?,
        },
    })
}

fn slot(event_type: EventType, args: Args<'_>) -> Result<Edit, BadArgument> {
    let (track, scene) = (args.index(0)?, args.index(1)?);
    Ok(match event_type {
        EventType::ClipSlotCreated => Edit::ClipSlotState {
            track,
            scene,
            has_clip: args.flag(2)?,
            has_stop_button: args.flag(3)?,
            playing_status: args.int(4)?,
        },
        EventType::ClipSlotHasStop => {
            Edit::ClipSlotStopButton { track, scene, has_stop_button: args.flag(2)? }
        }
        EventType::ClipSlotPlayingStatus => {
            Edit::ClipSlotPlayingStatus { track, scene, playing_status: args.int(2)? }
        }
        _ => Edit::ClipSlotColor { track, scene, color: args.int(2)? },
    })
}

fn clip(event_type: EventType, args: Args<'_>) -> Result<Edit, BadArgument> {
    let (track, scene) = (args.index(0)?, args.index(1)?);
    Ok(match event_type {
        EventType::ClipName => Edit::ClipName { track, scene, name: args.text(2)? },
        EventType::ClipColor => Edit::ClipColor { track, scene, color: args.int(2)? },
        EventType::ClipMuted => Edit::ClipMuted { track, scene, is_muted: args.flag(2)? },
        EventType::ClipLooping => Edit::ClipLooping { track, scene, is_looped: args.flag(2)? },
        // The name may be omitted.
        EventType::ClipAdded if args.0.len() == 2 => {
            Edit::ClipAdded { track, scene, name: String::new() }
        }
        EventType::ClipAdded => Edit::ClipAdded { track, scene, name: args.text(2)? },
        _ => Edit::ClipRemoved { track, scene },
    })
}

/// The integer in an argument. TouchOSC and others send every number as a float.
fn whole(arg: Arg<'_>) -> Option<i32> {
    match arg {
        Arg::Int(value) => Some(value),
        Arg::Float(value) => {
            let value = f64::from(value);
            let is_whole = value.fract() == 0.0;
            let fits = f64::from(i32::MIN) <= value && value <= f64::from(i32::MAX);
            // Exact: it is an integer within the range.
            (is_whole && fits).then_some(value as i32)
        }
        _ => None,
    }
}

/// Typed access to arguments by position.
#[derive(Clone, Copy)]
pub(crate) struct Args<'a>(pub(crate) &'a [Arg<'a>]);

impl Args<'_> {
    fn get<T>(
        self,
        position: usize,
        wanted: &'static str,
        read: impl FnOnce(Arg<'_>) -> Option<T>,
    ) -> Result<T, BadArgument> {
        let value = self.0.get(position).copied().and_then(read);
        value.ok_or(BadArgument { position, wanted })
    }

    /// A position: a bool is not one, and a negative one is invalid.
    pub(crate) fn index(self, position: usize) -> Result<usize, BadArgument> {
        self.get(position, "a whole number from 0 up", |arg| usize::try_from(whole(arg)?).ok())
    }

    fn int(self, position: usize) -> Result<i32, BadArgument> {
        self.get(position, "a whole number", whole)
    }

    /// An integer is accepted too: senders written in Python send 1 for 1.0.
    fn float(self, position: usize) -> Result<f64, BadArgument> {
        self.get(position, "a finite number", |arg| match arg {
            Arg::Float(value) => value.is_finite().then_some(value.into()),
            Arg::Int(value) => Some(value.into()),
            _ => None,
        })
    }

    pub(crate) fn flag(self, position: usize) -> Result<bool, BadArgument> {
        self.get(position, "0, 1 or a bool", |arg| match (arg, whole(arg)) {
            (Arg::Bool(value), _) => Some(value),
            (_, Some(0)) => Some(false),
            (_, Some(1)) => Some(true),
            _ => None,
        })
    }

    fn track_kind(self, position: usize) -> Result<TrackKind, BadArgument> {
        self.get(position, "midi, audio, group, return or master", |arg| match arg {
            Arg::Text(value) => value.parse().ok(),
            _ => None,
        })
    }

    /// Whether JSON can represent all of them.
    fn can_be_told(self) -> Result<(), BadArgument> {
        let told = |position| {
            self.get(position, "a finite number, a string or a bool", |arg| match arg {
                Arg::Float(value) => value.is_finite().then_some(()),
                Arg::Int(_) | Arg::Text(_) | Arg::Bool(_) => Some(()),
                Arg::Other => None,
            })
        };
        (0..self.0.len()).try_for_each(told)
    }

    fn text(self, position: usize) -> Result<String, BadArgument> {
        self.get(position, "a string", |arg| match arg {
            Arg::Text(value) => Some(value.to_owned()),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(event_type: EventType, args: &[Arg<'_>]) -> usize {
        decode(event_type, args).expect_err("a bad argument").position
    }

    #[test]
    fn what_is_selected_is_told_as_it_came_unless_json_cannot_say_it() {
        let args = [Arg::Int(-1), Arg::Float(0.5), Arg::Text("a"), Arg::Bool(true)];
        for event_type in [EventType::CursorTrack, EventType::CursorScene] {
            assert_eq!(decode(event_type, &args), Ok(Request::Forward));
            assert_eq!(decode(event_type, &[]), Ok(Request::Forward));
        }
        let infinite = Arg::Float(f32::INFINITY);
        assert_eq!(position(EventType::CursorClipSlot, &[Arg::Int(0), infinite]), 1);
        assert_eq!(position(EventType::CursorClipSlot, &[Arg::Other]), 0);
    }

    #[test]
    fn a_track_is_added_with_its_kind() {
        let args = [Arg::Int(2), Arg::Text("Pads"), Arg::Text("midi")];
        let (name, kind) = ("Pads".to_owned(), TrackKind::Midi);
        let edit = Request::Edit(Edit::TrackAdded { track: 2, name, kind });
        assert_eq!(decode(EventType::TrackAdded, &args), Ok(edit));
        assert_eq!(position(EventType::TrackAdded, &args[..2]), 2);
        let unknown = [args[0], args[1], Arg::Text("bus")];
        assert_eq!(position(EventType::TrackAdded, &unknown), 2);
    }

    #[test]
    fn missing_mistyped_negative_and_infinite_arguments_are_named() {
        use EventType as E;
        let (zero, text) = (Arg::Int(0), Arg::Text("a"));
        assert_eq!(position(E::TrackMute, &[]), 0);
        assert_eq!(position(E::TrackMute, &[Arg::Int(-1), zero]), 0);
        assert_eq!(position(E::TrackMute, &[Arg::Bool(true), zero]), 0);
        assert_eq!(position(E::TrackMute, &[zero, Arg::Int(2)]), 1);
        assert_eq!(position(E::TrackVolume, &[zero, Arg::Float(f32::NAN)]), 1);
        assert_eq!(position(E::TransportTempo, &[Arg::Float(f32::INFINITY)]), 0);
        assert_eq!(position(E::TrackRenamed, &[zero, zero]), 1);
        assert_eq!(position(E::DeviceParam, &[zero, zero, Arg::Float(0.5), zero]), 2);
        assert_eq!(position(E::ClipSlotCreated, &[zero, zero, zero, zero]), 4);
        assert_eq!(position(E::ClipAdded, &[zero, zero, zero]), 2);
        assert_eq!(position(E::ClipColor, &[zero, text, zero]), 1);
        assert_eq!(position(E::SceneTriggered, &[Arg::Other]), 0);
    }

    #[test]
    fn floats_that_hold_whole_numbers_pass_for_integers_and_flags() {
        let of = |event_type, args: &[f32]| {
            let args: Vec<_> = args.iter().copied().map(Arg::Float).collect();
            decode(event_type, &args)
        };
        let edit = of(EventType::TrackMute, &[3.0, 1.0]);
        assert_eq!(edit, Ok(Request::Edit(Edit::TrackMute { track: 3, is_muted: true })));
        let edit = of(EventType::ClipSlotPlayingStatus, &[0.0, -0.0, -2.0]);
        let wanted = Edit::ClipSlotPlayingStatus { track: 0, scene: 0, playing_status: -2 };
        assert_eq!(edit, Ok(Request::Edit(wanted)));
        // The last one is the first float above the largest integer.
        for track in [0.5, -1.0, f32::NAN, f32::INFINITY, 2_147_483_648.0] {
            assert!(of(EventType::TrackMute, &[track, 1.0]).is_err(), "{track}");
        }
        for flag in [2.0, 0.5, f32::NAN] {
            assert!(of(EventType::TrackMute, &[0.0, flag]).is_err(), "{flag}");
        }
    }

    #[test]
    fn whole_numbers_pass_for_floats_and_floats_keep_their_bits() {
        let args = [Arg::Int(2), Arg::Int(1)];
        let edit = decode(EventType::TrackVolume, &args).expect("a volume");
        assert_eq!(edit, Request::Edit(Edit::TrackVolume { track: 2, volume: 1.0 }));
        let args = [Arg::Int(2), Arg::Float(0.85)];
        let edit = decode(EventType::TrackPan, &args).expect("a pan");
        let pan = f64::from(0.85_f32);
        assert_eq!(edit, Request::Edit(Edit::TrackPan { track: 2, pan }));
    }
}
