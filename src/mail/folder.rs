//! A folder instead of a server: one file for each Message-ID, put in place in one step.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::disk::{make_dir, sync_road};

use super::MailError;

/// Puts the message into `dir` as `<message id>.eml`, replacing an earlier delivery of it.
pub async fn put(dir: PathBuf, bytes: Vec<u8>) -> Result<(), MailError> {
    let folder = dir.clone();
    let done = tokio::task::spawn_blocking(move || put_now(&dir, &bytes)).await;
    let done = done.unwrap_or_else(|stopped| Err(io::Error::other(stopped)));
    done.map_err(|why| trouble(&folder, &why))
}

/// Says whether `dir` is there to take mails.
pub fn check(dir: &Path) -> Result<String, MailError> {
    let found = fs::metadata(dir);
    match found {
        Ok(found) if found.is_dir() => Ok(format!("mails are put into {}", dir.display())),
        Ok(_) => Err(trouble(dir, &io::Error::from(io::ErrorKind::NotADirectory))),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(format!(
            "mails are put into {}, made by the first",
            dir.display()
        )),
        Err(why) => Err(trouble(dir, &why)),
    }
}

fn trouble(folder: &Path, why: &io::Error) -> MailError {
    MailError::Folder {
        folder: folder.to_owned(),
        why: why.to_string(),
    }
}

fn put_now(dir: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = file_name(bytes)?;
    // For accountants, as what is published.
    make_dir(dir, 0o750)?;
    let mut file = tempfile::Builder::new()
        .prefix(".mail-")
        .permissions(fs::Permissions::from_mode(0o600))
        .tempfile_in(dir)?;
    let permissions = fs::Permissions::from_mode(0o640);
    file.as_file().set_permissions(permissions)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(dir.join(name))?;
    sync_road(dir)
}

/// `<id@host>` of the header becomes `id@host.eml`; anything odd in it becomes `_`.
fn file_name(bytes: &[u8]) -> io::Result<String> {
    let no_id = || io::Error::new(io::ErrorKind::InvalidData, "the mail has no Message-ID");
    let header = bytes.split(|byte| *byte == b'\n');
    let mut header = header.take_while(|line| !line.trim_ascii().is_empty());
    let id = header.find_map(|line| {
        let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        let value = value.trim().trim_start_matches('<').trim_end_matches('>');
        (name.eq_ignore_ascii_case("message-id") && !value.is_empty()).then_some(value)
    });
    let plain = |c: char| match c.is_ascii_alphanumeric() || ".-_@".contains(c) {
        true => c,
        false => '_',
    };
    // A leading point would hide the file from those who are to read it.
    let name: String = id.ok_or_else(no_id)?.chars().take(200).map(plain).collect();
    Ok(format!("{}.eml", name.trim_start_matches('.')))
}
