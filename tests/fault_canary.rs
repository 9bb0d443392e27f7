//! A canary: the service puts a card number and the data of a magnetic stripe into every string,
//! error and header that it sends. After two nights of the real program nothing that it wrote may
//! hold them: database, write-ahead log, published files, mails, temporary files, and all that it
//! said at the most talkative log level.
#![allow(clippy::unwrap_used)]

mod night;

use std::fs;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use night::{Night, names};
use tripsettle::domain::cards::HIDDEN;
use tripsettle::sandbox::{CallKind, EmvData, Fault, FaultKind, SandboxTrip, Side, WireEnd};

const PAN: &str = "4111111111111111";
const GROUPED: &str = "5555 5555 5555 4444";
const HYPHENED: &str = "3782-822463-10005";
const TRACK_1: &str = "%B4111111111111111^CANARY/BIRD^30121010000000000731000000?";
const TRACK_2: &str = ";4111111111111111=30121010000073100000?";
/// What no written byte may hold: numbers, holder, and what stands behind the number.
const FORBIDDEN: [&str; 6] = [
    PAN,
    GROUPED,
    HYPHENED,
    "CANARY/BIRD",
    "30121010000000000731",
    "30121010000073100000",
];

/// Each of them, and all of them in one text.
fn birds() -> Vec<String> {
    let mut birds: Vec<String> = [PAN, GROUPED, HYPHENED, TRACK_1, TRACK_2]
        .iter()
        .map(|bird| (*bird).to_owned())
        .collect();
    birds.push(format!(
        "card {PAN}, {GROUPED}; {HYPHENED} {TRACK_1}{TRACK_2}"
    ));
    birds
}

fn said(status: u16, body: &str, bird: &str) -> FaultKind {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} {bird}\r\nX-Card: {bird}\r\nServer: {bird}\r\nSet-Cookie: c={bird}\r\n\
         Retry-After: in {bird}\r\nLocation: /{bird}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    FaultKind::Wire(head.into_bytes(), WireEnd::Close)
}

/// Everything that the service can say with a bird in it.
fn songs(bird: &str) -> Vec<FaultKind> {
    let error = format!("{{\"errorMsg\":\"{bird}\"}}");
    let status = format!("{{\"status\":\"{bird}\"}}");
    let amount = |amount: &str, code: &str| {
        format!(
            "{{\"status\":\"APPROVED\",\"authorizedAmount\":{{\"amount\":\"{amount}\",\
             \"code\":\"{code}\"}}}}"
        )
    };
    let mut songs = vec![
        said(400, &error, bird),
        said(409, &format!("{{\"errorMsg\":\"expired {bird}\"}}"), bird),
        said(500, &error, bird),
        said(500, &format!("<html>{bird}</html>"), bird),
        said(
            503,
            &format!("{{\"errorMsg\":\"{bird}\",\"{bird}\":\"{bird}\"}}"),
            bird,
        ),
        said(429, &error, bird),
        said(200, &error, bird),
        said(200, &status, bird),
        said(200, &amount(bird, "USD"), bird),
        said(200, &amount("20.00", bird), bird),
        said(200, bird, bird),
        said(200, &format!("{{\"storeId\":\"{bird}\"}}"), bird),
        said(422, &format!("{{\"message\":\"{bird}\"}}"), bird),
    ];
    songs.push(FaultKind::Wire(
        format!("{bird}\r\n").into_bytes(),
        WireEnd::Close,
    ));
    songs.push(FaultKind::Wire(
        format!("HTTP/1.1 {bird}\r\n\r\n").into_bytes(),
        WireEnd::Close,
    ));
    songs
}

/// What ends a pass, so that each is sung last in a night of its own.
fn last_songs(bird: &str) -> Vec<FaultKind> {
    vec![
        said(403, &format!("{{\"message\":\"{bird}\"}}"), bird),
        said(401, &format!("<html>{bird}</html>"), bird),
        said(307, bird, bird),
        said(404, &format!("{{\"errorMsg\":\"{bird}\"}}"), bird),
    ]
}

/// Transactional data with a bird in every field, the last four digits and the expiry included.
fn data(bird: &str) -> EmvData {
    let every = || Some(bird.to_owned());
    EmvData {
        brand: every(),
        pos_entry_mode: every(),
        currency: every(),
        authorization_response_code: every(),
        cryptogram_information_data: every(),
        tail: every(),
        pan_sequence_number: every(),
        application_id: every(),
        cardholder_verification_method_result: every(),
        terminal_id: every(),
        reconciliation_id: every(),
        card_statement_transaction_id: every(),
        expiration_date: None,
    }
}

/// Of so many nights one must have closed a day.
const CALM_BY: usize = 60;
const MONEY_CALLS: [CallKind; 3] = [CallKind::Adjust, CallKind::Capture, CallKind::Cancel];

struct Songbook {
    night: Night,
    rows: String,
    trips: usize,
}

impl Songbook {
    fn add(&mut self, amount: &str, faults: Vec<Fault>, data: Option<EmvData>) {
        let trip = format!("canary-{}", self.trips);
        self.trips += 1;
        let started = self.night.began - TimeDelta::hours(24);
        let text = started.format("%Y-%m-%dT%H:%M:%SZ");
        self.rows
            .push_str(&format!("S-1,{trip},{text},{amount},USD\n"));
        self.night.sandbox.add_trip(SandboxTrip {
            started_at: started,
            preauth: "20".parse().unwrap(),
            faults,
            data,
            ..SandboxTrip::of("S-1", &trip)
        });
    }

