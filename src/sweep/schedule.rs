//! When runs are planned.

use std::str::FromStr;

use chrono::{DateTime, Utc};

use crate::domain::Timestamp;
use crate::domain::time::HOUR_MS;

/// 2026-01-01T00:00:00Z, in seconds: from here a schedule must come to a run in time.
const PROBE_S: i64 = 1_767_225_600;
/// A schedule that rests for longer is a mistake.
const LONGEST_REST_DAYS: i64 = 400;

/// A planned schedule that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Not a cron expression.
    #[error("sweep.schedule `{text}` is not a cron schedule ({why}); write e.g. `0 30 2 * * *`")]
    NotCron {
        /// As configured.
        text: String,
        /// What the parser says.
        why: String,
    },
    /// Weekdays by number mean different days in different crons.
    #[error("sweep.schedule `{0}` names weekdays by number; write their names, e.g. MON-FRI")]
    NumericWeekday(String),
    /// It never comes.
    #[error("sweep.schedule `{0}` plans no run within 400 days; write e.g. `0 30 2 * * *`")]
    Never(String),
}

/// When runs are planned: cron in UTC, so that clock changes never skip or double a night. Where
/// both a day of the month and a weekday are named, both must match.
#[derive(Debug, Clone)]
pub struct Schedule(cron::Schedule);

impl Schedule {
    /// Reads six fields (second first) or the usual five.
    ///
    /// # Errors
    /// No cron expression, weekdays by number, or no run within 400 days.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let full = match fields.len() {
            5 => format!("0 {}", fields.join(" ")),
            _ => fields.join(" "),
        };
        let weekday = full.split(' ').nth(5).unwrap_or_default();
        if weekday.bytes().any(|byte| byte.is_ascii_digit()) {
            return Err(ScheduleError::NumericWeekday(text.to_owned()));
        }
        let not_cron = |why: cron::error::Error| ScheduleError::NotCron {
            text: text.to_owned(),
            why: why.to_string().trim_end().replace('\n', " "),
        };
        let parsed = cron::Schedule::from_str(&full).map_err(not_cron)?;
        let probe = DateTime::<Utc>::from_timestamp(PROBE_S, 0).unwrap_or_default();
        let first = parsed.after(&probe).next();
        if first.is_none_or(|at| (at - probe).num_days() > LONGEST_REST_DAYS) {
            return Err(ScheduleError::Never(text.to_owned()));
        }
        Ok(Self(parsed))
    }

    /// The first planned run after `now`; none when the schedule has ended (it can name years).
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        self.0.after(&now.utc()).next().map(Timestamp::from)
    }

    /// The run by which is reckoned what is due and at risk at `now`: the next planned one, or one
    /// in a day when the schedule has ended.
    pub fn next_run(&self, now: Timestamp) -> Timestamp {
        let in_a_day = || now.plus_ms(24 * HOUR_MS);
        self.next_after(now).unwrap_or_else(in_a_day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn the_next_run_comes_after_now_in_utc() {
        let rows = [
            (
                "0 30 2 * * *",
                "2026-11-24T02:29:59Z",
                "2026-11-24T02:30:00Z",
            ),
            (
                "0 30 2 * * *",
                "2026-11-24T02:30:00Z",
                "2026-11-25T02:30:00Z",
            ),
            ("30 2 * * *", "2026-11-24T02:30:00Z", "2026-11-25T02:30:00Z"),
            (
                "0 30 2 * * MON-FRI",
                "2026-11-27T03:00:00Z",
                "2026-11-30T02:30:00Z",
            ),
            (
                "0 0 6 1 * *",
                "2026-11-24T00:00:00Z",
                "2026-12-01T06:00:00Z",
            ),
            // The clocks of New York left this hour out; a run was planned all the same.
            (
                "0 30 7 * * *",
                "2026-03-08T00:00:00Z",
                "2026-03-08T07:30:00Z",
            ),
        ];
        for (text, now, next) in rows {
            let schedule = Schedule::parse(text).unwrap();
            assert_eq!(
                schedule.next_after(at(now)),
                Some(at(next)),
                "{text} after {now}"
            );
        }
    }

    #[test]
    fn once_the_schedule_has_ended_the_next_run_is_reckoned_in_a_day() {
        let schedule = Schedule::parse("0 30 2 * * * 2026").unwrap();
        let (last, ended) = (at("2026-12-31T02:00:00Z"), at("2026-12-31T02:30:00Z"));
        assert_eq!(schedule.next_run(last), at("2026-12-31T02:30:00Z"));
        assert_eq!(schedule.next_after(ended), None);
        assert_eq!(schedule.next_run(ended), at("2027-01-01T02:30:00Z"));
    }

    #[test]
    fn what_would_surprise_at_night_is_refused_by_day() {
        let rows = [
            ("", "is not a cron schedule"),
            ("nightly", "is not a cron schedule"),
            ("0 30 25 * * *", "is not a cron schedule"),
            ("30 2 * * 1-5", "names weekdays by number"),
            ("0 30 2 * * 0", "names weekdays by number"),
            ("0 0 2 30 FEB *", "plans no run within 400 days"),
            ("0 0 2 29 FEB *", "plans no run within 400 days"),
            ("0 30 2 * * * 2030", "plans no run within 400 days"),
        ];
        for (text, why) in rows {
            let refused = Schedule::parse(text).unwrap_err().to_string();
            assert!(
                refused.contains(why) && !refused.contains('\n'),
                "{text}: {refused}"
            );
        }
    }
}
