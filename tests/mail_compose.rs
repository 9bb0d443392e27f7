//! Composed mails, read back: what a person sees, and what a mail program relies on.

#![allow(clippy::unwrap_used)]

mod mail;

use std::path::Path;

use mail::{Part, bad_night, parts, quiet_night, settings};
use tripsettle::domain::{MailUrl, Timestamp};
use tripsettle::mail::{Composed, MailError, Story, compose};

fn folder() -> MailUrl {
    MailUrl::parse("file:///nowhere").unwrap()
}

fn composed(story: &Story) -> Composed {
    compose(story, &settings(folder()), &[], 0).unwrap()
}

fn read(mail: &Composed) -> Vec<Part> {
    parts(std::str::from_utf8(&mail.bytes).unwrap())
}

fn text_of(part: &Part) -> String {
    String::from_utf8(part.body.clone())
        .unwrap()
        .replace("\r\n", "\n")
}

/// Compares with `fixtures/mail/NAME`; `BLESS=1 cargo test` writes the file instead.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/mail")
        .join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        text, expected,
        "{name} differs; look at it, then bless it with BLESS=1"
    );
}

#[test]
fn a_quiet_night_and_a_bad_one_read_as_agreed() {
    for (name, story) in [("quiet", quiet_night()), ("bad", bad_night())] {
        let mail = composed(&story);
        let parts = read(&mail);
        assert_eq!(parts.len(), 2);
        golden(
            &format!("{name}.txt"),
            &format!("{}\n\n{}", mail.subject, text_of(&parts[0])),
        );
        golden(&format!("{name}.html"), &text_of(&parts[1]));
    }
}

#[test]
fn the_subject_says_first_what_matters_most() {
    type Change = fn(&mut Story);
    let rows: [(&str, Change); 7] = [
        ("tripsettle run: closed 2026-03-08", |_| {}),
        ("tripsettle run: closed 2026-03-08 (edition 2)", |s| {
            s.days[0].edition = 2
        }),
        (
            "tripsettle run: closed 2026-03-08; 1 at risk; 1 critical break; 2 trips expired",
            |s| {
                s.attention = ["1 critical break", "2 trips expired"]
                    .map(str::to_owned)
                    .to_vec();
                s.at_risk = bad_night().at_risk;
            },
        ),
        ("tripsettle run: no day to close", |s| s.days.clear()),
        (
            "tripsettle run: closed 2026-03-08, 2026-03-08; 23 in doubt; 1 at risk",
            |s| {
                s.days.push(s.days[0].clone());
                s.doubts = bad_night().doubts;
                s.at_risk = bad_night().at_risk;
            },
        ),
        ("tripsettle settle: 23 in doubt", |s| {
            (s.command, s.doubts) = ("settle".to_owned(), bad_night().doubts);
            s.days.clear();
        }),
        ("NOT FINISHED: tripsettle run: disk full; Bcc: a@b.c", |s| {
            s.days.clear();
            (s.finished, s.why_not) = (false, Some("disk full\r\nBcc: a@b.c".to_owned()));
        }),
    ];
    for (subject, change) in rows {
        let mut story = quiet_night();
        change(&mut story);
        assert_eq!(composed(&story).subject, subject);
    }
    let long = composed(&bad_night()).subject;
    assert!(
        long.starts_with("NOT FINISHED: ") && long.chars().count() <= 150,
        "{long}"
    );
}

#[test]
fn the_header_names_run_date_sender_and_recipients() {
    let mail = composed(&quiet_night());
    let text = std::str::from_utf8(&mail.bytes).unwrap();
    let (header, _) = text.split_once("\r\n\r\n").unwrap();
    let id = "<01991f3c-7a10-7c3e-9b42-5c0d8f1e2a77@tripsettle.shop.example>";
    assert_eq!(mail.message_id, id);
    for line in [
        &format!("Message-ID: {id}"),
        "Date: Mon, 09 Mar 2026 02:41:17 +0000",
        "From: \"Night shift\" <tripsettle@shop.example>",
        "To: finance@shop.example, Ops <ops@shop.example>",
        "Subject: tripsettle run: closed 2026-03-08",
        "MIME-Version: 1.0",
    ] {
        assert!(
            header.lines().any(|it| it == line),
            "{line} is missing in\n{header}"
        );
    }
    assert_eq!(
        mail,
        composed(&quiet_night()),
        "the same story gives the same bytes"
    );
}

