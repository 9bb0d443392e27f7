//! Everything that can keep a night from running: one exit code, one clear message, and the next
//! good run goes on as if nothing had been.
#![allow(clippy::unwrap_used)]

mod night;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use night::stories::{self, Tale, as_csv, make_known};
use night::witness::{each_story_ended, ledger, testifies};
use night::{Ended, Night, names};
use tripsettle::sandbox::SandboxTrip;

const ENDPOINT: &str = "TRIPSETTLE_PAYMENT_SERVICE__ENDPOINT";

/// A few trips that wait in the inbox.
fn evening() -> (Night, Vec<Tale>) {
    let table =
        "plain 6 captured captured captured\ndeclined 2 written_off written_off written_off";
    evening_of(table)
}

fn evening_of(table: &str) -> (Night, Vec<Tale>) {
    let mut night = Night::begin();
    night.set("TRIPSETTLE_LOG", "off");
    let tales = stories::tales(table, night.began);
    make_known(&night, &tales);
    night.write("inbox/trips.csv", &as_csv(&tales));
    (night, tales)
}

/// The command ends with this code, and one line says why.
fn fails(night: &Night, args: &[&str], code: i32, words: &[&str]) -> Ended {
    let ended = night.expect(code, args);
    let told = ended.err.lines().filter(|line| !line.trim().is_empty());
    let told: Vec<&str> = told.collect();
    assert_eq!(told.len(), 1, "one message: {ended:#?}");
    assert!(told[0].starts_with("tripsettle: "), "{ended:#?}");
    for word in words {
        assert!(told[0].contains(word), "`{word}` is not told: {ended:#?}");
    }
    ended
}

fn the_next_run_loses_nothing(night: &Night, tales: &[Tale]) {
    night.expect(0, &["run"]);
    each_story_ended(night, tales, |_| "capture_authorized");
    testifies(night, tales);
    assert_eq!(night.editions().len(), 1, "{:?}", night.editions());
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_right_one() {
    let (mut night, tales) = evening();
    night.set("TRIPSETTLE_SWEEP__SCHEDUEL", "0 0 3 * * *");
    let words = ["TRIPSETTLE_SWEEP__SCHEDUEL", "TRIPSETTLE_SWEEP__SCHEDULE"];
    fails(&night, &["run"], 78, &words);
    night.unset("TRIPSETTLE_SWEEP__SCHEDUEL");
    night.configure_by_file("[settlement]\non_declin = \"search\"\n");
    let words = ["settlement.on_declin", "settlement.on_decline", ":2"];
    fails(&night, &["run"], 78, &words);
    night.unset("TRIPSETTLE_CONFIG");
    fs::remove_file(night.path("tripsettle.toml")).unwrap();
    the_next_run_loses_nothing(&night, &tales);
}

#[test]
fn a_variable_of_ours_that_is_no_text_is_told() {
    let (night, tales) = evening();
    let not_text = std::ffi::OsString::from_vec(b"st\xe4te".to_vec());
    let mut command = night.command(&["run"]);
    let ended = command
        .env("TRIPSETTLE_STATE_DIR", not_text)
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(78), "{ended:?}");
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(
        told.contains("TRIPSETTLE_STATE_DIR (environment)"),
        "{told}"
    );
    the_next_run_loses_nothing(&night, &tales);
}

#[test]
fn an_address_that_is_none_is_told_before_anything_is_touched() {
    let (mut night, tales) = evening();
    let mail = format!("file://{}", night.path("mail").display());
    night.set("TRIPSETTLE_MAIL__URL", &mail);
    night.set("TRIPSETTLE_MAIL__FROM", "night@shop.example");
    night.set("TRIPSETTLE_MAIL__TO", "a@shop.example;b@shop.example");
    fails(&night, &["run"], 78, &["mail.to", "a@shop.example;b@shop"]);
    assert!(!night.path("state").exists());
    night.set("TRIPSETTLE_MAIL__TO", "a@shop.example,b@shop.example");
    the_next_run_loses_nothing(&night, &tales);
}

