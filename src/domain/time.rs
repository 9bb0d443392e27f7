//! Time: instants, civil dates, and the calendar that maps one to the other.
//!
//! Two dates are never mixed: a trip's *business date* (which day's sale it is) and an event's
//! *books date* (which day's accounts it stands in).

mod calendar;

use std::fmt;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

pub use calendar::Calendar;

/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 3_600_000;
/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60_000;

/// A time or zone that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not RFC 3339.
    #[error("`{0}` is not an RFC 3339 time such as 2026-03-08T17:04:05Z")]
    NotATime(String),
    /// Not `YYYY-MM-DD`.
    #[error("`{0}` is not a date such as 2026-03-08")]
    NotADate(String),
    /// Not `HH:MM`.
    #[error("`{0}` is not a time of day such as 04:00")]
    NotATimeOfDay(String),
    /// Not an IANA time zone.
    #[error("`{0}` is not an IANA time zone such as Europe/Berlin")]
    UnknownZone(String),
    /// The change of a calendar leaves a day without time.
    #[error(
        "the day before {0} would end before it begins, or the changes are not in order of their \
         dates"
    )]
    ChangeDoesNotFit(NaiveDate),
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// An instant, to the millisecond, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `ms` milliseconds after 1970-01-01T00:00:00Z.
    pub const fn of_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn ms(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 with any offset; parts below a millisecond are dropped.
    ///
    /// # Errors
    /// [`TimeError::NotATime`].
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let parsed = DateTime::parse_from_rfc3339(text);
        parsed
            .map(|t| Self(t.timestamp_millis()))
            .map_err(|_| TimeError::NotATime(shown(text)))
    }

    /// The instant as chrono's type.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// The instant `ms` later (earlier if negative); stops at the ends of time.
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this instant; negative if it is later.
    pub fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_millis())
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with milliseconds only where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.utc().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

/// Reads `YYYY-MM-DD`, exactly; every event that is read has one.
fn civil(text: &str) -> Option<NaiveDate> {
    let number = |digits: &str| {
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse::<u32>().ok())?
    };
    let (year, month, day) = (text.get(..4)?, text.get(5..7)?, text.get(8..)?);
    let framed = text.len() == 10 && text.get(4..5)? == "-" && text.get(7..8)? == "-";
    let year = i32::try_from(number(year)?).ok()?;
    NaiveDate::from_ymd_opt(year, number(month)?, number(day)?).filter(|_| framed)
}

macro_rules! civil_date {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(NaiveDate);

        impl $type {
            /// The civil date.
            pub fn of(date: NaiveDate) -> Self {
                Self(date)
            }

            /// Reads `YYYY-MM-DD`.
            ///
            /// # Errors
            /// [`TimeError::NotADate`].
            pub fn parse(text: &str) -> Result<Self, TimeError> {
                let date = civil(text).map(Self);
                date.ok_or_else(|| TimeError::NotADate(shown(text)))
            }

            /// The civil date as chrono's type.
            pub fn date(self) -> NaiveDate {
                self.0
            }

            /// The date one day later.
            pub fn next(self) -> Self {
                Self(self.0.succ_opt().unwrap_or(self.0))
            }

            /// The date one day earlier.
            pub fn previous(self) -> Self {
                Self(self.0.pred_opt().unwrap_or(self.0))
            }

            /// Whole days from `earlier` to this date.
            pub fn days_since(self, earlier: Self) -> i64 {
                self.0.signed_duration_since(earlier.0).num_days()
            }
        }

        impl TryFrom<String> for $type {
            type Error = TimeError;
            fn try_from(text: String) -> Result<Self, TimeError> {
                Self::parse(&text)
            }
        }

        impl From<$type> for String {
            fn from(date: $type) -> Self {
                date.to_string()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // ISO 8601; a pattern would be read anew for every date of a journal.
                f.pad(&self.0.to_string())
            }
        }
    };
}

civil_date!(
    /// The store's civil date a trip belongs to.
    BusinessDate
);
civil_date!(
    /// The accounting date an event is booked on.
    BooksDate
);

/// Where the time comes from. Only `main` hands one over; the pure rooms are told the time.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn times_are_written_in_utc_with_milliseconds_only_where_there_are_any() {
        assert_eq!(
            at("2026-03-08T12:00:00+02:00").to_string(),
            "2026-03-08T10:00:00Z"
        );
        assert_eq!(
            at("2026-03-08T10:00:00.120Z").to_string(),
            "2026-03-08T10:00:00.120Z"
        );
        assert!(Timestamp::parse("2026-03-08 10:00").is_err());
        assert!(BooksDate::parse("2026-3-8").is_err());
    }
}
