//! Closing days: committed in order, on what was rendered, and read back as it was.

#![allow(clippy::unwrap_used)]

mod journal;
mod store;

use journal::{date, journal as told, key, money};
use rusqlite::StatementStatus;
use store::{State, close, close_of, kind, next, now, run_id, state};
use tripsettle::domain::*;
use tripsettle::store::{
    Append, Close, EvidenceCount, LineKey, NewLine, ProcessorFile, RunEnd, StoreError,
};

fn names(
    each_trip: impl FnOnce(&mut dyn FnMut(i64, Vec<Event>) -> Result<(), StoreError>),
) -> String {
    let mut names = Vec::new();
    each_trip(&mut |_, events| {
        let Some(Fact::Taken { trip, .. }) = events.first().map(|event| &event.fact) else {
            panic!("a trip without its taking");
        };
        names.push(format!("{}:{}", trip.key, events.len()));
        Ok(())
    });
    names.join(" ")
}

#[test]
fn days_close_in_order_and_editions_follow_one_another() {
    let state = state();
    state.play("S1/a", "taken 20.00 | day 3 | adjust 20.00 approved");
    let rows = [
        (3, 1, "conflict"),
        (2, 1, "conflict"),
        (1, 2, "conflict"),
        (1, 1, "ok"),
        (1, 1, "conflict"),
        (3, 1, "conflict"),
        (2, 1, "ok"),
        (1, 3, "conflict"),
        (1, 2, "ok"),
        (3, 2, "conflict"),
    ];
    for (day, edition, expected) in rows {
        let done = state
            .store
            .commit_close(close_of(&state.store, day, edition));
        let done = done.as_ref().map_or_else(kind, |()| "ok");
        assert_eq!(done, expected, "day {day}, edition {edition}");
    }
    let days = state.store.closed_days().unwrap();
    assert_eq!(
        (days.first_event, days.last_closed),
        (Some(date(1)), Some(date(2)))
    );
    let waiting = |store: &tripsettle::store::Store| {
        let rows = store.unpublished_closes().unwrap().into_iter();
        rows.map(|row| row.manifest_sha256).collect::<Vec<_>>()
    };
    assert_eq!(
        waiting(&state.store),
        ["manifest-1-1", "manifest-1-2", "manifest-2-1"]
    );
    let told = vec![(date(1), 2)];
    let end = RunEnd { told, ..end(0) };
    state.store.finish_run(&run_id(), end).unwrap();
    assert_eq!(waiting(&state.store), ["manifest-1-1", "manifest-2-1"]);
    let editions = state.store.closes(date(1)).unwrap();
    let editions: Vec<_> = editions
        .iter()
        .map(|row| (row.edition, row.published))
        .collect();
    assert_eq!(editions, [(1, false), (2, true)]);
    let before = state.store.close_before(date(2)).unwrap().unwrap();
    assert_eq!(before.manifest_sha256, "manifest-1-2");
    assert_eq!(state.store.close_before(date(1)).unwrap(), None);
}

#[test]
fn a_day_that_changed_since_it_was_rendered_is_not_closed() {
    let state = state();
    state.play("S1/a", "taken 20.00");
    let rendered = close_of(&state.store, 1, 1);
    state.go_on("S1/a", "taken 20.00 | adjust 20.00 approved");
    let conflict = state.store.commit_close(rendered).unwrap_err();
    assert_eq!(kind(&conflict), "conflict", "{conflict}");
    for slipped in ["S1/a 20.00 EUR", "S1/b 1.00 USD scan_code", "S9/c 1.00 USD"] {
        let rendered = close_of(&state.store, 1, 1);
        state.take(slipped, 1, &[slipped]);
        let conflict = state.store.commit_close(rendered).unwrap_err();
        assert_eq!(kind(&conflict), "conflict", "{slipped}: {conflict}");
    }
    // What is booked on the next day does not disturb this one.
    let rendered = close_of(&state.store, 1, 1);
    state.play("S1/d", "taken 20.00");
    let late = close_of(&state.store, 1, 1);
    state.go_on("S1/d", "taken 20.00 | day 2 | adjust 20.00 approved");
    assert_eq!(
        kind(&state.store.commit_close(rendered).unwrap_err()),
        "conflict"
    );
    state.store.commit_close(late).unwrap();
}

