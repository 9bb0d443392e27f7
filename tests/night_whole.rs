//! A whole night by the real program, with the sandbox's ledger as the witness.
#![allow(clippy::unwrap_used)]

mod night;

use std::time::{Duration, Instant};

use night::stories::{self, Tale, as_csv, as_json_lines, make_known};
use night::witness::{each_story_ended, ledger, testifies};
use night::{Ended, Night};

/// Half of the trips by `import`, half through the inbox.
fn hand_over(night: &Night, tales: &[Tale]) {
    make_known(night, tales);
    let (imported, dropped): (Vec<_>, Vec<_>) = tales
        .iter()
        .partition(|tale| matches!(tale.store, "NYC" | "TYO"));
    let file = night.write("trips.csv", &as_csv(imported));
    night.write("inbox/trips.jsonl", &as_json_lines(dropped));
    night.expect(0, &["import", file.to_str().unwrap()]);
}

/// A storm of lost answers may end a run early; the next one goes on.
fn run_until_finished(night: &Night) -> Ended {
    for _ in 0..5 {
        let ended = night.tripsettle(&["run"]);
        if ended.code != Some(69) {
            return ended;
        }
    }
    panic!("the night does not come to its end");
}

/// Every capture was sent once, whatever was heard of it, but for those that a 429 turned away.
fn each_capture_is_sent_once(night: &Night, tales: &[Tale], policy: &str) {
    let sent = |tale: &&Tale| {
        let ending = tale.ending(policy);
        !tale.is_elsewhere() && (ending.starts_with("captured") || ending == "in_doubt")
    };
    let turned_away = tales
        .iter()
        .filter(|tale| tale.story == "capture_throttle_before");
    let expected = tales.iter().filter(sent).count() + turned_away.count();
    let calls = night.sandbox.calls();
    assert_eq!(calls.capture, u64::try_from(expected).unwrap(), "{calls:?}");
}

fn another_run_changes_nothing(night: &Night, tales: &[Tale]) {
    let (calls, editions, before) = (night.sandbox.calls(), night.editions(), ledger(night));
    let asked = Instant::now();
    let ended = night.tripsettle(&["run"]);
    // What stays PENDING is asked again by later runs; this one does not wait for it.
    assert!(asked.elapsed() < Duration::from_secs(60), "{ended:#?}");
    // A trip that stays PENDING is at risk before the next planned run.
    assert_eq!(ended.code, Some(12), "{ended:#?}");
    let after = night.sandbox.calls();
    assert_eq!(
        (calls.capture, calls.cancel, calls.refund),
        (after.capture, after.cancel, after.refund)
    );
    let now = ledger(night);
    for tale in tales.iter().filter(|tale| tale.story != "stuck") {
        let adjusts = |rows: &std::collections::BTreeMap<_, tripsettle::sandbox::LedgerRow>| {
            rows.get(&tale.key()).map(|row| row.adjusts)
        };
        assert_eq!(adjusts(&before), adjusts(&now), "{tale:#?}");
    }
    assert_eq!(night.editions(), editions);
}

#[test]
fn a_night_by_environment_variables_alone() {
    let night = Night::begin();
    let tales = stories::night(night.began);
    hand_over(&night, &tales);

    let ended = run_until_finished(&night);

    // Tokens died in this run: 12 is more than the doubts' 11 and the refusals' 10.
    assert_eq!(ended.code, Some(12), "{ended:#?}");
    assert_eq!(night.editions().len(), 1, "{:?}", night.editions());
    each_story_ended(&night, &tales, |_| "capture_authorized");
    each_capture_is_sent_once(&night, &tales, "capture_authorized");
    testifies(&night, &tales);
    another_run_changes_nothing(&night, &tales);
    testifies(&night, &tales);
}

#[test]
fn a_night_with_a_decline_policy_for_each_store() {
    let mut night = Night::begin();
    night.configure_by_file(
        "[store.NYC]\non_decline = \"write_off\"\n[store.BER]\non_decline = \"search\"\n\
         [store.TYO]\non_decline = \"search\"\n[store.KWT]\non_decline = \"capture_authorized\"\n",
    );
    let tales = stories::night(night.began);
    hand_over(&night, &tales);

    let ended = run_until_finished(&night);

    assert_eq!(ended.code, Some(12), "{ended:#?}");
    each_story_ended(&night, &tales, |store| match store {
        "NYC" => "write_off",
        "KWT" => "capture_authorized",
        _ => "search",
    });
    testifies(&night, &tales);
    another_run_changes_nothing(&night, &tales);
}
