//! Zeroed memory straight from the system.
//!
//! The system provides a page when it is first written, and gets all of them back in the end. The
//! allocator promises neither: glibc keeps large pieces that were freed, and fills them with zeroes
//! when they are needed again, which puts every page in RAM. Each thread of a collector made after
//! another was dropped took 3 MB that way.

#![allow(unsafe_code, reason = "memory from the system is C's")]

use std::mem::needs_drop;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::slice;

use zerocopy::FromZeros;

/// No system has smaller pages, and values start at the beginning of one.
const ALIGN_MAX: usize = 4_096;

/// Values that start as zeroes, in pages of their own.
#[derive(Debug)]
pub(crate) struct Pages<T> {
    first: NonNull<T>,
    len: usize,
}

// SAFETY: it owns its values, as a box does.
unsafe impl<T: Send> Send for Pages<T> {}
// SAFETY: it only lends them.
unsafe impl<T: Sync> Sync for Pages<T> {}

impl<T: FromZeros> Pages<T> {
    /// # Panics
    /// If there is no memory, as any allocation may.
    pub(crate) fn zeroed(len: usize) -> Self {
        const { assert!(align_of::<T>() <= ALIGN_MAX && !needs_drop::<T>()) };
        if len == 0 || size_of::<T>() == 0 {
            return Self { first: NonNull::dangling(), len };
        }
        let bytes = len.checked_mul(size_of::<T>()).expect("there is memory");
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping without a file, at an address that the system chooses.
        let start = unsafe { libc::mmap(ptr::null_mut(), bytes, access, kind, -1, 0) };
        assert!(start != libc::MAP_FAILED, "there is memory: {}", std::io::Error::last_os_error());
        Self { first: NonNull::new(start.cast()).expect("the system never maps address 0"), len }
    }
}

impl<T> Deref for Pages<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: `len` values, aligned by the page, zeroed, which `FromZeros` allows as a value;
        // they live as long as the mapping, which is as long as `self`.
        unsafe { slice::from_raw_parts(self.first.as_ptr(), self.len) }
    }
}

impl<T> Drop for Pages<T> {
    fn drop(&mut self) {
        let bytes = self.len * size_of::<T>();
        if bytes > 0 {
            // SAFETY: the mapping that `zeroed` made, and nothing borrows from it any more. An
            // error would leave it there, which is as good as can be done.
            unsafe { libc::munmap(self.first.as_ptr().cast(), bytes) };
        }
    }
}