#[test]
fn totals_stand_once_and_come_back_as_they_were() {
    let state = state();
    let total = |store: &str, currency: &str, new| DayTotal {
        new,
        closing_open: new,
        ..DayTotal::nothing(StoreId::of(store).unwrap(), Currency::of(currency).unwrap())
    };
    let sorted = vec![
        total("S1", "EUR", -7),
        total("S1", "USD", i64::MAX),
        total("S2", "EUR", 1),
    ];
    let totals = sorted.iter().rev().cloned().collect();
    let first = Close {
        totals,
        ..close_of(&state.store, 1, 1)
    };
    state.store.commit_close(first).unwrap();
    let totals = vec![total("S1", "EUR", 99)];
    let second = Close {
        totals,
        ..close_of(&state.store, 1, 2)
    };
    state.store.commit_close(second).unwrap();
    assert_eq!(state.store.day_totals(date(1)).unwrap(), sorted);
    assert_eq!(state.store.day_totals(date(2)).unwrap(), []);
}

#[test]
fn trips_of_a_day_come_in_order_and_only_with_what_was_known() {
    let state = state();
    for name in ["S2/a", "S1/b", "S1/a", "S10/a"] {
        state.play(name, "taken 20.00");
    }
    state.go_on("S1/b", "taken 20.00 | day 2 | adjust 20.00 approved");
    let (store, last) = (&state.store, state.store.last_seq().unwrap());
    // Somebody imports while the day is being closed.
    state.play("S1/late", "taken 20.00 | day 2 | adjust 20.00 refused no");
    let rows = [(1, "S1/a:1 S1/b:3 S10/a:1 S2/a:1"), (2, "S1/b:3"), (3, "")];
    for (day, expected) in rows {
        let of_day = names(|each| store.each_trip_of_day(date(day), last, each).unwrap());
        assert_eq!(of_day, expected, "day {day}");
    }
    let look = |_, events: Vec<Event>| Ok::<_, StoreError>(Some(events));
    let mut examined = store
        .examine_trips(date(2), date(2), last, &look)
        .unwrap()
        .into_iter();
    let examined = names(|each| examined.try_for_each(|events| each(0, events)).unwrap());
    assert_eq!(examined, "S1/b:3");
    let after = names(|each| store.each_trip_after_day(date(1), last, each).unwrap());
    assert_eq!(after, "S1/b:3");
    let mut owing = Vec::new();
    let each = &mut |trip: tripsettle::store::OwingTrip| {
        owing.push(format!("{} {} {}", trip.key, trip.open, trip.in_doubt));
        Ok::<(), StoreError>(())
    };
    store.each_owing_trip(date(1), each).unwrap();
    assert_eq!(owing, ["S1/a 2000 0", "S10/a 2000 0", "S2/a 2000 0"]);
}

/// More trips than are read at once, taken in another order than they are read in.
#[test]
fn trips_of_a_long_day_come_in_order_until_one_cannot_be_read_or_nobody_wants_more() {
    let state = state();
    let name = |n: u32| format!("S1/t{n:04}");
    let names: Vec<String> = (0..700).map(name).collect();
    for n in (0..700).map(|n| n * 331 % 700) {
        state.play(&name(n), "taken 20.00");
    }
    let last = state.store.last_seq().unwrap();
    let read = |up_to, stop_at: usize| {
        let mut seen = Vec::new();
        let end = state
            .store
            .each_trip_of_day(date(1), up_to, &mut |_, events| {
                let Some(Fact::Taken { trip, .. }) = events.first().map(|event| &event.fact) else {
                    panic!("a trip without its taking");
                };
                seen.push(trip.key.to_string());
                match seen.len() < stop_at {
                    true => Ok(()),
                    false => Err(StoreError::Stopped("enough".to_owned())),
                }
            });
        (seen, end.map_err(|why| why.to_string()))
    };
    assert_eq!(read(last, 1_000), (names.clone(), Ok(())));
    let (seen, end) = read(last, 100);
    assert_eq!(seen, names[..100]);
    assert!(end.unwrap_err().contains("enough"));
    // Taken later than what is asked for.
    assert_eq!(read(last - 300, 1_000).0.len(), 400);
    // One that panics on another thread panics here, and nobody waits for it for ever.
    for at in [1, 64, 65, 300] {
        let look = |trip, _: Vec<Event>| match trip < at {
            true => Ok::<_, StoreError>(Some(trip)),
            false => panic!("trip {trip}"),
        };
        let examine = || state.store.examine_trips(date(1), date(1), last, &look);
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(examine));
        assert!(ended.is_err(), "{at}");
    }
    let raw = state.raw();
    raw.execute_batch("DROP TRIGGER journal_is_never_changed")
        .unwrap();
    let damage = "UPDATE journal SET detail = '{' WHERE trip =
        (SELECT id FROM trip WHERE trip_id = 't0500')";
    assert_eq!(raw.execute(damage, ()).unwrap(), 1);
    let (seen, end) = read(last, 1_000);
    assert_eq!(seen, names[..500], "the ones before it were looked at");
    assert!(end.is_err());
}

