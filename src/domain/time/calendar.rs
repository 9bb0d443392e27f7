//! The calendar: which day an instant belongs to, in a zone, with a cut-off, and across the day on
//! which either changes.

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};

use super::{BusinessDate, TimeError, Timestamp, shown};

/// Time zones and the local times at which one business day ends and the next begins.
///
/// Days tile time: each begins at the instant at which the one before ends. A clock change makes
/// one of 23 or 25 hours, a move to another zone or cut-off one of any other length.
#[derive(Debug, Clone)]
pub struct Calendar {
    first: Rule,
    /// What holds from a day on, in order of the days.
    changes: Vec<(NaiveDate, Rule)>,
}

/// An instant belongs to one of so many days around its civil date: the one after it, itself, and
/// those before.
const DAYS_AROUND: usize = 3;

/// A zone and a cut-off.
#[derive(Debug, Clone)]
struct Rule {
    zone: jiff::tz::TimeZone,
    cutoff: NaiveTime,
}

impl Calendar {
    /// The calendar of an IANA `zone` and a `cutoff` of the form `HH:MM`.
    ///
    /// # Errors
    /// An unknown zone, or a cut-off that is not a time of day.
    pub fn of(zone: &str, cutoff: &str) -> Result<Self, TimeError> {
        Ok(Self {
            first: Rule::of(zone, cutoff)?,
            changes: Vec::new(),
        })
    }

    /// Days from midnight to midnight, UTC.
    pub fn utc() -> Self {
        Self {
            first: Rule {
                zone: jiff::tz::TimeZone::UTC,
                cutoff: NaiveTime::MIN,
            },
            changes: Vec::new(),
        }
    }

    /// The same, but from the day `from` on with another `zone` and `cutoff`. The day before ends
    /// when that one begins.
    ///
    /// # Errors
    /// As [`Calendar::of`]; a change that is not after the last one, or that leaves the day before
    /// without time.
    pub fn changed(mut self, from: NaiveDate, zone: &str, cutoff: &str) -> Result<Self, TimeError> {
        let does_not_fit = TimeError::ChangeDoesNotFit(from);
        let rule = Rule::of(zone, cutoff)?;
        let in_order = self.changes.last().is_none_or(|(last, _)| *last < from);
        let before = from.pred_opt().ok_or_else(|| does_not_fit.clone())?;
        if !in_order || rule.start_of(from) <= self.start_of(before) {
            return Err(does_not_fit);
        }
        self.changes.push((from, rule));
        Ok(self)
    }

    /// The civil date that `at` belongs to: the day whose window from cut-off to cut-off holds it.
    pub fn date_of(&self, at: Timestamp) -> NaiveDate {
        let begun = |(from, rule): &(NaiveDate, Rule)| rule.start_of(*from) <= at;
        let passed = self.changes.partition_point(begun);
        let (before, after) = self.changes.split_at(passed);
        let rule = before.last().map_or(&self.first, |(_, rule)| rule);
        let date = rule.date_of(at);
        // The last day before a change lasts until the change, whatever its own clock says.
        match after.first() {
            Some((from, _)) => date.min(from.pred_opt().unwrap_or(*from)),
            None => date,
        }
    }

    /// The instant at which the business day `date` begins: its cut-off, moved forward when the
    /// clocks leave that time out, the earlier one when they repeat it.
    pub fn start_of(&self, date: NaiveDate) -> Timestamp {
        let passed = self.changes.partition_point(|(from, _)| *from <= date);
        let rule = self.changes.get(..passed).and_then(<[_]>::last);
        rule.map_or(&self.first, |(_, rule)| rule).start_of(date)
    }

    /// The business date of `at`.
    pub fn business_date(&self, at: Timestamp) -> BusinessDate {
        BusinessDate::of(self.date_of(at))
    }
}

