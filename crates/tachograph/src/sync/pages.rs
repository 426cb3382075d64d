//! Zeroed memory straight from the system.
//!
//! The system provides a page when it is first written, and gets all of them back in the end. The
//! allocator promises neither: glibc keeps large pieces that were freed, and fills them with zeroes
//! when they are needed again, which puts every page in RAM: 3 MB for each thread of a collector
//! that is made after another was dropped.
//!
//! Huge pages are declined: the first store would put 2 MiB in RAM, and wait until they are zeroed.

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
        #[cfg(target_os = "linux")]
        // SAFETY: advice about the new mapping. A kernel without huge pages refuses it, and needs
        // none.
        unsafe {
            libc::madvise(start, bytes, libc::MADV_NOHUGEPAGE)
        };
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn no_huge_page_is_made_of_them() {
        // A kernel without huge pages has no such advice.
        if std::fs::metadata("/sys/kernel/mm/transparent_hugepage").is_err() {
            return;
        }
        let pages = Pages::<u64>::zeroed(1 << 20);
        let address = pages.as_ptr().addr();
        let maps = std::fs::read_to_string("/proc/self/smaps").expect("Linux");
        let is_its_own = |line: &&str| {
            let range = line.split_whitespace().next().and_then(|range| range.split_once('-'));
            range.is_some_and(|(start, end)| {
                let [start, end] = [start, end].map(|at| usize::from_str_radix(at, 16));
                start.is_ok_and(|start| start <= address) && end.is_ok_and(|end| address < end)
            })
        };
        let mut own = maps.lines().skip_while(|line| !is_its_own(line));
        let flags = own.find_map(|line| line.strip_prefix("VmFlags:")).expect("it is mapped");
        assert!(flags.split_whitespace().any(|flag| flag == "nh"), "{flags}");
    }
}