#[test]
fn a_break_is_open_until_the_day_that_cures_it() {
    let state = state();
    let story = "taken 20.00 | opened refused | day 2 | opened expired | day 3 | cured refused";
    state.play("S1/a", story);
    let all = state.store.last_seq().unwrap();
    let rows = [
        (1, all, "refused 1-3"),
        (1, 1, ""),
        (2, all, "expired 2- refused 1-3"),
        (2, all - 1, "expired 2- refused 1-"),
        (3, all, "expired 2- refused 1-3"),
        (4, all, "expired 2-"),
    ];
    let day = |on: BooksDate| on.days_since(date(1)) + 1;
    for (of, up_to, expected) in rows {
        let mut breaks = Vec::new();
        let each = &mut |seen: tripsettle::store::DayBreak| {
            let cured = seen
                .cured_on
                .map(|on| day(on).to_string())
                .unwrap_or_default();
            breaks.push(format!(
                "{} {}-{cured}",
                seen.found.kind,
                day(seen.opened_on)
            ));
            Ok::<(), StoreError>(())
        };
        state
            .store
            .each_break_of_day(date(of), up_to, each)
            .unwrap();
        assert_eq!(breaks.join(" "), expected, "day {of}, up to {up_to}");
    }
}

fn line(line: u64, key: LineKey) -> NewLine {
    let (reference, kind) = (format!("R{line}"), "SALE".to_owned());
    let (amount, date, is_capture) = (money("20.00"), None, true);
    NewLine::Read {
        line,
        key,
        amount,
        date,
        reference,
        kind,
        is_capture,
    }
}

fn by_trip(store: Option<&str>, trip: &str) -> LineKey {
    let (store, trip) = (store.map(str::to_owned), Some(trip.to_owned()));
    LineKey {
        store,
        trip,
        reconciliation_id: None,
    }
}

const CAPTURED: &str = "taken 20.00 | adjust 20.00 approved | capture 20.00 initiated | data";

#[test]
fn a_line_names_one_trip_or_none() {
    let state = state();
    for (name, id) in [("S1/a", "R-a"), ("S2/a", "R-a"), ("S1/b", "R-b")] {
        state.play(name, &format!("{CAPTURED} reconciliation_id={id}"));
    }
    let id = |id: &str| LineKey {
        reconciliation_id: Some(id.to_owned()),
        ..LineKey::default()
    };
    let rows = [
        (by_trip(Some("S1"), "a"), Some(1)),
        (by_trip(None, "b"), Some(3)),
        (by_trip(None, "a"), None),
        (by_trip(Some("S3"), "a"), None),
        (id("R-b"), Some(3)),
        (id("R-a"), None),
        (id("R-c"), None),
        (LineKey::default(), None),
    ];
    for (key, expected) in rows {
        let found = state.store.trip_of_line(&key).unwrap();
        assert_eq!(found, expected, "{key:?}");
    }
    let shared = |trip| state.store.reconciliation_id_shared(trip).unwrap();
    assert_eq!((shared(1), shared(3)), (Some(key("S2/a")), None));
}

#[test]
fn a_report_is_taken_once_and_a_line_of_it_belongs_to_one_trip() {
    let state = state();
    for name in ["S1/a", "S1/b"] {
        state.play(name, CAPTURED);
    }
    let (sha256, name) = ("x".to_owned(), "x.csv".to_owned());
    let processor = ProcessorName::of("adyen").unwrap();
    let report = ProcessorFile {
        sha256,
        processor,
        name,
        cumulative: false,
    };
    let problem = "no amount".to_owned();
    let unreadable = NewLine::Unreadable { line: 3, problem };
    let lines = vec![line(2, by_trip(Some("S1"), "a")), unreadable];
    for _ in 0..2 {
        let taken = state
            .store
            .take_processor_lines(&report, lines.clone(), date(1), now());
        taken.unwrap();
        assert!(state.store.processor_file_taken("x").unwrap());
        assert_eq!(state.store.unmatched_lines(0, 9).unwrap().len(), 1);
    }
    let problems = |day| {
        let mut seen = Vec::new();
        let each = &mut |line: tripsettle::store::ProblemLine| {
            seen.push(line.source);
            Ok::<(), StoreError>(())
        };
        state
            .store
            .each_problem_line_of_day(date(day), i64::MAX, each)
            .unwrap();
        seen.join(" ")
    };
    assert_eq!(
        (problems(1), problems(2)),
        ("x.csv:2 x.csv:3".into(), "x.csv:2".into())
    );
    let waiting = state.store.unmatched_lines(0, 9).unwrap().remove(0);
    assert_eq!((&*waiting.source, &*waiting.reference), ("x.csv:2", "R2"));
    let matching = |name, trip| {
        let story = told(name, &format!("{CAPTURED} | line 20.00"));
        let line = Some(waiting.id);
        state.store.append_now(Append {
            line,
            ..next(trip, &story, 7)
        })
    };
    matching("S1/a", 1).unwrap();
    assert_eq!(kind(&matching("S1/b", 2).unwrap_err()), "conflict");
    assert_eq!(
        state.store.events(2).unwrap().len(),
        6,
        "told to one trip only"
    );
    assert_eq!(state.store.unmatched_lines(0, 9).unwrap(), []);
    assert_eq!(problems(1), "x.csv:3", "matched on the day it came");
}

