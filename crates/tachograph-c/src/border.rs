//! The border between C and Rust: no panic gets out, and what comes in is checked.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::register::Tag;
use crate::status::Status;

/// The place for a result in C's memory, which need not be initialised; NULL is allowed.
pub(crate) type Out<'a, T> = Option<&'a mut MaybeUninit<T>>;

/// More tags than any series has: usually a negative number that was converted.
const TAGS_MAX: usize = 64;

/// Runs the body of a call.
pub(crate) fn guard(act: impl FnOnce() -> Result<(), Status>) -> Status {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(Ok(())) => Status::Ok,
        Ok(Err(status)) => status,
        Err(_) => Status::Panicked,
    }
}

/// Runs the body of a recording call, which has no result; without a handle it does nothing.
#[inline]
pub(crate) fn record<H, R: Default>(handle: Option<&H>, act: impl FnOnce(&H) -> R) -> R {
    let Some(handle) = handle else { return R::default() };
    catch_unwind(AssertUnwindSafe(|| act(handle))).unwrap_or_default()
}

/// Drops what a variable of C's owns, and leaves NULL in it.
pub(crate) fn free<T>(owner: Option<&mut Option<Box<T>>>) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(owner.and_then(Option::take))));
}

/// A pointer that must not be NULL.
pub(crate) fn given<T>(pointer: Option<T>) -> Result<T, Status> {
    pointer.ok_or(Status::NullPointer)
}

/// A text from C.
///
/// # Safety
/// `text` is NULL or points to bytes that end with NUL and do not change during `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char) -> Result<&'a str, Status> {
    if text.is_null() {
        return Err(Status::NullPointer);
    }
    // SAFETY: not NULL; the rest is what the caller promises.
    unsafe { CStr::from_ptr(text) }.to_str().map_err(|_| Status::NotUtf8)
}

/// Tags from C.
///
/// # Safety
/// `tags` is NULL or points to `count` tags, and neither they nor their texts change during `'a`.
pub(crate) unsafe fn tags<'a>(
    tags: *const Tag,
    count: usize,
) -> Result<Vec<(&'a str, &'a str)>, Status> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if tags.is_null() {
        return Err(Status::NullPointer);
    }
    if count > TAGS_MAX {
        return Err(Status::TooManyTags);
    }
    // SAFETY: neither NULL nor too large; the rest is what the caller promises.
    let tags = unsafe { std::slice::from_raw_parts(tags, count) };
    // SAFETY: what the caller promises.
    tags.iter().map(|tag| unsafe { Ok((text(tag.key)?, text(tag.value)?)) }).collect()
}

/// Copies a text and a NUL into C's buffer. Into one that is too small, it copies nothing.
///
/// # Safety
/// `buffer` is NULL or points to `capacity` bytes that nobody else uses meanwhile.
pub(crate) unsafe fn copy(
    text: &[u8],
    buffer: *mut c_char,
    capacity: usize,
    length: Out<'_, usize>,
) -> Result<(), Status> {
    given(length)?.write(text.len());
    if buffer.is_null() || capacity <= text.len() {
        return Err(Status::BufferTooSmall);
    }
    let buffer = buffer.cast::<u8>();
    // SAFETY: the buffer has room for the text and one more byte, and is not part of the text,
    // which is Rust's.
    unsafe {
        buffer.copy_from_nonoverlapping(text.as_ptr(), text.len());
        buffer.add(text.len()).write(0);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_stays_on_this_side() {
        assert_eq!(guard(|| panic!("on purpose")), Status::Panicked);
        assert_eq!(record(Some(&1), |_| -> u64 { panic!("on purpose") }), 0);
        struct Panics;
        impl Drop for Panics {
            fn drop(&mut self) {
                panic!("on purpose");
            }
        }
        let mut owner = Some(Box::new(Panics));
        free(Some(&mut owner));
        assert!(owner.is_none());
    }
}
