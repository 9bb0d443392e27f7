//! What the mail tests share: stories, settings, and a small reader of MIME messages.
#![allow(dead_code, clippy::unwrap_used)]

use std::time::Duration;

use tripsettle::domain::{
    BooksDate, BreakKind, Currency, MailUrl, Money, RunId, Severity, Status, StoreId, Timestamp,
    TripId, TripKey,
};
use tripsettle::mail::{
    BreakTally, CallTally, DayClosed, EvidenceTally, Incident, IncidentReplies, Listed,
    MailSettings, NextCommand, OutcomeTally, Story, TripAtStake, Waits,
};

pub mod sink;

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub fn money(text: &str, currency: &str) -> Money {
    Money::parse(text, Currency::of(currency).unwrap()).unwrap()
}

pub fn trip(store: &str, trip: &str) -> TripKey {
    TripKey {
        store: StoreId::of(store).unwrap(),
        trip: TripId::of(trip).unwrap(),
    }
}

pub fn settings(url: MailUrl) -> MailSettings {
    MailSettings {
        url,
        from: "Night shift <tripsettle@shop.example>".to_owned(),
        to: vec![
            "finance@shop.example".to_owned(),
            "Ops <ops@shop.example>".to_owned(),
        ],
        username: None,
        password_file: None,
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(5),
        answer_timeout: Duration::from_secs(5),
    }
}

fn call(call: &str, reply: &str, calls: u64) -> CallTally {
    let (call, reply) = (call.to_owned(), reply.to_owned());
    CallTally { call, reply, calls }
}

fn outcome(outcome: Status, trips: u64, amounts: [&str; 3], currency: &str) -> OutcomeTally {
    let [cart_total, captured, bad_debt] = amounts.map(|text| money(text, currency));
    OutcomeTally {
        outcome,
        trips,
        cart_total,
        captured,
        bad_debt,
    }
}

/// A night in which everything went well.
pub fn quiet_night() -> Story {
    let summary = "the control equation holds for 2 of 2 stores and currencies\n\n\
                   store      currency        captured       bad debt\n\
                   STORE_1    USD              1204.50          12.00\n\
                   STORE_2    JPY                88000              0\n";
    Story {
        finished: true,
        why_not: None,
        run: RunId::of("01991f3c-7a10-7c3e-9b42-5c0d8f1e2a77").unwrap(),
        command: "run".to_owned(),
        exit_code: 0,
        started_at: at("2026-03-09T02:30:00Z"),
        finished_at: at("2026-03-09T02:41:17Z"),
        days: vec![DayClosed {
            books_date: BooksDate::parse("2026-03-08").unwrap(),
            edition: 1,
            verdict: "BALANCED  2026-03-08, edition 1: every store and currency adds up".to_owned(),
            summary: summary.to_owned(),
            path: "/var/lib/tripsettle/out/2026-03-08/e1".to_owned(),
        }],
        outcomes: vec![
            outcome(Status::Captured, 118, ["88000", "88000", "0"], "JPY"),
            outcome(Status::Captured, 60, ["1192.50", "1192.50", "0"], "USD"),
            outcome(
                Status::CapturedPartial,
                1,
                ["24.00", "12.00", "12.00"],
                "USD",
            ),
        ],
        calls: vec![
            call("adjust", "approved", 178),
            call("adjust", "declined", 1),
            call("capture", "initiated", 179),
            call("transactional_data", "data", 175),
        ],
        waits: Waits {
            throttled: 0,
            throttled_ms: 0,
            paced_ms: 41_200,
        },
        calls_per_1000_seconds: 9_870,
        incident: None,
        doubts: Listed::default(),
        at_risk: Listed::default(),
        next_run: Some(at("2026-03-10T02:30:00Z")),
        breaks: Vec::new(),
        evidence: EvidenceTally {
            initiated: 179,
            evidenced: 175,
            oldest_missing: Some(at("2026-03-09T02:31:04Z")),
        },
        rejected_rows: 0,
        warnings: Vec::new(),
        journal: format!("4711:{}", "0".repeat(64)),
        attention: Vec::new(),
        next_commands: Vec::new(),
    }
}

fn at_stake(name: &str, amount: &str, deadline: &str, note: &str) -> TripAtStake {
    TripAtStake {
        trip: trip("STORE_1", name),
        amount: money(amount, "USD"),
        deadline: at(deadline),
        note: note.to_owned(),
    }
}