/// What a wrong clock makes certain is not: the token of a parked trip lives on, and is not lost.
#[test]
fn a_clock_that_is_ahead_books_no_loss() {
    let (night, _) = evening();
    let dies_at = Utc::now() + TimeDelta::seconds(8);
    let started = dies_at - TimeDelta::hours(46);
    night.sandbox.add_trip(SandboxTrip {
        started_at: started,
        refuse: Some("BadRequestException".to_owned()),
        ..SandboxTrip::of("NYC", "parked")
    });
    let row = format!("NYC,parked,{},12.00,USD\n", started.to_rfc3339());
    let header = "store_id,shopping_trip_id,started_at,amount,currency\n";
    night.write("inbox/parked.csv", &format!("{header}{row}"));
    let outcome = |code| {
        night.expect(code, &["settle"]);
        let shown = night.expect(0, &["show", "NYC/parked", "--json"]).out;
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        shown["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(outcome(12), "refused");
    while Utc::now() <= dies_at {
        std::thread::sleep(Duration::from_millis(200));
    }
    night.sandbox.set_clock(Utc::now() - TimeDelta::hours(10));
    assert_eq!(outcome(69), "refused");
    night.sandbox.set_clock(Utc::now());
    assert_eq!(outcome(12), "expired");
}

#[test]
fn a_missing_endpoint_is_told_before_anything_is_touched() {
    let (mut night, tales) = evening();
    let endpoint = night.unset(ENDPOINT).unwrap();
    fails(&night, &["run"], 78, &["payment_service.endpoint"]);
    assert!(!night.path("state").exists());
    night.set(ENDPOINT, &endpoint);
    the_next_run_loses_nothing(&night, &tales);
}

/// What is due and at risk is reckoned by the next run, also when none is planned any more.
#[test]
fn once_the_schedule_has_ended_plan_status_and_run_reckon_alike() {
    let (mut night, _) = evening();
    night.set("TRIPSETTLE_SWEEP__SCHEDULE", "0 0 0 2 JAN * 2026");
    let begun = Utc::now();
    for command in ["plan", "status", "settle"] {
        let told = night.tripsettle(&[command, "--json"]).out;
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let next_run = told["next_run"].as_str().unwrap();
        let next_run = chrono::DateTime::parse_from_rfc3339(next_run).unwrap();
        let hours = (next_run.to_utc() - begun).num_hours();
        assert_eq!(hours, 24, "{command}: {next_run}");
    }
}

#[test]
fn a_wrong_secret_stops_the_run() {
    let (mut night, tales) = evening();
    let secret = night.unset("AWS_SECRET_ACCESS_KEY").unwrap();
    night.set("AWS_SECRET_ACCESS_KEY", "not-the-secret");
    let ended = fails(&night, &["run"], 77, &["credentials"]);
    assert!(!ended.err.contains("not-the-secret"), "{ended:#?}");
    assert_eq!(night.sandbox.calls().capture, 0);
    night.set("AWS_SECRET_ACCESS_KEY", &secret);
    the_next_run_loses_nothing(&night, &tales);
}

/// The service manager hands the password to the night alone; a person rules without it.
#[test]
fn half_of_a_mail_login_stops_only_those_who_would_send_mail() {
    let (mut night, tales) = evening();
    night.set("TRIPSETTLE_MAIL__URL", "smtp://127.0.0.1:9");
    night.set("TRIPSETTLE_MAIL__FROM", "night@shop.example");
    night.set("TRIPSETTLE_MAIL__TO", "finance@shop.example");
    night.set("TRIPSETTLE_MAIL__USERNAME", "night");
    for command in ["run", "settle", "check"] {
        let ended = night.expect(78, &[command]);
        let told = ended.out + &ended.err;
        assert!(told.contains("mail.password_file is missing"), "{told}");
    }
    assert_eq!(night.sandbox.calls().capture, 0);
    for command in [&["status"][..], &["plan"], &["debt", "list"], &["verify"]] {
        night.expect(0, command);
    }
    night.unset("TRIPSETTLE_MAIL__USERNAME");
    the_next_run_loses_nothing(&night, &tales);
}

#[test]
fn check_tries_each_thing_by_itself() {
    let (mut night, _) = evening();
    let lines = |night: &Night, code: i32| {
        let told = night.expect(code, &["check"]);
        assert_eq!(night.sandbox.calls().capture, 0, "{told:#?}");
        told.out
    };
    let line = |told: &str, what: &str| {
        let mut found = told
            .lines()
            .filter(|line| line.get(8..).unwrap().starts_with(what));
        found.next().map(str::to_owned)
    };
    let told = lines(&night, 0);
    for what in [
        "configuration",
        "state",
        "schedule",
        "tokens",
        "credentials",
        "payment service",
        "clock",
        "mail",
    ] {
        let found = line(&told, what).unwrap_or_else(|| panic!("no {what}: {told}"));
        assert!(found.starts_with("ok "), "{told}");
    }
    assert!(
        line(&told, "credentials")
            .unwrap()
            .ends_with("access key …MPLE"),
        "{told}"
    );

    night.sandbox.set_clock(Utc::now() - TimeDelta::hours(10));
    let told = lines(&night, 69);
    assert!(
        line(&told, "payment service")
            .unwrap()
            .starts_with("FAILED"),
        "{told}"
    );
    let clock = line(&told, "clock").unwrap();
    assert!(
        clock.starts_with("FAILED") && clock.contains("timedatectl"),
        "{told}"
    );
    night.sandbox.set_clock(Utc::now());

    night.set("TRIPSETTLE_TOKEN__LIFETIME_HOURS", "30");
    let told = lines(&night, 0);
    assert!(line(&told, "tokens").unwrap().contains("WARNING"), "{told}");

    night.unset("AWS_ACCESS_KEY_ID");
    night.set("AWS_EC2_METADATA_DISABLED", "true");
    let told = lines(&night, 77);
    let found = line(&told, "credentials").unwrap();
    assert!(
        found.starts_with("FAILED") && found.contains("AWS_PROFILE"),
        "{told}"
    );
    assert_eq!(
        line(&told, "payment service"),
        None,
        "asked with nothing to sign with: {told}"
    );
}

#[test]
fn a_service_that_is_not_there_is_unavailable() {
    let many = "plain 20 captured captured captured";
    let one = "plain 1 captured captured captured";
    for (table, words) in [
        (many, "more than half of the calls"),
        (one, "not one call was answered"),
    ] {
        let (mut night, tales) = evening_of(table);
        let endpoint = night.unset(ENDPOINT).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let dead = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        night.set(ENDPOINT, &dead);
        let words = [words, "is unavailable", "the last: tcp connect error"];
        fails(&night, &["run"], 69, &words);
        assert!(night.editions().is_empty(), "the day stays open");
        night.set(ENDPOINT, &endpoint);
        the_next_run_loses_nothing(&night, &tales);
    }
}

#[test]
fn a_web_site_is_not_the_payment_service() {
    let (mut night, tales) = evening();
    let endpoint = night.unset(ENDPOINT).unwrap();
    night.set(ENDPOINT, &web_site());
    let words = ["is this the payment service?", "payment_service.endpoint"];
    fails(&night, &["run"], 78, &words);
    night.set(ENDPOINT, &endpoint);
    the_next_run_loses_nothing(&night, &tales);
}

/// A web server that knows no such page.
fn web_site() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let page = "<html><body>no such page</body></html>";
    let length = page.len();
    let answer = format!(
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{page}"
    );
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut asked) = (stream.unwrap(), [0; 4_096]);
            let _ = stream.read(&mut asked);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn a_newer_database_is_left_alone() {
    let (night, tales) = evening();
    night.expect(0, &["init"]);
    let file = night.path("state/tripsettle.db");
    let set_version = |version: u32| {
        let database = rusqlite::Connection::open(&file).unwrap();
        let known = database.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0));
        let set = database.pragma_update(None, "user_version", version);
        set.and(known).unwrap()
    };
    let known = set_version(99);
    fails(&night, &["run"], 65, &["schema 99", "newer program"]);
    fails(&night, &["status"], 65, &["schema 99"]);
    assert_eq!(night.sandbox.calls().adjust, 0);
    set_version(known);
    the_next_run_loses_nothing(&night, &tales);
}

