//! A home for a configuration: a folder of its own, and blocks of text to try in it.

#![allow(dead_code, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use tripsettle::config::{Config, ConfigError};

/// A folder that stands for the current one.
pub struct Home(tempfile::TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn load(&self, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        self.load_with(None, variables)
    }

    pub fn load_with(
        &self,
        flag: Option<&str>,
        variables: &[(&str, &str)],
    ) -> Result<Config, ConfigError> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let variables: Vec<_> = variables.iter().map(owned).collect();
        Config::load(flag.map(Path::new), &variables, self.0.path())
    }
}

/// The configuration of a text.
pub fn of(text: &str) -> Config {
    let home = Home::new();
    home.write("tripsettle.toml", text);
    home.load(&[]).unwrap()
}

/// A text of `fixtures/config/wrong.txt`.
#[derive(Default)]
pub struct Block<'a> {
    pub name: &'a str,
    pub file: String,
    pub variables: Vec<(&'a str, &'a str)>,
    pub told: Vec<String>,
}

/// Reads `# name`, then the file's lines, `$NAME=value` lines, and a `>` line for every problem.
pub fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            blocks.push(Block {
                name,
                ..Block::default()
            });
            continue;
        }
        let Some(block) = blocks.last_mut() else {
            continue;
        };
        if let Some(told) = line.strip_prefix("> ") {
            block.told.push(told.to_owned());
        } else if let Some(variable) = line.strip_prefix('$') {
            block.variables.push(variable.split_once('=').unwrap());
        } else {
            block.file.push_str(line);
            block.file.push('\n');
        }
    }
    blocks
}

/// Every problem of a block, the file named `FILE`.
pub fn problems(block: &Block<'_>) -> Vec<String> {
    let home = Home::new();
    home.write("tripsettle.toml", &block.file);
    let file = home.path("tripsettle.toml").display().to_string();
    match home.load(&block.variables) {
        Ok(_) => Vec::new(),
        Err(error) => error
            .to_string()
            .replace(&file, "FILE")
            .lines()
            .map(str::to_owned)
            .collect(),
    }
}
