//! What a later edition tells differently, and what it must not.

#![allow(clippy::unwrap_used)]

use tripsettle::outputs::{ChangesWriter, OutputError};

const HEAD: &str = "books_date,store_id,shopping_trip_id,cart_total,capture_state,brand";
const BREAKS: &str = "books_date,store_id,shopping_trip_id,break,detail,status";

fn file(head: &str, rows: &[&str]) -> String {
    rows.iter().fold(format!("{head}\r\n"), |text, row| {
        format!("{text}{row}\r\n")
    })
}

fn changes(write: impl FnOnce(&mut ChangesWriter<&mut Vec<u8>>)) -> Vec<String> {
    let mut bytes = Vec::new();
    let mut writer = ChangesWriter::new(&mut bytes).unwrap();
    write(&mut writer);
    writer.finish().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    text.split("\r\n")
        .skip(1)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn state_and_emv_columns_are_compared_cell_by_cell() {
    let old = file(
        HEAD,
        &["d,S1,T1,1.00,initiated,", "d,S1,T2,2.00,evidenced,VISA"],
    );
    let new = file(
        HEAD,
        &[
            "d,S1,T1,1.00,evidenced,\"A,B\"",
            "d,S1,T2,2.00,evidenced,VISA",
        ],
    );
    let told = changes(|to| to.reconciliation(old.as_bytes(), new.as_bytes()).unwrap());
    let expected = [
        "S1,T1,reconciliation.csv,capture_state,initiated,evidenced,later evidence",
        "S1,T1,reconciliation.csv,brand,,\"A,B\",transactional data came",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_column_that_is_new_has_no_before() {
    let old = file("store_id,shopping_trip_id", &["S1,T1"]);
    let new = file(
        "store_id,shopping_trip_id,settled_at",
        &["S1,T1,2026-11-24T02:30:00Z"],
    );
    let told = changes(|to| to.reconciliation(old.as_bytes(), new.as_bytes()).unwrap());
    let expected = "S1,T1,reconciliation.csv,settled_at,,2026-11-24T02:30:00Z,later evidence";
    assert_eq!(told, [expected]);
}

#[test]
fn the_money_and_the_trips_of_a_closed_day_never_change() {
    let old = file(
        HEAD,
        &["d,S1,T1,1.00,initiated,", "d,S1,T2,2.00,initiated,"],
    );
    let rows = [
        (
            vec!["d,S1,T1,1.01,initiated,", "d,S1,T2,2.00,initiated,"],
            "S1/T1",
            "cart_total",
        ),
        (vec!["d,S1,T1,1.00,initiated,"], "S1/T2", "shopping_trip_id"),
        (vec!["d,S1,T2,2.00,initiated,"], "S1/T1", "shopping_trip_id"),
    ];
    for (rows, trip, at) in rows {
        let mut writer = ChangesWriter::new(Vec::new()).unwrap();
        let new = file(HEAD, &rows);
        let error = writer
            .reconciliation(old.as_bytes(), new.as_bytes())
            .unwrap_err();
        let OutputError::ClosedColumnChanged { key, column, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(
            (key.trim_end_matches('/'), column.as_str()),
            (trip, at),
            "{rows:?}"
        );
    }
}

#[test]
fn breaks_come_go_and_are_cured() {
    let old = [
        "d,,,unknown_line,a.csv line 2,open",
        "d,,,unknown_line,a.csv line 10,open",
        "d,S1,T1,in_doubt,reset,open",
        "d,S1,T2,refused,no,open",
    ];
    let new = [
        "d,,,unknown_line,a.csv line 2,open",
        "d,,,unknown_line,a.csv line 10,cured",
        "d,S1,T1,in_doubt,reset,cured",
        "d,S1,T1,malformed_field,x,open",
        "d,S2,T3,refused,no,open",
    ];
    let (old, new) = (file(BREAKS, &old), file(BREAKS, &new));
    let told = changes(|to| to.breaks(old.as_bytes(), new.as_bytes()).unwrap());
    let expected = [
        ",,breaks.csv,unknown_line.status,open,cured,later evidence",
        "S1,T1,breaks.csv,in_doubt.status,open,cured,later evidence",
        "S1,T1,breaks.csv,malformed_field,,open,found since",
        "S1,T2,breaks.csv,refused,open,,no longer told",
        "S2,T3,breaks.csv,refused,,open,found since",
    ];
    assert_eq!(told, expected);
}

#[test]
fn an_edition_that_is_damaged_is_not_compared() {
    let old = file(HEAD, &["d,S1,T1"]);
    let mut writer = ChangesWriter::new(Vec::new()).unwrap();
    let error = writer
        .reconciliation(old.as_bytes(), old.as_bytes())
        .unwrap_err();
    assert!(matches!(error, OutputError::Unreadable { .. }), "{error}");
}