#[test]
fn an_output_folder_that_is_a_file_keeps_the_day_open() {
    let (night, tales) = evening();
    night.expect(0, &["init"]);
    let out = night.write("out", "not a folder");
    fails(&night, &["run"], 74, &[out.to_str().unwrap()]);
    assert_eq!(night.sandbox.calls().capture, 6, "trips are settled first");
    fs::remove_file(out).unwrap();
    the_next_run_loses_nothing(&night, &tales);
    assert_eq!(night.sandbox.calls().capture, 6);
}

#[test]
fn an_edition_that_cannot_be_put_in_place_keeps_no_trip_from_being_settled() {
    let (night, tales) = evening();
    let settled = night.write("kept.csv", &as_csv(&tales[..1]));
    let late = fs::read(night.path("inbox/trips.csv")).unwrap();
    fs::remove_file(night.path("inbox/trips.csv")).unwrap();
    night.expect(0, &["import", settled.to_str().unwrap()]);
    // A close is committed before its files are renamed; a file stands in the folder's place.
    let day = in_the_way(&night);
    fails(&night, &["run"], 74, &[day.to_str().unwrap()]);
    fs::write(night.path("inbox/trips.csv"), late).unwrap();
    fails(&night, &["run"], 74, &[day.to_str().unwrap()]);
    assert_eq!(night.sandbox.calls().capture, 6, "the others are settled");
    fs::remove_file(&day).unwrap();
    night.expect(0, &["run"]);
    assert_eq!(night.sandbox.calls().capture, 6);
    assert_eq!(night.editions().len(), 1, "{:?}", night.editions());
}

