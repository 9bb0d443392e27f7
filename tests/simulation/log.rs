//! What happened, line by line: the same seed gives the same lines.

use std::fmt::Write as _;
use std::sync::Mutex;

use sha2::{Digest as _, Sha256};

/// The event log of one seed: always hashed, kept as text where somebody will read it.
#[derive(Debug)]
pub struct Log(Mutex<Lines>);

#[derive(Debug)]
struct Lines {
    kept: Option<String>,
    hash: Sha256,
}

impl Log {
    pub fn new(is_kept: bool) -> Self {
        let kept = is_kept.then(String::new);
        let hash = Sha256::new();
        Self(Mutex::new(Lines { kept, hash }))
    }

    pub fn say(&self, at: i64, line: &str) {
        let mut lines = self.0.lock().unwrap();
        let line = format!("{at} {line}\n");
        lines.hash.update(&line);
        if let Some(kept) = &mut lines.kept {
            kept.push_str(&line);
        }
    }

    pub fn text(&self) -> String {
        self.0.lock().unwrap().kept.clone().unwrap_or_default()
    }

    pub fn digest(&self) -> String {
        let hash = self.0.lock().unwrap().hash.clone().finalize();
        hash.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    }
}