    fn sing(&mut self, call: CallKind, kind: FaultKind) {
        let amount = if call == CallKind::Cancel {
            "0.00"
        } else {
            "20.00"
        };
        let (side, times) = (Side::Before, 1);
        self.add(
            amount,
            vec![Fault {
                call,
                kind,
                side,
                times,
            }],
            None,
        );
    }

    /// A night; what it said is kept beside what it wrote.
    fn play(&mut self, number: usize) {
        let header = "store_id,shopping_trip_id,started_at,amount,currency\n";
        let rows = std::mem::take(&mut self.rows);
        self.night
            .write("inbox/trips.csv", &format!("{header}{rows}"));
        let ended = self.night.tripsettle(&["run", "--json"]);
        assert!(ended.code.is_some_and(|code| code != 1), "{ended:#?}");
        let said = format!("{}\n{}", ended.out, ended.err);
        self.night.write(&format!("said/{number}.txt"), &said);
    }
}

#[test]
fn nothing_that_is_written_holds_a_card_number_or_a_stripe() {
    let mut night = Night::begin();
    let mail = format!("file://{}", night.path("mail").display());
    let temp = night.path("temp");
    fs::create_dir_all(&temp).unwrap();
    for (name, value) in [
        ("TRIPSETTLE_LOG", "trace"),
        ("TRIPSETTLE_MAIL__URL", mail.as_str()),
        ("TRIPSETTLE_MAIL__FROM", "night@shop.example"),
        ("TRIPSETTLE_MAIL__TO", "ops@shop.example"),
        ("TRIPSETTLE_MAIL__ATTACH", "true"),
        ("TMPDIR", temp.to_str().unwrap()),
    ] {
        night.set(name, value);
    }
    let mut book = Songbook {
        night,
        rows: String::new(),
        trips: 0,
    };
    let (mut nights, birds) = (0, birds());
    for bird in &birds {
        book.add("20.00", Vec::new(), Some(data(bird)));
        for call in [
            CallKind::Adjust,
            CallKind::Cancel,
            CallKind::TransactionalData,
        ] {
            songs(bird)
                .into_iter()
                .for_each(|song| book.sing(call, song));
        }
    }
    book.play(nights);
    // Whoever keeps a reader open sees the write-ahead log stay.
    let file = book.night.path("state/tripsettle.db");
    let reader = rusqlite::Connection::open(file).unwrap();
    let count = |row: &rusqlite::Row| row.get::<_, i64>(0);
    let known = reader.query_row("SELECT count(*) FROM trip", (), count);
    assert_eq!(known.unwrap(), i64::try_from(book.trips).unwrap());
    // Unclear captures trip the breaker, so they are sung a few a night.
    for bird in &birds {
        for songs in songs(bird).chunks(5) {
            songs
                .iter()
                .for_each(|song| book.sing(CallKind::Capture, song.clone()));
            nights += 1;
            book.play(nights);
        }
    }
    let bird = birds.last().unwrap();
    for call in MONEY_CALLS {
        for song in last_songs(bird) {
            book.sing(call, song);
            nights += 1;
            book.play(nights);
        }
    }
    // Calm nights, so that what was stopped is finished, closed and published.
    while book.night.editions().is_empty() {
        nights += 1;
        assert!(nights < CALM_BY, "no day is ever closed");
        book.play(nights);
    }
    let night = book.night;
    for command in [
        ["status", "--json"],
        ["show", "canary-0"],
        ["check", "--json"],
    ] {
        let ended = night.tripsettle(&command);
        let said = format!("{}\n{}", ended.out, ended.err);
        night.write(&format!("said/{}.txt", command[0]), &said);
    }
    let files = searched(&night);
    drop(reader);
    println!(
        "{} birds in {} trips, {} files searched",
        birds.len(),
        book.trips,
        files
    );
}

/// Looks through every file of the retailer's folder; gives how many there were.
fn searched(night: &Night) -> usize {
    let mut files = Vec::new();
    walk(night.dir.path(), &mut files);
    for part in ["state", "out", "mail", "said", "inbox"] {
        let of_part = files
            .iter()
            .filter(|file| file.starts_with(night.path(part)));
        assert!(of_part.count() > 0, "nothing to search in {part}");
    }
    let mut found = Vec::new();
    for file in &files {
        let bytes = fs::read(file).unwrap();
        for forbidden in FORBIDDEN {
            if let Some(at) = place_of(&bytes, forbidden.as_bytes()) {
                let around = &bytes[at.saturating_sub(200)..bytes.len().min(at + 80)];
                let around = String::from_utf8_lossy(around).into_owned();
                found.push(format!("{}: {forbidden}: {around}", file.display()));
            }
        }
    }
    // The birds were there, and the search would have found them.
    let seen = |file: &str, wanted: &str| {
        let bytes = fs::read(night.path(file)).unwrap();
        place_of(&bytes, wanted.as_bytes()).is_some()
    };
    assert!(seen("said/0.txt", "TRACE"), "not the most talkative level");
    let database = seen("state/tripsettle.db", HIDDEN) || seen("state/tripsettle.db-wal", HIDDEN);
    assert!(database, "no bird came into the database");
    // Not in each night: only a pass that ends early tells a reply, and the last one alone.
    let said = names(&night.path("said"));
    let heard = said
        .iter()
        .filter(|name| seen(&format!("said/{name}"), HIDDEN));
    let heard = heard.count();
    assert!(
        heard > 5,
        "hardly a bird was heard: {heard} of {}",
        said.len()
    );
    assert!(files.contains(&night.path("state/tripsettle.db-wal")));
    assert_eq!(place_of(TRACK_2.as_bytes(), PAN.as_bytes()), Some(1));
    assert!(found.is_empty(), "{}", found.join("\n"));
    files.len()
}

fn place_of(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}
