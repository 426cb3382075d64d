//! Code without frame pointers uses their register for anything: whatever is in it when a loop is
//! asked for its stack, the walk ends, and nothing is read that is not the stack's.
#![allow(unsafe_code, reason = "a register is set by assembly")]
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::arch::asm;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tachograph::MetricsCollector;
use tachograph_loop::{LoopMonitor, StallDetector};

/// Keeps the CPU, with `frame` as its frame pointer, until it is told to stop.
#[inline(never)]
fn spins(frame: usize, stop: &AtomicBool) {
    // SAFETY: the register has its value again at the end; in between, nothing uses it but the
    // handler under test. The flag is a byte that lives on.
    unsafe {
        asm!(
            "push rbp",
            "mov rbp, {frame}",
            "2:",
            "pause",
            "cmp byte ptr [{stop}], 0",
            "je 2b",
            "pop rbp",
            frame = in(reg) frame,
            stop = in(reg) stop.as_ptr(),
        );
    }
}

/// The first address above this thread's stack.
fn stack_end() -> usize {
    // SAFETY: all zeroes is a value; the calls fill it, read it, and free what it holds.
    unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        assert_eq!(libc::pthread_getattr_np(libc::pthread_self(), &mut attributes), 0);
        let (mut low, mut size) = (std::ptr::null_mut(), 0);
        assert_eq!(libc::pthread_attr_getstack(&attributes, &mut low, &mut size), 0);
        libc::pthread_attr_destroy(&mut attributes);
        low as usize + size
    }
}

#[test]
fn whatever_is_in_the_register_the_walk_ends() {
    let end = stack_end();
    // Frames: the next one's address, and that of the code.
    let frames = [[0usize, 7]; 4];
    let mut frames = std::hint::black_box(frames);
    let at = |i: usize, frames: &[[usize; 2]; 4]| std::ptr::from_ref(&frames[i]) as usize;
    frames[0][0] = at(0, &frames);
    frames[1][0] = at(0, &frames);
    frames[2][0] = usize::MAX;
    frames[3][0] = end - 8;
    let heap = Box::new([[0usize; 2]; 64]);
    let mut hostile: Vec<usize> = (0..4).map(|i| at(i, &frames)).collect();
    hostile.extend([0, 1, 7, 8, 4_096, usize::MAX, usize::MAX - 7, 1 << 63, (1 << 47) - 8]);
    hostile.extend([end, end - 8, end - 16, end - 15, end + 8]);
    hostile.extend([
        std::ptr::from_ref(&*heap) as usize,
        at(0, &frames) + 1,
        spins as *const () as usize,
    ]);

    let metrics = MetricsCollector::new();
    let stop = Arc::new(AtomicBool::new(false));
    let [answered, empty] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let (stops, counts, empties) = (Arc::clone(&stop), Arc::clone(&answered), Arc::clone(&empty));
    let detector = StallDetector::builder()
        .threshold(Duration::from_millis(1))
        .reports_per_minute(u32::MAX)
        .on_stall(move |stall| {
            if let Ok(backtrace) = &stall.backtrace {
                counts.fetch_add(1, Ordering::Relaxed);
                // The code that was interrupted is known without any frame.
                empties.fetch_add(usize::from(backtrace.addresses().is_empty()), Ordering::Relaxed);
            }
            stops.store(true, Ordering::Relaxed);
        })
        .start(&metrics)
        .expect("a thread and a free signal");
    let mut monitor = LoopMonitor::new(&metrics, "hostile").watched_by(&detector);
    for &frame in &hostile {
        // Again where the machine was too busy for an answer.
        let before = answered.load(Ordering::Relaxed);
        while answered.load(Ordering::Relaxed) == before {
            stop.store(false, Ordering::Relaxed);
            let _turn = monitor.turn();
            spins(frame, &stop);
        }
    }
    assert_eq!(empty.load(Ordering::Relaxed), 0);
    std::hint::black_box((frames, heap));
}
