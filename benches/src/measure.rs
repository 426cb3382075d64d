//! Taking figures.

use std::thread;
use std::time::Instant;

use crate::case::Case;
use crate::figures::Figures;
use crate::gate::Gate;
use crate::options::Options;

/// How often what is done.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Threads that run the operation at the same time.
    pub threads: usize,
    /// Figures of one operation.
    pub rounds: usize,
    /// Bursts that a figure is the median of: a thread that loses its core in one of them moves
    /// nothing.
    pub bursts: u32,
    /// Operations that are timed together.
    pub burst: u64,
}

impl Plan {
    /// One thread; bursts that fit a quarter of the lane that a thread starts with, so that a
    /// ring which is read between bursts is never full.
    pub fn of_bursts() -> Self {
        let (rounds, bursts) = if Options::get().quick { (9, 10) } else { (25, 40) };
        Self { threads: 1, rounds, bursts, burst: 1_024 }
    }
}

/// Takes the figures of all cases, which take turns from round to round.
///
/// Each round runs on threads of its own, after a burst that is not timed.
///
/// # Panics
/// Where the check of a case does.
pub fn measure(cases: &[Case<'_>], plan: Plan) -> Vec<Figures> {
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
    rounds.into_iter().map(Figures::of).collect()
}

/// One figure: nanoseconds an operation.
fn round(case: &Case<'_>, plan: Plan) -> f64 {
    let gate = Gate::new(plan.threads);
    let each: f64 = thread::scope(|scope| {
        let member = |first| {
            let gate = &gate;
            scope.spawn(move || bursts(case, plan, gate, first))
        };
        let threads: Vec<_> = (0..plan.threads).map(|i| member(i == 0)).collect();
        // The mean of the threads: between bursts one of them reads what all have written, so
        // they need not be alike.
        threads.into_iter().map(|thread| thread.join().expect("no operation panics").median).sum()
    });
    each / plan.threads as f64 / plan.burst as f64
}

/// The bursts of one thread; gives nanoseconds a burst.
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

/// Times `act` once a round, after `prepare`, which is not timed; figures in nanoseconds.
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
