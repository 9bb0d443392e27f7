//! Files as the rules see them.

use std::fs;
use std::path::Path;

use super::lex::{Token, begins, closing, find_outside, lex};

/// A Rust source file.
pub struct Source {
    /// Its path from the top of the house, e.g. `src/run/mod.rs`.
    pub path: String,
    /// Its text.
    pub text: String,
    /// All its tokens.
    pub tokens: Vec<Token>,
    /// Its tokens without what is compiled for tests only.
    pub shipped: Vec<Token>,
    /// How many lines it has without what is compiled for tests only.
    pub shipped_lines: usize,
}

impl Source {
    /// A source of this path and text.
    pub fn of(path: &str, text: &str) -> Self {
        let tokens = lex(text);
        let (mut shipped, mut from, mut test_lines) = (Vec::new(), 0, 0);
        while let Some((start, end)) = next_test_item(path, &tokens, from) {
            shipped.extend_from_slice(&tokens[from..start]);
            test_lines += tokens[end - 1].line + 1 - tokens[start].line;
            from = end;
        }
        shipped.extend_from_slice(&tokens[from..]);
        let shipped_lines = text.lines().count().saturating_sub(test_lines);
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            tokens,
            shipped,
            shipped_lines,
        }
    }

    /// The room of a file below `src`: `run` for `src/run/mod.rs`, `sweep` for `src/sweep.rs`.
    pub fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside
            .split('/')
            .next()
            .unwrap_or(inside)
            .trim_end_matches(".rs")
    }

    /// A complaint that names file and line.
    pub fn complain(&self, line: usize, about: &str) -> String {
        format!("{}:{line}: {about}", self.path)
    }
}

/// Where the next item for tests only begins and ends; a file `tests.rs` is one as a whole.
fn next_test_item(path: &str, tokens: &[Token], from: usize) -> Option<(usize, usize)> {
    if path.ends_with("/tests.rs") || path.contains("/tests/") {
        return (from < tokens.len()).then_some((from, tokens.len()));
    }
    let cfg = |at: &usize| begins(&tokens[*at..], &["#", "[", "cfg", "(", "test", ")", "]"]);
    let start = (from..tokens.len()).find(cfg)?;
    let mut item = start;
    while begins(&tokens[item..], &["#", "["]) {
        item = closing(tokens, item + 1) + 1;
    }
    // `use` ends with a semicolon although it may have braces; everything else with the first one.
    let braced = !tokens.get(item).is_some_and(|token| token.is_word("use"));
    let end = find_outside(tokens, item, |t| {
        t.is_mark(";") || (braced && t.is_mark("{"))
    });
    let end = match end {
        Some(at) if tokens[at].is_mark("{") => closing(tokens, at) + 1,
        Some(at) => at + 1,
        None => tokens.len(),
    };
    Some((start, end.min(tokens.len())))
}

/// The Rust files below these folders, in order of path.
pub fn house(folders: &[&str]) -> Vec<Source> {
    let files = folders.iter().flat_map(|folder| files_below(folder, "rs"));
    files.map(|(path, text)| Source::of(&path, &text)).collect()
}

/// The SQL files of this folder as (path, text), in order of path.
pub fn sql_files(folder: &str) -> Vec<(String, String)> {
    files_below(folder, "sql")
}

/// A folder that is not there has no files.
fn files_below(folder: &str, extension: &str) -> Vec<(String, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(top.join(folder)) else {
        return found;
    };
    for entry in entries {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_below(&path, extension));
        } else if path.ends_with(&format!(".{extension}")) {
            let text = fs::read_to_string(entry.path()).unwrap();
            found.push((path, text));
        }
    }
    found.sort();
    found
}

#[test]
fn the_house_is_found() {
    let paths: Vec<_> = house(&["src", "tests"])
        .into_iter()
        .map(|s| s.path)
        .collect();
    for path in [
        "src/lib.rs",
        "src/domain/mod.rs",
        "tests/tidy.rs",
        "tests/tidy/lex.rs",
    ] {
        assert!(paths.iter().any(|found| found == path), "{path}");
    }
}

#[test]
fn what_is_for_tests_only_is_left_out() {
    let text = "\
use a::b;
#[cfg(test)]
use c::{d, e};
fn f() {}
#[cfg(test)]
#[allow(x)]
mod tests {
    fn g() {}
}
fn h() {}
#[cfg(test)]
mod more;
";
    let source = Source::of("src/run/mod.rs", text);
    let words: Vec<_> = source.shipped.iter().map(|t| t.text.as_str()).collect();
    assert_eq!(words.join(" "), "use a :: b ; fn f ( ) { } fn h ( ) { }");
    assert_eq!(source.shipped_lines, 3);
    assert!(Source::of("src/run/tests.rs", text).shipped.is_empty());
}

#[test]
fn a_file_is_in_its_room() {
    for (path, room) in [
        ("src/run/mod.rs", "run"),
        ("src/sweep.rs", "sweep"),
        ("src/lib.rs", "lib"),
        ("src/store/journal/append.rs", "store"),
    ] {
        assert_eq!(Source::of(path, "").room(), room);
    }
}
