//! The journal: what the database refuses whoever asks, and what an append promises.

#![allow(clippy::unwrap_used)]

mod journal;
mod store;

use journal::{Journal, date, journal as told};
use store::{State, close, kind, next, state};
use tripsettle::domain::*;
use tripsettle::settlement::History;
use tripsettle::store::{Append, Found, Store, StoreError};

/// A story; behind ` | then ` come events that no lawful story has.
fn story(text: &str) -> Journal {
    let (lawful, rest) = text.split_once(" | then ").unwrap_or((text, ""));
    let mut journal = told("S1/t", lawful);
    for segment in rest.split(" | ").filter(|segment| !segment.is_empty()) {
        let words: Vec<_> = segment.split(' ').collect();
        let fact = match words[..] {
            ["taken"] => journal.events[0].fact.clone(),
            ["read"] => intent(Call::TransactionalData),
            ["cancel"] => intent(Call::Cancel),
            ["capture", amount] => intent(Call::Capture {
                amount: journal::money(amount),
            }),
            ["ruled", "not_captured"] => told("S1/t", "taken 1.00 | ruled not_captured").events[1]
                .fact
                .clone(),
            ["reply", attempt, name] => Fact::Replied {
                attempt: attempt.parse().unwrap(),
                reply: reply(name),
            },
            _ => panic!("nothing is called {segment}"),
        };
        journal.push(fact);
    }
    journal
}

fn intent(call: Call) -> Fact {
    Fact::Intent { call }
}

fn reply(name: &str) -> Reply {
    let words = "no".to_owned();
    match name {
        "initiated" => Reply::Initiated,
        "refused" => Reply::Refused { words },
        "throttled" => Reply::Throttled {
            retry_after_ms: None,
        },
        "unclear" => Reply::Unclear {
            status: None,
            why: words,
        },
        _ => panic!("no reply is called {name}"),
    }
}

