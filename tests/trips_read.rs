//! Rows of trip files: what is taken, and what is said of the rest.

#![allow(clippy::unwrap_used)]

mod trips;

use trips::{items, only, table, told};
use tripsettle::trips::{FeedFormat, Item};

const CSV: FeedFormat = FeedFormat::Csv;
const JSON: FeedFormat = FeedFormat::JsonLines;
const HEADER: &str = "store_id,shopping_trip_id,started_at,amount,currency";
const ROW: &str = "S1,T1,2026-03-08T10:00:00Z,15.99,USD";

const USUAL: [(&str, &str); 5] = [
    ("store_id", "S1"),
    ("shopping_trip_id", "T1"),
    ("started_at", "2026-03-08T10:00:00Z"),
    ("amount", "15.99"),
    ("currency", "USD"),
];

/// The usual row with what is different: `~` leaves a field empty.
fn fields(different: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for part in different.split(" ; ") {
        let (name, value) = part.split_once('=').unwrap();
        let value = value.replace("\\n", "\n").replace("\\u0007", "\u{7}");
        fields.push((name.to_owned(), value));
    }
    for (name, value) in USUAL {
        if !fields.iter().any(|(field, _)| field == name) {
            fields.push((name.to_owned(), value.to_owned()));
        }
    }
    fields
}

fn as_csv(fields: &[(String, String)]) -> String {
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    let cells = fields.iter().map(|(_, value)| match value.as_str() {
        "~" => String::new(),
        value => format!("\"{value}\""),
    });
    let cells: Vec<String> = cells.collect();
    format!("{}\n{}\n", names.join(","), cells.join(","))
}

fn as_json(fields: &[(String, String)]) -> String {
    let there = fields.iter().filter(|(_, value)| value != "~");
    let object: serde_json::Map<_, _> = there
        .map(|(name, value)| (name.clone(), value.clone().into()))
        .collect();
    serde_json::Value::from(object).to_string()
}

fn field_of(told: &str) -> &str {
    told.split('=').next().unwrap()
}

#[test]
fn every_field_is_read_alike_from_csv_and_from_json() {
    for (different, expected) in table(include_str!("../fixtures/trips/fields.txt")) {
        let fields = fields(different);
        let (csv, json) = (as_csv(&fields), as_json(&fields));
        let field = field_of(expected);
        assert_eq!(
            only(CSV, csv.as_bytes(), field),
            expected,
            "csv {different}"
        );
        assert_eq!(
            only(JSON, json.as_bytes(), field),
            expected,
            "json {different}"
        );
    }
}

#[test]
fn json_numbers_are_read_as_they_are_written() {
    for (different, expected) in table(include_str!("../fixtures/trips/json.txt")) {
        let given = |name: &str| different.contains(&format!("{name:?}:"));
        let usual = USUAL.iter().filter(|(name, _)| !given(name));
        let usual: Vec<String> = usual
            .map(|(name, value)| format!("{name:?}:{value:?}"))
            .collect();
        let line = format!("{{{different},{}}}", usual.join(","));
        assert_eq!(
            only(JSON, line.as_bytes(), field_of(expected)),
            expected,
            "{line}"
        );
    }
}

#[test]
fn long_texts_are_refused_by_their_bytes() {
    for (bytes, taken) in [(255, true), (256, false)] {
        let long = "x".repeat(bytes);
        for name in ["purchase_id", "shopping_trip_id", "store_id", "processor"] {
            let csv = as_csv(&fields(&format!("{name}={long}")));
            let told = only(CSV, csv.as_bytes(), "amount");
            assert_eq!(told == "amount=15.99 USD", taken, "{name}: {told}");
            assert!(taken || told.starts_with(&format!("no {name}: ")), "{told}");
            assert!(taken || told.contains("255"), "{told}");
        }
    }
}

