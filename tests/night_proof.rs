//! The retailer has said that transactional data proves a capture: which doubts it ends, and which
//! are left to a person.

#![allow(clippy::unwrap_used)]

mod night;

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use night::Night;
use serde_json::{Value, json};
use tripsettle::sandbox::{CallKind, EmvData, Fault, FaultKind, SandboxTrip, Side};

const PROVES: &str = "TRIPSETTLE_SETTLEMENT__TRANSACTIONAL_DATA_PROVES_CAPTURE";

/// A capture of which the answer is lost: a doubt.
fn answer_is_lost() -> Fault {
    Fault {
        call: CallKind::Capture,
        kind: FaultKind::Reset,
        side: Side::After,
        times: 1,
    }
}

/// The trip `S1/id` of 10.00 at the service and in the inbox.
fn trip(night: &Night, id: &str, faults: Vec<Fault>, data: Option<EmvData>) {
    let started = night.began - TimeDelta::hours(30);
    night.sandbox.add_trip(SandboxTrip {
        store_id: "S1".to_owned(),
        shopping_trip_id: id.to_owned(),
        started_at: started,
        faults,
        data,
        ..SandboxTrip::default()
    });
    feed(night, id, "");
}

fn feed(night: &Night, id: &str, told: &str) {
    let header = "store_id,shopping_trip_id,started_at,amount,currency,status,captured_amount";
    let started = (night.began - TimeDelta::hours(30)).to_rfc3339();
    let told = if told.is_empty() { "," } else { told };
    let row = format!("S1,{id},{started},10.00,USD,{told}");
    let name = format!("inbox/{id}{}.csv", told.len());
    night.write(&name, &format!("{header}\n{row}\n"));
}

/// Data that carries a reconciliation id.
fn named(id: &str) -> EmvData {
    EmvData {
        reconciliation_id: Some(id.to_owned()),
        ..EmvData::default()
    }
}

fn shown(night: &Night, id: &str) -> Value {
    let told = night
        .expect(0, &["show", &format!("S1/{id}"), "--json"])
        .out;
    serde_json::from_str(&told).unwrap()
}

/// Amazon's answer may come after the night: the doubt that was left to a person then ends by the
/// data that is here already, and nobody is asked again.
#[test]
fn data_of_an_earlier_night_ends_a_doubt_as_soon_as_it_may() {
    let mut night = Night::begin();
    trip(&night, "doubt", vec![answer_is_lost()], None);
    night.expect(11, &["run"]);
    let calls = night.sandbox.calls();
    night.expect(11, &["settle"]);
    night.set(PROVES, "true");
    night.expect(0, &["settle"]);
    assert_eq!(shown(&night, "doubt")["status"], "captured");
    assert_eq!(night.sandbox.calls(), calls, "known without a call");
    let head = |night: &Night| night.expect(0, &["verify"]).out;
    let before = head(&night);
    night.expect(0, &["settle"]);
    assert_eq!(head(&night), before, "said once");
}

/// A trip that was in doubt for a moment is told as what it became.
#[test]
fn a_doubt_that_ends_in_its_own_night_is_told_once() {
    let mut night = Night::begin();
    night.set(PROVES, "true");
    trip(&night, "doubt", vec![answer_is_lost()], None);
    let told = night.expect(0, &["settle"]).out;
    assert!(told.contains("captured"), "{told}");
    assert!(!told.contains("in_doubt"), "{told}");
}

/// Data that is odd, or that somebody else's capture may have made, proves nothing.
#[test]
fn a_doubt_is_left_to_a_person_where_the_data_may_be_of_another_capture() {
    let mut night = Night::begin();
    let foreign = EmvData {
        currency: Some("EUR".to_owned()),
        ..named("1111111111")
    };
    trip(&night, "foreign", vec![answer_is_lost()], Some(foreign));
    trip(&night, "elsewhere", vec![answer_is_lost()], None);
    let shared = named("1234567890");
    trip(&night, "one", vec![answer_is_lost()], Some(shared.clone()));
    trip(&night, "two", vec![answer_is_lost()], Some(shared));
    night.expect(11, &["settle"]);
    feed(&night, "elsewhere", "captured,7.00");
    night.expect(11, &["settle"]);
    night.set(PROVES, "true");
    night.expect(11, &["settle"]);
    for id in ["foreign", "elsewhere", "one", "two"] {
        assert_eq!(shown(&night, id)["status"], "in_doubt", "{id}");
    }
}

