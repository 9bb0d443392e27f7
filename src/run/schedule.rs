//! Does the planned run fit the company's business day, and the lives of tokens?

use crate::domain::time::{HOUR_MS, MINUTE_MS};
use crate::domain::{Calendar, Timestamp};
use crate::sweep::Schedule;

/// Sales of a day go on coming in for a while after its cut-off.
const QUIET_MS: i64 = 30 * MINUTE_MS;
/// A run so long after the last cut-off is really a run before the next one.
const BEFORE_MS: i64 = 12 * HOUR_MS;
/// What is proposed lies so long after the latest cut-off of the year.
const PROPOSED_MS: i64 = 150 * MINUTE_MS;
/// Days looked at: a year has both sides of every clock change.
const DAYS: usize = 366;
/// So many planned runs are looked at: every hour of those days, and of denser schedules less.
const RUNS: usize = DAYS * 24;

/// A sentence when a planned run of the coming year falls before, or less than 30 minutes after,
/// the cut-off; it names a schedule that fits.
pub fn warning(schedule: &Schedule, company: &Calendar, now: Timestamp) -> Option<String> {
    for at in year_of_runs(schedule, now) {
        let since = at.ms_since(company.start_of(company.date_of(at)));
        if !(QUIET_MS..BEFORE_MS).contains(&since) {
            let place = if since < QUIET_MS {
                "less than 30 minutes after"
            } else {
                "before"
            };
            let fits = fitting(company, now);
            return Some(format!(
                "the planned run of {at} falls {place} the company's cut-off; \
                 sweep.schedule = \"{fits}\" (UTC) fits all year"
            ));
        }
    }
    None
}

/// A sentence when a token of `lifetime_ms` of a trip that was too young for one planned run of the
/// coming year (younger than `min_age_ms`) dies before the next one is made up, `tolerate_ms` late.
pub fn short_life(
    schedule: &Schedule,
    lifetime_ms: i64,
    [tolerate_ms, min_age_ms]: [i64; 2],
    now: Timestamp,
) -> Option<String> {
    let runs: Vec<Timestamp> = year_of_runs(schedule, now).collect();
    let waits = runs.windows(2).map(|pair| pair[1].ms_since(pair[0]));
    let Some(wait) = waits.max() else {
        return Some("no two runs are planned within a year".to_owned());
    };
    let needed = wait.saturating_add(tolerate_ms).saturating_add(min_age_ms);
    let [lives, wait, late] = [lifetime_ms, wait, tolerate_ms].map(|ms| ms / HOUR_MS);
    (needed >= lifetime_ms).then(|| {
        format!(
            "a token lives {lives} h, and runs are planned up to {wait} h apart: one that is \
             {late} h late (sweep.tolerate_outage_hours) costs trips, unless `tripsettle settle` \
             runs every hour (tripsettle-settle.timer)"
        )
    })
}

/// The planned runs of the coming year, at most [`RUNS`] of them.
fn year_of_runs(schedule: &Schedule, now: Timestamp) -> impl Iterator<Item = Timestamp> {
    let end = now.plus_ms(DAYS as i64 * 24 * HOUR_MS);
    let runs = std::iter::successors(schedule.next_after(now), |at| schedule.next_after(*at));
    runs.take(RUNS).take_while(move |at| *at < end)
}

/// A nightly schedule in UTC that lies after the cut-off on every day of the coming year.
fn fitting(company: &Calendar, now: Timestamp) -> String {
    const DAY_MS: i64 = 24 * HOUR_MS;
    let mut date = company.date_of(now);
    let first = company.start_of(date).ms().rem_euclid(DAY_MS);
    let mut latest = 0;
    for _ in 0..DAYS {
        // Times of day on a circle: clock changes move the cut-off by hours, not by half a day.
        let of_day = company.start_of(date).ms().rem_euclid(DAY_MS);
        let moved = (of_day - first + DAY_MS / 2).rem_euclid(DAY_MS) - DAY_MS / 2;
        latest = latest.max(moved);
        date = date.succ_opt().unwrap_or(date);
    }
    let minutes = (first + latest + PROPOSED_MS).rem_euclid(DAY_MS) / MINUTE_MS;
    format!("0 {} {} * * *", minutes % 60, minutes / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_does_not_outlive_a_missed_run_is_told() {
        let now = Timestamp::parse("2026-11-24T12:00:00Z").unwrap();
        for (schedule, lifetime, tolerated, expected) in [
            ("0 30 2 * * *", 46, 20, None),
            ("0 30 2 * * *", 45, 20, Some("24 h apart")),
            ("0 30 2 * * *", 30, 4, None),
            ("0 0 * * * *", 30, 20, None),
            // From Friday to Monday.
            ("0 30 2 * * MON-FRI", 46, 0, Some("72 h apart")),
            ("0 */10 * * * MON-FRI", 46, 0, Some("48 h apart")),
            ("0 30 2 1 1 *", 46, 0, Some("no two runs")),
        ] {
            let parsed = Schedule::parse(schedule).unwrap();
            let got = short_life(
                &parsed,
                lifetime * HOUR_MS,
                [tolerated * HOUR_MS, HOUR_MS],
                now,
            );
            let told = got.as_deref().unwrap_or("nothing");
            assert!(
                told.contains(expected.unwrap_or("nothing")),
                "{schedule}: {told}"
            );
        }
    }

    #[test]
    fn a_run_before_or_right_after_the_cut_off_is_told_with_one_that_fits() {
        let rows = [
            // schedule, zone, cut-off, what the warning says
            ("0 30 2 * * *", "UTC", "00:00", None),
            ("0 30 2 * * *", "Europe/Berlin", "00:00", None),
            ("0 10 0 * * *", "UTC", "00:00", Some("0 30 2 * * *")),
            (
                "0 30 2 * * *",
                "America/Chicago",
                "00:00",
                Some("0 30 8 * * *"),
            ),
            ("0 30 8 * * *", "America/Chicago", "00:00", None),
            ("0 30 2 * * *", "UTC", "04:00", Some("0 30 6 * * *")),
            // An hour after the cut-off in winter, but right at it in summer time.
            (
                "0 0 23 * * *",
                "Europe/Berlin",
                "00:00",
                Some("0 30 1 * * *"),
            ),
            // The first one lies 45 minutes after the cut-off in summer time, before it in winter.
            (
                "0 45 2,12 * * *",
                "Europe/Berlin",
                "04:00",
                Some("0 30 5 * * *"),
            ),
        ];
        for (schedule, zone, cutoff, expected) in rows {
            let parsed = Schedule::parse(schedule).unwrap();
            let calendar = Calendar::of(zone, cutoff).unwrap();
            // Asked in spring, winter is more than 366 runs away where there are two a day.
            let asked = ["2026-04-01T12:00:00Z", "2026-11-24T12:00:00Z"];
            let asked = asked.map(|now| Timestamp::parse(now).unwrap());
            let [got, again] = asked.map(|now| warning(&parsed, &calendar, now));
            assert_eq!(got.is_some(), again.is_some(), "{got:?} and {again:?}");
            match (expected, &got) {
                (None, None) => {}
                (Some(fits), Some(text)) => assert!(text.contains(fits), "{zone}: {text}"),
                (_, _) => panic!("{schedule} in {zone}: {got:?}"),
            }
        }
    }
}
