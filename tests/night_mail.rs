//! The mail of a night: exactly one for each run, and none is ever lost.
#![allow(clippy::unwrap_used)]

#[path = "mail/sink.rs"]
#[allow(dead_code, clippy::unwrap_used)]
mod sink;

mod night;

use std::net::TcpListener;

use night::stories::{self, Tale, as_csv, make_known};
use night::{Night, witness};
use sink::{CLOSE, Sink, Tls};

/// A quiet night that is to be mailed to this port.
fn quiet_night(port: u16) -> (Night, Vec<Tale>) {
    let mut night = Night::begin();
    night.set("TRIPSETTLE_MAIL__FROM", "night@shop.example");
    night.set(
        "TRIPSETTLE_MAIL__TO",
        "finance@shop.example,ops@shop.example",
    );
    mail_to(&mut night, port);
    let tales = stories::tales("plain 6 captured captured captured", night.began);
    make_known(&night, &tales);
    night.write("inbox/trips.csv", &as_csv(&tales));
    (night, tales)
}

fn mail_to(night: &mut Night, port: u16) {
    night.set("TRIPSETTLE_MAIL__URL", &format!("smtp://127.0.0.1:{port}"));
}

/// A port at which nobody listens.
fn dead_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// One header of every message heard, whether it was accepted or not.
fn headers(sink: &Sink, name: &str) -> Vec<String> {
    let start = format!("| {name}: ");
    let heard = sink.heard().into_iter();
    heard
        .filter_map(|line| line.strip_prefix(&start).map(str::to_owned))
        .collect()
}

