//! Output: text for people, JSON for programs, nothing for cron when all is well.

use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

use serde::Serialize;
use serde_json::json;

use crate::config::{Config, Raw};
use crate::run::import::Imported;
use crate::run::report::RunReport;
use crate::run::story::{attention, next_commands};

use super::exit::Failure;

/// How a command speaks.
#[derive(Debug)]
pub struct Output {
    /// One JSON object on standard output.
    pub json: bool,
    /// Nothing when all is well.
    pub quiet: bool,
    unwritten: OnceLock<io::Error>,
}

impl Output {
    /// An output of this kind.
    pub fn new(json: bool, quiet: bool) -> Self {
        Self {
            json,
            quiet,
            unwritten: OnceLock::new(),
        }
    }

    /// Text as it is. A reader that went away (`| head`) is no failure.
    pub fn text(&self, text: &str) {
        let mut to = io::stdout();
        let written = to.write_all(text.as_bytes()).and_then(|()| to.flush());
        if let Err(why) = written
            && why.kind() != ErrorKind::BrokenPipe
        {
            let _ = self.unwritten.set(why);
        }
    }

    /// The exit code of a command that ended with `code`: what was asked for and could not be
    /// written may be all that it was for.
    pub fn ended(&self, code: u8) -> u8 {
        let Some(why) = self.unwritten.get() else {
            return code;
        };
        self.complaint(&format!("standard output cannot be written: {why}"));
        match code {
            1 => 1,
            _ => code.max(74),
        }
    }

    /// A line for people.
    pub fn line(&self, line: &str) {
        if !self.quiet && !self.json {
            self.text(&format!("{line}\n"));
        }
    }

    /// The one line that a command has to say; with `--json` an object that holds it.
    pub fn word(&self, line: &str) {
        if self.json {
            self.either(&json!({ "message": line }), "");
        }
        self.line(line);
    }

    /// A JSON object, or `text`, as was asked for.
    pub fn either(&self, value: &impl Serialize, text: &str) {
        if self.json {
            let json = serde_json::to_string_pretty(value).unwrap_or_default();
            self.text(&format!("{json}\n"));
        } else {
            self.text(text);
        }
    }

    /// A failure, on standard error; with `--json` also as an object.
    pub fn failure(&self, failure: &Failure) {
        if self.json {
            self.either(
                &json!({ "error": failure.message, "exit_code": failure.code }),
                "",
            );
        }
        self.complaint(&failure.message);
    }

    /// Something to know, on standard error.
    pub fn complaint(&self, message: &str) {
        let _ = writeln!(std::io::stderr(), "tripsettle: {message}");
    }

    /// A run's end. Quiet, it is told only when somebody should look.
    pub fn report(&self, report: &RunReport) {
        if self.json {
            self.either(report, "");
        } else if !self.quiet || report.exit_code != 0 {
            self.text(&told(report));
        }
        if let Some(why) = &report.why_not {
            self.complaint(why);
        }
    }

    /// What became of imported files.
    pub fn imported(&self, files: &[Imported]) {
        if self.json {
            self.either(&files, "");
            return;
        }
        for file in files {
            let what = match (&file.unreadable, file.taken_before) {
                (Some(why), _) => format!("not taken: {why}"),
                (None, _) if file.changed => {
                    let taken = counted(&file.counts.by_word());
                    format!("it changed while it was read; {taken}; give it again when it is whole")
                }
                (None, true) => "taken before, nothing to do".to_owned(),
                (None, false) => counted(&file.counts.by_word()),
            };
            if !self.quiet || file.counts.rejected > 0 || file.changed {
                self.text(&format!("{}: {what}\n", file.file));
                for row in file.told() {
                    self.text(&format!("  {row}\n"));
                }
            }
        }
    }

    /// The configuration in force.
    pub fn config(&self, config: &Config) {
        let values = config.values().map(|(key, raw, place)| {
            let value = match raw {
                Raw::One(one) => json!(one),
                Raw::Many(items) => json!(items),
            };
            (key.to_owned(), json!({ "value": value, "from": place }))
        });
        let values: serde_json::Map<_, _> = values.collect();
        self.either(&values, &config.shown());
    }
}

/// `1 trip`, `2 trips`.
pub fn many(count: impl TryInto<u64>, what: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

fn counted(counts: &[(&str, u64)]) -> String {
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let words: Vec<String> = counts
        .map(|(word, count)| format!("{count} {}", word.replace('_', " ")))
        .collect();
    if words.is_empty() {
        "no rows".to_owned()
    } else {
        words.join(", ")
    }
}

/// The word behind a number in a column.
pub fn trips(count: u64) -> &'static str {
    if count == 1 { "trip " } else { "trips" }
}

/// The run in a dozen lines.
fn told(report: &RunReport) -> String {
    let mut lines = Vec::new();
    let end = if report.finished {
        "came to its end"
    } else {
        "NOT FINISHED"
    };
    let mut why = attention(report).join("; ");
    if !why.is_empty() {
        why.insert_str(0, ": ");
    }
    lines.push(format!(
        "tripsettle {}: {end}, exit code {}{why}",
        report.command, report.exit_code
    ));
    let feed: Vec<(&str, u64)> = report
        .tally
        .feed
        .iter()
        .map(|(word, count)| (*word, *count))
        .collect();
    if !feed.is_empty() {
        lines.push(format!("feed: {}", counted(&feed)));
    }
    for (status, by_currency) in &report.tally.outcomes {
        for sums in by_currency.values() {
            lines.push(format!(
                "{status:<17} {:>6} {}  {:>18}  captured {:>18}  bad debt {:>16}",
                sums.trips,
                trips(sums.trips),
                sums.cart_total,
                sums.captured,
                sums.bad_debt
            ));
        }
    }
    let waited = report.tally.pauses;
    let pauses = if waited > 0 {
        format!(", {} asked for", many(waited, "pause"))
    } else {
        String::new()
    };
    lines.push(format!("calls: {}{pauses}", report.tally.calls_made()));
    for day in &report.closed {
        lines.push(day.verdict.clone());
        lines.push(format!("  {}", day.path));
    }
    if report.doubts_standing > 0 {
        lines.push(format!("captures in doubt: {}", report.doubts_standing));
    }
    if report.at_risk_standing > 0 {
        let (count, next) = (report.at_risk_standing, &report.next_run);
        lines.push(format!("trips at risk before {next}: {count}"));
    }
    let files = report.tally.unreadable_files.iter();
    lines.extend(
        files
            .chain(&report.tally.warnings)
            .map(|warning| format!("! {warning}")),
    );
    for next in next_commands(report) {
        lines.push(format!("-> {}\n     {}", next.command, next.why));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::many;

    #[test]
    fn one_is_not_many() {
        let told = [0_u64, 1, 2].map(|count| many(count, "closed day"));
        assert_eq!(told, ["0 closed days", "1 closed day", "2 closed days"]);
    }
}
