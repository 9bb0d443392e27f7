//! Text to values: each read once, each problem kept with its place.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::layers::{Layers, Place, Raw};
use super::problem::Problem;

/// Reads values by key and collects what is wrong with them.
pub(super) struct Reader<'a> {
    pub layers: &'a Layers,
    /// What relative paths count from.
    pub base: &'a Path,
    pub problems: RefCell<Vec<Problem>>,
}

impl Reader<'_> {
    /// The text of a plain value.
    pub fn text(&self, key: &str) -> Option<(String, &Place)> {
        let (raw, place) = self.layers.values.get(key)?;
        match raw {
            Raw::One(text) => Some((text.clone(), place)),
            Raw::Many(_) => {
                self.wrong(key, place, "a list stands where one value is wanted");
                None
            }
        }
    }

    /// A list; in the environment with commas between.
    pub fn list(&self, key: &str) -> Vec<String> {
        match self.layers.values.get(key) {
            None => Vec::new(),
            Some((Raw::Many(items), _)) => items.clone(),
            Some((Raw::One(text), _)) => {
                let items = text
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty());
                items.map(str::to_owned).collect()
            }
        }
    }

    /// A value read by `read`, or `otherwise` after its problem was noted.
    pub fn read<T>(&self, key: &str, otherwise: T, read: impl Fn(&str) -> Result<T, String>) -> T {
        self.optional(key, read).unwrap_or(otherwise)
    }

    /// The same for a key that may be absent.
    pub fn optional<T>(&self, key: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let (text, place) = self.text(key)?;
        read(&text).map_err(|why| self.wrong(key, place, &why)).ok()
    }

    /// A whole number between `least` and `most`, or `least` after its problem was noted.
    pub fn number<T>(&self, key: &str, least: T, most: T) -> T
    where
        T: FromStr + PartialOrd + Copy + std::fmt::Display,
    {
        self.whole(key, least, most).unwrap_or(least)
    }

    /// The same for one that may be absent or wrong.
    pub fn whole<T>(&self, key: &str, least: T, most: T) -> Option<T>
    where
        T: FromStr + PartialOrd + Copy + std::fmt::Display,
    {
        self.optional(key, |text| {
            let number = text.parse().ok();
            let fits = number.filter(|number| (least..=most).contains(number));
            fits.ok_or_else(|| format!("`{text}` is not a whole number from {least} to {most}"))
        })
    }

    /// `true` or `false`; absent is false.
    pub fn truth(&self, key: &str) -> bool {
        self.read(key, false, |text| {
            text.parse()
                .map_err(|_| format!("`{text}` is neither true nor false"))
        })
    }

    /// A path; relative ones count from the configuration file.
    pub fn path(&self, key: &str) -> Option<PathBuf> {
        self.optional(key, |text| match text.is_empty() {
            true => Err("an empty path".to_owned()),
            false => Ok(self.base.join(text).components().collect()),
        })
    }

    pub fn wrong(&self, key: &str, place: &Place, why: &str) {
        self.problems
            .borrow_mut()
            .push(Problem::value(key, place, why));
    }

    /// A problem with the key, wherever it comes from.
    pub fn wrong_key(&self, key: &str, why: &str) {
        self.wrong(key, &self.layers.place_of(key), why);
    }
}