/// The ids of all runs, the newest first.
fn runs(night: &Night) -> Vec<String> {
    let status = night.tripsettle(&["status", "--json"]).out;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let runs = status["runs"].as_array().unwrap().iter();
    runs.map(|run| run["run"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_run_sends_exactly_one_mail_and_an_idle_settle_none() {
    let sink = Sink::start(&[], Tls::None);
    let (night, tales) = quiet_night(sink.port);

    night.expect(0, &["run"]);
    assert_eq!(headers(&sink, "Message-ID").len(), 1);
    night.expect(0, &["run"]);
    night.expect(0, &["settle"]);

    let ids = headers(&sink, "Message-ID");
    let runs = runs(&night);
    assert_eq!(ids.len(), 2, "{ids:?}");
    assert!(ids[0].contains(&runs[1]), "{ids:?} for {runs:?}");
    assert!(ids[1].contains(&runs[0]), "{ids:?} for {runs:?}");
    let day = night.editions()[0].split('/').next().unwrap().to_owned();
    let subjects = headers(&sink, "Subject");
    assert!(
        subjects[0].contains(&format!("closed {day}")),
        "{subjects:?}"
    );
    assert!(subjects[1].contains("no day to close"), "{subjects:?}");
    let recipients = sink.heard();
    let recipients = recipients.iter().filter(|line| line.starts_with("RCPT"));
    assert_eq!(recipients.count(), 4, "two for each mail");
    witness::testifies(&night, &tales);
}

#[test]
fn what_the_rate_cost_is_told() {
    let sink = Sink::start(&[], Tls::None);
    let (mut night, _) = quiet_night(sink.port);
    night.set("TRIPSETTLE_PAYMENT_SERVICE__REQUESTS_PER_SECOND", "20");
    night.set("TRIPSETTLE_PAYMENT_SERVICE__BURST", "1");

    let report = night.expect(0, &["run", "--json"]).out;
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let waited = report["tally"]["paced_ms"].as_u64().unwrap();
    assert!(waited > 0, "{report}");
    let heard = sink.heard();
    let told = heard.iter().find(|line| line.contains("calls waited"));
    let told = told.unwrap_or_else(|| panic!("{heard:?}"));
    assert!(!told.contains("waited 0 s"), "{told}");
}

#[test]
fn a_mail_server_that_is_down_costs_nothing_and_the_next_command_delivers() {
    let (mut night, tales) = quiet_night(dead_port());

    let ended = night.expect(0, &["run"]);
    assert!(ended.err.contains("waits in the outbox"), "{}", ended.err);
    let sink = Sink::start(&[], Tls::None);
    mail_to(&mut night, sink.port);
    night.expect(0, &["settle"]);

    let ids = headers(&sink, "Message-ID");
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert!(ids[0].contains(&runs(&night)[0]), "{ids:?}");
    night.expect(0, &["settle"]);
    assert_eq!(headers(&sink, "Message-ID"), ids, "it is sent once");
    witness::testifies(&night, &tales);
}

/// Lets the mails that wait be due at once.
fn make_due(night: &Night) {
    let state = rusqlite::Connection::open(night.path("state/tripsettle.db")).unwrap();
    state.execute("UPDATE outbox SET next_at = 0", ()).unwrap();
}

/// As [`quiet_night`]; what is logged is up to `--quiet`, as it is for timers and cron.
fn nights_of_a_timer(port: u16) -> Night {
    let (mut night, _) = quiet_night(port);
    night.unset("TRIPSETTLE_LOG");
    night
}

#[test]
fn what_waiting_will_not_mend_is_told_even_when_quiet() {
    let night = nights_of_a_timer(dead_port());
    assert_eq!(night.expect(0, &["run", "--quiet"]).err, "");
    assert_eq!(night.expect(0, &["settle", "--quiet"]).err, "");
    make_due(&night);
    let third = night.expect(0, &["settle", "--quiet"]).err;
    assert!(third.contains("waits in the outbox"), "{third}");

    let refusing = Sink::start(&[(".", "554 looks like spam")], Tls::None);
    let night = nights_of_a_timer(refusing.port);
    let first = night.expect(0, &["run", "--quiet"]).err;
    assert!(first.contains("waits in the outbox"), "{first}");
    assert!(first.contains("looks like spam"), "{first}");
}

#[test]
fn an_address_that_is_retired_costs_nobody_else_the_mail_and_is_named() {
    let retired = ("RCPT TO:<finance@shop.example>", "550 no such user");
    let sink = Sink::start(vec![retired].leak(), Tls::None);
    let night = nights_of_a_timer(sink.port);

    let told = night.expect(0, &["run", "--quiet"]).err;
    assert!(told.contains("did not get to everybody"), "{told}");
    assert!(told.contains("finance@shop.example"), "{told}");
    night.expect(0, &["settle"]);

    assert_eq!(headers(&sink, "Message-ID").len(), 1, "sent, and once");
}

fn mails_waiting(night: &Night) -> u64 {
    let status = night.tripsettle(&["status", "--json"]).out;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    status["mails_waiting"].as_u64().unwrap()
}

#[test]
fn a_mail_that_is_never_answered_does_not_come_for_ever() {
    let dumb = Sink::start(&[(".", CLOSE)], Tls::None);
    let night = nights_of_a_timer(dumb.port);

    night.expect(0, &["run", "--quiet"]);
    night.expect(0, &["settle", "--quiet"]);
    assert_eq!(mails_waiting(&night), 1);
    make_due(&night);
    let told = night.expect(0, &["settle", "--quiet"]).err;

    assert!(told.contains("most likely arrived"), "{told}");
    assert_eq!(mails_waiting(&night), 0);
    night.expect(0, &["settle"]);
    assert_eq!(headers(&dumb, "Message-ID").len(), 3);
}

#[test]
fn a_mail_without_one_answer_is_sent_again_however_often_it_failed_before() {
    let mut night = nights_of_a_timer(dead_port());
    night.expect(0, &["run"]);
    night.expect(0, &["settle"]);
    make_due(&night);
    let dumb = Sink::start(&[(".", CLOSE)], Tls::None);
    mail_to(&mut night, dumb.port);
    night.expect(0, &["settle"]);
    assert_eq!(headers(&dumb, "Message-ID").len(), 1);
    assert_eq!(mails_waiting(&night), 1);
}

#[test]
fn a_mail_that_is_put_off_holds_up_no_other() {
    let full = Sink::start(&[(".", "452 no room for this")], Tls::None);
    let (night, _) = quiet_night(full.port);

    night.expect(0, &["run"]);
    night.expect(0, &["run"]);

    let ids = headers(&full, "Message-ID");
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
}

#[test]
fn a_mail_that_was_not_accepted_comes_again_under_its_message_id() {
    let full = Sink::start(&[(".", "452 no room")], Tls::None);
    let (mut night, _) = quiet_night(full.port);

    night.expect(0, &["run"]);
    let refused = headers(&full, "Message-ID");
    assert_eq!(refused.len(), 1, "{refused:?}");
    let sink = Sink::start(&[], Tls::None);
    mail_to(&mut night, sink.port);
    night.expect(0, &["run"]);

    let ids = headers(&sink, "Message-ID");
    assert_eq!(ids.len(), 2, "the one that waited, and this run's: {ids:?}");
    assert_eq!(ids[0], refused[0]);
    assert_ne!(ids[1], refused[0]);
}
