//! Rule files with any content: each is read, or every error has a position in the file.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use tachograph_alert::{Engine, parse};

fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(rules) => {
            let mut engine = Engine::new(rules, Duration::from_secs(1));
            engine.tick(1);
            engine.tick(10_000_000);
        }
        Err(invalid) => {
            let errors = invalid.errors();
            let lines = text.lines().count().max(1);
            assert!(!errors.is_empty());
            // An error at the end of a file is on the line after its last one.
            assert!(errors.iter().all(|it| (1..=lines + 1).contains(&it.line) && it.column > 0));
        }
    }
});
