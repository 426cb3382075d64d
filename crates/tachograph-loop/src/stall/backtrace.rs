//! A stack as addresses, and their names.

use std::fmt;

/// The stack of a loop's thread, innermost call first.
///
/// Cheap to take along: names are looked up only by [`Backtrace::frames`] and by printing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backtrace(
    /// An instruction, then return addresses.
    pub(super) Vec<usize>,
);

/// A function on a stack. One that was inlined has a frame of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// The address that the thread executes, or will return to.
    pub address: usize,
    /// The function's name; `None` if the program does not have it.
    pub function: Option<String>,
    /// File and line; `None` if the program has no such debug information.
    pub place: Option<(String, u32)>,
}

impl Backtrace {
    /// The instruction that the thread was at, then the return addresses of its callers.
    pub fn addresses(&self) -> &[usize] {
        &self.0
    }

    /// Looks up the names. The first time in a process this reads the program's debug information,
    /// which can take a second and many megabytes; never call it on the loop's own thread.
    pub fn frames(&self) -> Vec<Frame> {
        let mut frames = Vec::new();
        for (i, &address) in self.0.iter().enumerate() {
            // A return address may belong to the next line, or to the next function.
            names(address, address.saturating_sub(usize::from(i > 0)), &mut frames);
        }
        frames
    }
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn names(address: usize, within: usize, frames: &mut Vec<Frame>) {
    let before = frames.len();
    backtrace::resolve(std::ptr::without_provenance_mut(within), |symbol| {
        let file = symbol.filename().map(|file| file.display().to_string());
        frames.push(Frame {
            address,
            function: symbol.name().map(|name| format!("{name:#}")),
            place: file.zip(symbol.lineno()),
        });
    });
    if frames.len() == before {
        frames.push(Frame { address, function: None, place: None });
    }
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn names(address: usize, _: usize, frames: &mut Vec<Frame>) {
    frames.push(Frame { address, function: None, place: None });
}

/// A backtrace of fewer addresses than this has met a function without a frame pointer.
const SHORT: usize = 3;

/// A line a function.
impl fmt::Display for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, frame) in self.frames().iter().enumerate() {
            let gap = if i == 0 { "" } else { "\n" };
            write!(f, "{gap}{i:4}: {frame}")?;
        }
        if self.0.len() < SHORT {
            f.write_str(
                "\n      (to see the callers, compile with `-C force-frame-pointers=yes`)",
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.function {
            Some(function) => write!(f, "{function}")?,
            None => write!(f, "{:#x}", self.address)?,
        }
        match &self.place {
            Some((file, line)) => write!(f, " at {file}:{line}"),
            None => Ok(()),
        }
    }
}