#[test]
fn a_line_that_finds_its_trip_later_was_without_one_before() {
    let state = state();
    let trip = state.play("S1/a", CAPTURED);
    let report = ProcessorFile {
        sha256: "x".to_owned(),
        processor: ProcessorName::of("adyen").unwrap(),
        name: "x.csv".to_owned(),
        cumulative: false,
    };
    let lines = vec![line(2, by_trip(Some("S1"), "a"))];
    let taken = state
        .store
        .take_processor_lines(&report, lines, date(1), now());
    taken.unwrap();
    let before = state.store.last_seq().unwrap();
    let waiting = state.store.unmatched_lines(0, 9).unwrap().remove(0);
    let mut story = told("S1/a", &format!("{CAPTURED} | day 2 | line 20.00"));
    let Some(Fact::Line { line }) = story.events.last_mut().map(|event| &mut event.fact) else {
        panic!("no line");
    };
    line.line_id = waiting.id;
    let found = Append {
        line: Some(waiting.id),
        ..next(trip, &story, 7)
    };
    state.store.append_now(found).unwrap();
    let matched = |up_to| {
        let mut seen = Vec::new();
        let each = &mut |line: tripsettle::store::ProblemLine| {
            seen.push(line.matched_on);
            Ok::<(), StoreError>(())
        };
        let store = &state.store;
        store
            .each_problem_line_of_day(date(1), up_to, each)
            .unwrap();
        seen
    };
    assert_eq!(matched(before), [None]);
    assert_eq!(matched(before + 1), [Some(date(2))]);
}

/// Trips of one second have one deadline: a page among them is sought, not counted up to.
#[test]
fn a_page_of_open_trips_costs_the_same_wherever_it_begins() {
    let state = state();
    for n in 0..300 {
        state.play(&format!("S1/t{n}"), "taken 20.00");
    }
    let first = state
        .store
        .open_trips(Timestamp::of_ms(i64::MAX), None, 1)
        .unwrap();
    let act_by = first[0].act_by.ms();
    let raw = state.raw();
    let sql = include_str!("../sql/queries/sweep_open_trips.sql");
    let mut statement = raw.prepare(sql).unwrap();
    let mut steps = |after: i64| {
        statement.reset_status(StatementStatus::VmStep);
        let ids = statement.query_map((i64::MAX, act_by, after, 10), |row| row.get::<_, i64>(0));
        let ids: Vec<i64> = ids.unwrap().map(Result::unwrap).collect();
        assert_eq!(ids, (after + 1..=after + 10).collect::<Vec<i64>>());
        statement.get_status(StatementStatus::VmStep)
    };
    let (begin, end) = (steps(0), steps(290));
    assert!(
        end < begin * 2,
        "{begin} steps at the beginning, {end} at the end"
    );
}

#[test]
fn open_trips_come_page_by_page_most_urgent_first() {
    let state = state();
    for n in 0..7 {
        state.play(&format!("S1/t{n}"), "taken 20.00");
    }
    state.play("S1/done", "taken 20.00 | elsewhere cancelled");
    let (mut after, mut seen) = (None, Vec::new());
    let latest = now().plus_ms(100 * 3_600_000);
    loop {
        let page = state.store.open_trips(latest, after, 3).unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.act_by, last.id));
        seen.extend(page.iter().map(|trip| trip.id));
    }
    assert_eq!(seen, (1..=7).collect::<Vec<i64>>());
    let too_early = Timestamp::of_ms(0);
    assert_eq!(state.store.open_trips(too_early, None, 9).unwrap(), []);
}

