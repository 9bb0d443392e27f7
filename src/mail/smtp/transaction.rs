//! One mail on an open connection: who it is from, whom it is for, and its text.

use std::iter;

use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter, ServerInfo};

use super::{MAIL, MailError, Server};

impl Server {
    /// MAIL, RCPT for each, and DATA, so that the server wants the text. A recipient that is
    /// refused keeps nobody else from getting the mail.
    pub(super) async fn announce(
        &self,
        connection: &mut AsyncSmtpConnection,
        from: Address,
        to: &[Address],
        bytes: &[u8],
    ) -> Result<Vec<MailError>, MailError> {
        let trouble = |why: SmtpError| self.trouble(MAIL, &why);
        let parameters = self.parameters(connection.server_info(), &from, to, bytes)?;
        let mail = Mail::new(Some(from), parameters);
        connection.command(mail).await.map_err(trouble)?;
        let mut refused = Vec::new();
        for to in to {
            let rcpt = Rcpt::new(to.clone(), Vec::new());
            match connection.command(rcpt).await {
                Ok(_) => {}
                Err(why) if why.status().is_some() => {
                    refused.push(self.trouble(&format!("mail to {to}"), &why));
                }
                Err(why) => return Err(trouble(why)),
            }
        }
        if refused.len() == to.len() {
            // One that was only put off may be taken later.
            let told = refused.iter().position(MailError::may_pass).unwrap_or(0);
            return Err(refused.swap_remove(told));
        }
        connection.command(Data).await.map_err(trouble)?;
        Ok(refused)
    }

    /// The text and the dot behind it. From the dot on the mail may have arrived, and only a reply
    /// says that it has not.
    pub(super) async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        bytes: &[u8],
    ) -> Result<(), MailError> {
        let mut is_at_the_dot = false;
        let the_end = iter::from_fn(|| {
            is_at_the_dot = true;
            None
        });
        let talk = connection.message_iter(iter::once(bytes).chain(the_end));
        let answer = tokio::time::timeout(self.answer_timeout, talk).await;
        let unanswered = |why: String| {
            let server = self.name();
            Err(MailError::Unanswered { server, why })
        };
        match answer {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(why)) if is_at_the_dot && why.status().is_none() => unanswered(self.words(&why)),
            Ok(Err(why)) => Err(self.trouble(MAIL, &why)),
            Err(_) if is_at_the_dot => unanswered(format!("silence for {:?}", self.answer_timeout)),
            Err(_) => Err(self.late(self.answer_timeout)),
        }
    }

    /// What a mail beyond ASCII asks of the server (RFC 6531, RFC 6152).
    fn parameters(
        &self,
        offered: &ServerInfo,
        from: &Address,
        to: &[Address],
        bytes: &[u8],
    ) -> Result<Vec<MailParameter>, MailError> {
        let ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        let (mut needed, mut parameters) = (Vec::new(), Vec::new());
        if !(ascii(from) && to.iter().all(ascii)) {
            needed.push((Extension::SmtpUtfEight, MailParameter::SmtpUtfEight));
        }
        if !bytes.is_ascii() {
            let eight_bit = MailParameter::Body(MailBodyParameter::EightBitMime);
            needed.push((Extension::EightBitMime, eight_bit));
        }
        for (extension, parameter) in needed {
            if !offered.supports_feature(extension) {
                let why =
                    format!("it is not plain ASCII, which the server does not take ({extension})");
                let (server, step) = (self.name(), MAIL.to_owned());
                return Err(MailError::Refused { server, step, why });
            }
            parameters.push(parameter);
        }
        Ok(parameters)
    }
}
