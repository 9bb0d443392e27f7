//! SMTP: one connection for one mail, one deadline until the server wants its text and one for the
//! text and the answer.
//!
//! lettre's own time-out covers connecting alone, so that a server which accepts and then says
//! nothing would hold a run for ever; the deadlines here are put round everything. Its connections
//! are used one at a time and never pooled: a pooled one goes stale between two nights.

mod transaction;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use secrecy::{ExposeSecret as _, SecretString};

use super::{MailError, MailSettings, compose};
use crate::domain::{MailUrl, StartTls, cards};

/// The login ways we speak; both are only spoken when encrypted or on loopback.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];
/// How long a goodbye may take once the mail is accepted.
const GOODBYE: Duration = Duration::from_secs(5);
/// The step that hands over the mail itself.
const MAIL: &str = "mail";
/// The reply to a mail that is larger than the server takes.
const TOO_LARGE: u16 = 552;
/// The longest text of a server that is repeated.
const WORDS: usize = 300;

/// How the connection is encrypted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encryption {
    FromTheStart,
    StartTls,
    None,
}

struct Login {
    user: String,
    password: SecretString,
}

/// One server, and what is needed to talk to it.
struct Server {
    host: String,
    port: u16,
    encryption: Encryption,
    login: Option<Login>,
    connect_timeout: Duration,
    timeout: Duration,
    answer_timeout: Duration,
}

/// Hands the message to the server; accepted for one recipient is delivered. Gives a word for each
/// recipient that the server would not take.
pub async fn send(settings: &MailSettings, bytes: &[u8]) -> Result<Vec<MailError>, MailError> {
    let server = Server::of(settings)?;
    let from = compose::sender(settings)?.email;
    let to = compose::recipients(settings)?;
    let to: Vec<Address> = to.into_iter().map(|to| to.email).collect();
    let talk = async {
        let mut connection = server.open().await?;
        let announced = server.announce(&mut connection, from, &to, bytes).await;
        Ok((connection, announced))
    };
    let (mut connection, announced) = server.in_time(talk).await?;
    let handed = match announced {
        Ok(refused) => server
            .hand_over(&mut connection, bytes)
            .await
            .map(|()| refused),
        Err(error) => Err(error),
    };
    if !handed.as_ref().is_err_and(MailError::is_away) {
        // The mail is accepted or not: nothing that happens to the goodbye can change it.
        let _ = tokio::time::timeout(GOODBYE, connection.quit()).await;
    }
    handed
}

/// Does all of a delivery but the mail and tells what was found.
pub async fn check(settings: &MailSettings) -> Result<String, MailError> {
    let server = Server::of(settings)?;
    let talk = async {
        let mut connection = server.open().await?;
        let goodbye = connection.quit().await;
        goodbye.map_err(|why| server.trouble("goodbye", &why))
    };
    server.in_time(talk).await?;
    let encrypted = match server.encryption {
        Encryption::FromTheStart => "encrypted by TLS",
        Encryption::StartTls => "encrypted by STARTTLS",
        Encryption::None => "in the clear on loopback",
    };
    let login = match &server.login {
        Some(login) => format!("login of {} accepted", login.user),
        None => "no login asked for".to_owned(),
    };
    Ok(format!(
        "mail server {} answers, {encrypted}, {login}",
        server.name()
    ))
}

impl Server {
    fn of(settings: &MailSettings) -> Result<Self, MailError> {
        let (host, port, encryption) = match &settings.url {
            MailUrl::Smtp {
                host,
                port,
                starttls,
            } => match starttls {
                StartTls::Required => (host, *port, Encryption::StartTls),
                StartTls::None => (host, *port, Encryption::None),
            },
            MailUrl::Smtps { host, port } => (host, *port, Encryption::FromTheStart),
            MailUrl::Folder(dir) => {
                let (folder, why) = (dir.clone(), "a folder is not a mail server".to_owned());
                return Err(MailError::Folder { folder, why });
            }
        };
        Ok(Self {
            host: host.clone(),
            port,
            encryption,
            login: login_of(settings)?,
            connect_timeout: settings.connect_timeout,
            timeout: settings.timeout,
            answer_timeout: settings.answer_timeout,
        })
    }

