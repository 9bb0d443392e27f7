//! The story of a run, as the mail tells it: figures from the report, and what to do now.

use std::path::Path;

use crate::domain::{BreakKind, Severity, Status, TripKey};
use crate::mail::{
    BreakTally, CallTally, DayClosed, EvidenceTally, Incident, IncidentReplies, Listed,
    NextCommand, OutcomeTally, Story, TripAtStake, Waits,
};
use crate::outputs::{POSTINGS, REVIEW};
use crate::payment_service::PaymentService;
use crate::store::{NamedTrip, NamedTrips};

use super::pass::{House, Pass};
use super::report::{Closed, RunReport};
use super::tally::Tally;

/// The story of `report`.
pub fn story<S: PaymentService>(house: &House<S>, pass: &Pass, report: &RunReport) -> Story {
    let tally = &report.tally;
    Story {
        finished: report.finished,
        why_not: report.why_not.clone(),
        run: pass.run.clone(),
        command: report.command.to_owned(),
        exit_code: report.exit_code,
        started_at: pass.started_at,
        finished_at: report.ended_at,
        days: days(report),
        outcomes: outcomes(tally),
        calls: calls(tally),
        waits: Waits {
            throttled: tally.pauses,
            throttled_ms: tally.pause_ms,
            paced_ms: tally.paced_ms,
        },
        calls_per_1000_seconds: rate(pass, report),
        incident: incident(tally),
        doubts: listed(&report.doubts_found, |_| {
            "may have been captured".to_owned()
        }),
        at_risk: listed(&report.at_risk_found, |trip| trip.status.to_string()),
        next_run: house.schedule.next_after(report.ended_at),
        breaks: breaks(report),
        evidence: EvidenceTally {
            initiated: report.evidence.initiated,
            evidenced: report.evidence.evidenced,
            oldest_missing: report.oldest_missing_at,
        },
        rejected_rows: rejected(report),
        warnings: tally
            .unreadable_files
            .iter()
            .chain(&tally.warnings)
            .cloned()
            .collect(),
        journal: report.journal.clone(),
        attention: attention(report),
        next_commands: next_commands(report),
    }
}

/// Why somebody should look, beside doubts and trips at risk: the most serious first.
pub fn attention(report: &RunReport) -> Vec<String> {
    let open = breaks(report);
    // These are told by their trips.
    let by_trips = [BreakKind::InDoubt, BreakKind::Expired, BreakKind::Refused];
    let of = |is_critical: bool| -> u64 {
        let told = open.iter().filter(|tally| {
            let critical = tally.severity == Severity::Critical;
            let counts = tally.severity != Severity::Info && !by_trips.contains(&tally.kind);
            counts && critical == is_critical
        });
        told.map(|tally| tally.open).sum()
    };
    let expired = report.tally.outcomes.get(&Status::Expired);
    let expired: u64 = expired.map_or(0, |sums| sums.values().map(|sum| sum.trips).sum());
    // An hourly pass may have met them before.
    let of_the_day = open.iter().filter(|tally| tally.kind == BreakKind::Expired);
    let expired = expired.max(of_the_day.map(|tally| tally.open).sum());
    let unreadable = u64::try_from(report.tally.unreadable_files.len()).unwrap_or(u64::MAX);
    let counted = [
        (of(true), "critical break", "critical breaks"),
        (expired, "trip expired", "trips expired"),
        (of(false), "break", "breaks"),
        (report.refused_standing, "refused", "refused"),
        (rejected(report), "row rejected", "rows rejected"),
        (unreadable, "file not taken", "files not taken"),
    ];
    let told = counted.into_iter().filter(|(count, ..)| *count > 0);
    told.map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect()
}

/// The workbook and the CSVs of the days that the run closed: first those for people, then the
/// tables, then those for programs, since the last ones are the first to be left out of a mail that
/// grows too large. One that cannot be read is left out.
pub fn attachments(report: &RunReport) -> Vec<(String, Vec<u8>)> {
    let mut named = Vec::new();
    for day in &report.closed {
        let entries = std::fs::read_dir(Path::new(&day.path))
            .into_iter()
            .flatten();
        let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
        named.extend(paths.filter_map(|path| {
            let name = path.file_name()?.to_str()?;
            Some((rank(name)?, format!("{}-{name}", day.books_date), path))
        }));
    }
    named.sort();
    let read = named
        .into_iter()
        .map(|(_, name, path)| Some((name, std::fs::read(path).ok()?)));
    read.flatten().collect()
}

/// How late a file comes in a mail; none for one that does not.
fn rank(name: &str) -> Option<u8> {
    let for_people = name.ends_with(".xlsx") || name.ends_with(REVIEW);
    let for_programs = name.starts_with(POSTINGS);
    match (name.ends_with(".csv"), for_people, for_programs) {
        (_, true, _) => Some(0),
        (true, false, false) => Some(1),
        (true, false, true) => Some(2),
        (false, false, _) => None,
    }
}

fn days(report: &RunReport) -> Vec<DayClosed> {
    let day = |day: &Closed| DayClosed {
        books_date: day.books_date,
        edition: day.edition,
        verdict: day.verdict.clone(),
        summary: day.summary.clone(),
        path: day.path.clone(),
    };
    report.closed.iter().map(day).collect()
}