#[test]
fn missing_data_is_asked_for_until_it_is_here_or_never_will_be() {
    let state = state();
    let story = "taken 20.00 | adjust 20.00 approved | capture 20.00 initiated";
    for name in ["S1/a", "S1/b"] {
        state.play(name, story);
    }
    let due = |at| state.store.due_pulls(at, None, 9).unwrap();
    assert_eq!(due(now()).len(), 2);
    assert_eq!(state.store.due_pulls(now(), Some(1), 9).unwrap()[0].trip, 2);
    let later = now().plus_ms(60_000);
    state
        .store
        .postpone_pulls(vec![(1, later), (2, later)])
        .unwrap();
    assert_eq!(due(now()), []);
    assert_eq!(state.store.next_pull().unwrap(), Some(later));
    assert_eq!(state.store.pull_again(date(2), date(9), now()).unwrap(), 0);
    assert_eq!(state.store.pull_again(date(1), date(1), now()).unwrap(), 2);
    assert_eq!(due(now())[0].tries, 1);
    state.go_on("S1/a", &format!("{story} | data"));
    state.go_on("S1/b", &format!("{story} | no_data none"));
    assert_eq!(due(later), []);
    assert_eq!(evidence(&state), (2, 1));
    // What was counted stands until the journal grows.
    let (store, run) = (&state.store, run_id());
    let (initiated, evidenced, seq) = (7, 7, store.last_seq().unwrap());
    let evidence_counted = EvidenceCount {
        initiated,
        evidenced,
        seq,
    };
    store.begin_run(&run, "run", now(), date(1)).unwrap();
    let ended = RunEnd {
        evidence: evidence_counted,
        ..end(0)
    };
    store.finish_run(&run, ended).unwrap();
    assert_eq!(evidence(&state), (7, 7));
    state.play("S1/c", story);
    assert_eq!(evidence(&state), (3, 1));
}

/// An end of which nothing follows.
fn end(exit_code: u8) -> RunEnd {
    RunEnd {
        at: now(),
        exit_code,
        report: "{}".to_owned(),
        evidence: EvidenceCount::default(),
        mail: None,
        told: Vec::new(),
    }
}

fn evidence(state: &State) -> (u64, u64) {
    let count = state.store.evidence().unwrap();
    (count.initiated, count.evidenced)
}

#[test]
fn data_of_a_capture_that_never_was_is_no_evidence() {
    let state = state();
    let again = "adjust 20.00 approved | capture 20.00";
    let story =
        format!("taken 20.00 | {again} unclear | data | ruled not_captured | {again} initiated");
    state.play("S1/a", &story);
    assert_eq!(evidence(&state), (1, 0));
}

#[test]
fn runs_mails_and_memos_are_kept() {
    let state = state();
    let store = &state.store;
    store.begin_run(&run_id(), "run", now(), date(1)).unwrap();
    assert_eq!(store.runs(9).unwrap()[0].exit_code, None);
    store.finish_run(&run_id(), end(11)).unwrap();
    let runs = store.runs(9).unwrap();
    assert_eq!(
        (runs.len(), runs[0].exit_code, runs[0].report.as_deref()),
        (1, Some(11), Some("{}"))
    );
    for body in ["one", "another"] {
        let mail = Some(("<run-1@x>".to_owned(), body.into()));
        let end = RunEnd { mail, ..end(11) };
        store.finish_run(&run_id(), end).unwrap();
    }
    let due = store.due_mails(now(), 9).unwrap();
    assert_eq!((due.len(), due[0].body.as_slice()), (1, "one".as_bytes()));
    let later = now().plus_ms(1);
    store.mail_failed(due[0].id, "no route", later).unwrap();
    assert_eq!(store.due_mails(now(), 9).unwrap(), []);
    let again = store.due_mails(later, 9).unwrap();
    let why = again[0].last_error.as_deref();
    assert_eq!((again[0].tries, why), (1, Some("no route")));
    store.mail_sent(due[0].id, later).unwrap();
    assert_eq!(
        (store.mails_waiting().unwrap(), store.memo("x").unwrap()),
        (0, None)
    );
    for value in ["1", "2"] {
        store.set_memo("x", value).unwrap();
        assert_eq!(store.memo("x").unwrap().as_deref(), Some(value));
    }
    store.set_pause_until(later).unwrap();
    assert_eq!(store.pause_until().unwrap(), Some(later));
    close(store, 1);
}
