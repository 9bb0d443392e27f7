//! One mail on an open connection: who it is from, whom it is for, and its text.

use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter, ServerInfo};

use super::{MAIL, MailError, Server};

impl Server {
    /// MAIL, RCPT for each, DATA, and the message. A recipient that is refused keeps nobody else
    /// from getting the mail.
    pub(super) async fn deliver(
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
        connection.message(bytes).await.map_err(trouble)?;
        Ok(refused)
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