/// What becomes of a story's last event; all before it must be accepted.
fn outcome(story: &Journal) -> String {
    let state = state();
    let trip = state.begin(story);
    let (last, before) = story.events[1..].split_last().unwrap();
    for event in before {
        state.append(trip, story, event.step).unwrap();
    }
    let before = state.store.events(trip).unwrap();
    match state.append(trip, story, last.step) {
        Ok(()) => {
            let (events, told) = (state.store.events(trip).unwrap(), &story.events);
            let facts = |events: &[Event]| events.iter().map(|it| it.fact.clone()).collect();
            let (written, told): (Vec<_>, Vec<_>) = (facts(&events), facts(told));
            assert_eq!(written, told);
            "accepted".to_owned()
        }
        Err(StoreError::Refused(why)) => {
            assert_eq!(
                state.store.events(trip).unwrap(),
                before,
                "nothing was written"
            );
            why
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn the_database_itself_keeps_the_law() {
    let law = include_str!("store/law.txt");
    let mut rows = 0;
    for row in law
        .lines()
        .filter(|row| !row.starts_with('#') && !row.trim().is_empty())
    {
        let (text, expected) = row.split_once(" => ").unwrap();
        let outcome = outcome(&story(text.trim()));
        assert!(
            outcome.contains(expected.trim()),
            "{text}\n expected {expected}, {outcome}"
        );
        rows += 1;
    }
    assert!(rows > 30);
}

#[test]
fn days_go_forward_and_a_closed_one_takes_nothing_more() {
    let state = state();
    let story = "taken 20.00 | day 2 | adjust 20.00 approved";
    let trip = state.play("S1/a", story);
    let more = told("S1/a", &format!("{story} | no_data none"));
    let books_date = date(1);
    let early = Append {
        books_date,
        ..next(trip, &more, 4)
    };
    state.store.append_now(early).unwrap();
    let moved_up = state.store.events(trip).unwrap();
    let last = moved_up.last().unwrap();
    assert_eq!(last.books_date, date(2), "never before the trip's last one");
    let raw = state.raw();
    let insert = |day: i64| {
        let sql = "INSERT INTO journal (trip, step, at, books_date, kind, detail)
            VALUES (?1, 5, 0, ?2, 'no_evidence', '{}')";
        raw.execute(sql, (trip, date(day).to_string()))
            .map_err(|why| why.to_string())
    };
    assert!(
        insert(1)
            .unwrap_err()
            .contains("before the trip's last one")
    );
    close(&state.store, 1);
    close(&state.store, 2);
    assert!(
        insert(2)
            .unwrap_err()
            .contains("a books date that is closed")
    );
    // The day is open; but nobody appends who does not know the head of the chain.
    assert!(
        insert(3)
            .unwrap_err()
            .contains("does not follow the head of the journal")
    );
}

#[test]
fn raw_sql_cannot_change_the_journal_either() {
    let state = state();
    let story = "taken 20.00 | adjust 20.00 approved | capture 20.00 unclear";
    state.play("S1/a", story);
    let raw = state.raw();
    let before = state.store.events(1).unwrap();
    let new = "'2026-11-23'";
    // How, seq, step, kind, call: what the database says.
    let rows = [
        ("", "NULL, 1, 9", "'line', NULL", "its step does not follow"),
        ("", "NULL, 1, 5", "'line', NULL", "its step does not follow"),
        (
            "",
            "NULL, 1, 6",
            "'intent', 'capture'",
            "a second capture attempt",
        ),
        ("", "NULL, 1, 6", "'intent', NULL", "moves no money"),
        ("", "-7, 1, 6", "'line', NULL", "its place does not follow"),
        ("", "2, 1, 6", "'line', NULL", "no event is overwritten"),
        (
            "OR REPLACE",
            "2, 1, 6",
            "'line', NULL",
            "no event is overwritten",
        ),
        (
            "OR REPLACE",
            "5, 1, 6",
            "'line', NULL",
            "no event is overwritten",
        ),
    ];
    let inserts = rows.map(|(how, place, what, expected)| {
        let columns = "(seq, trip, step, at, books_date, kind, call, detail)";
        let values = format!("({place}, 0, {new}, {what}, '{{}}')");
        let sql = format!("INSERT {how} INTO journal {columns} VALUES {values}");
        (sql, expected)
    });
    let changes = [
        ("UPDATE journal SET at = 0", "no event is changed"),
        (
            "UPDATE journal SET detail = '{}' WHERE seq = 2",
            "no event is changed",
        ),
        (
            "UPDATE OR REPLACE journal SET seq = 1 WHERE seq = 2",
            "no event is changed",
        ),
        ("DELETE FROM journal", "no event is deleted"),
        ("DELETE FROM journal WHERE step = 5", "no event is deleted"),
    ];
    let changes = changes.map(|(sql, expected)| (sql.to_owned(), expected));
    for (sql, expected) in inserts.into_iter().chain(changes) {
        let refused = raw.execute_batch(&sql).unwrap_err().to_string();
        assert!(refused.contains(expected), "{sql}: {refused}");
        assert_eq!(state.store.events(1).unwrap(), before, "{sql}");
    }
}

#[test]
fn a_reply_is_never_of_another_trips_intent() {
    let state = state();
    state.play("S1/a", "taken 20.00 | adjust 20.00");
    let b = state.play("S1/b", "taken 20.00");
    let mut journal = told("S1/b", "taken 20.00");
    journal.push(Fact::Replied {
        attempt: 2,
        reply: Reply::Pending,
    });
    let refused = state.append(b, &journal, 2).unwrap_err();
    assert!(
        refused.to_string().contains("a reply without its intent"),
        "{refused}"
    );
}

#[test]
fn who_has_not_seen_the_last_event_is_told_so() {
    let state = state();
    let trip = state.play("S1/a", "taken 20.00 | adjust 20.00 approved");
    let journal = told(
        "S1/a",
        "taken 20.00 | adjust 20.00 approved | capture 20.00",
    );
    for expected_steps in [0, 2, 4, 9] {
        let stale = Append {
            expected_steps,
            ..next(trip, &journal, 4)
        };
        let conflict = state.store.append_now(stale).unwrap_err();
        assert_eq!(kind(&conflict), "conflict", "{conflict}");
    }
    assert_eq!(state.store.events(trip).unwrap().len(), 3);
    state.append(trip, &journal, 4).unwrap();
    let again = state.append(trip, &journal, 4).unwrap_err();
    assert_eq!(kind(&again), "conflict", "{again}");
}

#[test]
fn a_standing_that_does_not_count_its_own_events_is_refused() {
    let state = state();
    let trip = state.play("S1/a", "taken 20.00");
    let journal = told("S1/a", "taken 20.00 | adjust 20.00");
    let mut wrong = next(trip, &journal, 2);
    wrong.standing.steps = 7;
    let refused = state.store.append_now(wrong).unwrap_err();
    assert_eq!(kind(&refused), "refused", "{refused}");
    let mut wrong = next(trip, &journal, 2);
    wrong.standing.balances.open = 1;
    let refused = state.store.append_now(wrong).unwrap_err();
    assert_eq!(kind(&refused), "refused", "{refused}");
    state.append(trip, &journal, 2).unwrap();
}

/// All of them at once: nobody can commit before every append waits.
fn together(state: &State, appends: Vec<Append>) -> Vec<Result<(), StoreError>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let raw = state.raw();
    raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    runtime.unwrap().block_on(async {
        let append = |append| {
            let store = state.store.clone();
            tokio::spawn(async move { store.append(append).await })
        };
        let running: Vec<_> = appends.into_iter().map(append).collect();
        for _ in 0..running.len() {
            tokio::task::yield_now().await;
        }
        raw.execute_batch("COMMIT").unwrap();
        let mut done = Vec::new();
        for one in running {
            done.push(one.await.unwrap());
        }
        done
    })
}

#[test]
fn trips_in_flight_share_commits_and_one_refusal_takes_nobody_with_it() {
    let state = state();
    let story = "taken 20.00 | adjust 20.00 | adjust 20.00";
    let refused = [7, 30, 31];
    let mut appends = Vec::new();
    for n in 0..64 {
        let name = format!("S1/t{n}");
        let trip = state.play(&name, "taken 20.00");
        let mut append = next(trip, &told(&name, story), 2);
        if refused.contains(&n) {
            append.facts[0].1 = Fact::Intent {
                call: Call::TransactionalData,
            };
        }
        appends.push(append);
    }
    let (before, stale) = (state.store.commits(), appends[0].clone());
    let done = together(&state, appends);
    for (n, done) in done.iter().enumerate() {
        match done {
            Ok(()) => assert!(!refused.contains(&n)),
            Err(error) => assert_eq!((kind(error), refused.contains(&n)), ("refused", true)),
        }
    }
    let commits = state.store.commits() - before;
    assert!(
        (1..=2).contains(&commits),
        "{commits} commits for 64 appends"
    );
    let again = state.store.append_now(stale).unwrap_err();
    assert_eq!(kind(&again), "conflict");
    assert_eq!(
        state.store.commits() - before,
        commits,
        "what is refused is no commit"
    );
    let seqs = (1..=64).flat_map(|trip| state.store.events(trip).unwrap());
    let mut seqs: Vec<_> = seqs.map(|event| event.seq).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=125).collect::<Vec<i64>>(), "places without gaps");
}

