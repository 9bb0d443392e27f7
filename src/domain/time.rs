//! Time: instants, civil dates, and the calendar that maps one to the other.
//!
//! Two dates are never mixed: a trip's *business date* (which day's sale it is) and an event's
//! *books date* (which day's accounts it stands in).

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, SecondsFormat, Timelike, Utc};
use serde::{Deserialize, Serialize};

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

/// A time zone and the local time at which one business day ends and the next begins.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: jiff::tz::TimeZone,
    cutoff: NaiveTime,
}

impl Calendar {
    /// The calendar of an IANA `zone` and a `cutoff` of the form `HH:MM`.
    ///
    /// # Errors
    /// An unknown zone, or a cut-off that is not a time of day.
    pub fn of(zone: &str, cutoff: &str) -> Result<Self, TimeError> {
        // The bundled zones, not the machine's: old ones are wrong where the law has changed.
        let tz = jiff::tz::TimeZoneDatabase::bundled().get(zone);
        let tz = tz.map_err(|_| TimeError::UnknownZone(shown(zone)))?;
        let time = NaiveTime::parse_from_str(cutoff, "%H:%M");
        let time = time.map_err(|_| TimeError::NotATimeOfDay(shown(cutoff)))?;
        Ok(Self {
            zone: tz,
            cutoff: time,
        })
    }

    /// Days from midnight to midnight, UTC.
    pub fn utc() -> Self {
        Self {
            zone: jiff::tz::TimeZone::UTC,
            cutoff: NaiveTime::MIN,
        }
    }

    /// The civil date that `at` belongs to: the day whose window from cut-off to cut-off holds it.
    pub fn date_of(&self, at: Timestamp) -> NaiveDate {
        let instant = jiff::Timestamp::from_millisecond(at.ms()).unwrap_or_default();
        let local = self.zone.to_datetime(instant);
        let fallback = at.utc().date_naive();
        let (year, month, day) = (i32::from(local.year()), local.month(), local.day());
        let month = u32::try_from(month).unwrap_or(1);
        let day = u32::try_from(day).unwrap_or(1);
        let date = NaiveDate::from_ymd_opt(year, month, day).unwrap_or(fallback);
        // The boundary is an instant, so that days tile time even where the cut-off falls into
        // an hour that a clock change repeats or leaves out.
        if at < self.start_of(date) {
            return date.pred_opt().unwrap_or(date);
        }
        let next = date.succ_opt().unwrap_or(date);
        if at >= self.start_of(next) {
            next
        } else {
            date
        }
    }

    /// The instant at which the business day `date` begins: its cut-off, moved forward when the
    /// clocks leave that time out, the earlier one when they repeat it.
    pub fn start_of(&self, date: NaiveDate) -> Timestamp {
        let part = |value: u32| i8::try_from(value).unwrap_or(0);
        let year = i16::try_from(date.year()).unwrap_or(i16::MAX);
        let (hour, minute) = (part(self.cutoff.hour()), part(self.cutoff.minute()));
        let civil = jiff::civil::DateTime::new(
            year,
            part(date.month()),
            part(date.day()),
            hour,
            minute,
            0,
            0,
        );
        let placed = civil.map(|civil| self.zone.to_ambiguous_timestamp(civil).compatible());
        match placed {
            Ok(Ok(instant)) => Timestamp::of_ms(instant.as_millisecond()),
            Ok(Err(_)) | Err(_) => Timestamp::of_ms(i64::MAX),
        }
    }

    /// The business date of `at`.
    pub fn business_date(&self, at: Timestamp) -> BusinessDate {
        BusinessDate::of(self.date_of(at))
    }
}

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
    fn a_business_day_ends_at_the_cut_off_of_its_zone() {
        let berlin = Calendar::of("Europe/Berlin", "04:00").unwrap();
        let rows = [
            ("2026-03-28T02:59:59Z", "2026-03-27"), // 03:59:59 in winter time
            ("2026-03-28T03:00:00Z", "2026-03-28"),
            ("2026-03-29T01:59:59Z", "2026-03-28"), // clocks went forward at 01:00Z
            ("2026-03-29T02:00:00Z", "2026-03-29"),
            ("2026-10-25T02:59:59Z", "2026-10-24"), // and back
            ("2026-10-25T03:00:00Z", "2026-10-25"),
        ];
        for (instant, date) in rows {
            assert_eq!(
                berlin.business_date(at(instant)).to_string(),
                date,
                "{instant}"
            );
        }
    }

    #[test]
    fn a_cut_off_inside_a_clock_change_leaves_no_gap_and_no_overlap() {
        for (zone, cutoff) in [
            ("America/New_York", "02:30"),
            ("America/New_York", "01:30"),
            ("America/Santiago", "00:00"),
        ] {
            let calendar = Calendar::of(zone, cutoff).unwrap();
            let mut date = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
            for _ in 0..730 {
                let (start, next) = (calendar.start_of(date), date.succ_opt().unwrap());
                let end = calendar.start_of(next);
                assert!(start < end, "{zone} {date}");
                assert_eq!(calendar.date_of(start), date, "{zone} {date} begins");
                assert_eq!(
                    calendar.date_of(end.plus_ms(-1)),
                    date,
                    "{zone} {date} ends"
                );
                date = next;
            }
        }
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
