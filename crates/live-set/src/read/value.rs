//! Values, which a set stores in attributes called `Value`.
//!
//! A value that is missing or cannot be read counts as absent: one odd value must not keep a whole
//! set from being shown. Numbers are finite or absent.

use super::document::Document;
use crate::error::ReadError;

impl Document<'_> {
    /// The `Value` of the element entered last, as owned text.
    pub(super) fn text(&mut self) -> Result<Option<String>, ReadError> {
        let text = self.attribute("Value")?.map(|value| value.into_owned());
        self.keep(text.as_ref().map_or(0, String::len))?;
        Ok(text)
    }

    /// The `Value` as a flag.
    pub(super) fn flag(&self) -> Result<Option<bool>, ReadError> {
        Ok(match self.attribute("Value")?.as_deref() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        })
    }

    /// The `Value` as an integer.
    pub(super) fn whole(&self) -> Result<Option<i32>, ReadError> {
        Ok(self.attribute("Value")?.and_then(|value| value.parse().ok()))
    }

    /// The `Value` as a number; a flag becomes 0 or 1.
    pub(super) fn number(&self) -> Result<Option<f64>, ReadError> {
        Ok(match self.attribute("Value")?.as_deref() {
            Some("true") => Some(1.0),
            Some("false") => Some(0.0),
            Some(value) => value.parse().ok().filter(|value: &f64| value.is_finite()),
            None => None,
        })
    }

    /// The `Id` of the element entered last.
    pub(super) fn file_id(&self) -> Result<Option<i64>, ReadError> {
        Ok(self.attribute("Id")?.and_then(|id| id.parse().ok()))
    }

    /// What `read` returns for the `Manual` child of the element entered last: its current value
    /// without automation. `None` if there is no such child or value.
    pub(super) fn manual<T>(
        &mut self,
        read: impl Fn(&Self) -> Result<Option<T>, ReadError>,
    ) -> Result<Option<T>, ReadError> {
        let level = self.level();
        let mut manual = None;
        while self.next_child(level)? {
            if self.name() == "Manual" {
                manual = read(self)?;
            }
        }
        Ok(manual)
    }
}

/// Sets a field that a file may leave out.
pub(super) fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}