#[test]
fn a_csv_file_may_be_written_in_many_ways() {
    let good = vec!["2: S1/T1 15.99 USD".to_owned()];
    let rows = [
        format!("{HEADER}\n{ROW}\n"),
        format!("{HEADER}\n{ROW}"),
        format!("{HEADER}\r\n{ROW}\r\n"),
        format!("\u{feff}{HEADER}\n{ROW}\n"),
        format!("\u{feff}\"store_id\",\"shopping_trip_id\",started_at,amount,currency\n{ROW}\n"),
        format!(" store_id , shopping_trip_id,started_at\t,amount,currency \n{ROW}\n"),
        format!("{HEADER}\nS1 , T1,2026-03-08T10:00:00Z, 15.99 ,USD\n"),
        "currency,note,amount,started_at,shopping_trip_id,store_id\n\
         USD,\"a \"\"b\"\", c\",15.99,2026-03-08T10:00:00Z,T1,S1\n"
            .to_owned(),
        format!("{HEADER},,\n{ROW},,\n"),
        format!("{HEADER},note,note\n{ROW},a,b\n"),
        format!("{HEADER},note\n{ROW},12\" pizza\n"),
    ];
    for text in rows {
        assert_eq!(told(CSV, text.as_bytes()), good, "{text}");
    }
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    for end in ["\n", "\r\n"] {
        let second = ROW.replace(",T1,", ",T2,");
        let third = ROW.replace(",T1,", ",T3,");
        let lines = [
            &format!("{HEADER},note"),
            "",
            &format!("{ROW},"),
            "  ",
            "",
            &format!("{second},\"a"),
            "",
            "b\"",
            &format!("{third},"),
            "short",
        ];
        let expected = [
            "3: S1/T1 15.99 USD",
            "6: S1/T2 15.99 USD",
            "9: S1/T3 15.99 USD",
            "10: no -: 1 cell, but the header has 6",
        ];
        assert_eq!(told(CSV, lines.join(end).as_bytes()), expected, "{end:?}");
        let object = as_json(&fields("amount=15.99"));
        let lines = [&object, "", "   ", &object, "{", &object];
        let expected = [
            "1: S1/T1 15.99 USD",
            "4: S1/T1 15.99 USD",
            "5: no -: not a JSON object: EOF while parsing an object",
            "6: S1/T1 15.99 USD",
        ];
        assert_eq!(told(JSON, lines.join(end).as_bytes()), expected, "{end:?}");
    }
}

#[test]
fn a_bad_row_is_rejected_alone() {
    let good = |trip: &str| ROW.replace(",T1,", &format!(",{trip},")).into_bytes();
    let rows: Vec<Vec<u8>> = vec![
        HEADER.into(),
        good("T1"),
        b"S1,T2,2026-03-08T10:00:00Z,15.99".to_vec(),
        b"S1,T3,2026-03-08T10:00:00Z,1,599.00,USD".to_vec(),
        b"S1,T4,2026-03-08T10:00:00Z,15.99,U\0D".to_vec(),
        b"S1,T5,2026-03-08T10:00:00Z,15.99,\xff\xfe".to_vec(),
        good("T6"),
    ];
    let expected = [
        "2: S1/T1 15.99 USD",
        "3: no -: 4 cells, but the header has 5",
        "4: no -: 6 cells, but the header has 5",
        "5: no -: the row contains a NUL byte",
        "6: no -: the row is not UTF-8 text",
        "7: S1/T6 15.99 USD",
    ];
    assert_eq!(told(CSV, &rows.join(&b'\n')), expected);
    let object = as_json(&fields("amount=15.99")).into_bytes();
    let bad: [&[u8]; 7] = [
        b"[1]",
        b"7",
        b"{}{}",
        b"\xff",
        b"{\"a\":\"\0\"}",
        b"null",
        b"{}",
    ];
    let mut lines = bad.map(<[u8]>::to_vec).to_vec();
    lines.push(object);
    let expected = [
        "1: no -: not a JSON object: invalid type: sequence, expected one trip",
        "2: no -: not a JSON object: invalid type: integer `7`, expected one trip",
        "3: no -: not a JSON object: trailing characters",
        "4: no -: the line is not UTF-8 text",
        "5: no -: not a JSON object: \
         control character (\\u0000-\\u001F) found while parsing a string",
        "6: no -: not a JSON object: invalid type: null, expected one trip",
        "7: no store_id: is missing",
        "8: S1/T1 15.99 USD",
    ];
    assert_eq!(told(JSON, &lines.join(&b'\n')), expected);
}

/// A quote that nobody closes would swallow every row after it.
#[test]
fn a_quote_left_open_costs_its_own_row_only() {
    let open = "S1,T2,2026-03-08T10:00:00Z,\"15.99,USD";
    let quoted = "S1,\"T4\",2026-03-08T10:00:00Z,15.99,USD";
    let text = [
        HEADER,
        ROW,
        open,
        &ROW.replace(",T1,", ",T3,"),
        quoted,
        open,
    ]
    .join("\n");
    let expected = [
        "2: S1/T1 15.99 USD",
        "3: no -: a quote is opened and not closed in this row",
        "4: S1/T3 15.99 USD",
        "5: S1/T4 15.99 USD",
        "6: no -: a quote is opened and not closed in this row",
    ];
    assert_eq!(told(CSV, text.as_bytes()), expected);
    let many = ROW.to_owned() + "\n";
    let text = format!("{HEADER}\n{open}\n{}", many.repeat(5_000));
    let told = told(CSV, text.as_bytes());
    assert_eq!(told.len(), 5_001);
    assert_eq!(told.iter().filter(|told| told.contains(": no ")).count(), 1);
}