/// Puts a file where the folder of the day that is to be closed belongs.
fn in_the_way(night: &Night) -> std::path::PathBuf {
    let business_day = night.began - chrono::TimeDelta::minutes(150) - chrono::TimeDelta::days(1);
    let day = business_day.format("out/%Y-%m-%d").to_string();
    night.write(&day, "in the way")
}

#[test]
fn a_state_that_is_gone_is_not_made_anew() {
    let (night, tales) = evening();
    night.expect(0, &["run"]);
    fs::rename(night.path("state"), night.path("backup")).unwrap();
    let words = ["state is missing", "init --after-loss"];
    fails(&night, &["verify"], 65, &words);
    fails(&night, &["backup", "copy.db"], 65, &words);
    for command in ["run", "settle", "status", "plan", "init"] {
        fails(&night, &[command], 65, &words);
    }
    fs::remove_dir_all(night.path("state")).ok();
    fs::rename(night.path("backup"), night.path("state")).unwrap();
    the_next_run_loses_nothing(&night, &tales);
}

#[test]
fn after_a_loss_nothing_is_captured_twice() {
    let (night, tales) = evening();
    night.expect(0, &["run"]);
    fs::remove_dir_all(night.path("state")).unwrap();
    night.expect(0, &["init", "--after-loss"]);
    night.write("inbox/again.csv", &as_csv(&tales));
    let (before, calls) = (ledger(&night), night.sandbox.calls());
    let ended = night.tripsettle(&["settle"]);
    assert_eq!(ended.code, Some(11), "{ended:#?}");
    let told = night.expect(0, &["status", "--json"]).out;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["doubts"]["count"], tales.len(), "{told:#}");
    assert_eq!(night.sandbox.calls().capture, calls.capture);
    let captures = |rows: std::collections::BTreeMap<_, tripsettle::sandbox::LedgerRow>| {
        let rows = rows.into_values();
        rows.map(|row| row.captures).collect::<Vec<_>>()
    };
    let before = captures(before);
    assert_eq!(before, captures(ledger(&night)));
    // The day was published by the state that was lost: it stays closed, its edition as it is.
    let (editions, published) = (night.editions(), night.newest_editions().remove(0));
    let manifest = fs::read(published.join("manifest.json")).unwrap();
    night.expect(11, &["run"]);
    assert_eq!(night.editions(), editions);
    assert_eq!(fs::read(published.join("manifest.json")).unwrap(), manifest);
    assert_eq!(before, captures(ledger(&night)));
}

