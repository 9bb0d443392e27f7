//! Layers: the defaults, the file and the environment, as text by key; no value is understood yet.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::problem::Problem;
use super::service_links::ServiceLinks;

/// The defaults, commented: `tripsettle config generate` prints it.
pub const DEFAULT_FILE: &str = include_str!("default.toml");

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The built-in default.
    Default,
    /// A line of the configuration file.
    File(PathBuf, usize),
    /// A variable of the environment.
    Variable(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "${name}"),
        }
    }
}

/// A value as text, not yet understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw {
    /// A string, number or truth value.
    One(String),
    /// A list of such.
    Many(Vec<String>),
}

/// All values by key, the later layers over the earlier.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// The values.
    pub values: BTreeMap<String, (Raw, Place)>,
    /// Where each section begins, also one without keys.
    pub sections: BTreeMap<String, Place>,
}

impl Layers {
    /// The built-in defaults.
    pub fn defaults() -> Result<Self, Vec<Problem>> {
        let mut layers = Self::default();
        layers.add_text(DEFAULT_FILE, |_| Place::Default)?;
        Ok(layers)
    }

    /// Lays a configuration file over what is there.
    pub fn add_file(&mut self, path: &Path) -> Result<(), Vec<Problem>> {
        let unreadable = |why: std::io::Error| vec![Problem::unreadable(path, &why)];
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        self.add_text(&text, |line| Place::File(path.to_owned(), line))
    }

    fn add_text(&mut self, text: &str, place: impl Fn(usize) -> Place) -> Result<(), Vec<Problem>> {
        let line_of = |at: usize| {
            let before = text.get(..at).unwrap_or(text);
            before.matches('\n').count().saturating_add(1)
        };
        let table = DeTable::parse(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(span.start));
            vec![Problem::at(&place(line), error.message().to_owned())]
        })?;
        let mut found = Vec::new();
        flatten("", table.get_ref(), &mut found);
        found.sort_by_key(|(.., at)| *at);
        let mut problems = Vec::new();
        for (key, what, at) in found {
            let place = place(line_of(at));
            problems.extend(self.lay(&key, what, &place).err());
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    fn lay(&mut self, key: &str, what: What, place: &Place) -> Result<(), Problem> {
        let no_value = || Problem::at(place, format!("`{key}` is no plain value"));
        let known = *place == Place::Default || self.knows(key);
        match what {
            What::Section { empty } => {
                if known && *place != Place::Default {
                    return Err(no_value());
                }
                if empty && !self.knows_section(key) {
                    return Err(Problem::unknown_key(key, place, &self.sections_for(key)));
                }
                self.sections.insert(key.to_owned(), place.clone());
            }
            What::Value(_) | What::Other if !known && self.knows_section(key) => {
                let why = format!("`{key}` is a section; write [{key}] and its keys below it");
                return Err(Problem::at(place, why));
            }
            What::Value(_) | What::Other if !known => {
                return Err(Problem::unknown_key(key, place, &self.known_for(key)));
            }
            What::Value(raw) => {
                self.values.insert(key.to_owned(), (raw, place.clone()));
            }
            What::Other => return Err(no_value()),
        }
        Ok(())
    }

    /// Lays the AWS environment's region under what is there.
    pub fn add_aws_region(&mut self, variables: &[(String, String)]) {
        let key = "payment_service.region";
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            let set = |(found, value): &&(String, String)| found == name && !value.is_empty();
            let variable = variables.iter().find(set);
            if let Some((_, region)) = variable.filter(|_| !self.values.contains_key(key)) {
                let place = Place::Variable(name.to_owned());
                let region = Raw::One(region.clone());
                self.values.insert(key.to_owned(), (region, place));
            }
        }
    }

    /// Lays the environment's `TRIPSETTLE_` variables over what is there.
    pub fn add_environment(&mut self, variables: &[(String, String)]) -> Result<(), Vec<Problem>> {
        let keys: Vec<String> = self.known_scalars();
        let links = ServiceLinks::of(variables);
        let mut problems = Vec::new();
        for (name, value) in variables {
            let Some(rest) = name.strip_prefix("TRIPSETTLE_") else {
                continue;
            };
            let is_planted = cfg!(feature = "planted") && rest == "PLANTED";
            if matches!(rest, "CONFIG" | "LOG") || is_planted {
                continue;
            }
            let key = keys.iter().find(|key| variable(key) == *name);
            match key {
                Some(key) => {
                    let value = (Raw::One(value.clone()), Place::Variable(name.clone()));
                    self.values.insert(key.clone(), value);
                }
                None if links.hold(name) => {}
                None if rest.starts_with("STORE__") => {
                    problems.push(Problem::file_only(name, "[store.ID]"));
                }
                None if rest.starts_with("PROCESSOR__") => {
                    problems.push(Problem::file_only(name, "[processor.NAME]"));
                }
                None => problems.push(Problem::unknown_variable(name, &keys)),
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    /// The names of all stores or processors: the `NAME` of every section `[prefix.NAME]`.
    pub fn names(&self, prefix: &str) -> Vec<String> {
        let start = format!("{prefix}.");
        let sections = self.sections.keys();
        let names = sections.filter_map(|key| key.strip_prefix(&start));
        let names = names.filter(|name| !name.contains('.'));
        names.map(str::to_owned).collect()
    }

    /// Where a key stands, else the section that it would stand in.
    pub fn place_of(&self, key: &str) -> Place {
        if let Some((_, place)) = self.values.get(key) {
            return place.clone();
        }
        let section = key.rsplit_once('.').map(|(section, _)| section);
        match (self.sections.get(key), section) {
            (Some(place), _) => place.clone(),
            (None, Some(section)) => self.place_of(section),
            (None, None) => Place::Default,
        }
    }
}

/// The variable that sets `key`.
pub fn variable(key: &str) -> String {
    format!("TRIPSETTLE_{}", key.replace('.', "__").to_uppercase())
}

/// What stands at a key.
enum What {
    Section {
        empty: bool,
    },
    Value(Raw),
    /// A date, or a list of lists or sections.
    Other,
}

fn flatten(prefix: &str, table: &DeTable<'_>, found: &mut Vec<(String, What, usize)>) {
    for (name, value) in table {
        // A quoted name with a point in it is one name, not a path.
        let leaf = match name.get_ref() {
            name if name.contains('.') => format!("{name:?}"),
            name => name.to_string(),
        };
        let key = match prefix {
            "" => leaf,
            prefix => format!("{prefix}.{leaf}"),
        };
        let at = name.span().start;
        let what = match value.get_ref() {
            DeValue::Table(table) => {
                flatten(&key, table, found);
                let empty = table.is_empty();
                What::Section { empty }
            }
            DeValue::Array(items) => {
                let texts = items.iter().map(|item| scalar(item.get_ref()));
                let texts: Option<Vec<String>> = texts.collect();
                texts.map_or(What::Other, |texts| What::Value(Raw::Many(texts)))
            }
            one => scalar(one).map_or(What::Other, |text| What::Value(Raw::One(text))),
        };
        found.push((key, what, at));
    }
}

/// The text of a plain value: numbers as they are written, so that no float is ever made.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}
