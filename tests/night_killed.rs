//! A night whose runs are killed at any moment: doubts may stand, a second capture never.
#![allow(clippy::unwrap_used)]

mod night;

use std::time::Duration;

use night::Night;
use night::stories::{self, Tale, as_csv, make_known};
use night::witness::{ledger, testifies, told};

/// Kills in one night.
const KILLS: u64 = 14;
/// A killed run lived at most so many milliseconds.
const LIFE_MS: u64 = 900;

/// SplitMix64: the same seed gives the same night's moments.
fn chance(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut bits = *seed;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// What a kill can turn an outcome into: the answer to a capture may have been on its way.
fn ended_as_told(tale: &Tale, outcome: &str) -> bool {
    let ending = tale.ending("capture_authorized");
    let is_captured = ending.starts_with("captured") && !tale.is_elsewhere();
    outcome == ending || (is_captured && outcome == "in_doubt")
}

#[test]
fn a_night_whose_runs_are_killed_charges_nobody_twice() {
    let mut night = Night::begin();
    // Slow enough that a kill finds calls on their way.
    night.set("TRIPSETTLE_PAYMENT_SERVICE__REQUESTS_PER_SECOND", "25");
    night.set("TRIPSETTLE_PAYMENT_SERVICE__BURST", "5");
    let tales = stories::night(night.began);
    make_known(&night, &tales);
    for store in ["NYC", "BER", "TYO", "KWT"] {
        let of_store = tales.iter().filter(|tale| tale.store == store);
        night.write(&format!("inbox/{store}.csv"), &as_csv(of_store));
    }
    let (mut seed, mut killed_in_time, mut while_capturing) = (20_261_124, 0, 0);
    for _ in 0..KILLS {
        let before = night.sandbox.calls().capture;
        let mut run = night.start(&["run"]);
        std::thread::sleep(Duration::from_millis(chance(&mut seed) % LIFE_MS));
        killed_in_time += u64::from(run.try_wait().unwrap().is_none());
        run.kill().unwrap();
        run.wait().unwrap();
        while_capturing += u64::from(night.sandbox.calls().capture > before);
    }
    assert!(killed_in_time >= 10, "only {killed_in_time} were killed");
    assert!(
        while_capturing >= 2,
        "no kill came while captures were sent"
    );

    let mut ended = night.tripsettle(&["run"]);
    for _ in 0..5 {
        if ended.code == Some(69) {
            ended = night.tripsettle(&["run"]);
        }
    }

    assert_eq!(ended.code, Some(12), "{ended:#?}");
    testifies(&night, &tales);
    let told = told(&night);
    for tale in &tales {
        let outcome = &told[&tale.key()].outcome;
        assert!(ended_as_told(tale, outcome), "{outcome}: {tale:#?}");
    }
    let (calls, before) = (night.sandbox.calls(), ledger(&night));
    night.expect(12, &["run"]);
    let after = night.sandbox.calls();
    assert_eq!((calls.capture, calls.cancel), (after.capture, after.cancel));
    let captures = |rows: &std::collections::BTreeMap<_, tripsettle::sandbox::LedgerRow>| {
        let rows = rows.values();
        rows.map(|row| row.captures.len()).sum::<usize>()
    };
    assert_eq!(captures(&before), captures(&ledger(&night)));
}
