//! Output: text for people, JSON for programs, nothing for cron when all is well.

use std::io::Write;

use serde::Serialize;
use serde_json::json;

use crate::config::{Config, Raw};
use crate::run::import::Imported;
use crate::run::report::RunReport;
use crate::run::story::{attention, next_commands};

use super::exit::Failure;

/// How a command speaks.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// One JSON object on standard output.
    pub json: bool,
    /// Nothing when all is well.
    pub quiet: bool,
}

impl Output {
    /// Text as it is. A reader that went away (`| head`) is no failure.
    pub fn text(&self, text: &str) {
        let _ = std::io::stdout().write_all(text.as_bytes());
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
                (None, true) => "taken before, nothing to do".to_owned(),
                (None, false) => counted(&file.counts.by_word()),
            };
            if !self.quiet || file.counts.rejected > 0 {
                self.text(&format!("{}: {what}\n", file.file));
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
                "{status:<17} {:>6} trips  {:>18}  captured {:>18}  bad debt {:>16}",
                sums.trips, sums.cart_total, sums.captured, sums.bad_debt
            ));
        }
    }
    let waited = report.tally.pauses;
    let pauses = if waited > 0 {
        format!(", {waited} pauses asked for")
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
