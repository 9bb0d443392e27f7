//! A lexer for as much Rust as the rules need: comments go, strings stay whole, lines are kept.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An identifier or keyword.
    Word,
    /// A string literal; the text is what stands between the quotes.
    Text,
    /// A number literal.
    Number,
    /// A character literal or a lifetime.
    Other,
    /// Punctuation: one character, or `::`, `=>`, `->`.
    Mark,
}

/// A token and the line it begins on, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its text.
    pub text: String,
    /// Its line.
    pub line: usize,
}

impl Token {
    /// True for this word.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    /// True for this punctuation.
    pub fn is_mark(&self, mark: &str) -> bool {
        self.kind == Kind::Mark && self.text == mark
    }

    fn opens(&self) -> bool {
        self.kind == Kind::Mark && matches!(self.text.as_str(), "(" | "[" | "{")
    }

    fn closes(&self) -> bool {
        self.kind == Kind::Mark && matches!(self.text.as_str(), ")" | "]" | "}")
    }
}

/// True when `tokens` begin with these texts; string literals never match.
pub fn begins(tokens: &[Token], texts: &[&str]) -> bool {
    tokens.len() >= texts.len()
        && tokens
            .iter()
            .zip(texts)
            .all(|(t, text)| t.kind != Kind::Text && t.text == *text)
}

/// The index of the first token at or after `from`, outside any brackets that open after it, for
/// which `wanted` holds.
pub fn find_outside(
    tokens: &[Token],
    from: usize,
    wanted: impl Fn(&Token) -> bool,
) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        if depth == 0 && wanted(token) {
            return Some(at);
        }
        if token.opens() {
            depth += 1;
        } else if token.closes() {
            depth = depth.checked_sub(1)?;
        }
    }
    None
}

/// The index of the bracket that closes the one at `open`; the end where none does.
pub fn closing(tokens: &[Token], open: usize) -> usize {
    find_outside(tokens, open + 1, Token::closes).unwrap_or(tokens.len())
}

/// The tokens of a source text.
pub fn lex(text: &str) -> Vec<Token> {
    let mut rest = Rest { text, line: 1 };
    let mut tokens = Vec::new();
    while let Some(first) = rest.text.chars().next() {
        if rest.text.starts_with("//") {
            rest.take(rest.text.find('\n').unwrap_or(rest.text.len()));
        } else if rest.text.starts_with("/*") {
            rest.take(block_comment(rest.text));
        } else if first.is_whitespace() {
            rest.take(first.len_utf8());
        } else {
            tokens.push(rest.token(first));
        }
    }
    tokens
}

struct Rest<'a> {
    text: &'a str,
    line: usize,
}

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, left) = self.text.split_at(length);
        self.line += taken.matches('\n').count();
        self.text = left;
        taken
    }

    fn token(&mut self, first: char) -> Token {
        let line = self.line;
        let (kind, text) = if let Some((prefix, body, suffix)) = string(self.text) {
            self.take(prefix);
            let text = self.take(body);
            self.take(suffix);
            (Kind::Text, text)
        } else if first == '\'' {
            (Kind::Other, self.take(character_or_lifetime(self.text)))
        } else if first.is_ascii_digit() {
            (Kind::Number, self.take(number(self.text)))
        } else if let length @ 1.. = word(self.text) {
            (Kind::Word, self.take(length))
        } else {
            let pair = ["::", "=>", "->"]
                .iter()
                .any(|pair| self.text.starts_with(pair));
            (
                Kind::Mark,
                self.take(if pair { 2 } else { first.len_utf8() }),
            )
        };
        Token {
            kind,
            text: text.to_owned(),
            line,
        }
    }
}

fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len())
}

/// `1..2` and `1.max(2)` are not one number, `1.5` and `1.` are.
fn number(text: &str) -> usize {
    let whole = word(text);
    let after = text[whole..].strip_prefix('.');
    match after.map(|after| (after, after.chars().next())) {
        Some((after, Some(next))) if next.is_ascii_digit() => whole + 1 + word(after),
        Some((_, Some(next))) if next == '.' || next == '_' || next.is_alphabetic() => whole,
        Some(_) => whole + 1,
        None => whole,
    }
}

fn character_or_lifetime(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((escaped, c))) => {
            let after = escaped + c.len_utf8();
            after + text[after..].find('\'').map_or(0, |at| at + 1)
        }
        (Some(_), Some((end, '\''))) => end + 1,
        _ => 1 + word(&text[1..]),
    }
}

/// Lengths of what comes before, in and after the text of a string literal.
fn string(text: &str) -> Option<(usize, usize, usize)> {
    let letters = text.find(|c: char| !matches!(c, 'b' | 'c' | 'r'))?;
    if !matches!(&text[..letters], "" | "b" | "c" | "r" | "br" | "cr") {
        return None;
    }
    let raw = text[..letters].ends_with('r');
    let hashes = text[letters..]
        .bytes()
        .take_while(|b| raw && *b == b'#')
        .count();
    let prefix = letters + hashes + 1;
    let body = text[letters + hashes..].strip_prefix('"')?;
    if raw {
        let end = format!("\"{}", "#".repeat(hashes));
        return Some((prefix, body.find(&end)?, end.len()));
    }
    let mut escaped = false;
    let end = body.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some((prefix, end, 1))
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        let rest = &text[at..];
        if rest.is_empty() {
            return at;
        } else if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
        } else {
            at += rest.chars().next().map_or(0, char::len_utf8);
        }
        if depth == 0 {
            return at;
        }
    }
}

#[test]
fn comments_go_and_strings_stay_whole() {
    for (text, found) in [
        ("a /* b /* c */ d */ e // f", "a e"),
        ("/// doc \"\nx", "x"),
        (r#"f("// no \" {comment")"#, r#"f ( "// no \" {comment" )"#),
        (
            r##"r#"un"wrap"# b"x" br"y" c"""##,
            r#""un"wrap" "x" "y" """#,
        ),
        (
            "'a' '\\'' '\\u{1F600}' '\"' <'a> 'static",
            "'a' '\\'' '\\u{1F600}' '\"' < 'a > 'static",
        ),
        (
            "1.5 1..2 1.max(2) 1. 0x1F_u8 x.0.1",
            "1.5 1 . . 2 1 . max ( 2 ) 1. 0x1F_u8 x . 0.1",
        ),
        ("a::b => -> ..= r#type", "a :: b => -> . . = r # type"),
        ("bread crab r b", "bread crab r b"),
    ] {
        let shown: Vec<_> = lex(text)
            .into_iter()
            .map(|t| {
                if t.kind == Kind::Text {
                    format!("\"{}\"", t.text)
                } else {
                    t.text
                }
            })
            .collect();
        assert_eq!(shown.join(" "), found, "{text}");
    }
}

#[test]
fn tokens_know_their_line() {
    let lines: Vec<_> = lex("a\n\"b\nc\" /*\n*/ d").iter().map(|t| t.line).collect();
    assert_eq!(lines, [1, 2, 4]);
}
