//! A mail server for one connection that does what its script says and writes down what it hears.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A reply of this text is silence: the connection stays open and nothing is said.
pub const SILENCE: &str = "silence";
/// A reply of this text is a reset.
pub const CLOSE: &str = "close";

/// A reply of this text to the end of a message refuses those with files and takes the others.
pub const NO_FILES: &str = "552 too large";

/// What the server says to a verb, or to a whole line; what is not named gets the usual reply.
/// `CONNECT` is the greeting, `.` the end of a message, and `|` any line within one.
pub type Script = &'static [(&'static str, &'static str)];

pub struct Sink {
    pub port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

/// How the server speaks TLS.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    None,
    Offered,
    FromTheStart,
}

pub fn cert_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mail/test-server-cert.pem")
}

fn tls_config() -> Arc<rustls::ServerConfig> {
    let key = cert_file().with_file_name("test-server-key.pem");
    let cert = CertificateDer::from_pem_file(cert_file()).unwrap();
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    Arc::new(config.with_single_cert(vec![cert], key).unwrap())
}

impl Sink {
    pub fn start(script: Script, tls: Tls) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), script, tls, &log);
            }
        });
        Self { port, heard }
    }

    /// Everything heard, a line each; the lines of a message begin with `| `.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    pub fn heard_verbs(&self) -> String {
        let heard = self.heard();
        let verbs = heard.iter().filter(|line| !line.starts_with("| "));
        let verbs = verbs.map(|line| line.split(' ').next().unwrap());
        verbs.collect::<Vec<_>>().join(" ")
    }

    /// The message as sent, without the dots that SMTP adds.
    pub fn message(&self) -> Vec<u8> {
        let heard = self.heard();
        let lines = heard.iter().filter_map(|line| line.strip_prefix("| "));
        let lines = lines.map(|line| format!("{}\r\n", line.strip_prefix('.').unwrap_or(line)));
        lines.collect::<String>().into_bytes()
    }
}

fn serve(mut stream: TcpStream, script: Script, tls: Tls, log: &Mutex<Vec<String>>) {
    let over_tls = |stream| {
        let connection = rustls::ServerConnection::new(tls_config()).unwrap();
        rustls::StreamOwned::new(connection, stream)
    };
    if tls == Tls::FromTheStart {
        let _ = talk(&mut over_tls(stream), script, Tls::None, true, log);
    } else if let Ok(true) = talk(&mut stream, script, tls, true, log) {
        let _ = talk(&mut over_tls(stream), script, Tls::None, false, log);
    }
}

fn usual(verb: &str, tls: Tls) -> &'static str {
    match verb {
        "CONNECT" => "220 sink",
        "EHLO" if tls == Tls::Offered => "250-sink\r\n250-8BITMIME\r\n250 STARTTLS",
        "EHLO" => "250-sink\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN",
        "STARTTLS" => "220 go ahead",
        "AUTH" => "235 welcome",
        "DATA" => "354 go ahead",
        "QUIT" => "221 goodbye",
        _ => "250 fine",
    }
}

/// Talks until the end; `true` when the client is to encrypt now.
fn talk(
    stream: &mut (impl Read + Write),
    script: Script,
    tls: Tls,
    greet: bool,
    log: &Mutex<Vec<String>>,
) -> std::io::Result<bool> {
    let (mut in_message, mut has_files) = (false, false);
    let mut line = if greet {
        "CONNECT".to_owned()
    } else {
        heard_line(stream)?
    };
    loop {
        if in_message && line != "." {
            if script.contains(&("|", CLOSE)) {
                return Ok(false);
            }
            log.lock().unwrap().push(format!("| {line}"));
            has_files |= line.starts_with("Content-Disposition: attachment");
            line = heard_line(stream)?;
            continue;
        }
        let verb = line.split(' ').next().unwrap().to_owned();
        if verb != "CONNECT" {
            log.lock().unwrap().push(line.clone());
        }
        let scripted = script
            .iter()
            .find(|(name, _)| *name == verb || *name == line);
        let reply = scripted.map_or_else(|| usual(&verb, tls), |(_, reply)| *reply);
        let reply = match reply {
            NO_FILES if !has_files => "250 small enough",
            _ => reply,
        };
        match reply {
            SILENCE => std::thread::sleep(Duration::from_secs(60)),
            CLOSE => return Ok(false),
            _ => stream.write_all(format!("{reply}\r\n").as_bytes())?,
        }
        stream.flush()?;
        match (verb.as_str(), reply.as_bytes()[0]) {
            ("STARTTLS", b'2') => return Ok(true),
            ("QUIT", _) => return Ok(false),
            (_, first) => in_message = verb == "DATA" && first == b'3',
        }
        line = heard_line(stream)?;
    }
}

fn heard_line(stream: &mut impl Read) -> std::io::Result<String> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    loop {
        stream.read_exact(&mut byte)?;
        if byte[0] == b'\n' {
            let text = String::from_utf8(line).unwrap();
            return Ok(text.trim_end_matches('\r').to_owned());
        }
        line.push(byte[0]);
    }
}
