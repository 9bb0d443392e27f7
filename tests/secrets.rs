//! Who may read what, and that no secret is said anywhere, however much is logged.
#![allow(clippy::unwrap_used)]

mod night;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use night::Night;
use night::stories::{self, as_csv, make_known};

const WRONG_SECRET: &str = "planted-aws-secret-Zx81Qv7";
const SESSION: &str = "planted-session-token-Lm22Rt9";
const PASSWORD: &str = "planted-smtp-password-Kj47Wp3";

fn evening() -> Night {
    let mut night = Night::begin();
    let tales = stories::tales(
        "plain 3 captured captured captured\ncapture_500_after 1 d d d",
        night.began,
    );
    make_known(&night, &tales);
    night.write("inbox/trips.csv", &as_csv(&tales));
    night.set("TRIPSETTLE_LOG", "trace");
    night
}

/// Runs a command under a umask; gives everything it said.
fn under(night: &Night, umask: &str, args: &[&str]) -> String {
    let program = night.command(args);
    let mut shell = Command::new("sh");
    shell.env_clear().current_dir(night.dir.path());
    shell.envs(
        program
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let line = format!("umask {umask}; exec \"$0\" \"$@\"");
    shell
        .args(["-c", &line])
        .arg(program.get_program())
        .args(args);
    let output = shell.stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}

/// Every file and folder below, with its mode.
fn modes(dir: &Path, found: &mut Vec<(String, u32)>) {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    found.push((dir.display().to_string() + "/", mode(dir)));
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => modes(&path, found),
            false => found.push((path.display().to_string(), mode(&path))),
        }
    }
}

#[test]
fn modes_are_what_they_should_be_under_every_umask() {
    for umask in ["000", "022", "027", "077"] {
        let mut night = evening();
        night.set("TRIPSETTLE_LOG", "off");
        let mail = format!("file://{}", night.path("mail").display());
        for (name, value) in [
            ("URL", mail.as_str()),
            ("FROM", "a@x.org"),
            ("TO", "b@x.org"),
        ] {
            night.set(&format!("TRIPSETTLE_MAIL__{name}"), value);
        }
        // Both make what is not there.
        under(&night, umask, &["check"]);
        under(&night, umask, &["run"]);
        let said = under(&night, umask, &["backup", "copy.db"]);
        let raw = rusqlite::Connection::open(night.path("state/tripsettle.db")).unwrap();
        let _held: i64 = raw
            .query_row("SELECT count(*) FROM trip", (), |row| row.get(0))
            .unwrap();
        for (folder, file, dir) in [
            ("state", 0o600, 0o700),
            ("mail", 0o640, 0o750),
            ("out", 0o640, 0o750),
        ] {
            let mut found = Vec::new();
            modes(&night.path(folder), &mut found);
            assert!(found.len() > 1, "{umask}: nothing in {folder}: {said}");
            for (name, mode) in found {
                let expected = if name.ends_with('/') { dir } else { file };
                assert_eq!(mode, expected, "umask {umask}: {name} is {mode:o}");
            }
        }
        let copy = fs::metadata(night.path("copy.db"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(copy & 0o777, 0o600, "{umask}");
    }
}

/// Others put files there, who may not be of our group: its mode is theirs to choose.
#[test]
fn check_leaves_the_mode_of_a_new_inbox_to_the_umask() {
    for (umask, expected) in [("022", 0o755), ("002", 0o775)] {
        let mut night = evening();
        night.set("TRIPSETTLE_INBOX_DIR", "drop");
        under(&night, umask, &["check"]);
        let mode = fs::metadata(night.path("drop")).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, expected, "{umask}");
    }
}

/// Everything that was left in the folder, but for the file that is the secret.
fn left(dir: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => left(&path, found),
            false if path.ends_with("smtp-password") => {}
            false => found.push((path.display().to_string(), fs::read(&path).unwrap())),
        }
    }
}

#[test]
fn no_secret_is_said_or_written_anywhere() {
    let mut night = evening();
    let right = night.unset("AWS_SECRET_ACCESS_KEY").unwrap();
    let dead = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let password = night.write("smtp-password", &format!("{PASSWORD}\n"));
    for (name, value) in [
        ("TRIPSETTLE_MAIL__URL", format!("smtp://{dead}")),
        ("TRIPSETTLE_MAIL__FROM", "a@x.org".to_owned()),
        ("TRIPSETTLE_MAIL__TO", "b@x.org".to_owned()),
        ("TRIPSETTLE_MAIL__USERNAME", "mailer".to_owned()),
        (
            "TRIPSETTLE_MAIL__PASSWORD_FILE",
            password.display().to_string(),
        ),
        ("AWS_SECRET_ACCESS_KEY", WRONG_SECRET.to_owned()),
        ("AWS_SESSION_TOKEN", SESSION.to_owned()),
    ] {
        night.set(name, &value);
    }
    let commands: [&[&str]; 16] = [
        &["check"],
        &["run"],
        &["settle", "--json"],
        &["plan"],
        &["status", "--json"],
        &["config", "show"],
        &["config", "show", "--json"],
        &["config", "generate"],
        &["backup", "copy.db"],
        &["verify", "--json"],
        &["show", "nobody"],
        &["rule", "nobody", "captured", "--by", "a", "--note", "b"],
        &["import", "absent.csv"],
        &["backfill", "--from", "2026-01-01", "--to", "2026-01-02"],
        &["init"],
        &["--help"],
    ];
    let mut said = Vec::new();
    let mut all = |night: &Night, round: &str| {
        for args in commands {
            let ended = night.tripsettle(args);
            said.push((
                format!("{round}: {args:?}"),
                (ended.out + &ended.err).into_bytes(),
            ));
        }
    };
    all(&night, "wrong secret");
    let endpoint = night.unset("TRIPSETTLE_PAYMENT_SERVICE__ENDPOINT").unwrap();
    night.set(
        "TRIPSETTLE_PAYMENT_SERVICE__ENDPOINT",
        &format!("http://{dead}"),
    );
    all(&night, "unreachable");
    night.set("TRIPSETTLE_PAYMENT_SERVICE__ENDPOINT", &endpoint);
    night.set("AWS_SECRET_ACCESS_KEY", &right);
    night.unset("AWS_SESSION_TOKEN");
    all(&night, "right secret");
    assert!(
        night.sandbox.calls().capture > 0,
        "the last round has worked"
    );
    left(night.dir.path(), &mut said);
    assert!(said.len() > 55, "{}", said.len());
    let traced = said.iter().map(|(_, text)| text.len()).sum::<usize>();
    assert!(traced > 50_000, "trace says something: {traced}");
    for (place, text) in &said {
        let text = String::from_utf8_lossy(text);
        for secret in [WRONG_SECRET, SESSION, PASSWORD, right.as_str()] {
            assert!(!text.contains(secret), "{place} tells `{secret}`");
        }
    }
}