impl Rule {
    fn of(zone: &str, cutoff: &str) -> Result<Self, TimeError> {
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

    fn date_of(&self, at: Timestamp) -> NaiveDate {
        let instant = jiff::Timestamp::from_millisecond(at.ms()).unwrap_or_default();
        let local = self.zone.to_datetime(instant);
        let fallback = at.utc().date_naive();
        let (year, month, day) = (i32::from(local.year()), local.month(), local.day());
        let month = u32::try_from(month).unwrap_or(1);
        let day = u32::try_from(day).unwrap_or(1);
        let date = NaiveDate::from_ymd_opt(year, month, day).unwrap_or(fallback);
        // The boundary is an instant, so that days tile time even where the cut-off falls into
        // an hour that a clock change repeats or leaves out: the day may have begun on the next
        // civil date, as late in the evening in Greenland.
        let mut day = date.succ_opt().unwrap_or(date);
        for _ in 0..DAYS_AROUND {
            if at >= self.start_of(day) {
                break;
            }
            day = day.pred_opt().unwrap_or(day);
        }
        day
    }

    fn start_of(&self, date: NaiveDate) -> Timestamp {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn day(text: &str) -> NaiveDate {
        BusinessDate::parse(text).unwrap().date()
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
    fn clock_changes_make_short_and_long_days() {
        let rows = [
            // zone, cut-off, day, its length in minutes
            ("Europe/Berlin", "04:00", "2026-03-27", 1440),
            ("Europe/Berlin", "04:00", "2026-03-28", 1380),
            ("Europe/Berlin", "00:00", "2026-03-29", 1380),
            ("Europe/Berlin", "00:00", "2026-10-25", 1500),
            ("America/New_York", "02:30", "2026-03-07", 1440),
            ("America/New_York", "02:30", "2026-03-08", 1380),
            ("America/New_York", "01:30", "2026-11-01", 1500),
            ("Australia/Lord_Howe", "00:00", "2026-04-05", 1470),
            ("Australia/Lord_Howe", "00:00", "2026-10-04", 1410),
            ("Asia/Tokyo", "05:00", "2026-03-29", 1440),
            // 23:00 to 24:00 is left out on the 28th: the day begins at 00:30 of the 29th.
            ("America/Nuuk", "23:30", "2026-03-27", 1440),
            ("America/Nuuk", "23:30", "2026-03-28", 1380),
        ];
        for (zone, cutoff, date, minutes) in rows {
            let calendar = Calendar::of(zone, cutoff).unwrap();
            let next = day(date).succ_opt().unwrap();
            let length = calendar
                .start_of(next)
                .ms_since(calendar.start_of(day(date)));
            assert_eq!(length / 60_000, minutes, "{zone} {cutoff} {date}");
            let last = calendar.start_of(next).plus_ms(-1);
            for at in [calendar.start_of(day(date)), last] {
                assert_eq!(
                    calendar.date_of(at),
                    day(date),
                    "{zone} {cutoff} {date} at {at}"
                );
            }
        }
    }

    #[test]
    fn a_store_that_moves_has_one_odd_day_and_no_gap() {
        let moved = |zone, cutoff| {
            let calendar = Calendar::of("America/New_York", "04:00").unwrap();
            calendar.changed(day("2026-07-01"), zone, cutoff).unwrap()
        };
        let rows = [
            // to; an instant; its day
            (
                "America/Denver",
                "04:00",
                "2026-07-01T08:30:00Z",
                "2026-06-30",
            ), // 04:30 in New York
            (
                "America/Denver",
                "04:00",
                "2026-07-01T09:59:59Z",
                "2026-06-30",
            ),
            (
                "America/Denver",
                "04:00",
                "2026-07-01T10:00:00Z",
                "2026-07-01",
            ),
            (
                "America/Denver",
                "04:00",
                "2026-07-02T09:59:59Z",
                "2026-07-01",
            ),
            (
                "America/Denver",
                "04:00",
                "2026-06-30T07:59:59Z",
                "2026-06-29",
            ),
            (
                "America/New_York",
                "00:00",
                "2026-07-01T03:59:59Z",
                "2026-06-30",
            ),
            (
                "America/New_York",
                "00:00",
                "2026-07-01T04:00:00Z",
                "2026-07-01",
            ),
            ("Asia/Tokyo", "05:00", "2026-06-30T19:59:59Z", "2026-06-30"),
            ("Asia/Tokyo", "05:00", "2026-06-30T20:00:00Z", "2026-07-01"),
        ];
        for (zone, cutoff, instant, date) in rows {
            let got = moved(zone, cutoff).date_of(at(instant));
            assert_eq!(got, day(date), "to {zone} {cutoff}: {instant}");
        }
    }

    #[test]
    fn a_change_that_leaves_a_day_without_time_is_refused() {
        let pago = || Calendar::of("Pacific/Pago_Pago", "23:00").unwrap();
        let rows = [
            // The day before begins at 10:00Z there, and would end at 10:00Z.
            ("2026-07-01", "Pacific/Kiritimati", "00:00", false),
            ("2026-07-01", "Pacific/Pago_Pago", "00:00", true),
            ("2026-07-01", "Nowhere/Land", "00:00", false),
            ("2026-07-01", "UTC", "25:00", false),
        ];
        for (from, zone, cutoff, fits) in rows {
            let changed = pago().changed(day(from), zone, cutoff);
            assert_eq!(changed.is_ok(), fits, "{from} {zone} {cutoff}: {changed:?}");
        }
        let once = pago().changed(day("2026-07-01"), "UTC", "12:00").unwrap();
        for from in ["2026-07-01", "2026-06-30"] {
            let twice = once.clone().changed(day(from), "UTC", "13:00");
            assert!(twice.is_err(), "{from} after 2026-07-01");
        }
        assert!(once.changed(day("2026-07-02"), "UTC", "13:00").is_ok());
    }
}