/// A person rules while the pull waits: the data it then brings belongs to the capture that the
/// person says never was, and is not kept for the next one.
#[test]
fn data_that_comes_after_a_ruling_is_not_that_of_the_next_capture() {
    let mut night = Night::begin();
    night.set(PROVES, "true");
    let wait = Fault {
        call: CallKind::TransactionalData,
        kind: FaultKind::Throttle(3),
        side: Side::Before,
        times: 1,
    };
    trip(&night, "doubt", vec![answer_is_lost(), wait], None);
    let mut settle = night.start(&["settle"]);
    let patience = Instant::now() + Duration::from_secs(30);
    while night.sandbox.calls().transactional_data == 0 {
        assert!(Instant::now() < patience, "nobody was told to wait");
        std::thread::sleep(Duration::from_millis(5));
    }
    let because = ["--by", "Ada", "--note", "Amazon says so"];
    let ruling = ["rule", "S1/doubt", "not-captured"]
        .into_iter()
        .chain(because);
    night.expect(0, &ruling.collect::<Vec<_>>());
    settle.wait().unwrap();
    let trip = shown(&night, "doubt");
    assert_eq!(trip["status"], "open", "{trip}");
    assert_eq!(trip["capture_state"], "none", "{trip}");
    let told = night.expect(0, &["show", "S1/doubt"]).out;
    assert!(!told.contains("reconciliation id"), "{told}");
    // The next capture is lost as well: which of the two the data then tells of, nobody knows.
    night.sandbox.inject(answer_is_lost());
    night.expect(11, &["settle"]);
}

/// A person who errs takes the ruling back before the shopper is charged twice.
#[test]
fn a_ruling_is_taken_back_before_another_capture_is_sent() {
    let night = Night::begin();
    trip(&night, "doubt", vec![answer_is_lost()], Some(named("4711")));
    night.expect(11, &["run"]);
    let signed = ["--by", "Ada", "--note", "looked it up"];
    let rule = |code, words: &[&str]| {
        let words = [&["rule", "S1/doubt"], words, &signed].concat();
        night.expect(code, &words)
    };
    let refused = rule(2, &["not-captured", "--amount", "3.00"]);
    assert!(
        refused.err.contains("goes with `captured` only"),
        "{refused:?}"
    );
    let warned = rule(0, &["not-captured"]).err;
    assert!(warned.contains("the reconciliation id 4711"), "{warned}");
    assert!(
        warned.contains("`tripsettle rule S1/doubt captured"),
        "{warned}"
    );
    assert_eq!(shown(&night, "doubt")["status"], "open");
    rule(0, &["captured"]);
    let trip = shown(&night, "doubt");
    assert_eq!(
        (&trip["status"], &trip["captured"]),
        (&json!("captured"), &json!("10.00"))
    );
    night.expect(0, &["settle"]);
    assert_eq!(
        night.sandbox.calls().capture,
        1,
        "the shopper is charged once"
    );
    rule(2, &["not-captured"]);
}

/// Data without a reconciliation id says nothing of a doubt: it is asked for again, but later, and
/// written once.
#[test]
fn data_that_says_nothing_is_not_asked_for_all_night() {
    let mut night = Night::begin();
    night.set(PROVES, "true");
    let nameless = EmvData {
        brand: Some("VISA".to_owned()),
        ..EmvData::default()
    };
    trip(&night, "doubt", vec![answer_is_lost()], Some(nameless));
    night.expect(11, &["settle"]);
    let reads = night.sandbox.calls().transactional_data;
    let before = shown(&night, "doubt");
    night.expect(11, &["settle"]);
    let more = night.sandbox.calls().transactional_data - reads;
    assert!(more <= 3, "{more} more reads after {reads}");
    assert_eq!(shown(&night, "doubt"), before, "said once");
}

/// A field of an unusual shape is a break, and no reason to leave a doubt.
#[test]
fn a_field_of_an_unusual_shape_does_not_keep_a_doubt() {
    let mut night = Night::begin();
    night.set(PROVES, "true");
    let odd = EmvData {
        pan_sequence_number: Some("1".to_owned()),
        ..named("1111111111")
    };
    trip(&night, "doubt", vec![answer_is_lost()], Some(odd));
    night.expect(0, &["settle"]);
    assert_eq!(shown(&night, "doubt")["status"], "captured");
}
