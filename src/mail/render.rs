//! Story → subject, text and HTML, by templates compiled in.
//!
//! Every string of the story loses its card numbers before a template sees it. The run id alone is
//! exempt: it is a random number of ours, and the mail's identity hangs on it.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, context};
use serde::Serialize;
use serde_json::Value;

use super::{MailError, Story};
use crate::domain::{Money, Timestamp, cards};

const SUBJECT: &str = include_str!("templates/subject.txt");
const TEXT: &str = include_str!("templates/mail.txt");
const HTML: &str = include_str!("templates/mail.html");

/// How many trips a list names; the rest is counted.
const NAMED: usize = 20;
/// The widest line of the text part.
const COLUMNS: usize = 100;

/// A file that was too large to attach.
#[derive(Debug, Serialize)]
pub struct LeftOut {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// What the templates made of a story.
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// At most 100 columns wide, but for words that are longer.
    pub text: String,
    /// A whole document with inline styles.
    pub html: String,
}

/// Renders `story` and the names of the files left out.
pub fn render(story: &Story, left_out: &[LeftOut]) -> Result<Rendered, MailError> {
    let failed = |why: String| MailError::Compose { why };
    let mut safe = serde_json::to_value(story).map_err(|why| failed(why.to_string()))?;
    hide(&mut safe);
    safe["run"] = Value::from(story.run.as_str());
    let seen = context! {
        named => NAMED,
        left_out => Serde(left_out),
        ..minijinja::Value::from(Serde(&safe))
    };
    let templates = TEMPLATES.as_ref().map_err(|why| failed(why.clone()))?;
    let made = |name: &str| {
        let made = templates.get_template(name).and_then(|it| it.render(&seen));
        made.map_err(|why| failed(format!("{why:#}")))
    };
    Ok(Rendered {
        subject: subject_of(&made("subject.txt")?),
        text: wrap(&made("mail.txt")?),
        html: made("mail.html")?,
    })
}

/// Read once in the life of a process.
static TEMPLATES: LazyLock<Result<Environment<'static>, String>> =
    LazyLock::new(|| templates().map_err(|why| format!("{why:#}")));

fn templates() -> Result<Environment<'static>, minijinja::Error> {
    let mut env = Environment::new();
    env.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()?;
    env.set_syntax(syntax);
    env.set_auto_escape_callback(|name| match name.ends_with(".html") {
        true => AutoEscape::Html,
        false => AutoEscape::None,
    });
    env.add_filter("instant", |at: Serde<Timestamp>| {
        at.0.utc().format("%Y-%m-%d %H:%M:%S UTC").to_string()
    });
    env.add_filter("money", |amount: Serde<Money>| amount.0.to_string());
    env.add_filter("tenths", |of_1000: u64| {
        let tenths = of_1000.saturating_add(50) / 100;
        format!("{}.{}", tenths / 10, tenths % 10)
    });
    env.add_filter("seconds", |ms: u64| {
        format!("{} s", ms.saturating_add(999) / 1000)
    });
    env.add_filter("words", |name: String| name.replace('_', " "));
    env.add_filter("left", |text: String, width: usize| {
        format!("{text:<width$}")
    });
    env.add_filter("right", |text: String, width: usize| {
        format!("{text:>width$}")
    });
    env.add_template("subject.txt", SUBJECT)?;
    env.add_template("mail.txt", TEXT)?;
    env.add_template("mail.html", HTML)?;
    Ok(env)
}

fn hide(value: &mut Value) {
    match value {
        Value::String(text) => *text = cards::hide_card_numbers(text).into_owned(),
        Value::Array(values) => values.iter_mut().for_each(hide),
        Value::Object(members) => members.values_mut().for_each(hide),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The template gives what was run on the first line and a fact on each other one.
fn subject_of(lines: &str) -> String {
    let mut lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    let head = lines.next().unwrap_or_default().to_owned();
    match lines.collect::<Vec<_>>().join("; ").as_str() {
        "" => head,
        facts => format!("{head}: {facts}"),
    }
}

/// Breaks lines at blanks and indents what follows; a word longer than a line stays whole, so that
/// an id can still be copied.
fn wrap(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let line = line.trim_end();
        if line.chars().count() <= COLUMNS {
            out.push_str(line);
        } else {
            wrap_line(line, &mut out);
        }
        out.push('\n');
    }
    out
}

fn wrap_line(line: &str, out: &mut String) {
    let margin = line.chars().take_while(|c| *c == ' ').count();
    let hanging = match margin {
        0 => String::new(),
        _ => " ".repeat(margin.min(COLUMNS / 2).saturating_add(2)),
    };
    let (mut column, mut first) = (margin, true);
    out.push_str(&" ".repeat(margin));
    for word in line.split_whitespace() {
        let width = word.chars().count();
        if first {
            first = false;
        } else if column.saturating_add(width) < COLUMNS {
            out.push(' ');
            column = column.saturating_add(1);
        } else {
            out.push('\n');
            out.push_str(&hanging);
            column = hanging.len();
        }
        out.push_str(word);
        column = column.saturating_add(width);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_at_blanks_and_long_words_are_not() {
        let words = "settle ".repeat(40);
        let id = "x".repeat(130);
        let text = format!("short\n  * {words}\n  {id} after\n");
        let wrapped = wrap(&text);
        let long: Vec<_> = wrapped
            .lines()
            .filter(|l| l.chars().count() > 100)
            .collect();
        assert_eq!(long, [format!("  {id}")]);
        assert_eq!(
            wrapped.split_whitespace().collect::<Vec<_>>(),
            text.split_whitespace().collect::<Vec<_>>()
        );
        assert!(wrapped.contains("\n    settle"), "{wrapped}");
    }
}