#[test]
fn of_two_that_write_to_one_trip_at_once_one_is_told_of_the_other() {
    let state = state();
    let trip = state.play("S1/a", "taken 20.00 | adjust 20.00 approved");
    let journal = told(
        "S1/a",
        "taken 20.00 | adjust 20.00 approved | capture 20.00",
    );
    let done = together(&state, vec![next(trip, &journal, 4); 16]);
    let (written, conflicts): (Vec<_>, Vec<_>) = done.into_iter().partition(Result::is_ok);
    assert_eq!((written.len(), conflicts.len()), (1, 15));
    assert!(
        conflicts
            .iter()
            .all(|done| kind(done.as_ref().unwrap_err()) == "conflict")
    );
    assert_eq!(state.store.events(trip).unwrap().len(), 4);
}

#[test]
fn what_was_answered_is_there_after_opening_again() {
    let state = state();
    let story = "taken 20.00 | adjust 20.00 approved | capture 20.00 initiated | opened refused";
    let trip = state.play("S1/a", story);
    let events = state.store.events(trip).unwrap();
    assert_eq!(events.len(), 6);
    assert_eq!(events[0].run, None);
    assert_eq!(events[1].run, Some(RunId::of("run-1").unwrap()));
    // As another process sees it, with the first still alive.
    let other = Store::open(&state.folder()).unwrap();
    assert_eq!(other.events(trip).unwrap(), events);
    drop((other, state.store));
    let reopened = Store::open(&state.dir.path().join("state")).unwrap();
    assert_eq!(reopened.events(trip).unwrap(), events);
    assert_eq!(reopened.last_seq().unwrap(), 6);
}

