//! The commands that the README tells people to type.

use crate::steps::Outcome;

/// What it takes to try the project, from a fresh clone. CI runs both.
const COMMANDS: [&str; 2] = ["cargo run --release -- demo", "cargo test --workspace"];

/// Checks that the README's shell blocks hold these cargo commands, once each, and no others.
pub(crate) fn check(readme: &str) -> Outcome {
    let commands: Vec<_> = cargo_commands(readme).collect();
    let count = |wanted: &str| commands.iter().filter(|command| **command == wanted).count();
    let wrong = COMMANDS.iter().filter(|command| count(command) != 1);
    let wrong = wrong.map(|command| {
        format!(
            "`{command}` must be in a shell block of README.md once, not {} times",
            count(command)
        )
    });
    let other = commands.iter().filter(|command| !COMMANDS.contains(command));
    let other = other.map(|command| {
        format!("`{command}` is in README.md, but nothing checks that it works: move it to docs/")
    });
    let problems: Vec<_> = wrong.chain(other).collect();
    if problems.is_empty() { Ok(String::new()) } else { Err(problems.join("\n")) }
}

/// Lines of shell blocks that start with `cargo`, without a prompt.
fn cargo_commands(readme: &str) -> impl Iterator<Item = &str> {
    let mut in_shell = false;
    readme.lines().map(str::trim).filter_map(move |line| match line.strip_prefix("```") {
        Some(language) => {
            in_shell = ["sh", "bash", "shell", "console"].contains(&language.trim());
            None
        }
        None => {
            let command = line.strip_prefix("$ ").unwrap_or(line);
            (in_shell && command.starts_with("cargo ")).then_some(command)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_commands_pass_with_or_without_a_prompt() {
        let readme = "# T\n```sh\n$ cargo run --release -- demo\ncurl -s localhost\n```\n\
                      ```rust\ncargo nothing\n```\n```console\ncargo test --workspace\n```\n";
        assert_eq!(check(readme), Ok(String::new()));
    }

    #[test]
    fn a_command_that_is_missing_doubled_or_unknown_is_told() {
        let readme = "```sh\ncargo test --workspace\ncargo test --workspace\ncargo fly\n```\n\
                      cargo run --release -- demo\n";
        let told = "`cargo run --release -- demo` must be in a shell block of README.md once, \
                    not 0 times\n\
                    `cargo test --workspace` must be in a shell block of README.md once, \
                    not 2 times\n\
                    `cargo fly` is in README.md, but nothing checks that it works: \
                    move it to docs/";
        assert_eq!(check(readme), Err(told.to_owned()));
    }
}
