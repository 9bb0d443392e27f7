//! The arrows between rooms, and from rooms to what lies outside the house.

use super::lex::{Kind, Token, begins, closing, find_outside};
use super::source::Source;

/// Rooms and what they may import; `lib` only names the rooms. `planted` is for the rooms in which
/// a real defect would be made, but not for `domain` and the pure rooms: a question to the
/// environment has no place in them, and mutation testing builds them without it. What they must
/// refuse is planted in `run`, at their border; deadlines are reckoned in `config`.
const ARROWS: &[(&str, &str)] = &[
    ("lib domain sandbox disk planted", ""),
    ("sweep settlement reconcile books", "domain"),
    (
        "trips payment_service store processor mail",
        "domain disk planted",
    ),
    ("outputs", "domain reconcile books disk planted"),
    ("config", "domain planted"),
    (
        "run",
        "config domain trips sweep settlement payment_service store processor reconcile books \
         outputs mail planted",
    ),
    (
        "cli main",
        "cli config run domain trips payment_service store processor mail sandbox",
    ),
];

/// Names from outside, and the only places that may use them.
const KEPT: &[(&str, &[&str])] = &[
    ("rusqlite", &["src/store/"]),
    ("lettre", &["src/mail/"]),
    ("minijinja", &["src/mail/"]),
    ("reqwest", &["src/payment_service/"]),
    ("axum", &["src/sandbox/"]),
    ("clap", &["src/cli/", "src/main.rs"]),
    ("indicatif", &["src/cli/"]),
];

/// Places that touch nothing but memory, and the names from outside that would.
const STILL: &[&str] = &[
    "src/domain/",
    "src/sweep",
    "src/settlement/",
    "src/reconcile",
    "src/books/",
    "src/outputs/",
];
const RESTLESS: &[&[&str]] = &[
    &["fs", "::"],
    &["TcpStream"],
    &["TcpListener"],
    &["UdpSocket"],
    &["process", "::"],
    &["env", "::"],
    &["thread", "::"],
    &["tokio"],
    &["File", "::"],
    &["OpenOptions"],
    &["tempfile"],
];
/// The one door of `outputs`.
const PUBLISH: &[&str] = &["src/outputs/publish.rs", "src/outputs/publish/"];

/// Complains about a room that imports another one against the arrows.
pub fn between_rooms(source: &Source) -> Vec<String> {
    let room = source.room();
    let named = |rooms: &str, name: &str| rooms.split_whitespace().any(|room| room == name);
    let Some((_, allowed)) = ARROWS.iter().find(|(rooms, _)| named(rooms, room)) else {
        return vec![source.complain(1, &format!("room `{room}` has no arrows yet"))];
    };
    let is_room = |name: &str| ARROWS.iter().any(|(rooms, _)| named(rooms, name));
    let imported = imports(source).into_iter();
    imported
        .filter(|(name, _)| *name != room && is_room(name) && !named(allowed, name))
        .map(|(name, line)| source.complain(line, &format!("`{room}` may not import `{name}`")))
        .collect()
}

/// The rooms that paths in a source lead to, with their lines.
fn imports(source: &Source) -> Vec<(&str, usize)> {
    let tokens = &source.shipped;
    let depth = module_depth(&source.path);
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let path_goes_on = at > 0 && tokens[at - 1].is_mark("::");
        if path_goes_on || !begins(&tokens[at + 1..], &["::"]) {
            continue;
        }
        let supers = tokens[at..]
            .chunks(2)
            .take_while(|c| begins(c, &["super", "::"]))
            .count();
        let from_root = supers > 0 && supers == depth;
        if tokens[at].is_word("crate") || tokens[at].is_word("tripsettle") {
            found.extend(heads(tokens, at + 2));
        } else if from_root {
            found.extend(heads(tokens, at + 2 * supers));
        }
    }
    found
}

/// How many `super`s lead from a file to the top: 1 for `src/sweep.rs`, 2 for `src/run/pass.rs`.
fn module_depth(path: &str) -> usize {
    path.trim_start_matches("src/")
        .trim_end_matches("/mod.rs")
        .split('/')
        .count()
}

/// The first names of a path or of each path in a group.
fn heads(tokens: &[Token], at: usize) -> Vec<(&str, usize)> {
    let Some(first) = tokens.get(at) else {
        return Vec::new();
    };
    if !first.is_mark("{") {
        return vec![(first.text.as_str(), first.line)];
    }
    let (end, mut next, mut found) = (closing(tokens, at), at + 1, Vec::new());
    while next < end {
        found.extend(heads(tokens, next));
        next = find_outside(tokens, next, |token| token.is_mark(",")).map_or(end, |at| at + 1);
    }
    found
}