    fn name(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    async fn in_time<T>(
        &self,
        talk: impl Future<Output = Result<T, MailError>>,
    ) -> Result<T, MailError> {
        let talked = tokio::time::timeout(self.timeout, talk).await;
        talked.map_err(|_| self.late(self.timeout))?
    }

    fn late(&self, within: Duration) -> MailError {
        let server = self.name();
        MailError::TimedOut { server, within }
    }

    /// Connects, greets, encrypts and logs in, in this order.
    async fn open(&self) -> Result<AsyncSmtpConnection, MailError> {
        let tls = || {
            let made = TlsParameters::new(self.host.clone());
            made.map_err(|why| self.trouble("encryption", &why))
        };
        let from_the_start = match self.encryption {
            Encryption::FromTheStart => Some(tls()?),
            Encryption::StartTls | Encryption::None => None,
        };
        let (hello, wait) = (ClientId::default(), Some(self.connect_timeout));
        let to = (self.host.as_str(), self.port);
        let opened =
            AsyncSmtpConnection::connect_tokio1(to, wait, &hello, from_the_start, None).await;
        let mut connection = opened.map_err(|why| self.trouble("greeting", &why))?;
        if self.encryption == Encryption::StartTls {
            if !connection.can_starttls() {
                return Err(self.not_encrypted("STARTTLS", "the server does not offer it"));
            }
            let encrypted = connection.starttls(tls()?, &hello).await;
            encrypted.map_err(|why| self.trouble("STARTTLS", &why))?;
        }
        if let Some(login) = &self.login {
            let password = login.password.expose_secret().to_owned();
            let credentials = Credentials::new(login.user.clone(), password);
            let accepted = connection.auth(&MECHANISMS, &credentials).await;
            accepted.map_err(|why| self.trouble("login", &why))?;
        }
        Ok(connection)
    }

    fn not_encrypted(&self, step: &str, why: &str) -> MailError {
        MailError::NotEncrypted {
            server: self.name(),
            step: step.to_owned(),
            why: why.to_owned(),
        }
    }

    /// What lettre's error says; a server that repeats a secret is not believed.
    fn words(&self, error: &SmtpError) -> String {
        let mut why = error.to_string();
        if let Some(login) = &self.login {
            why = why.replace(login.password.expose_secret(), "[password hidden]");
        }
        let why = cards::hide_card_numbers(&why).replace(['\r', '\n'], " ");
        why.chars().take(WORDS).collect()
    }

    /// Gives lettre's error its name.
    fn trouble(&self, step: &str, error: &SmtpError) -> MailError {
        let (server, why) = (self.name(), self.words(error));
        if speaks_of_tls(error) || (step == "STARTTLS" && error.status().is_some()) {
            return self.not_encrypted(step, &why);
        }
        if step == MAIL && error.status().map(u16::from) == Some(TOO_LARGE) {
            return MailError::TooLarge { server, why };
        }
        let step = step.to_owned();
        if error.is_transient() {
            return MailError::PutOff { server, step, why };
        }
        // "client" is lettre's word for what cannot work with this server, e.g. no login we speak.
        if error.is_permanent() || error.is_client() {
            return MailError::Refused { server, step, why };
        }
        MailError::Unreachable { server, step, why }
    }
}

/// True when the encryption itself failed, however deep lettre has wrapped that.
fn speaks_of_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    if error.is::<rustls::Error>() {
        return true;
    }
    // An io::Error leaves what it wraps out of its chain of sources.
    let wrapped = error.downcast_ref::<std::io::Error>();
    if let Some(wrapped) = wrapped.and_then(std::io::Error::get_ref) {
        return speaks_of_tls(wrapped);
    }
    error.source().is_some_and(speaks_of_tls)
}

fn login_of(settings: &MailSettings) -> Result<Option<Login>, MailError> {
    let halves = login_halves(settings)?;
    let whole = halves.map(|(user, file)| {
        Ok(Login {
            user: user.to_owned(),
            password: password_in(file)?,
        })
    });
    whole.transpose()
}

/// The user and the file of the password, or neither.
pub(super) fn login_halves(settings: &MailSettings) -> Result<Option<(&str, &Path)>, MailError> {
    let missing = |missing| Err(MailError::HalfALogin { missing });
    match (&settings.username, &settings.password_file) {
        (None, None) => Ok(None),
        (Some(user), Some(file)) => Ok(Some((user, file))),
        (Some(_), None) => missing("mail.password_file"),
        (None, Some(_)) => missing("mail.username"),
    }
}

fn password_in(file: &Path) -> Result<SecretString, MailError> {
    let bad = |why: String| MailError::Password {
        file: file.to_owned(),
        why,
    };
    let found = fs::metadata(file).map_err(|why| bad(why.to_string()))?;
    if found.permissions().mode() & 0o007 != 0 {
        let path = file.display();
        return Err(bad(format!("everybody may open it; run chmod 600 {path}")));
    }
    let text = fs::read_to_string(file).map_err(|why| bad(why.to_string()))?;
    match text.trim() {
        "" => Err(bad("it is empty".to_owned())),
        password => Ok(SecretString::from(password)),
    }
}
