//! A `match` on an enum of ours names every variant, so that a new one is a compile error wherever
//! it matters. Clippy's lint cannot tell our enums from foreign ones; this looks at their names.

use std::collections::BTreeSet;

use super::lex::{Kind, Token, begins, closing, find_outside};
use super::source::Source;

/// The variants of our enums, as (enum, variant).
pub type Enums = BTreeSet<(String, String)>;

/// Every variant of every enum declared in these sources.
pub fn own_enums(sources: &[Source]) -> Enums {
    sources
        .iter()
        .flat_map(|source| enums_in(&source.shipped))
        .collect()
}

fn enums_in(tokens: &[Token]) -> Enums {
    let mut found = Enums::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        if !pair[0].is_word("enum") || pair[1].kind != Kind::Word {
            continue;
        }
        let Some(open) = find_outside(tokens, at, |token| token.is_mark("{")) else {
            continue;
        };
        for variant in split(&tokens[open + 1..closing(tokens, open)], ",") {
            let named = variant[after_attributes(variant)..].first();
            found.extend(named.map(|name| (pair[1].text.clone(), name.text.clone())));
        }
    }
    found
}

/// Complains about `_` and bare names as the last resort of a match that names our variants.
pub fn wildcards(source: &Source, enums: &Enums) -> Vec<String> {
    let tokens = &source.shipped;
    let mut complaints = Vec::new();
    for (at, token) in tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.is_word("match"))
    {
        let Some(open) = find_outside(tokens, at, |token| token.is_mark("{")) else {
            continue;
        };
        let patterns = patterns(&tokens[open + 1..closing(tokens, open)]);
        if !patterns
            .iter()
            .any(|pattern| names_a_variant(pattern, enums))
        {
            continue;
        }
        for pattern in patterns.iter().filter(|pattern| takes_everything(pattern)) {
            let line = pattern.first().map_or(token.line, |first| first.line);
            complaints.push(source.complain(line, "takes every other variant of our own enum"));
        }
    }
    complaints
}

/// The patterns of a match's arms, with their guards.
fn patterns(body: &[Token]) -> Vec<&[Token]> {
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(arrow) = find_outside(body, from, |token| token.is_mark("=>")) {
        // Before the pattern may stand the end of the last arm; a pattern has no bare comma.
        let region = &body[from..arrow];
        let pattern = split(region, ",").last().copied().unwrap_or(region);
        found.push(&pattern[after_attributes(pattern)..]);
        let block = body.get(arrow + 1).is_some_and(|token| token.is_mark("{"));
        from = if block {
            closing(body, arrow + 1) + 1
        } else {
            arrow + 1
        };
    }
    found
}

fn names_a_variant(pattern: &[Token], enums: &Enums) -> bool {
    let guard = find_outside(pattern, 0, |token| token.is_word("if"));
    pattern[..guard.unwrap_or(pattern.len())]
        .windows(3)
        .any(|path| {
            let variant = |of: &(String, String)| {
                path[1].is_mark("::")
                    && of.1 == path[2].text
                    && (of.0 == path[0].text || path[0].is_word("Self"))
            };
            enums.iter().any(variant)
        })
}

/// True when an alternative of the pattern is `_`, a name, or nothing but these in parentheses,
/// and no guard narrows it.
fn takes_everything(pattern: &[Token]) -> bool {
    let guarded = find_outside(pattern, 0, |token| token.is_word("if")).is_some();
    let open = |token: &Token| match token.kind {
        Kind::Word => token
            .text
            .starts_with(|c: char| c.is_lowercase() || c == '_'),
        Kind::Mark => matches!(token.text.as_str(), "(" | ")" | "," | "." | "&"),
        Kind::Text | Kind::Number | Kind::Other => false,
    };
    let literal = |token: &Token| token.is_word("true") || token.is_word("false");
    !guarded
        && split(pattern, "|").iter().any(|alternative| {
            !alternative.is_empty() && alternative.iter().all(|t| open(t) && !literal(t))
        })
}

/// The parts between marks that stand outside of brackets; a last part without tokens is left out.
fn split<'a>(tokens: &'a [Token], mark: &str) -> Vec<&'a [Token]> {
    let (mut parts, mut from) = (Vec::new(), 0);
    while let Some(at) = find_outside(tokens, from, |token| token.is_mark(mark)) {
        parts.push(&tokens[from..at]);
        from = at + 1;
    }
    if from < tokens.len() {
        parts.push(&tokens[from..]);
    }
    parts
}

fn after_attributes(tokens: &[Token]) -> usize {
    let mut at = 0;
    while begins(&tokens[at..], &["#", "["]) {
        at = closing(tokens, at + 1) + 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENUM: &str = "
        /// Ours.
        pub enum Reply<'a> { /** x */ Approved { amount: u8, }, #[other] Pending, Words(&'a str), }
    ";

    fn found(text: &str) -> usize {
        let source = Source::of("src/a.rs", &format!("{ENUM}{text}"));
        let enums = own_enums(std::slice::from_ref(&source));
        wildcards(&source, &enums).len()
    }

    #[test]
    fn the_variants_of_our_enums_are_known() {
        let enums = own_enums(&[Source::of("src/a.rs", ENUM)]);
        let variants: Vec<_> = enums.iter().map(|(_, variant)| variant.as_str()).collect();
        assert_eq!(variants, ["Approved", "Pending", "Words"]);
        assert!(enums.iter().all(|(name, _)| name == "Reply"));
    }

    #[test]
    fn a_last_resort_on_our_own_enum_is_seen() {
        for text in [
            "match r { Reply::Pending => 1, _ => 2 }",
            "match r { Reply::Pending => { x } _ => 2 }",
            "match r { Self::Approved { .. } => 1, other => g(other), }",
            "match &f(|x| { x }) { domain::Reply::Words(_) => a::<B, C>(d), _ => {} }",
            "match r { Some(Reply::Pending) => |a, b| a + b, None | _ => {} }",
            "match (r, s) { (Reply::Pending, Reply::Pending) => 1, (_, _) => 2 }",
            "match (r, s) { (Reply::Pending, 1) => 1, (_, rest) => 2 }",
            "match s { \"x\" => match r { Reply::Pending => 1, _ => 2 }, _ => 3 }",
            "match r { Reply::Pending => 1, #[cfg(unix)] _ => 2 }",
        ] {
            assert_eq!(found(text), 1, "{text}");
        }
    }

    #[test]
    fn a_full_list_and_foreign_enums_pass() {
        for text in [
            "match r { Reply::Pending => 1, Reply::Words(_) | Reply::Approved { .. } => 2 }",
            "match r { Reply::Pending => 1, _ if x => 3, Reply::Words(w) => 2 }",
            "match s { \"x\" => Reply::Pending, _ => Reply::Words(s) }",
            "match entry { Entry::Vacant(_) => 1, _ => 2 }",
            "match reply { Reply::Foreign => 1, _ => 2 }",
            "match n { 0 => f(match r { Reply::Pending => 1, Reply::Words(_) => 2 }), _ => 3 }",
            "match (a, b) { (Reply::Pending, _) => 1, (Reply::Words(_), true) => 2 }",
            "match e { Err(Reply::Pending) => 1, Err(other) => 2, Ok(_) => 3 }",
            "match s { _ if s == Reply::Pending => 1, _ => 2 }",
            "#[cfg(test)]\nmod tests { fn f() { match r { Reply::Pending => 1, _ => 2 } } }",
        ] {
            assert_eq!(found(text), 0, "{text}");
        }
    }
}