/// A trip's row as text: what the columns say, and what the history says.
fn said(state: &State, trip: i64) -> (String, String) {
    let events = state.store.events(trip).unwrap();
    let history = History::replay(&events).unwrap();
    let (standing, key) = (history.standing(), &history.trip().key);
    let b = standing.balances;
    let last = events.last().unwrap().books_date;
    let derived = format!(
        "{} {} {} {} v{} {} {:?} {}={}+{}+{}+{}+{} {:?} {last}",
        key.store,
        key.trip,
        standing.status,
        standing.capture_state,
        standing.version,
        standing.steps,
        standing.act_by.map(Timestamp::ms),
        b.cart_total,
        b.captured,
        b.bad_debt,
        b.cancelled,
        b.in_doubt,
        b.open,
        standing.intended.map(|amount| amount.minor()),
    );
    let sql = "SELECT * FROM trip WHERE id = ?1 AND started_at < expires_at";
    let row = state.raw().query_row(sql, [trip], |row| {
        let text = |name| row.get::<_, String>(name).unwrap();
        let number = |name| row.get::<_, i64>(name).unwrap();
        let maybe = |name| row.get::<_, Option<i64>>(name).unwrap();
        let parts = [
            "cart_total",
            "captured",
            "bad_debt",
            "cancelled",
            "in_doubt",
            "open",
        ];
        let parts = parts.map(|part| number(part).to_string());
        let (total, parts) = parts.split_first().unwrap();
        let names = ["store_id", "trip_id", "status", "capture_state"]
            .map(text)
            .join(" ");
        Ok(format!(
            "{names} v{} {} {:?} {total}={} {:?} {}",
            number("version"),
            number("steps"),
            maybe("act_by"),
            parts.join("+"),
            maybe("intended"),
            text("last_books_date"),
        ))
    });
    (row.unwrap(), derived)
}

#[test]
fn a_trips_row_says_after_every_event_what_its_history_says() {
    let stories = [
        "taken 20.00 | amended 25.00 | adjust 25.00 approved | capture 25.00 initiated | data",
        "taken 20.00 | adjust 20.00 declined 5.00 | capture 5.00 initiated | lost 15.00 declined",
        "taken 20.00 | adjust 20.00 declined 0.00 | lost 20.00 declined | cancel initiated",
        "taken 0.00 | cancel unclear | cancel refused no",
        "taken 20 JPY | adjust 20 expired gone | day 2 | lost 20 token_expired",
        "taken 20.00 | elsewhere captured 12.00 | lost 8.00 declined",
        "taken 20.00 | elsewhere cancelled",
        "taken 20.00 | adjust 20.00 approved | capture 20.00 unclear | day 3 | line 20.00",
        "taken 20.00 | adjust 20.00 approved | capture 20.00 | ruled not_captured",
        "taken 20.00 | adjust 20.00 refused no | opened refused | ruled retry | cured refused",
        "taken 20.00 after loss | ruled captured 7.00 | lost 13.00 ruled_not_captured",
        "taken 20.00 | lost 20.00 token_expired_unasked | day 4 | line 20.00 | found 20.00",
    ];
    for (n, story) in stories.into_iter().enumerate() {
        let state = state();
        let name = format!("S{n}/t");
        let journal = told(&name, story);
        let trip = state.begin(&journal);
        for event in &journal.events {
            if event.step > 1 {
                state.append(trip, &journal, event.step).unwrap();
            }
            let (row, derived) = said(&state, trip);
            assert_eq!(row, derived, "{story}, step {}", event.step);
        }
    }
}

#[test]
fn a_bare_trip_id_is_enough_when_it_is_unique() {
    let state = state();
    for name in ["S1/a", "S2/b", "S1/b"] {
        state.play(name, "taken 20.00");
    }
    let key = journal::key;
    let rows = [
        ("a", Found::One(1, key("S1/a"))),
        ("S1/a", Found::One(1, key("S1/a"))),
        ("b", Found::Several(vec![key("S1/b"), key("S2/b")])),
        ("S2/b", Found::One(2, key("S2/b"))),
        ("S2/a", Found::None),
        ("c", Found::None),
        ("A", Found::None),
        ("%", Found::None),
        ("", Found::None),
        ("S1/", Found::None),
    ];
    for (name, expected) in rows {
        assert_eq!(state.store.find(name).unwrap(), expected, "{name}");
    }
}
