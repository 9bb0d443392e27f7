//! Outbox: the run's report is kept, its mail is written down, and what waits is delivered.
//!
//! A mail that cannot be sent waits for the next command and never changes an exit code. So the log
//! is where a person learns of it: what waiting will not mend is told there even under `--quiet`.

use std::time::Duration;

use crate::config::Config;
use crate::mail::{self, MailError, MailSettings, compose};
use crate::payment_service::PaymentService;
use crate::store::{RunEnd, Waiting};

use super::RunError;
use super::pass::{House, Pass};
use super::report::RunReport;
use super::story::{attachments, story};

/// Mails delivered by one command at most; the others wait for the next.
const AT_ONCE: u32 = 20;
/// How long each address of the server may take to be connected: one behind a filter that drops
/// what it gets must leave time for the next.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it may take until the server wants the text.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long the text and the answer may take. Scanners work before a server answers, and one that
/// is not waited for has the mail and gets it again. RFC 5321 asks for ten minutes; but the lock is
/// held meanwhile, and a server that never answers costs every command so much.
const ANSWER: Duration = Duration::from_secs(300);
/// Waits after failed deliveries, in milliseconds; the last one repeats.
const WAITS_MS: [i64; 4] = [0, 60_000, 600_000, 3_600_000];
/// Failed deliveries of a mail that need nobody to look.
const PATIENCE: u32 = 2;

/// Where mails go, if anywhere.
pub fn settings(config: &Config) -> Option<MailSettings> {
    let mail = config.mail.as_ref()?;
    Some(MailSettings {
        url: mail.url.clone(),
        from: mail.from.clone(),
        to: mail.to.clone(),
        username: mail.username.clone(),
        password_file: mail.password_file.clone(),
        connect_timeout: CONNECT,
        timeout: TIMEOUT,
        answer_timeout: ANSWER,
    })
}

/// Writes the run's end down, and its mail if it is worth one, before anything is sent. The
/// editions that it tells of count as published then: those that another run put in place wait for
/// one that sends a mail.
///
/// # Errors
/// The state cannot be written.
pub fn keep<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    report: &RunReport,
    worth_a_mail: bool,
) -> Result<(), RunError> {
    let mail = composed(house, pass, report).filter(|_| worth_a_mail);
    let told = report.closed.iter();
    let told = told.filter(|day| worth_a_mail || !day.is_found);
    let end = RunEnd {
        at: house.clock.now(),
        exit_code: report.exit_code,
        report: serde_json::to_string(report).unwrap_or_default(),
        evidence: report.evidence_counted,
        mail: mail.map(|(_, mail)| (mail.message_id, mail.bytes)),
        told: told.map(|day| (day.books_date, day.edition)).collect(),
    };
    Ok(house.store.finish_run(&pass.run, end)?)
}

/// Sends the mail of a run whose end could not be written down, for this is when somebody must
/// know; nothing keeps it for later.
pub async fn send_unkept<S: PaymentService>(house: &House<S>, pass: &Pass, report: &RunReport) {
    let Some((settings, mail)) = composed(house, pass, report) else {
        return;
    };
    if let Err(error) = send(&settings, &mail.bytes).await {
        tracing::error!(%error, "the mail of this run is lost, the state could not keep it");
    }
}

/// The run's mail, if mails go anywhere.
fn composed<S: PaymentService>(
    house: &House<S>,
    pass: &Pass,
    report: &RunReport,
) -> Option<(MailSettings, mail::Composed)> {
    let settings = settings(&house.config)?;
    let (attached, most) = match &house.config.mail {
        Some(mail) if mail.attach => (attachments(report), mail.max_attach_bytes),
        Some(_) | None => (Vec::new(), 0),
    };
    match compose(&story(house, pass, report), &settings, &attached, most) {
        Ok(mail) => Some((settings, mail)),
        Err(error) => {
            tracing::error!(%error, "the mail of this run was not written");
            None
        }
    }
}

/// Sends one mail. Whoever of the recipients did not get it is told in the log.
async fn send(settings: &MailSettings, bytes: &[u8]) -> Result<(), MailError> {
    for error in mail::send(settings, bytes).await? {
        let what = "a mail did not get to everybody in mail.to, and is not sent again";
        tracing::error!(%error, "{what}");
    }
    Ok(())
}

/// Delivers what waits. Each failed one is told in the log and waits on, unless it may have arrived
/// again and again.
///
/// # Errors
/// The state cannot be read or written.
pub async fn deliver<S: PaymentService>(house: &House<S>) -> Result<(), RunError> {
    let Some(settings) = settings(&house.config) else {
        return Ok(());
    };
    for waiting in house.store.due_mails(house.clock.now(), AT_ONCE)? {
        let sent = send(&settings, &waiting.body).await;
        let now = house.clock.now();
        let Err(error) = sent else {
            house.store.mail_sent(waiting.id, now)?;
            continue;
        };
        if has_likely_arrived(&waiting, &error) {
            tracing::error!(%error, "a mail is not sent again, as it has most likely arrived");
            house.store.mail_sent(waiting.id, now)?;
        } else {
            tell(&error, waiting.tries);
            let next = now.plus_ms(wait_ms(waiting.tries));
            let why = error.to_string();
            house.store.mail_failed(waiting.id, &why, next)?;
        }
        if error.is_away() {
            // A server that cannot be reached will not take the next one either.
            break;
        }
    }
    Ok(())
}

/// True when a mail that was sent often enough was left without an answer twice running, in the
/// same way: to go on would fill the box of those who have it.
fn has_likely_arrived(waiting: &Waiting, error: &MailError) -> bool {
    waiting.tries >= PATIENCE
        && matches!(error, MailError::Unanswered { .. })
        && waiting.last_error == Some(error.to_string())
}

fn wait_ms(tries: u32) -> i64 {
    let place = usize::try_from(tries).unwrap_or(usize::MAX);
    let wait = WAITS_MS.get(place).or(WAITS_MS.last());
    wait.copied().unwrap_or(0)
}

/// Tells that a mail waits: as an error, which `--quiet` does not hide, where waiting alone will
/// not help.
fn tell(error: &MailError, tries: u32) {
    if tries >= PATIENCE || !error.may_pass() {
        tracing::error!(%error, "a mail waits in the outbox, and somebody must see to it");
    } else {
        tracing::warn!(%error, "a mail waits in the outbox for the next command");
    }
}
