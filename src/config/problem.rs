//! What is wrong with a configuration: where, what, and what would be right.

use std::fmt;
use std::path::Path;

use super::layers::{Place, variable};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(String);

/// Everything that is wrong with a configuration, at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub Vec<Problem>);

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems: Vec<&str> = self.0.iter().map(|problem| problem.0.as_str()).collect();
        f.write_str(&problems.join("\n"))
    }
}

impl Problem {
    pub(super) fn at(place: &Place, what: String) -> Self {
        Self(format!("{place}: {what}"))
    }

    pub(super) fn value(key: &str, place: &Place, why: &str) -> Self {
        Self(format!("{place}: {key}: {why}"))
    }

    pub(super) fn unreadable(path: &Path, why: &std::io::Error) -> Self {
        let path = path.display();
        Self(format!(
            "{path}: the configuration file cannot be read: {why}"
        ))
    }

    pub(super) fn unknown_key(key: &str, place: &Place, known: &[String]) -> Self {
        let hint = nearest(key, known.iter().map(String::as_str));
        Self(format!("{place}: unknown key `{key}`{hint}"))
    }

    pub(super) fn unknown_variable(name: &str, keys: &[String]) -> Self {
        let variables: Vec<String> = keys.iter().map(|key| variable(key)).collect();
        let hint = nearest(name, variables.iter().map(String::as_str));
        Self(format!("${name}: no such setting{hint}"))
    }

    pub(super) fn file_only(name: &str, section: &str) -> Self {
        Self(format!(
            "${name}: no such setting; {section} stands in the file only"
        ))
    }

    pub(super) fn missing(key: &str, example: &str) -> Self {
        let variable = variable(key);
        Self(format!(
            "{key} is not set; set it in the configuration file or as ${variable}, e.g. {example}"
        ))
    }
}

fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> String {
    let distance = |right: &&str| strsim::damerau_levenshtein(wrong, right);
    let best = known.min_by_key(distance);
    best.map(|right| format!("; did you mean `{right}`?"))
        .unwrap_or_default()
}
