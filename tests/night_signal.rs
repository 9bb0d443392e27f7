//! A signal in the middle of a run: what is under way is finished and written down, and told.
#![allow(clippy::unwrap_used)]

mod night;

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use night::stories::{self, Tale, as_csv, make_known};
use night::witness::{each_story_ended, ledger, testifies};
use night::{Night, names};
use tripsettle::sandbox::SandboxConfig;

/// Waits for something that is sure to happen.
fn until(what: &str, happened: impl Fn() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::yield_now();
    }
}

fn json(night: &Night, args: &[&str]) -> serde_json::Value {
    serde_json::from_str(&night.expect(0, args).out).unwrap()
}

/// The subject of every mail, in order of the runs that wrote them.
fn subjects(night: &Night) -> Vec<String> {
    let folder = night.path("mail");
    let mails = names(&folder).into_iter();
    let mails = mails.map(|name| fs::read_to_string(folder.join(name)).unwrap());
    let subject = |mail: String| {
        let mut lines = mail.lines().map(str::to_owned);
        lines.find(|line| line.starts_with("Subject: ")).unwrap()
    };
    mails.map(subject).collect()
}

/// A run in the middle of its captures, and what it was to do.
struct UnderWay {
    night: Night,
    tales: Vec<Tale>,
    run: Child,
}

/// Starts a run, by `sh` with this before it, and waits until captures are under way.
fn under_way(before: &str) -> UnderWay {
    let mut night = Night::begin_with(SandboxConfig {
        latency_ms: 200,
        ..SandboxConfig::default()
    });
    let mail = format!("file://{}", night.path("mail").display());
    night.set("TRIPSETTLE_MAIL__URL", &mail);
    night.set("TRIPSETTLE_MAIL__FROM", "night@shop.example");
    night.set("TRIPSETTLE_MAIL__TO", "finance@shop.example");
    // Slow answers are awaited, however busy the machine is.
    night.set("TRIPSETTLE_PAYMENT_SERVICE__TIMEOUT_SECONDS", "30");
    let tales = stories::tales("plain 40 captured captured captured", night.began);
    make_known(&night, &tales);
    night.write("inbox/trips.csv", &as_csv(&tales));

    let plain = night.command(&["run"]);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{before} exec \"$@\""), "sh"]);
    command.arg(plain.get_program()).args(plain.get_args());
    command.env_clear().current_dir(night.path(""));
    command.envs(
        plain
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = command.spawn().unwrap();
    until("captures are under way", || {
        night.sandbox.calls().capture > 5
    });
    UnderWay { night, tales, run }
}

fn tell(run: &Child, signal: &str) {
    let mut kill = Command::new("kill");
    let told = kill.args([signal, &run.id().to_string()]).status();
    assert!(told.unwrap().success());
}

/// The run ended with 143, all that it began is written down, and the next one does the rest.
fn stopped_in_good_order(night: &Night, tales: &[Tale]) {
    let happened = ledger(night).into_values();
    let captured = happened.filter(|row| !row.captures.is_empty()).count();
    assert!(captured < tales.len(), "it was stopped too late to tell");
    // Every answer was awaited and written down: no capture is in doubt, none is forgotten.
    let status = json(night, &["status", "--json"]);
    assert_eq!(status["doubts"]["count"], 0, "{status:#}");
    assert_eq!(status["captures_initiated"], captured, "{status:#}");
    assert_eq!(status["runs"][0]["exit_code"], 143);
    assert!(night.editions().is_empty(), "the day stays open");
    let told = subjects(night);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("Subject: NOT FINISHED: "), "{told:?}");

    night.expect(0, &["run"]);
    each_story_ended(night, tales, |_| "capture_authorized");
    testifies(night, tales);
    let told = subjects(night);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(!told[1].contains("NOT FINISHED"), "{told:?}");
}

#[test]
fn a_run_that_is_told_to_stop_finishes_what_is_under_way_and_the_next_one_goes_on() {
    let UnderWay { night, tales, run } = under_way("");
    tell(&run, "-TERM");
    let ended = run.wait_with_output().unwrap();
    let (out, err) = (&ended.stdout, &ended.stderr);
    let said = String::from_utf8_lossy(&[out.as_slice(), err.as_slice()].concat()).into_owned();
    assert_eq!(ended.status.code(), Some(143), "{said}");
    assert!(said.contains("stopped by a signal; run again"), "{said}");
    stopped_in_good_order(&night, &tales);
}

/// Nobody hears the run any more, and the shell and the kernel both tell it so.
#[test]
fn a_run_whose_terminal_is_gone_does_the_same() {
    let UnderWay { night, tales, run } = under_way("");
    let mut run = run;
    drop((run.stdout.take(), run.stderr.take()));
    tell(&run, "-HUP");
    tell(&run, "-HUP");
    assert_eq!(run.wait().unwrap().code(), Some(143));
    stopped_in_good_order(&night, &tales);
}

#[test]
fn a_run_that_was_told_to_outlive_its_terminal_goes_on() {
    let UnderWay { night, tales, run } = under_way("trap '' HUP;");
    tell(&run, "-HUP");
    let ended = run.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    each_story_ended(&night, &tales, |_| "capture_authorized");
    testifies(&night, &tales);
}
