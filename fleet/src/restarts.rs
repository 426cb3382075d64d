//! What `increase()` sees of a fleet whose processes restart.

use fastrand::Rng;

use crate::increase::{Sample, Span, increase};
use crate::table::{Table, percent, whole};

/// Processes, each of which serves five requests a second.
const PROCESSES: usize = 100;
const RATE: f64 = 5.0;

/// Between two scrapes or pushes, in seconds.
const INTERVAL: f64 = 15.0;

/// Between a process' end and the next one's start: nothing is served meanwhile.
const DOWN: f64 = 5.0;

/// The hour that is asked for, half an hour after all began.
const SPAN: Span = Span { start: 1_800.0, end: 5_400.0 };

/// Simulated until then.
const END: f64 = 6_000.0;

/// How often a process restarts, in seconds.
const RESTARTS: [Option<f64>; 5] = [None, Some(3_600.0), Some(600.0), Some(60.0), Some(20.0)];

/// How the counts of a process reach the server that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Scraped under one name: the series goes on after a restart.
    Scraped,
    /// Scraped under a new name after each start, as a pod has it.
    NewName,
    /// The same, by a server that stores a 0 at the time of creation.
    Created,
    /// The same, of processes that serve nothing more but wait for one more scrape before they end.
    OneMore,
    /// Totals pushed, with a 0 at the start; what the last push has not told is lost.
    Killed,
    /// The same, with a last push at the end.
    Flushed,
    /// What came since the push before, added up, with a last push at the end.
    Deltas,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Scraped,
        Self::NewName,
        Self::Created,
        Self::OneMore,
        Self::Killed,
        Self::Flushed,
        Self::Deltas,
    ];

    /// What the table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scraped => "scraped, name stays",
            Self::NewName => "new name each start",
            Self::Created => "and created times",
            Self::OneMore => "and one more scrape",
            Self::Killed => "totals pushed, killed",
            Self::Flushed => "totals, last push",
            Self::Deltas => "deltas, last push",
        }
    }
}

/// What each way makes of each frequency of restarts.
#[derive(Clone, Debug, PartialEq)]
pub struct Restarts(Vec<Row>);

#[derive(Clone, Debug, PartialEq)]
struct Row {
    every: Option<f64>,
    restarts: usize,
    served: usize,
    /// Of each way, as a share of what was served.
    errors: Vec<f64>,
}

impl Restarts {
    /// Simulates each frequency.
    pub fn of(seed: u64) -> Self {
        Self(RESTARTS.map(|every| Row::of(every, seed)).into())
    }

    /// How far a way is from what was served, as a share of it.
    pub fn error(&self, every: Option<f64>, way: Way) -> Option<f64> {
        let row = self.0.iter().find(|row| row.every == every)?;
        Way::ALL.iter().zip(&row.errors).find(|(known, _)| **known == way).map(|(_, error)| *error)
    }

    /// The errors as a table.
    pub fn table(&self) -> Table {
        let named = ["a process restarts", "restarts", "served"].into_iter();
        let mut table = Table::new(1, named.chain(Way::ALL.map(Way::name)));
        for row in &self.0 {
            let every = match row.every {
                None => "never".to_owned(),
                Some(seconds) if seconds < 60.0 => format!("every {seconds} s"),
                Some(seconds) => format!("every {} min", seconds / 60.0),
            };
            let counts = [row.restarts, row.served].map(|count| whole(count as f64));
            let errors = row.errors.iter().map(|error| percent(*error));
            table.row([every].into_iter().chain(counts).chain(errors));
        }
        table
    }
}

impl Row {
    fn of(every: Option<f64>, seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let (mut restarts, mut served, mut told) = (0, 0, [0.0; Way::ALL.len()]);
        for _ in 0..PROCESSES {
            let process = Process::new(every, &mut random);
            restarts += process.lives.iter().filter(|life| SPAN.contains(life.start)).count();
            served += process.lives.iter().map(Life::served_in_span).sum::<usize>();
            for (told, way) in told.iter_mut().zip(Way::ALL) {
                *told += process.told(way);
            }
        }
        let errors = told.map(|told| told / served as f64 - 1.0).into();
        Self { every, restarts, served, errors }
    }
}

/// One place of the fleet, which one process after the other takes.
struct Process {
    lives: Vec<Life>,
    /// When the server first scrapes it: each target has its own time.
    first_scrape: f64,
}

/// From a start to the end of the process.
struct Life {
    start: f64,
    end: f64,
    /// When requests were served, ascending.
    served: Vec<f64>,
}

impl Process {
    fn new(every: Option<f64>, random: &mut Rng) -> Self {
        let first_scrape = INTERVAL * random.f64();
        let (mut lives, mut start) = (Vec::new(), 0.0);
        while start < END {
            let end = match every {
                None => f64::INFINITY,
                // The first is in the midst of its life.
                Some(every) if lives.is_empty() => every * random.f64(),
                Some(every) => start + every * (0.5 + random.f64()),
            };
            lives.push(Life::new(start, end.min(END), random));
            start = end + DOWN;
        }
        Self { lives, first_scrape }
    }

