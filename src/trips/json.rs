//! JSON Lines: one object a line; numbers are read by their text, so that no float is ever made.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::domain::Timestamp;
use crate::domain::cards::HIDDEN;

use super::fields::{self, FIELDS, Fields};
use super::lines::{Line, Lines};
use super::{Item, Record, TripsError, raw_text};

pub(super) struct Objects<R> {
    lines: Lines<R>,
    file: String,
    now: Timestamp,
    ended: bool,
}

impl<R: Read> Objects<R> {
    pub fn new(reader: R, file: String, now: Timestamp) -> Self {
        Self {
            lines: Lines::new(reader),
            file,
            now,
            ended: false,
        }
    }

    fn item(&self, line: &Line) -> Item {
        let record = Record {
            file: self.file.clone(),
            line: line.number,
            raw: raw_json(&line.bytes),
        };
        if line.too_long {
            return record.rejected(None, "the line is longer than 1 MiB");
        }
        let Ok(text) = std::str::from_utf8(&line.bytes) else {
            return record.rejected(None, "the line is not UTF-8 text");
        };
        match serde_json::from_str::<Object>(text) {
            Ok(Object {
                wrong: Some((field, reason)),
                ..
            }) => record.rejected(Some(field), reason),
            Ok(object) => fields::row(record, &object, self.now),
            Err(why) => {
                let why = why.to_string();
                let why = why.split(" at line").next().unwrap_or_default();
                record.rejected(None, &format!("not a JSON object: {why}"))
            }
        }
    }
}

/// The line's text as it may be kept. Digits written as escapes could hide a card number.
fn raw_json(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    match text.contains("\\u003") {
        true => HIDDEN.to_owned(),
        false => raw_text(&text),
    }
}

impl<R: Read> Iterator for Objects<R> {
    type Item = Result<Item, TripsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let line = self.lines.take_filled().map_err(TripsError::from);
        let step = line.map(|line| line.map(|line| self.item(&line)));
        let step = step.transpose();
        self.ended = !matches!(step, Some(Ok(_)));
        step
    }
}

/// Our members of an object as text.
#[derive(Default)]
struct Object {
    members: BTreeMap<&'static str, String>,
    /// The first of our members that cannot be read, and why.
    wrong: Option<(&'static str, &'static str)>,
}

impl Fields for Object {
    fn field(&self, name: &'static str) -> Option<&str> {
        self.members.get(name).map(|text| text.trim())
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one trip")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut object = Object::default();
        while let Some(name) = map.next_key::<String>()? {
            let value: &RawValue = map.next_value()?;
            let Some(field) = FIELDS.iter().find(|field| **field == name) else {
                continue;
            };
            let wrong = match plain(value.get()) {
                None => Some("neither text nor a number"),
                Some(text) => {
                    let before = object.members.insert(*field, text);
                    before.map(|_| "stands twice")
                }
            };
            let wrong = wrong.map(|reason| (*field, reason));
            object.wrong = object.wrong.or(wrong);
        }
        Ok(object)
    }
}

/// A string's content, a number's text, nothing for null.
fn plain(json: &str) -> Option<String> {
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok(),
        b'n' => Some(String::new()),
        b'-' | b'0'..=b'9' => Some(json.to_owned()),
        _ => None,
    }
}
