//! Calendars: zone and cut-off of the company and of stores, their changes, and on which days trips
//! are expected.

use std::collections::BTreeSet;

use crate::domain::{BusinessDate, Calendar};

use super::reader::Reader;

/// A section's calendar and the texts that it was made from, each right by itself.
pub(super) struct Day {
    timezone: String,
    cutoff: String,
    pub calendar: Calendar,
}

impl Default for Day {
    fn default() -> Self {
        Self {
            timezone: "UTC".to_owned(),
            cutoff: "00:00".to_owned(),
            calendar: Calendar::utc(),
        }
    }
}

impl Day {
    /// Reads a section's `timezone`, `cutoff` and `calendar_changes`. What it leaves out is as
    /// usual; with a key of its own it has only the changes that it names itself.
    pub fn read(reader: &Reader<'_>, section: &str, usual: &Self) -> Self {
        let right = |zone: &str, cutoff: &str| {
            let calendar = Calendar::of(zone, cutoff).map(|_| ());
            calendar.map_err(|error| error.to_string())
        };
        let timezone = reader.optional(&format!("{section}.timezone"), |text| {
            right(text, "00:00").map(|()| text.to_owned())
        });
        let cutoff = reader.optional(&format!("{section}.cutoff"), |text| {
            right("UTC", text).map(|()| text.to_owned())
        });
        let key = format!("{section}.calendar_changes");
        let changes = reader.list(&key);
        let own = timezone.is_some() || cutoff.is_some() || !changes.is_empty();
        let timezone = timezone.unwrap_or_else(|| usual.timezone.clone());
        let cutoff = cutoff.unwrap_or_else(|| usual.cutoff.clone());
        let mut calendar = match own {
            true => Calendar::of(&timezone, &cutoff).unwrap_or_else(|_| Calendar::utc()),
            false => usual.calendar.clone(),
        };
        for change in changes {
            match changed(&calendar, &change) {
                Ok(changed) => calendar = changed,
                Err(why) => reader.wrong_key(&key, &why),
            }
        }
        Self {
            timezone,
            cutoff,
            calendar,
        }
    }
}

/// The calendar with a change such as `2026-07-01 America/Denver 04:00`.
fn changed(calendar: &Calendar, text: &str) -> Result<Calendar, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [from, zone, cutoff] = words[..] else {
        let like = "a day, a time zone and a cut-off such as 2026-07-01 America/Denver 04:00";
        return Err(format!("`{text}` is not {like}"));
    };
    let from = BusinessDate::parse(from).map_err(|error| error.to_string())?;
    let changed = calendar.clone().changed(from.date(), zone, cutoff);
    changed.map_err(|error| format!("`{text}`: {error}"))
}

/// On which days a store's trips are expected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expects {
    /// A day without a trip is told.
    pub trips: bool,
    /// But not on these days.
    pub holidays: BTreeSet<BusinessDate>,
}

impl Expects {
    /// Reads a section's `expects_trips` and `holidays`; what it leaves out is as usual.
    pub(super) fn read(reader: &Reader<'_>, section: &str, usual: &Self) -> Self {
        let key = |leaf: &str| format!("{section}.{leaf}");
        let trips = match reader.layers.values.contains_key(&key("expects_trips")) {
            true => reader.truth(&key("expects_trips")),
            false => usual.trips,
        };
        let named = reader.layers.values.contains_key(&key("holidays"));
        let mut holidays = BTreeSet::new();
        for text in reader.list(&key("holidays")) {
            match BusinessDate::parse(&text) {
                Ok(date) => drop(holidays.insert(date)),
                Err(error) => reader.wrong_key(&key("holidays"), &error.to_string()),
            }
        }
        Self {
            trips,
            holidays: if named {
                holidays
            } else {
                usual.holidays.clone()
            },
        }
    }
}