    /// How many requests the server's answer comes to.
    fn told(&self, way: Way) -> f64 {
        let of_each = |samples: &dyn Fn(&Life) -> Vec<Sample>| {
            let increases = self.lives.iter().filter_map(|life| increase(&samples(life), SPAN));
            increases.sum()
        };
        match way {
            Way::Scraped => {
                let lives = self.lives.iter();
                let samples: Vec<_> = lives.flat_map(|life| self.scrapes(life, life.end)).collect();
                increase(&samples, SPAN).unwrap_or(0.0)
            }
            Way::NewName => of_each(&|life| self.scrapes(life, life.end)),
            Way::Created => of_each(&|life| created(life, self.scrapes(life, life.end))),
            Way::OneMore => of_each(&|life| created(life, self.scrapes(life, life.end + INTERVAL))),
            Way::Killed => of_each(&|life| created(life, life.pushes(false))),
            Way::Flushed => of_each(&|life| created(life, life.pushes(true))),
            Way::Deltas => self.lives.iter().map(|life| life.deltas()).sum(),
        }
    }

    /// The samples that scrapes find until the process is gone.
    fn scrapes(&self, life: &Life, gone: f64) -> Vec<Sample> {
        let first = ((life.start - self.first_scrape) / INTERVAL).ceil().max(0.0);
        let times = (0..).map(|i| self.first_scrape + (first + f64::from(i)) * INTERVAL);
        times.take_while(|time| *time < gone).map(|time| life.sample(time)).collect()
    }
}

/// With a 0 at the start, where there is any sample that tells it.
fn created(life: &Life, samples: Vec<Sample>) -> Vec<Sample> {
    let zero = Sample { time: life.start, value: 0.0 };
    let told = samples.first().is_some_and(|first| first.time > life.start);
    told.then_some(zero).into_iter().chain(samples).collect()
}

impl Life {
    fn new(start: f64, end: f64, random: &mut Rng) -> Self {
        let mut served = Vec::new();
        let mut time = start;
        loop {
            // The distance of two requests that know nothing of each other.
            time -= (1.0 - random.f64()).ln() / RATE;
            if time >= end {
                return Self { start, end, served };
            }
            served.push(time);
        }
    }

    fn served_in_span(&self) -> usize {
        self.served.iter().filter(|time| SPAN.contains(**time)).count()
    }

    /// The counter at a moment.
    fn sample(&self, time: f64) -> Sample {
        let value = self.served.partition_point(|served| *served <= time) as f64;
        Sample { time, value }
    }

    /// What is pushed: every interval from the start on, and at the end if it is flushed.
    fn pushes(&self, flushed: bool) -> Vec<Sample> {
        let times = (1..).map(|i| self.start + f64::from(i) * INTERVAL);
        let last = flushed.then_some(self.end);
        let times = times.take_while(|time| *time < self.end).chain(last);
        times.map(|time| self.sample(time)).collect()
    }

    /// The sum of all gains that were pushed within the span.
    fn deltas(&self) -> f64 {
        let mut before = 0.0;
        let gains = self.pushes(true).into_iter().map(|push| {
            let gain = push.value - before;
            before = push.value;
            (push.time, gain)
        });
        gains.filter(|(time, _)| SPAN.contains(*time)).map(|(_, gain)| gain).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_that_never_restarts_is_told_within_a_thousandth() {
        let restarts = Restarts::of(5);
        for way in Way::ALL {
            let error = restarts.error(None, way).expect("known");
            assert!(error.abs() < 1e-3, "{way:?}: {error}");
        }
    }

    // By hand: three scrapes of one life, then two of the next, one of them after as many requests
    // as the first life had.
    #[test]
    fn a_restart_that_has_overtaken_the_count_is_not_seen() {
        let at = |start: f64, end: f64, count: u32| Life {
            start,
            end,
            served: (0..count).map(|i| start + f64::from(i) * 0.1).collect(),
        };
        let (first, second) = (2_000.0, 2_050.0);
        let lives = vec![at(first, 2_046.0, 100), at(second, 2_500.0, 100)];
        let process = Process { lives, first_scrape: 0.0 };
        let samples: Vec<_> =
            process.lives.iter().flat_map(|life| process.scrapes(life, life.end)).collect();
        assert_eq!(samples[0], Sample { time: 2_010.0, value: 100.0 });
        assert_eq!(samples[3], Sample { time: 2_055.0, value: 51.0 });
        // The second life's 100 count from 0, as 51 is less than 100.
        let told = process.told(Way::Deltas);
        assert_eq!(told, 200.0);
        let lives = vec![at(first, 2_046.0, 10), at(second, 2_500.0, 100)];
        let overtaken = Process { lives, first_scrape: 0.0 };
        let seen = overtaken.told(Way::Scraped);
        // 10 to 100, and half an interval at the end: never the 110 that were served.
        assert!((90.0..100.0).contains(&seen), "{seen}");
    }

    #[test]
    fn a_last_push_tells_what_a_killed_process_takes_with_it() {
        let restarts = Restarts::of(5);
        let error = |way| restarts.error(Some(60.0), way).expect("known");
        assert!(error(Way::Deltas).abs() < 1e-2);
        assert!(error(Way::Killed) < error(Way::Flushed));
        assert!(error(Way::NewName) < error(Way::Created));
    }
}
