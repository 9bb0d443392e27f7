//! How long lines, functions and files may be.

use super::lex::{Kind, closing, find_outside};
use super::source::Source;

const COLUMNS: usize = 100;
const FUNCTION_LINES: usize = 70;
const FILE_LINES: usize = 350;

/// Complains about lines of more than 100 columns.
pub fn long_lines(source: &Source) -> Vec<String> {
    let columns = source
        .text
        .lines()
        .map(|line| line.chars().count())
        .enumerate();
    columns
        .filter(|(_, columns)| *columns > COLUMNS)
        .map(|(at, columns)| source.complain(at + 1, &format!("{columns} columns")))
        .collect()
}

/// Complains about functions of more than 70 lines, from `fn` to the closing brace.
pub fn long_functions(source: &Source) -> Vec<String> {
    let tokens = &source.tokens;
    let mut complaints = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        // `fn(u8) -> u8` is a type.
        if !pair[0].is_word("fn") || pair[1].kind != Kind::Word {
            continue;
        }
        let body = find_outside(tokens, at, |t| t.is_mark("{") || t.is_mark(";"));
        let Some(body) = body.filter(|body| tokens[*body].is_mark("{")) else {
            continue;
        };
        let end = closing(tokens, body).min(tokens.len() - 1);
        let lines = tokens[end].line + 1 - pair[0].line;
        if lines > FUNCTION_LINES {
            let about = format!("function `{}` has {lines} lines", pair[1].text);
            complaints.push(source.complain(pair[0].line, &about));
        }
    }
    complaints
}

/// Complains about a file of more than 350 lines, its tests not counted: it wants a split.
pub fn long_files(source: &Source) -> Vec<String> {
    let lines = source.shipped_lines;
    let long = (lines > FILE_LINES).then(|| source.complain(1, &format!("{lines} lines")));
    long.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        format!(
            "fn f(\n    a: [u8; 2],\n) {{\n{}}}\n",
            "    g(\"}\");\n".repeat(lines - 4)
        )
    }

    #[test]
    fn one_column_too_many_is_seen() {
        let text = format!("{}\n{}\n{}\n", "é".repeat(100), "x".repeat(101), "x");
        let complaints = long_lines(&Source::of("src/a.rs", &text));
        assert_eq!(complaints, ["src/a.rs:2: 101 columns"]);
    }

    #[test]
    fn one_line_too_many_in_a_function_is_seen() {
        for (lines, found) in [(70, 0), (71, 1)] {
            let text = format!("trait T {{ fn g(); }}\n{}", function(lines));
            let complaints = long_functions(&Source::of("src/a.rs", &text));
            assert_eq!(complaints.len(), found, "{complaints:?}");
        }
    }

    #[test]
    fn one_line_too_many_in_a_file_is_seen() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "// x\n".repeat(400));
        for (lines, found) in [(350, 0), (351, 1)] {
            let text = format!("{}{tests}", "use a;\n".repeat(lines));
            assert_eq!(long_files(&Source::of("src/a.rs", &text)).len(), found);
        }
    }
}