fn outcomes(tally: &Tally) -> Vec<OutcomeTally> {
    let rows = tally.outcomes.iter().flat_map(|(outcome, by_currency)| {
        by_currency.values().map(|sums| OutcomeTally {
            outcome: *outcome,
            trips: sums.trips,
            cart_total: sums.cart_total,
            captured: sums.captured,
            bad_debt: sums.bad_debt,
        })
    });
    rows.collect()
}

fn calls(tally: &Tally) -> Vec<CallTally> {
    let rows = tally.calls.iter().flat_map(|(call, by_reply)| {
        by_reply.iter().map(|(reply, calls)| CallTally {
            call: (*call).to_owned(),
            reply: (*reply).to_owned(),
            calls: *calls,
        })
    });
    rows.collect()
}

fn rate(pass: &Pass, report: &RunReport) -> u64 {
    let took = report
        .ended_at
        .ms_since(pass.started_at)
        .unsigned_abs()
        .max(1);
    report.tally.calls_made().saturating_mul(1_000_000) / took
}

fn incident(tally: &Tally) -> Option<Incident> {
    let seen = tally.incident.as_ref()?;
    let replies = seen.replies.iter().flat_map(|(call, by_status)| {
        by_status.iter().map(|(status, calls)| IncidentReplies {
            call: (*call).to_owned(),
            status: *status,
            calls: *calls,
        })
    });
    Some(Incident {
        calls: seen.calls,
        first: seen.first,
        last: seen.last,
        trips: seen.trips.clone(),
        trips_in_all: seen.trips_concerned,
        replies: replies.collect(),
    })
}

fn listed(found: &NamedTrips, note: impl Fn(&NamedTrip) -> String) -> Listed {
    let trips = found.named.iter().map(|trip| TripAtStake {
        trip: trip.key.clone(),
        amount: trip.amount,
        deadline: trip.expires_at,
        note: note(trip),
    });
    Listed {
        trips: trips.collect(),
        in_all: found.count,
    }
}

/// Rows that were not taken: met by this run, or in the files of the days that it closed.
fn rejected(report: &RunReport) -> u64 {
    let published = report.closed.iter().map(|day| day.rejected).sum();
    report.rejected().max(published)
}

fn newest(report: &RunReport) -> Option<&Closed> {
    report.closed.iter().max_by_key(|day| day.books_date)
}

/// The breaks of the newest day that was closed: those of older days stand in it as well.
fn breaks(report: &RunReport) -> Vec<BreakTally> {
    let kinds = newest(report).into_iter().flat_map(|day| &day.breaks);
    let tally = |(kind, open): (&BreakKind, &u64)| BreakTally {
        kind: *kind,
        severity: kind.severity(),
        open: *open,
    };
    kinds.map(tally).collect()
}

/// What a person may want to do, most urgent first.
pub fn next_commands(report: &RunReport) -> Vec<NextCommand> {
    let mut commands = Vec::new();
    let mut tell = |command: String, why: &str| {
        commands.push(NextCommand {
            command,
            why: why.to_owned(),
        });
    };
    if !report.finished {
        tell(
            "tripsettle run".to_owned(),
            "go on where this run stopped; nothing is done twice",
        );
        tell(
            "tripsettle check".to_owned(),
            "see which part does not work",
        );
    }
    if let Some(trip) = report.doubts_found.named.first() {
        let TripKey { store, trip } = &trip.key;
        tell(
            format!("tripsettle show {store}/{trip}"),
            "see what is known of the doubt",
        );
        tell(
            format!("tripsettle rule {store}/{trip} captured --by YOU --note WHY"),
            "end it, once the processor has told you; or `not-captured`",
        );
    }
    let refused = report
        .at_risk_found
        .named
        .iter()
        .find(|trip| trip.status == Status::Refused);
    if let Some(trip) = refused {
        tell(
            format!("tripsettle rule {} retry --by YOU --note WHY", trip.key),
            "try a refused trip again, before its token dies",
        );
    }
    let critical = breaks(report)
        .into_iter()
        .any(|tally| tally.severity == Severity::Critical && tally.kind != BreakKind::InDoubt);
    if let Some(day) = newest(report).filter(|_| critical) {
        tell(
            format!("grep ,critical, {}/breaks.csv", day.path),
            "money or books are wrong there: see each one, and what it is held against",
        );
    }
    if report.at_risk_standing > 0 && report.finished {
        tell(
            "tripsettle settle".to_owned(),
            "try again now what is at risk",
        );
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::rank;

    #[test]
    fn files_for_people_come_before_those_for_programs() {
        let ranked = [
            ("night.xlsx", Some(0)),
            ("breaks.review.csv", Some(0)),
            ("breaks.csv", Some(1)),
            ("changes.csv", Some(1)),
            ("postings.csv", Some(2)),
            ("postings.qbo.2.csv", Some(2)),
            ("postings.journal", None),
            ("summary.json", None),
        ];
        for (name, late) in ranked {
            assert_eq!(rank(name), late, "{name}");
        }
    }
}
