//! Which accounting date an event is booked on; pure.

use crate::domain::{BooksDate, Calendar, Timestamp};

/// The books date of whatever is learnt at `now`: the last ended business day if it is not closed
/// yet, otherwise the day in progress, otherwise (it was closed early) the day after.
///
/// `last_closed` is the newest closed date; days close in order, so all before it are closed.
pub fn books_date(company: &Calendar, now: Timestamp, last_closed: Option<BooksDate>) -> BooksDate {
    let in_progress = BooksDate::of(company.date_of(now));
    let ended = in_progress.previous();
    match last_closed {
        Some(closed) if closed >= ended => closed.next().max(in_progress),
        Some(_) | None => ended,
    }
}

/// The last business day that has ended at `now`.
pub fn last_ended(company: &Calendar, now: Timestamp) -> BooksDate {
    BooksDate::of(company.date_of(now)).previous()
}

/// The days to close, in order: from the day after the last closed one (or the first with an
/// event, or `through` itself when there is none) to `through`.
pub fn days_to_close(
    first_event: Option<BooksDate>,
    last_closed: Option<BooksDate>,
    through: BooksDate,
) -> Vec<BooksDate> {
    let first = match (last_closed, first_event) {
        (Some(closed), _) => closed.next(),
        (None, Some(event)) => event.min(through),
        (None, None) => through,
    };
    let mut days = Vec::new();
    let mut day = first;
    while day <= through {
        days.push(day);
        day = day.next();
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> BooksDate {
        BooksDate::parse(text).unwrap()
    }

    #[test]
    fn an_event_is_booked_on_the_oldest_day_that_may_still_be_open() {
        let utc = Calendar::of("UTC", "00:00").unwrap();
        let rows = [
            // now, last closed, books date
            ("2026-11-24T02:30:00Z", None, "2026-11-23"),
            ("2026-11-24T02:30:00Z", Some("2026-11-22"), "2026-11-23"),
            ("2026-11-24T02:30:00Z", Some("2026-11-20"), "2026-11-23"),
            ("2026-11-24T02:30:00Z", Some("2026-11-23"), "2026-11-24"),
            ("2026-11-24T23:59:59Z", Some("2026-11-24"), "2026-11-25"),
            ("2026-11-25T00:10:00Z", Some("2026-11-24"), "2026-11-25"),
            ("2026-11-25T00:10:00Z", Some("2026-11-23"), "2026-11-24"),
        ];
        for (now, closed, expected) in rows {
            let got = books_date(&utc, Timestamp::parse(now).unwrap(), closed.map(date));
            assert_eq!(got, date(expected), "{now} after {closed:?}");
        }
    }

    #[test]
    fn missed_days_are_closed_in_order_and_none_twice() {
        let days = |first: Option<&str>, closed: Option<&str>, through: &str| {
            let days = days_to_close(first.map(date), closed.map(date), date(through));
            days.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let missed = "2026-11-21 2026-11-22 2026-11-23";
        assert_eq!(days(None, Some("2026-11-20"), "2026-11-23"), missed);
        assert_eq!(days(Some("2026-11-21"), None, "2026-11-23"), missed);
        assert_eq!(days(None, None, "2026-11-23"), "2026-11-23");
        assert_eq!(days(Some("2026-11-24"), None, "2026-11-23"), "2026-11-23");
        assert_eq!(days(None, Some("2026-11-23"), "2026-11-23"), "");
    }
}
