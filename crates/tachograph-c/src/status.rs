//! The results of calls.

use std::ffi::{CStr, c_char};

/// The result of a call.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// A pointer that must not be NULL is NULL.
    NullPointer = 1,
    /// A name, tag, unit or description is not valid UTF-8.
    NotUtf8 = 2,
    /// More than 64 tags.
    TooManyTags = 3,
    /// The buffer is too small: `*length` is the length that is needed, without the final NUL.
    BufferTooSmall = 4,
    /// There is no such series, or it has another kind, or the collector was never enabled.
    NotFound = 5,
    /// The time was over before everything was counted; a later read has it all.
    TimedOut = 6,
    /// A bug in the library, whose message is on stderr. The collector remains usable.
    Panicked = 7,
}

impl Status {
    const ALL: [(Self, &CStr); 8] = [
        (Self::Ok, c"done"),
        (Self::NullPointer, c"a pointer that must not be NULL is NULL"),
        (Self::NotUtf8, c"a name, tag, unit or description is not valid UTF-8"),
        (Self::TooManyTags, c"a series has at most 64 tags"),
        (Self::BufferTooSmall, c"the buffer is too small: allocate *length + 1 bytes and repeat"),
        (Self::NotFound, c"no such series, or it has another kind: register it first"),
        (Self::TimedOut, c"the time was over before everything was counted"),
        (Self::Panicked, c"a bug in Tachograph: stderr has its message, please report it"),
    ];
}

/// A sentence about a status, for people: never NULL, valid forever, whatever the number.
#[unsafe(no_mangle)]
pub extern "C" fn tachograph_status_text(status: i32) -> *const c_char {
    let found = Status::ALL.iter().find(|(known, _)| *known as i32 == status);
    found.map_or(c"not a status of Tachograph", |(_, text)| text).as_ptr()
}