#[test]
fn a_line_of_more_than_a_mebibyte_is_rejected_and_not_kept() {
    const MIB: usize = 1 << 20;
    let object = as_json(&fields("amount=15.99"));
    for (bytes, first) in [
        (MIB, "1: S1/T1 15.99 USD"),
        (MIB + 1, "1: no -: the line is longer than 1 MiB"),
        (3 * MIB, "1: no -: the line is longer than 1 MiB"),
    ] {
        let padded = object.clone() + &" ".repeat(bytes - object.len());
        let text = format!("{padded}\n{object}\n");
        let expected = [first, "2: S1/T1 15.99 USD"];
        assert_eq!(told(JSON, text.as_bytes()), expected, "{bytes}");
    }
    let row = format!("{ROW},");
    for (bytes, first) in [
        (MIB, "2: S1/T1 15.99 USD"),
        (MIB + 1, "2: no -: the line is longer than 1 MiB"),
    ] {
        let padded = row.clone() + &"x".repeat(bytes - row.len());
        let text = format!("{HEADER},note\n{padded}\n{row}\n");
        let expected = [first, "3: S1/T1 15.99 USD"];
        assert_eq!(told(CSV, text.as_bytes()), expected, "{bytes}");
    }
}

#[test]
fn a_file_without_the_columns_is_told_as_a_whole() {
    let rows: [(&[u8], &str); 6] = [
        (
            b"",
            "error: column `store_id` is missing; found: nothing, the file is empty",
        ),
        (
            b"\n\r\n",
            "error: column `store_id` is missing; found: nothing, the file is empty",
        ),
        (
            b"store_id,trip,started_at,amount,currency\n",
            "error: column `shopping_trip_id` is missing; \
             found: store_id, trip, started_at, amount, currency",
        ),
        (
            b"store_id;shopping_trip_id;started_at;amount;currency\n",
            "error: column `store_id` is missing; \
             found: store_id;shopping_trip_id;started_at;amount;currency",
        ),
        (
            b"store_id,shopping_trip_id,started_at,amount,currency,amount\nx\n",
            "error: column `amount` stands twice in the header",
        ),
        (
            b"store_id,\xff\n",
            "error: the header row is not UTF-8 text",
        ),
    ];
    for (bytes, expected) in rows {
        assert_eq!(
            told(CSV, bytes),
            [expected],
            "{}",
            String::from_utf8_lossy(bytes)
        );
    }
    assert!(items(CSV, HEADER.as_bytes()).is_empty());
    assert!(items(JSON, b"").is_empty() && items(JSON, b"\n \r\n").is_empty());
}

struct Torn(std::io::Cursor<Vec<u8>>);

impl std::io::Read for Torn {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(to)? {
            0 => Err(std::io::Error::other("the disk is gone")),
            read => Ok(read),
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_says_so() {
    let bytes = format!("{HEADER}\n{ROW}\n").into_bytes();
    let torn = Torn(std::io::Cursor::new(bytes));
    let items: Vec<_> = tripsettle::trips::read(torn, CSV, "f", trips::now()).collect();
    assert_eq!(items.len(), 2);
    assert_eq!(
        items[1].as_ref().unwrap_err().to_string(),
        "reading stopped: the disk is gone"
    );
}

#[test]
fn the_rows_text_is_kept_short_and_without_card_numbers() {
    let raw = |format, bytes: &[u8]| match items(format, bytes).remove(0).unwrap() {
        Item::Row(row) => row.raw,
        Item::Rejected(rejection) => rejection.raw,
    };
    let csv = format!("{HEADER},note\r\n{ROW},\"a, \"\"b\"\"\"\r\n");
    assert_eq!(raw(CSV, csv.as_bytes()), format!("{ROW},\"a, \"\"b\"\"\""));
    let csv = format!("{HEADER},note\n{ROW},4111111111111111\n");
    assert_eq!(
        raw(CSV, csv.as_bytes()),
        format!("{ROW},[card number hidden]")
    );
    for note in ["x", "ä", "4111111111111111 "] {
        let csv = format!("{HEADER},note\n{ROW},{}\n", note.repeat(3_000));
        let kept = raw(CSV, csv.as_bytes());
        assert!((1_020..=1_024).contains(&kept.len()), "{}", kept.len());
        assert!(kept.starts_with(ROW) && !kept.contains("4111"), "{kept}");
    }
    let object = as_json(&fields("purchase_id=4111 1111 1111 1111"));
    let kept = raw(JSON, format!("\u{feff}{object}\r\n").as_bytes());
    assert_eq!(
        kept,
        object.replace("4111 1111 1111 1111", "[card number hidden]")
    );
    // Written with escapes it is still a card number to whoever reads it.
    let object = object.replace("4111 1", "\\u0034111 1");
    assert_eq!(raw(JSON, object.as_bytes()), "[card number hidden]");
    let long = format!("{{\"x\":\"{}\"", "ä".repeat(3_000));
    assert!((1_020..=1_024).contains(&raw(JSON, long.as_bytes()).len()));
    assert_eq!(raw(JSON, b"\xff{"), "\u{fffd}{");
}
