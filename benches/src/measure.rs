//! Measuring.

use std::thread;
use std::time::Instant;

use crate::case::Case;
use crate::figures::Figures;
use crate::gate::Gate;
use crate::options::Options;

/// The number of repeats.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Threads that run the operation at the same time.
    pub threads: usize,
    /// Figures per operation.
    pub rounds: usize,
    /// Bursts per figure, which is their median: losing the core during one burst changes nothing.
    pub bursts: u32,
    /// Operations that are timed together.
    pub burst: u64,
}

impl Plan {
    /// One thread, with bursts that fit a quarter of a new lane, so that a ring that is read
    /// between bursts is never full.
    pub fn of_bursts() -> Self {
        let (rounds, bursts) = if Options::get().quick { (9, 10) } else { (25, 40) };
        Self { threads: 1, rounds, bursts, burst: 1_024 }
    }
}

/// Measures all cases, which take turns from round to round. A round's figure is the mean of its
/// threads.
///
/// Each round runs on new threads, after a burst that is not timed.
///
/// # Panics
/// If a case's check fails.
pub fn measure(cases: &[Case<'_>], plan: Plan) -> Vec<Figures> {
    let mean = |round: Vec<f64>| round.iter().sum::<f64>() / plan.threads as f64;
    let of_case = |rounds: Vec<Vec<f64>>| Figures::of(rounds.into_iter().map(mean).collect());
    rounds(cases, plan).into_iter().map(of_case).collect()
}

/// Like [`measure`], with separate figures for each thread. They can differ, because the first
/// thread does a case's work between bursts.
///
/// # Panics
/// If a case's check fails.
pub fn measure_threads(cases: &[Case<'_>], plan: Plan) -> Vec<Vec<Figures>> {
    let of_thread = |rounds: &[Vec<f64>], thread: usize| {
        Figures::of(rounds.iter().map(|round| round[thread]).collect())
    };
    let of_case = |rounds: Vec<Vec<f64>>| {
        (0..plan.threads).map(|thread| of_thread(&rounds, thread)).collect()
    };
    rounds(cases, plan).into_iter().map(of_case).collect()
}

/// Nanoseconds per operation, by case, round and thread.
fn rounds(cases: &[Case<'_>], plan: Plan) -> Vec<Vec<Vec<f64>>> {
    for case in cases {
        round(case, Plan { threads: 1, bursts: 1, ..plan });
        case.assert_done();
    }
    let mut rounds: Vec<_> = cases.iter().map(|_| Vec::with_capacity(plan.rounds)).collect();
    for _ in 0..plan.rounds {
        for (case, figures) in cases.iter().zip(&mut rounds) {
            figures.push(round(case, plan));
        }
    }
    for case in cases {
        case.assert_done();
    }
    rounds
}

/// One figure per thread: nanoseconds per operation.
fn round(case: &Case<'_>, plan: Plan) -> Vec<f64> {
    let gate = Gate::new(plan.threads);
    thread::scope(|scope| {
        let member = |first| {
            let gate = &gate;
            scope.spawn(move || bursts(case, plan, gate, first))
        };
        let threads: Vec<_> = (0..plan.threads).map(|i| member(i == 0)).collect();
        let spent = threads.into_iter().map(|thread| thread.join().expect("no operation panics"));
        spent.map(|burst| burst.median / plan.burst as f64).collect()
    })
}

/// Runs one thread's bursts; returns nanoseconds per burst.
fn bursts(case: &Case<'_>, plan: Plan, gate: &Gate, is_first: bool) -> Figures {
    let mut repeat = case.start();
    repeat(plan.burst);
    let mut burst = || {
        gate.wait();
        if is_first {
            (case.between)();
        }
        gate.wait();
        let start = Instant::now();
        repeat(plan.burst);
        nanos_since(start)
    };
    let spent = (0..plan.bursts).map(|_| burst()).collect();
    gate.wait();
    if is_first {
        (case.between)();
    }
    Figures::of(spent)
}

fn nanos_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e9
}

/// Times `act` once per round, after `prepare`, which is not timed; figures in nanoseconds.
pub fn time(rounds: usize, mut prepare: impl FnMut(), mut act: impl FnMut()) -> Figures {
    let mut once = || {
        prepare();
        let start = Instant::now();
        act();
        nanos_since(start)
    };
    once();
    Figures::of((0..rounds).map(|_| once()).collect())
}

/// An act that is timed in turns with others, and its untimed preparation.
pub struct Turn<'a> {
    /// Runs before each act.
    pub prepare: Box<dyn FnMut() + 'a>,
    /// Timed once per round.
    pub act: Box<dyn FnMut() + 'a>,
}

impl std::fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn").finish_non_exhaustive()
    }
}

/// Times all acts in each round, after a round that does not count; figures in nanoseconds.
pub fn time_in_turns(rounds: usize, turns: &mut [Turn<'_>]) -> Vec<Figures> {
    let mut spent: Vec<_> = turns.iter().map(|_| Vec::with_capacity(rounds + 1)).collect();
    for _ in 0..=rounds {
        for (turn, spent) in turns.iter_mut().zip(&mut spent) {
            (turn.prepare)();
            let start = Instant::now();
            (turn.act)();
            spent.push(nanos_since(start));
        }
    }
    spent.into_iter().map(|spent| Figures::of(spent[1..].to_vec())).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn each_thread_does_every_burst_and_the_first_alone_acts_between_them() {
        let done = Mutex::new(std::collections::HashMap::<_, [u64; 2]>::new());
        let count = |place: usize| {
            let id = thread::current().id();
            done.lock().expect("no panic").entry(id).or_default()[place] += 1;
        };
        let case = Case::new("count", || (), |(), _| count(0)).between(|| count(1));
        let plan = Plan { threads: 2, rounds: 3, bursts: 4, burst: 10 };
        let figures = measure_threads(&[case], plan);
        assert_eq!(figures.iter().map(Vec::len).collect::<Vec<_>>(), [2]);
        assert!(figures[0].iter().all(|figures| figures.min > 0.0));

        let mut done: Vec<_> = done.lock().expect("no panic").values().copied().collect();
        done.sort_unstable();
        // An untimed burst comes first; before all of them, a round of one burst.
        let (first, other, trial) = ([50, 5], [50, 0], [20, 2]);
        assert_eq!(done, [trial, other, other, other, first, first, first]);
    }
}
