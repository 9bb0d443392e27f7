//! Names that must not stand in what is shipped, or only in a few places.

use super::lex::{Kind, Token, begins};
use super::source::Source;

/// Where the clock may be read: it is handed over from here. The sandbox is a house of its own.
const CLOCK_ROOMS: &[&str] = &["main", "cli", "sandbox"];
const CLOCKS: &[&str] = &["Utc", "Local", "SystemTime", "Zoned", "Timestamp"];

fn complain(source: &Source, tokens: &[Token], bad: impl Fn(usize) -> bool) -> Vec<String> {
    let found = (0..tokens.len()).filter(|at| bad(*at));
    found
        .map(|at| source.complain(tokens[at].line, &format!("`{}`", tokens[at].text)))
        .collect()
}

/// Complains about `unwrap`, `expect` and macros that panic.
pub fn panics(source: &Source) -> Vec<String> {
    let tokens = &source.shipped;
    complain(source, tokens, |at| {
        let called = at > 0 && (tokens[at - 1].is_mark(".") || tokens[at - 1].is_mark("::"));
        let here = &tokens[at..];
        (called && (begins(here, &["unwrap"]) || begins(here, &["expect", "("])))
            || ["panic", "todo", "unimplemented"]
                .iter()
                .any(|name| begins(here, &[name, "!"]))
    })
}

/// Complains about binary floats, tests included: money and time are integers here.
pub fn floats(source: &Source) -> Vec<String> {
    let tokens = &source.tokens;
    complain(source, tokens, |at| match tokens[at].kind {
        Kind::Word => matches!(tokens[at].text.as_str(), "f32" | "f64"),
        // `pair.0.1` is two fields.
        Kind::Number => is_float(&tokens[at].text) && !(at > 0 && tokens[at - 1].is_mark(".")),
        Kind::Text | Kind::Other | Kind::Mark => false,
    })
}

fn is_float(number: &str) -> bool {
    let after = number.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
    after.starts_with(['.', 'e', 'E', 'f'])
}

/// Complains about reading the clock where it should be handed in.
pub fn clocks(source: &Source) -> Vec<String> {
    let tokens = &source.shipped;
    let clock = |at: usize| {
        CLOCKS
            .iter()
            .any(|c| begins(&tokens[at..], &[c, "::", "now"]))
    };
    complain(source, tokens, |at| {
        !CLOCK_ROOMS.contains(&source.room()) && clock(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(rule: fn(&Source) -> Vec<String>, path: &str, text: &str) -> usize {
        rule(&Source::of(path, text)).len()
    }

    #[test]
    fn panics_are_seen() {
        for (text, found) in [
            ("fn f() { x.unwrap() }", 1),
            ("fn f() { x\n.expect(\"y\") }", 1),
            ("fn f() { xs.map(Result::unwrap) }", 1),
            ("fn f() { panic!(\"no\"); todo!() }", 2),
            ("fn f() { x.unwrap_or(0).unwrap_or_default() }", 0),
            ("#[expect(dead_code)] fn unwrap() {}", 0),
            ("// x.unwrap()\nfn f() { g(\".unwrap()\") }", 0),
            ("#[cfg(test)]\nmod tests { fn f() { x.unwrap() } }", 0),
        ] {
            assert_eq!(count(panics, "src/a.rs", text), found, "{text}");
        }
    }

    #[test]
    fn floats_are_seen() {
        for (text, found) in [
            ("fn f(x: f64) -> f32 {}", 2),
            ("let x = [1.5, 1e3, 2f64, 3.];", 4),
            ("#[cfg(test)]\nmod tests { const X: f64 = y; }", 1),
            (
                "let x = 1usize + 0xE0 + pair.0.1 + 1_000 + u64::MAX; 0..5; \"1.5 f64\"",
                0,
            ),
        ] {
            assert_eq!(count(floats, "src/a.rs", text), found, "{text}");
        }
    }

    #[test]
    fn clocks_are_seen() {
        for (path, text, found) in [
            ("src/run/pass.rs", "let now = chrono::Utc::now();", 1),
            ("src/store/mod.rs", "SystemTime::now().elapsed()", 1),
            ("src/run/pass.rs", "house.clock.now(); Instant::now();", 0),
            ("src/main.rs", "Utc::now()", 0),
            ("src/cli/clock.rs", "Utc::now()", 0),
            ("src/sandbox/mod.rs", "Utc::now()", 0),
        ] {
            assert_eq!(count(clocks, path, text), found, "{path}: {text}");
        }
    }
}
