//! The `Authorization` header of AWS Signature Version 4.

use super::forbidden::Forbidden;

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
pub(super) const TERMINATOR: &str = "aws4_request";

/// The parts of an `Authorization` header.
pub(super) struct Authorization<'a> {
    pub access_key: &'a str,
    pub date: &'a str,
    pub region: &'a str,
    pub service: &'a str,
    pub signed: Vec<&'a str>,
    pub signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Takes the header apart; the error names what it lacks.
    pub fn read(header: &'a str) -> Result<Self, Forbidden> {
        let fields = header
            .strip_prefix(ALGORITHM)
            .ok_or_else(Forbidden::no_token)?;
        let field = |name: &str| {
            let mut fields = fields.split(',').map(str::trim);
            fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
        };
        let missing = |name: &str| {
            let message = format!("Authorization header requires '{name}' parameter.");
            Forbidden::incomplete(&message)
        };
        let credential = field("Credential").ok_or_else(|| missing("Credential"))?;
        let signed = field("SignedHeaders").ok_or_else(|| missing("SignedHeaders"))?;
        let signature = field("Signature").ok_or_else(|| missing("Signature"))?;
        let parts: Vec<&str> = credential.split('/').collect();
        let [access_key, date, region, service, TERMINATOR] = parts.as_slice() else {
            let message = "Credential must have exactly 5 slash-delimited elements, e.g. \
                           keyid/date/region/service/term.";
            return Err(Forbidden::incomplete(message));
        };
        Ok(Self {
            access_key,
            date,
            region,
            service,
            signed: signed.split(';').collect(),
            signature,
        })
    }

    /// What the signature is good for: date, region, service.
    pub fn scope(&self) -> String {
        format!(
            "{}/{}/{}/{TERMINATOR}",
            self.date, self.region, self.service
        )
    }
}