#[test]
fn another_run_is_told_of_within_a_second() {
    let (night, tales) = evening();
    let state = night.path("state");
    let held = tripsettle::store::Lock::acquire(&state, Duration::ZERO).unwrap();
    for command in ["run", "settle"] {
        let asked = Instant::now();
        fails(&night, &[command], 75, &["another run", "--wait-lock"]);
        assert!(asked.elapsed() < Duration::from_secs(1), "{command}");
    }
    let waits = night.start(&["run", "--wait-lock", "60s"]);
    drop(held);
    let ended = waits.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    the_next_run_loses_nothing(&night, &tales);
}

/// Puts what the service wrote under another user, if the test may; else takes its own right away.
fn locked_out(night: &Night) -> std::process::Command {
    use std::os::unix::fs::{PermissionsExt as _, chown};
    use std::os::unix::process::CommandExt as _;
    const NOBODY: u32 = 65_534;
    let day = night.path("out").join(&names(&night.path("out"))[0]);
    let open = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    open(night.dir.path(), 0o755);
    open(&night.path("out"), 0o777);
    let mut command = night.command(&[]);
    if chown(night.dir.path(), Some(NOBODY), None).is_err() {
        open(&day, 0);
        return command;
    }
    for folder in ["state", "inbox", "inbox/taken"] {
        let folder = night.path(folder);
        chown(&folder, Some(NOBODY), None).unwrap();
        for file in names(&folder) {
            chown(folder.join(file), Some(NOBODY), None).unwrap();
        }
    }
    let program = night.path("tripsettle");
    fs::copy(command.get_program(), &program).unwrap();
    let env: Vec<_> = command
        .get_envs()
        .map(|(k, v)| (k.to_owned(), v.unwrap().to_owned()))
        .collect();
    command = std::process::Command::new(program);
    command
        .env_clear()
        .envs(env)
        .current_dir(night.dir.path())
        .uid(NOBODY)
        .gid(NOBODY);
    command
}

/// Whether the state is older than an edition that cannot be seen is not known: nothing is sent.
#[test]
fn published_files_of_another_user_are_told_with_their_owner() {
    let (night, _) = evening();
    night.expect(0, &["run"]);
    let (day, before) = (
        names(&night.path("out"))[0].clone(),
        night.sandbox.calls().capture,
    );
    for args in [
        &["status"][..],
        &["settle"],
        &["run"],
        &["verify"],
        &["check"],
    ] {
        let output = locked_out(&night).args(args).output().unwrap();
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8(told).unwrap();
        assert_eq!(output.status.code(), Some(74), "{args:?}: {told}");
        for words in [
            &day,
            "could not be read: Permission denied",
            " belongs to ",
            "as the user of the service only",
        ] {
            assert!(told.contains(words), "{args:?}: `{words}`: {told}");
        }
    }
    assert_eq!(night.sandbox.calls().capture, before);
}

#[test]
fn output_that_cannot_be_written_is_told_and_a_closed_pipe_is_not() {
    let (night, _) = evening();
    for args in [
        &["config", "generate"][..],
        &["run", "--json"],
        &["status"],
        &["check"],
    ] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = night.command(args).stdout(full).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(74), "{args:?}: {told}");
        assert!(
            told.contains("standard output cannot be written"),
            "{args:?}: {told}"
        );
        let (reads, writes) = std::io::pipe().unwrap();
        drop(reads);
        let output = night.command(args).stdout(writes).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {output:?}");
    }
}

#[test]
fn a_password_file_that_is_not_there_is_a_configuration_to_mend() {
    let (mut night, _) = evening();
    for (name, value) in [
        ("TRIPSETTLE_MAIL__URL", "smtps://127.0.0.1:9"),
        ("TRIPSETTLE_MAIL__FROM", "night@shop.example"),
        ("TRIPSETTLE_MAIL__TO", "finance@shop.example"),
        ("TRIPSETTLE_MAIL__USERNAME", "night"),
        ("TRIPSETTLE_MAIL__PASSWORD_FILE", "nowhere"),
    ] {
        night.set(name, value);
    }
    let told = night.expect(78, &["check"]);
    assert!(told.out.contains("nowhere: "), "{told:?}");
    let file = night.write("password", "x");
    night.set("TRIPSETTLE_MAIL__PASSWORD_FILE", file.to_str().unwrap());
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    night.expect(69, &["check"]);
}
