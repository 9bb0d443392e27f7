//! `check`: tries everything that a run needs, and moves no money.

mod folders;

use std::sync::Arc;

use serde_json::json;

use crate::config::Config;
use crate::domain::{Clock, Timestamp};
use crate::mail::{self, MailError};
use crate::payment_service::{HttpService, ServiceError};
use crate::run::calling::CLOCK_TOLERANCE_MS;
use crate::run::{outbox, schedule};

use super::exit::Failure;
use super::print::Output;
use super::{state, wire};

/// One thing that was tried.
struct Tried {
    what: &'static str,
    /// Words, or words and the exit code of a run that needs it.
    found: Result<String, Failure>,
}

/// `check`.
pub async fn check(
    config: Arc<Config>,
    clock: Arc<dyn Clock>,
    output: &Output,
) -> Result<u8, Failure> {
    let file = config.file.as_ref().map(|path| path.display().to_string());
    let file = file.unwrap_or_else(|| "defaults and environment".to_owned());
    let mut tried = vec![Tried {
        what: "configuration",
        found: Ok(file),
    }];
    tried.extend(folders::try_folders(&config, clock.now()));
    tried.push(Tried {
        what: "schedule",
        found: try_schedule(&config, clock.now()),
    });
    tried.push(Tried {
        what: "tokens",
        found: try_tokens(&config, clock.now()),
    });
    tried.extend(try_service(&config, clock.clone()).await);
    tried.push(Tried {
        what: "mail",
        found: try_mail(&config).await,
    });
    let codes = tried.iter().filter_map(|one| one.found.as_ref().err());
    let code = codes.map(|failure| failure.code).max().unwrap_or(0);
    tell(&tried, code, output);
    Ok(code)
}

fn tell(tried: &[Tried], code: u8, output: &Output) {
    let (mut text, mut rows) = (String::new(), Vec::new());
    for one in tried {
        let (word, words) = match &one.found {
            Ok(words) => ("ok", words.clone()),
            Err(failure) => ("FAILED", failure.message.clone()),
        };
        text.push_str(&format!("{word:<7} {:<16} {words}\n", one.what));
        rows.push(json!({ "what": one.what, "ok": one.found.is_ok(), "words": words }));
    }
    if output.json || !output.quiet || code != 0 {
        output.either(&json!({ "exit_code": code, "tried": rows }), &text);
    }
}

fn try_schedule(config: &Config, now: Timestamp) -> Result<String, Failure> {
    let planned = wire::schedule(config)?;
    let next = planned
        .next_after(now)
        .map_or("never again".to_owned(), |at| at.to_string());
    let warning = schedule::warning(&planned, &config.company, now);
    Ok(match warning {
        Some(warning) => format!("next run {next}; WARNING: {warning}"),
        None => format!("next run {next}"),
    })
}

/// The shortest-lived ones decide.
fn try_tokens(config: &Config, now: Timestamp) -> Result<String, Failure> {
    let planned = wire::schedule(config)?;
    let sweep = &config.sweep;
    let late = [sweep.tolerate_outage_ms, sweep.min_age_ms];
    let warning = schedule::short_life(&planned, config.shortest_lifetime_ms(), late, now);
    Ok(match warning {
        Some(warning) => format!("WARNING: {warning}"),
        None => "outlive a planned run that is late by sweep.tolerate_outage_hours".to_owned(),
    })
}

/// Keys, then whether the service takes them, then its clock; what needs one that failed is not
/// tried.
async fn try_service(config: &Config, clock: Arc<dyn Clock>) -> Vec<Tried> {
    let service = match wire::service(config, clock.clone()) {
        Ok(service) => service,
        Err(failure) => {
            let (what, found) = ("payment service", Err(failure));
            return vec![Tried { what, found }];
        }
    };
    let (what, found) = ("credentials", try_credentials(&service).await);
    let has_keys = found.is_ok();
    let mut tried = vec![Tried { what, found }];
    if !has_keys {
        return tried;
    }
    let probe = service.probe().await;
    let answers = "answers, and takes our signature".to_owned();
    let theirs = match &probe {
        Ok(probe) => Some(probe.service_clock),
        // A clock that is wrong is a usual reason.
        Err(ServiceError::Authentication { service_clock, .. }) => Some(*service_clock),
        Err(_) => None,
    };
    let clocks = theirs.map(|theirs| try_clock(clock.now(), theirs));
    let is_the_clock = clocks.as_ref().is_some_and(Result::is_err);
    let probe = probe.map(|_| answers).map_err(Failure::from);
    let found = probe.map_err(|failure| match is_the_clock {
        // As for a run: whoever sets the clock right needs no new keys.
        true => Failure {
            code: 69,
            message: format!("because of the clock, see below: {}", failure.message),
        },
        false => failure,
    });
    let what = "payment service";
    tried.push(Tried { what, found });
    let what = "clock";
    tried.extend(clocks.map(|found| Tried { what, found }));
    tried
}

async fn try_credentials(service: &HttpService) -> Result<String, Failure> {
    let keys = service.credentials().await?;
    let ending = keys.ending;
    Ok(match keys.expires_at {
        None => format!("access key …{ending}"),
        Some(at) => format!("access key …{ending}, until {at}"),
    })
}

fn try_clock(ours: Timestamp, theirs: Option<Timestamp>) -> Result<String, Failure> {
    let Some(theirs) = theirs else {
        return Ok("not compared: the service does not tell its own".to_owned());
    };
    let apart = ours.ms_since(theirs).unsigned_abs();
    let seconds = apart / 1_000;
    if apart > CLOCK_TOLERANCE_MS {
        let message =
            format!("our clock is {seconds} s away from the service's; set it right (timedatectl)");
        return Err(Failure { code: 69, message });
    }
    Ok(format!("{seconds} s apart from the service's"))
}

/// A mail that cannot be sent never changes a run's exit code; here it is what was asked.
async fn try_mail(config: &Config) -> Result<String, Failure> {
    let Some(settings) = outbox::settings(config) else {
        return Ok("none is configured (mail.url)".to_owned());
    };
    wire::mail_settings(config)?;
    let tried = mail::check_login(&settings).await;
    tried.map_err(|error| Failure {
        code: mail_code(&error),
        message: error.to_string(),
    })
}

/// 78 for what stands in the configuration, 69 for a server, which may be up again soon.
fn mail_code(error: &MailError) -> u8 {
    match error {
        MailError::Address { .. }
        | MailError::NoRecipient
        | MailError::HalfALogin { .. }
        | MailError::Password { .. }
        | MailError::Compose { .. } => 78,
        MailError::Unreachable { .. }
        | MailError::NotEncrypted { .. }
        | MailError::PutOff { .. }
        | MailError::Refused { .. }
        | MailError::TooLarge { .. }
        | MailError::Unanswered { .. }
        | MailError::TimedOut { .. }
        | MailError::Folder { .. } => 69,
    }
}