/// A night in which everything went wrong that a mail tells.
pub fn bad_night() -> Story {
    let doubts = (1..=23).map(|n| {
        let note = "capture sent 02:33, the connection was reset";
        at_stake(
            &format!("doubt-{n:02}"),
            "31.20",
            "2026-03-09T20:00:00Z",
            note,
        )
    });
    let risk = at_stake("late-1", "7.05", "2026-03-09T22:15:00Z", "");
    let next = |command: &str, why: &str| NextCommand {
        command: command.to_owned(),
        why: why.to_owned(),
    };
    Story {
        finished: false,
        why_not: Some(
            "the payment service answered three captures in a row with 503 and then 12 reads with \
             502, so that the pass was ended; <nothing> is lost & the next run goes on"
                .to_owned(),
        ),
        exit_code: 69,
        days: Vec::new(),
        incident: Some(Incident {
            calls: 15,
            first: at("2026-03-09T02:33:10Z"),
            last: at("2026-03-09T02:38:59Z"),
            trips: (1..=21)
                .map(|n| trip("STORE_1", &format!("doubt-{n:02}")))
                .collect(),
            trips_in_all: 23,
            replies: vec![
                IncidentReplies {
                    call: "capture".to_owned(),
                    status: 503,
                    calls: 3,
                },
                IncidentReplies {
                    call: "transactional_data".to_owned(),
                    status: 502,
                    calls: 12,
                },
            ],
        }),
        waits: Waits {
            throttled: 2,
            throttled_ms: 30_500,
            paced_ms: 0,
        },
        doubts: Listed {
            trips: doubts.collect(),
            in_all: 23,
        },
        at_risk: Listed {
            trips: vec![risk],
            in_all: 1,
        },
        breaks: vec![
            BreakTally {
                kind: BreakKind::InDoubt,
                severity: Severity::Critical,
                open: 23,
            },
            BreakTally {
                kind: BreakKind::EvidenceMissing,
                severity: Severity::Warning,
                open: 4,
            },
        ],
        rejected_rows: 3,
        warnings: vec!["the card 4111 1111 1111 1111 stood in a reply".to_owned()],
        attention: vec!["4 breaks".to_owned(), "3 rows rejected".to_owned()],
        next_commands: vec![
            next(
                "tripsettle status",
                "says whether the payment service answers again",
            ),
            next(
                "tripsettle rule STORE_1/doubt-01 captured --by NAME --note TEXT",
                "ends a doubt once the processor's portal shows the capture",
            ),
        ],
        ..quiet_night()
    }
}

/// One part of a message: its content type, its header as text, its decoded bytes.
pub struct Part {
    pub content_type: String,
    pub header: String,
    pub body: Vec<u8>,
}

/// The leaves of a MIME message, in order.
pub fn parts(message: &str) -> Vec<Part> {
    let (header, body) = message.split_once("\r\n\r\n").unwrap();
    let header = header.replace("\r\n ", " ").replace("\r\n\t", " ");
    let field = |name: &str| {
        let fields = header.lines().map(|line| line.split_once(": ").unwrap());
        let mut fields = fields.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        fields.next().map_or("", |(_, value)| value).to_owned()
    };
    let content_type = field("Content-Type");
    if let Some((_, boundary)) = content_type.split_once("boundary=") {
        let mark = format!("--{}", boundary.trim_matches('"'));
        let inner = body.split(&mark).skip(1);
        let inner = inner.take_while(|part| !part.starts_with("--"));
        let inner = inner.map(|part| part.strip_prefix("\r\n").unwrap());
        return inner.flat_map(parts).collect();
    }
    // The line end before a boundary belongs to the boundary.
    let body = body.strip_suffix("\r\n").unwrap_or(body);
    let body = match field("Content-Transfer-Encoding").as_str() {
        "base64" => base64(body),
        "quoted-printable" => quoted_printable(body),
        "7bit" => body.as_bytes().to_vec(),
        other => panic!("{other} is no encoding we use"),
    };
    vec![Part {
        content_type,
        header: header.clone(),
        body,
    }]
}

pub fn base64(text: &str) -> Vec<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut out, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for value in text.chars().filter_map(|c| alphabet.find(c)) {
        bits = (bits << 6) | u32::try_from(value).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(((bits >> held) & 0xff) as u8);
        }
    }
    out
}

fn quoted_printable(text: &str) -> Vec<u8> {
    let joined = text.replace("=\r\n", "");
    let (bytes, mut out, mut i) = (joined.as_bytes(), Vec::new(), 0);
    while i < bytes.len() {
        if bytes[i] == b'=' {
            out.push(u8::from_str_radix(&joined[i + 1..i + 3], 16).unwrap());
            i += 3;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    out
}
