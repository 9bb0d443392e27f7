//! The configuration in force, with where each value comes from.

use super::Config;
use super::layers::Raw;

impl Config {
    /// What is in force as `key = value  # from`, a line each; there are no secrets in it, for
    /// every secret is a file of its own.
    pub fn shown(&self) -> String {
        let file = self.file.as_ref().map(|path| path.display().to_string());
        let file = file.unwrap_or_else(|| "none; the defaults hold".to_owned());
        let mut text = format!("# configuration file: {file}\n");
        for (key, (raw, place)) in &self.layers.values {
            let value = match raw {
                Raw::One(one) => format!("{one:?}"),
                Raw::Many(items) => format!("{items:?}"),
            };
            text.push_str(&format!("{key} = {value}  # {place}\n"));
        }
        text
    }

    /// The same as pairs of key and value, with the place of each.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Raw, String)> {
        let values = self.layers.values.iter();
        values.map(|(key, (raw, place))| (key.as_str(), raw, place.to_string()))
    }
}
