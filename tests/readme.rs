//! The README's command blocks are run as they stand there; what `.ci/run` runs is named there.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

use tripsettle::sandbox::{LedgerRow, Sandbox, SandboxConfig};

/// The contents of the fenced blocks of one language.
fn blocks(language: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(name)) if name == language => open = Some(String::new()),
            (Some(block), Some(_)) => blocks.push(std::mem::take(block)),
            (Some(block), None) => block.push_str(&format!("{line}\n")),
            (None, _) => {}
        }
        if line == "```" {
            open = None;
        }
    }
    blocks
}

#[test]
fn the_readme_fits_150_lines() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    assert!(text.lines().count() <= 150);
}

#[test]
fn ci_runs_the_two_commands() {
    let ci = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/run")).unwrap();
    let cargo: Vec<String> = blocks("sh")
        .into_iter()
        .filter(|block| block.starts_with("cargo"))
        .collect();
    let [demo, test] = cargo.as_slice() else {
        panic!("{cargo:?}");
    };
    assert!(ci.contains(&format!("\n{test}")), "{test}");
    // The same program from the same profile, which is built by then.
    let demo = demo.trim().strip_prefix("cargo run --release --locked -- ");
    let demo = format!("target/release/tripsettle {}", demo.unwrap());
    assert!(ci.contains(&demo), "{demo}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_goes_as_the_readme_tells() {
    let config = SandboxConfig {
        auto_trips: true,
        ..SandboxConfig::default()
    };
    let (key, secret) = (config.access_key.clone(), config.secret_key.clone());
    let region = config.region.clone();
    let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let sandbox = Sandbox::start(listen, config).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let feed = blocks("csv").pop().unwrap();
    fs::write(dir.path().join("trips.csv"), feed).unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_tripsettle"));
    let path = format!("{}:/usr/bin:/bin", binary.parent().unwrap().display());
    let mut lines = 0;
    for block in blocks("sh")
        .iter()
        .filter(|block| block.starts_with("tripsettle"))
    {
        for line in block.lines() {
            let done = Command::new("sh")
                .args(["-c", line])
                .current_dir(dir.path())
                .env_clear()
                .env("PATH", &path)
                .env("HOME", dir.path())
                .env("TRIPSETTLE_PAYMENT_SERVICE__ENDPOINT", sandbox.url())
                .env("AWS_ACCESS_KEY_ID", &key)
                .env("AWS_SECRET_ACCESS_KEY", &secret)
                .env("AWS_REGION", &region)
                .output()
                .unwrap();
            let code = done.status.code().unwrap();
            let told = String::from_utf8_lossy(&done.stderr);
            assert!(
                matches!(code, 0 | 10..=12),
                "`{line}` ended with {code}: {told}"
            );
            lines += 1;
        }
    }
    assert!(lines >= 10, "{lines}");
    let run = fs::read_to_string(dir.path().join("run.json")).unwrap();
    let run: serde_json::Value = serde_json::from_str(&run).unwrap();
    assert_eq!(run["finished"], true, "{run}");
    assert_eq!(run["doubts_standing"], 0, "{run}");
    let ours = |row: &LedgerRow| row.store_id.starts_with("STORE_");
    for row in sandbox.ledger().iter().filter(|row| ours(row)) {
        assert_eq!(row.captures.len(), 1, "{}", row.shopping_trip_id);
    }
    sandbox.stop().await;
}
