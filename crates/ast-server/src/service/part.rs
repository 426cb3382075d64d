//! The threads and tasks of a service. One that panics is restarted, and `/health` reports it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tachograph::Counter;

/// The pause after a panic; work for the part waits meanwhile.
const PAUSE: Duration = Duration::from_millis(100);
/// How long `/health` reports a panic.
const REMEMBERED: Duration = Duration::from_secs(10);

/// A thread or task of a service. Cheap to clone: all clones share one state.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    name: &'static str,
    restarts: Counter,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    has_ended: bool,
    panicked: Option<Instant>,
    panics: u64,
}

impl Part {
    pub(crate) fn new(name: &'static str, restarts: Counter) -> Self {
        Self { name, restarts, state: Arc::default() }
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// Runs `work` until it returns, restarting it after each panic. Blocks.
    pub(crate) fn run(&self, mut work: impl FnMut()) {
        while catch_unwind(AssertUnwindSafe(&mut work)).is_err() {
            self.has_panicked();
            std::thread::sleep(PAUSE);
        }
        self.state().has_ended = true;
    }

    /// Runs a task until it returns, restarting it after each panic.
    pub(crate) async fn run_task<F: Future<Output = ()>>(&self, mut work: impl FnMut() -> F) {
        // Creating the future may panic too.
        while AssertUnwindSafe(async { work().await }).catch_unwind().await.is_err() {
            self.has_panicked();
            tokio::time::sleep(PAUSE).await;
        }
        self.state().has_ended = true;
    }

    /// Why `/health` should report a problem, if it should.
    pub(crate) fn check(&self) -> Result<(), String> {
        let state = self.state();
        if state.has_ended {
            return Err("it has ended".to_owned());
        }
        match state.panicked.map(|at| at.elapsed()) {
            Some(ago) if ago < REMEMBERED => {
                let (panics, ago) = (state.panics, ago.as_secs_f64());
                Err(format!(
                    "it has panicked and was run again, {ago:.1} s ago; {panics} times so far"
                ))
            }
            _ => Ok(()),
        }
    }

    fn has_panicked(&self) {
        self.restarts.increment();
        tracing::error!(
            part = self.name,
            "a part of the server has panicked, and is run again: please report it"
        );
        let mut state = self.state();
        state.panics += 1;
        state.panicked = Some(Instant::now());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Only a few words: a panic leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tachograph::MetricsCollector;

    use super::*;

    fn part(metrics: &MetricsCollector) -> Part {
        Part::new("a part", metrics.register_counter("restarts"))
    }

    fn restarts(metrics: &MetricsCollector) -> i128 {
        metrics.get_counter("restarts").map_or(0, |stats| stats.value)
    }

    #[test]
    fn a_thread_that_panics_runs_on_and_health_says_so() {
        let metrics = MetricsCollector::new();
        let part = part(&metrics);
        assert_eq!(part.check(), Ok(()));
        let (mut queue, mut done) = (vec![4, 3, 2, 1], Vec::new());
        let seen = part.clone();
        part.run(|| {
            while let Some(item) = queue.pop() {
                if done.len() == 3 {
                    assert!(seen.check().is_err_and(|reason| reason.contains("1 times so far")));
                }
                assert_ne!(item, 2, "a panic that the test asks for");
                done.push(item);
            }
        });
        assert_eq!(done, [1, 3, 4], "what comes after the panic is done");
        assert_eq!(restarts(&metrics), 1);
        assert_eq!(part.check(), Err("it has ended".to_owned()));
    }

    #[tokio::test]
    async fn a_task_that_panics_runs_on() {
        let metrics = MetricsCollector::new();
        let part = part(&metrics);
        let mut runs = 0;
        part.run_task(|| {
            runs += 1;
            let run = runs;
            async move { assert!(run > 2, "a panic that the test asks for") }
        })
        .await;
        assert_eq!((runs, restarts(&metrics)), (3, 2));
        assert!(part.check().is_err());
    }
}
