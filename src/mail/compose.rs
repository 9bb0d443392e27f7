//! The message: envelope lines, text and HTML beside each other, files attached under a limit.

use std::time::SystemTime;

use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Attachment, Body, Mailbox, MultiPart, SinglePart};

use super::render::{self, LeftOut};
use super::{MailError, MailSettings, Story};

/// The longest subject; mail programs cut what is longer.
const SUBJECT: usize = 150;
/// What stands before each part of a mail with files, but for the run's id.
const FILES_MARK: &str = "--files-";
/// The part of [`without_files`].
const NO_FILES: &str = "Content-Type: text/plain; charset=utf-8\r\n\
    Content-Transfer-Encoding: 7bit\r\n\
    \r\n\
    NOT ATTACHED: the mail server refused this mail with its files for its size.\r\n\
    They are in the folder named above; a smaller mail.max_attach_bytes attaches what fits.";

/// A mail, ready to be sent now or later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// With angle brackets, as the header has it.
    pub message_id: String,
    /// The subject, one line.
    pub subject: String,
    /// The RFC 5322 message.
    pub bytes: Vec<u8>,
}

/// Composes the mail of a run.
///
/// `attachments` are file names with their bytes, by importance; those that would bring the sum of
/// the sizes, as encoded, above `max_attach_bytes` are left out, and the text says which. The date
/// is the run's end, so that the same story gives the same bytes.
///
/// # Errors
/// An address in `settings` that is none, or a template that fails.
pub fn compose(
    story: &Story,
    settings: &MailSettings,
    attachments: &[(String, Vec<u8>)],
    max_attach_bytes: u64,
) -> Result<Composed, MailError> {
    let from = sender(settings)?;
    let (attached, left_out) = under(max_attach_bytes, attachments);
    let rendered = render::render(story, &left_out)?;
    let message_id = format!("<{}@tripsettle.{}>", story.run, from.email.domain());
    let subject: String = rendered.subject.chars().take(SUBJECT).collect();
    let mut message = Message::builder()
        .message_id(Some(message_id.clone()))
        .date(mail_date(story))
        .from(from)
        .subject(subject.clone());
    for to in recipients(settings)? {
        message = message.to(to);
    }
    let texts = MultiPart::alternative()
        .boundary(format!("text-{}", story.run))
        .singlepart(SinglePart::plain(rendered.text))
        .singlepart(SinglePart::html(rendered.html));
    let content = match attached.is_empty() {
        true => texts,
        false => {
            let mixed = MultiPart::mixed().boundary(format!("files-{}", story.run));
            attached
                .iter()
                .try_fold(mixed.multipart(texts), |mixed, (name, bytes)| {
                    Ok::<_, MailError>(mixed.singlepart(file_part(name, bytes)?))
                })?
        }
    };
    let message = message.multipart(content).map_err(|why| cannot(&why))?;
    Ok(Composed {
        message_id,
        subject,
        bytes: message.formatted(),
    })
}

/// The sender of `settings`.
pub fn sender(settings: &MailSettings) -> Result<Mailbox, MailError> {
    mailbox("mail.from", &settings.from)
}

/// The recipients of `settings`, at least one.
pub fn recipients(settings: &MailSettings) -> Result<Vec<Mailbox>, MailError> {
    if settings.to.is_empty() {
        return Err(MailError::NoRecipient);
    }
    settings
        .to
        .iter()
        .map(|to| mailbox("mail.to", to))
        .collect()
}

fn mailbox(key: &'static str, text: &str) -> Result<Mailbox, MailError> {
    text.parse().map_err(|why: lettre::address::AddressError| {
        let (address, why) = (text.to_owned(), why.to_string());
        MailError::Address { key, address, why }
    })
}

fn cannot(why: &dyn std::fmt::Display) -> MailError {
    let why = why.to_string();
    MailError::Compose { why }
}

/// The run's end, within the years that a mail's date can tell.
fn mail_date(story: &Story) -> SystemTime {
    let ms = u64::try_from(story.finished_at.ms()).unwrap_or(0);
    let end_of_9998 = 253_370_764_799_000;
    let since_1970 = std::time::Duration::from_millis(ms.min(end_of_9998));
    SystemTime::UNIX_EPOCH
        .checked_add(since_1970)
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Parts the files into those that fit together under `limit` and those left out.
fn under(limit: u64, files: &[(String, Vec<u8>)]) -> (Vec<&(String, Vec<u8>)>, Vec<LeftOut>) {
    let (mut attached, mut left_out, mut sum) = (Vec::new(), Vec::new(), 0_u64);
    for file in files {
        let bytes = u64::try_from(file.1.len()).unwrap_or(u64::MAX);
        let with_it = sum.saturating_add(encoded(bytes));
        if with_it <= limit {
            sum = with_it;
            attached.push(file);
        } else {
            let name = file.0.clone();
            left_out.push(LeftOut { name, bytes });
        }
    }
    (attached, left_out)
}

/// What so many bytes take up in a mail, which is what servers limit: base64 makes of 57 a line of
/// 76 and its end.
fn encoded(bytes: u64) -> u64 {
    bytes.div_ceil(57).saturating_mul(78)
}

/// The same mail with a word where its files were; none if it has no files.
pub fn without_files(bytes: &[u8]) -> Option<Vec<u8>> {
    let (header, body) = str::from_utf8(bytes).ok()?.split_once("\r\n\r\n")?;
    let (mark, parts) = body.split_once("\r\n")?;
    let mark = Some(mark).filter(|mark| mark.starts_with(FILES_MARK))?;
    let (texts, _) = parts.split_once(&format!("\r\n{mark}\r\n"))?;
    let parts = format!("{mark}\r\n{texts}\r\n{mark}\r\n{NO_FILES}\r\n{mark}--\r\n");
    Some(format!("{header}\r\n\r\n{parts}").into_bytes())
}

/// A file, byte for byte: base64 keeps line ends as they are.
fn file_part(name: &str, bytes: &[u8]) -> Result<SinglePart, MailError> {
    let kind = match name.rsplit_once('.') {
        Some((_, "csv")) => "text/csv; charset=utf-8",
        Some((_, "txt")) => "text/plain; charset=utf-8",
        Some((_, "json")) => "application/json",
        Some((_, "xlsx")) => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Some(_) | None => "application/octet-stream",
    };
    let kind = ContentType::parse(kind).map_err(|why| cannot(&why))?;
    let body = Body::new_with_encoding(bytes.to_vec(), ContentTransferEncoding::Base64);
    let body = body.map_err(|_| cannot(&format!("{name} cannot be encoded")))?;
    Ok(Attachment::new(name.to_owned()).body(body, kind))
}