#[test]
fn no_line_is_wider_than_a_hundred_columns_or_than_smtp_allows() {
    let mut story = bad_night();
    story
        .warnings
        .push("a warning that goes on and on ".repeat(20));
    let mail = composed(&story);
    let text = text_of(&read(&mail)[0]);
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    assert!(
        mail.bytes
            .split(|b| *b == b'\n')
            .all(|line| line.len() <= 998)
    );
    assert!(
        mail.bytes.is_ascii(),
        "a server without 8BITMIME takes it as well"
    );
}

#[test]
fn card_numbers_are_hidden_wherever_they_stand() {
    let pan = "4111111111111111";
    let mut story = quiet_night();
    story.command = format!("run {pan}");
    story.days[0].summary = format!("<{pan}>");
    story.days[0].path = format!("/out/{pan}");
    story.calls[0].reply = pan.to_owned();
    story.doubts = bad_night().doubts;
    story.doubts.trips[0].note = format!("reply said {pan}");
    story.doubts.trips[1].trip = mail::trip("STORE_1", pan);
    let mail = composed(&story);
    assert!(!mail.subject.contains(pan), "{}", mail.subject);
    let parts = read(&mail);
    for part in &parts {
        assert!(!text_of(part).contains(pan), "{}", text_of(part));
    }
    assert!(text_of(&parts[0]).contains("reply said [card number hidden]"));
}

#[test]
fn what_others_wrote_cannot_become_markup() {
    let mut story = bad_night();
    story.why_not = Some("<script>alert(1)</script>".to_owned());
    story.warnings = vec!["<b>\"bold\"</b>".to_owned()];
    let html = text_of(&read(&composed(&story))[1]);
    assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
    assert!(html.contains("&lt;script&gt;"), "{html}");
}

#[test]
fn files_are_attached_byte_for_byte_while_they_fit() {
    let bytes = "a,b\r\n1,\"é\n\"\r\n".as_bytes().to_vec();
    let file = |name: &str| (name.to_owned(), bytes.clone());
    let files = [
        file("one.csv"),
        ("big.csv".to_owned(), vec![b'x'; 2000]),
        file("two.json"),
    ];
    let a_line = 78;
    let limit = 2 * a_line;
    let mail = compose(&quiet_night(), &settings(folder()), &files, limit).unwrap();
    let parts = read(&mail);
    let told: Vec<_> = parts
        .iter()
        .map(|part| part.content_type.as_str())
        .collect();
    let csv = "text/csv; charset=utf-8";
    assert_eq!(&told[2..], [csv, "application/json"], "{told:?}");
    for part in &parts[2..] {
        assert_eq!(part.body, bytes);
    }
    assert!(
        parts[2].header.contains("attachment; filename=\"one.csv\""),
        "{}",
        parts[2].header
    );
    for part in &parts[..2] {
        assert!(text_of(part).contains("big.csv (2000 bytes)"));
    }
    let all = compose(
        &quiet_night(),
        &settings(folder()),
        &files,
        limit + 36 * a_line,
    )
    .unwrap();
    assert_eq!(read(&all).len(), 5);
    assert!(!text_of(&read(&all)[0]).contains("NOT ATTACHED"));
}

#[test]
fn the_limit_of_the_files_is_one_of_the_mail() {
    let files = [("a.csv".to_owned(), vec![b'x'; 1_000_000])];
    let alone = composed(&quiet_night()).bytes.len();
    let compose = |limit| compose(&quiet_night(), &settings(folder()), &files, limit).unwrap();
    let encoded = 1_000_000_u64.div_ceil(57) * 78;
    assert_eq!(read(&compose(encoded - 1)).len(), 2);
    let mail = compose(encoded);
    assert_eq!(read(&mail).len(), 3);
    let added = u64::try_from(mail.bytes.len() - alone).unwrap();
    assert!(added < encoded + 1_000, "{added} for {encoded}");
}

#[test]
fn an_address_that_is_none_is_named_with_its_key() {
    let mut wrong = settings(folder());
    wrong.to.push("nobody".to_owned());
    let refused = compose(&quiet_night(), &wrong, &[], 0).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("`nobody` in mail.to is not a mail address")
    );
    wrong.to.clear();
    let refused = compose(&quiet_night(), &wrong, &[], 0).unwrap_err();
    assert!(matches!(refused, MailError::NoRecipient), "{refused}");
}

#[test]
fn odd_instants_make_a_mail_all_the_same() {
    for ms in [i64::MIN, -1, 0, i64::MAX] {
        let mut story = quiet_night();
        story.finished_at = Timestamp::of_ms(ms);
        assert!(composed(&story).bytes.starts_with(b"Message-ID: "), "{ms}");
    }
}