/// Complains about a library used outside its room, and about files, network, threads and
/// processes where only memory is allowed.
pub fn to_the_outside(source: &Source) -> Vec<String> {
    let within = |places: &[&str]| places.iter().any(|place| source.path.starts_with(place));
    let still = within(STILL) && !within(PUBLISH);
    let mut complaints = Vec::new();
    for (at, token) in source.shipped.iter().enumerate() {
        if token.kind != Kind::Word {
            continue;
        }
        let kept = KEPT
            .iter()
            .find(|(name, places)| token.text == *name && !within(places));
        let is_path = begins(&source.shipped[at + 1..], &["::"]);
        if let Some((name, places)) = kept.filter(|_| is_path) {
            let about = format!("`{name}` belongs to {}", places.join(" and "));
            complaints.push(source.complain(token.line, &about));
        }
        if still
            && RESTLESS
                .iter()
                .any(|names| begins(&source.shipped[at..], names))
        {
            let about = format!("`{}` has no place in a room of memory only", token.text);
            complaints.push(source.complain(token.line, &about));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_arrow_is_seen_in_every_spelling() {
        for (path, text, found) in [
            ("src/domain/money.rs", "use crate::store::Store;", "`store`"),
            (
                "src/sweep.rs",
                "fn f(c: &crate::config::Config) {}",
                "`config`",
            ),
            ("src/sweep.rs", "use super::settlement;", "`settlement`"),
            (
                "src/books/mod.rs",
                "use super::reconcile::Finding;",
                "`reconcile`",
            ),
            (
                "src/trips/csv.rs",
                "use super::super::mail::Story;",
                "`mail`",
            ),
            (
                "src/trips/csv.rs",
                "use crate::{domain::Money, run::{self, pass}};",
                "`run`",
            ),
            (
                "src/outputs/mod.rs",
                "use crate::{domain, books::{Entry, Posting}, store};",
                "`store`",
            ),
            (
                "src/sandbox/mod.rs",
                "pub use crate::domain as words;",
                "`domain`",
            ),
            ("src/run/mod.rs", "use crate::cli::args;", "`cli`"),
            (
                "src/main.rs",
                "use tripsettle::settlement::decide;",
                "`settlement`",
            ),
            ("src/attic/mod.rs", "", "no arrows"),
        ] {
            let complaints = between_rooms(&Source::of(path, text));
            assert_eq!(complaints.len(), 1, "{path}: {text}: {complaints:?}");
            assert!(complaints[0].contains(found), "{complaints:?}");
        }
    }

    #[test]
    fn what_the_arrows_allow_passes() {
        for (path, text) in [
            ("src/lib.rs", "pub mod domain; pub mod run;"),
            (
                "src/domain/event.rs",
                "use super::money::Money; use crate::domain::Trip;",
            ),
            (
                "src/outputs/csv.rs",
                "use crate::books::Entry; use crate::reconcile::Match;",
            ),
            (
                "src/run/mod.rs",
                "use crate::{config::Config, store::{self, Store}, mail};",
            ),
            (
                "src/run/pass.rs",
                "use super::run; use super::config::store;",
            ),
            ("src/main.rs", "use tripsettle::cli::args::Cli;"),
            (
                "src/mail/mod.rs",
                "/// See crate::run.\nfn f() { g(\"crate::run::x\") }",
            ),
            (
                "src/mail/mod.rs",
                "#[cfg(test)]\nmod tests { use crate::config::Config; }",
            ),
            (
                "src/mail/smtp.rs",
                "use lettre::transport::crate_store; fn f() { self::run::x() }",
            ),
        ] {
            let complaints = between_rooms(&Source::of(path, text));
            assert!(complaints.is_empty(), "{text}: {complaints:?}");
        }
    }

    #[test]
    fn what_lies_outside_is_reached_by_its_own_door_only() {
        for (path, text, complaints) in [
            ("src/run/close.rs", "use rusqlite::Connection;", 1),
            ("src/store/mod.rs", "use rusqlite::Connection;", 0),
            ("src/config.rs", "fn f(clap: u8) -> u8 { clap }", 0),
            ("src/domain/time.rs", "fn f() { std::env::var(\"TZ\") }", 1),
            ("src/settlement/decide.rs", "use tokio::time::sleep;", 1),
            (
                "src/outputs/csv.rs",
                "use std::fs; fn f() { fs::read(\"x\") }",
                1,
            ),
            ("src/outputs/csv.rs", "use std::{fs::File, io};", 1),
            ("src/outputs/publish.rs", "use std::fs::File;", 0),
            ("src/books/mod.rs", "use std::io::Write;", 0),
        ] {
            let found = to_the_outside(&Source::of(path, text));
            assert_eq!(found.len(), complaints, "{path}: {text}: {found:?}");
        }
    }
}
