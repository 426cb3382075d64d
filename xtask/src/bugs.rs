//! The list of seeded bugs, `loom-tests/seeded.txt`, which says how it is written.

/// A bug: what to find in a file of the core, once, and what to make of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Bug {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) find: String,
    pub(crate) make: String,
    /// A part of the names of the models of which one has to fail.
    pub(crate) model: String,
}

/// Reads the list.
pub(crate) fn parse(list: &str) -> Result<Vec<Bug>, String> {
    let mut bugs: Vec<Bug> = Vec::new();
    for (i, line) in list.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some(field) = line.strip_prefix("  ") else {
            bugs.push(Bug { name: line.to_owned(), ..Bug::default() });
            continue;
        };
        let (word, text) = field.split_once(' ').unwrap_or((field, ""));
        let bug = bugs.last_mut().ok_or("the list begins with a field, not with a name")?;
        let place = match word {
            "in" => &mut bug.file,
            "find" => &mut bug.find,
            "make" => &mut bug.make,
            "model" => &mut bug.model,
            _ => return Err(format!("line {}: there is no field `{word}`", i + 1)),
        };
        if !place.is_empty() {
            place.push(' ');
        }
        place.push_str(text.trim_start());
    }
    check(&bugs)?;
    Ok(bugs)
}

fn check(bugs: &[Bug]) -> Result<(), String> {
    for (i, bug) in bugs.iter().enumerate() {
        if bug.file.is_empty() || bug.find.is_empty() || bug.model.is_empty() {
            return Err(format!("`{}` needs the fields `in`, `find` and `model`", bug.name));
        }
        if bugs[..i].iter().any(|other| other.name == bug.name) {
            return Err(format!("two bugs have the name `{}`", bug.name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_go_on_and_what_is_missing_or_unknown_is_told() {
        let list = "# Prose.\n\na name\n  in    a.rs\n  find  one\n  find  two\n  model m\n";
        let bug = |make: &str| Bug {
            name: "a name".to_owned(),
            file: "a.rs".to_owned(),
            find: "one two".to_owned(),
            make: make.to_owned(),
            model: "m".to_owned(),
        };
        assert_eq!(parse(list), Ok(vec![bug("")]));
        assert_eq!(parse(&format!("{list}  make  x y\n")), Ok(vec![bug("x y")]));
        assert!(parse("a name\n  in    a.rs\n").is_err());
        assert!(parse("a name\n  into  a.rs\n").is_err());
        assert!(parse(&format!("{list}{list}")).is_err());
    }
}
