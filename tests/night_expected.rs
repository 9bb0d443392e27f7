//! A store without a trip on a day that is no holiday is told; nothing that is published changes.
#![allow(clippy::unwrap_used)]

mod night;

use night::Night;
use night::stories::{self, as_csv, make_known};
use serde_json::Value;

#[test]
fn a_feed_that_is_missing_is_told_but_not_on_a_holiday() {
    let mut night = Night::begin();
    let tales = stories::tales("plain 1 captured captured captured", night.began);
    assert_eq!(tales[0].store, "NYC");
    make_known(&night, &tales);
    night.write("inbox/trips.csv", &as_csv(&tales));
    let date = night.expect(0, &["debt", "list", "--json"]).out;
    let date: Value = serde_json::from_str(&date).unwrap();
    let date = date["books_date"].as_str().unwrap();
    night.configure_by_file(&format!(
        r#"
[calendar]
expects_trips = true
[store.NYC]
[store.BER]
[store.KWT]
holidays = ["{date}", "2026-12-25"]
[store.TYO]
expects_trips = false
"#
    ));
    let run = night.expect(0, &["run", "--json"]).out;
    let run: Value = serde_json::from_str(&run).unwrap();
    let warnings: Vec<_> = run["tally"]["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning.as_str().unwrap())
        .collect();
    let expected = format!("store BER took no trip on {date}: is its feed missing?");
    let told: Vec<_> = warnings
        .iter()
        .filter(|it| it.contains("no trip"))
        .collect();
    assert_eq!(told.len(), 1, "{warnings:?}");
    assert!(told[0].starts_with(&expected), "{warnings:?}");
    for summary in night.summaries() {
        assert!(!summary.to_string().contains("feed missing"), "{summary}");
    }
}
