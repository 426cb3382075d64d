//! A deterministic simulation: recorders, passes, reads, resets, time, overload and panics, all
//! generated from one seed and compared with a naive model.
//!
//! `cargo xtask simulate` runs the seeds; `cargo xtask simulate 42` runs one of them and prints
//! every step.

mod check;
mod compound;
mod difference;
mod handle;
mod model;
mod passes;
mod places;
mod recording;
mod trace;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

use self::world::World;

/// The default number of seeds: a debug build takes 4 ms for one.
const SEEDS: u64 = if cfg!(debug_assertions) { 2_000 } else { 10_000 };

#[allow(clippy::print_stdout, reason = "a test's output, which is shown where it is asked for")]
fn say(what: &str) {
    println!("{what}");
}

/// Runs one seed on a separate thread, so that no thread-local of another seed is left.
fn run(seed: u64, loud: bool) -> Result<(), String> {
    let run = move || World::new(seed, loud).run();
    let thread = thread::Builder::new().stack_size(1 << 20);
    let thread = thread.spawn(run).map_err(|error| error.to_string())?;
    thread.join().map_err(|panic| match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => (*panic.downcast::<&str>().unwrap_or_default()).to_owned(),
    })
}

fn from_env(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is a number, not {value}")))
}

#[test]
fn every_seed_keeps_every_invariant() {
    if let Some(seed) = from_env("TACHOGRAPH_SEED") {
        return run(seed, true).unwrap_or_else(|problem| panic!("seed {seed}: {problem}"));
    }
    let seeds = from_env("TACHOGRAPH_SEEDS").unwrap_or(SEEDS);
    let next = Mutex::new(0..seeds);
    let failed = Mutex::new(Vec::new());
    let take = || next.lock().ok().and_then(|mut next| next.next());
    let work = || {
        while let Some(seed) = take() {
            if let Err(problem) = run(seed, false)
                && let Ok(mut failed) = failed.lock()
            {
                failed.push((seed, problem));
                return;
            }
        }
    };
    let started = std::time::Instant::now();
    thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        (0..workers).for_each(|_| _ = scope.spawn(work));
    });
    let failed = failed.into_inner().unwrap_or_default();
    if let Some((seed, problem)) = failed.first() {
        panic!("seed {seed}: {problem}\nreplay it: cargo xtask simulate {seed}");
    }
    say(&format!("{seeds} seeds in {:.1} s", started.elapsed().as_secs_f64()));
}

/// Tests the oracle itself: what it must not accept.
#[test]
fn a_record_that_the_model_knows_nothing_of_is_noticed() {
    for seed in 0..20 {
        let outcome = catch_unwind(AssertUnwindSafe(|| World::new(seed, false).run_tampered()));
        assert!(outcome.is_err(), "seed {seed}");
    }
}
