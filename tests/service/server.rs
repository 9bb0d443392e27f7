//! A server on a real socket that does to each request what its script says next, and writes
//! down what it was asked.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of one request; the last of a script is repeated.
#[derive(Clone)]
pub enum Does {
    /// Reads the request, says this, and waits for the next.
    Says(String),
    /// Reads the request, says this, and closes the connection.
    SaysAndCloses(String),
    /// Says this with the request half read and drops the connection: a reset.
    SaysAndResets(String),
    /// Reads the request, says this, and then nothing more.
    SaysAndHangs(String),
    /// Reads the request and says this a byte at a time, for ever and a day.
    Drips(String),
    /// Reads the request, says this, and then body without end.
    Floods(String),
    /// Closes the connection before it reads anything.
    Closes,
}

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Counts connections from 0.
    pub connection: usize,
    /// The request line.
    pub line: String,
    /// `name: value`, names in small letters, in the order they came.
    pub headers: Vec<String>,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &String| line.split_once(": ").is_some_and(|(n, _)| n == name);
        self.headers
            .iter()
            .find(|line| named(line))
            .and_then(|line| line.get(name.len() + 2..))
    }
}

pub struct Server {
    pub port: u16,
    script: Arc<Mutex<Vec<Does>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub fn start(script: Vec<Does>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Arc::new(Mutex::new(script.into_iter().rev().collect()));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let server = Self {
            port,
            script: Arc::clone(&script),
            asked: Arc::clone(&asked),
        };
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let (script, asked) = (Arc::clone(&script), Arc::clone(&asked));
                let stream = stream.unwrap();
                std::thread::spawn(move || serve(stream, connection, &script, &asked));
            }
        });
        server
    }

    /// A server that answers every request so.
    pub fn saying(answer: &str) -> Self {
        Self::start(vec![Does::Says(answer.to_owned())])
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// What the next requests get instead.
    pub fn now_does(&self, script: Vec<Does>) {
        *self.script.lock().unwrap() = script.into_iter().rev().collect();
    }
}

/// An answer with its Content-Length; `headers` are `name: value` lines.
pub fn answer(status: u16, headers: &[&str], body: &str) -> String {
    let length = body.len();
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    format!("HTTP/1.1 {status} Any\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

fn serve(
    mut stream: TcpStream,
    connection: usize,
    script: &Mutex<Vec<Does>>,
    asked: &Mutex<Vec<Asked>>,
) {
    // Waits for the first byte, so that an idle connection takes nothing out of the script.
    while let Ok(1..) = stream.peek(&mut [0]) {
        let does = next(script);
        if let Does::SaysAndResets(text) = &does {
            let _ = stream.read(&mut [0]);
            let _ = stream.write_all(text.as_bytes());
            // Dropped with bytes unread, the kernel resets the connection.
            return;
        }
        if matches!(does, Does::Closes) {
            let _ = stream.shutdown(Shutdown::Both);
            return;
        }
        let Some(request) = read(&mut stream, connection) else {
            return;
        };
        asked.lock().unwrap().push(request);
        if !perform(&mut stream, &does) {
            return;
        }
    }
}

fn next(script: &Mutex<Vec<Does>>) -> Does {
    let mut script = script.lock().unwrap();
    if script.len() > 1 {
        script.pop().unwrap()
    } else {
        script[0].clone()
    }
}

/// False when the connection is over.
fn perform(stream: &mut TcpStream, does: &Does) -> bool {
    match does {
        Does::Says(text) => stream.write_all(text.as_bytes()).is_ok(),
        Does::SaysAndCloses(text) => {
            let _ = stream.write_all(text.as_bytes());
            false
        }
        Does::SaysAndHangs(text) => {
            let _ = stream.write_all(text.as_bytes());
            // Until the client gives up.
            while let Ok(1..) = stream.read(&mut [0; 64]) {}
            false
        }
        Does::Drips(text) => {
            let for_ever = text.bytes().chain(std::iter::repeat(b' '));
            for byte in for_ever {
                std::thread::sleep(Duration::from_millis(20));
                if stream.write_all(&[byte]).is_err() {
                    break;
                }
            }
            false
        }
        Does::Floods(text) => {
            let _ = stream.write_all(text.as_bytes());
            let block = vec![b' '; 64 * 1024];
            while stream.write_all(&block).is_ok() {}
            false
        }
        Does::SaysAndResets(_) | Does::Closes => false,
    }
}

fn read(stream: &mut TcpStream, connection: usize) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.trim_end().split("\r\n").map(str::to_owned);
    let (line, headers) = (lines.next()?, lines.collect());
    let mut asked = Asked {
        connection,
        line,
        headers,
        body: String::new(),
    };
    let length: usize = asked
        .header("content-length")
        .map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    asked.body = String::from_utf8(body).ok()?;
    Some(asked)
}
