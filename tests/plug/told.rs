//! What the service was told: requests as recorded, read and said again to another one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use tripsettle::sandbox::Sandbox;

/// What a request is about.
pub struct Request {
    pub trip: String,
    pub moves_money: bool,
}

impl Request {
    pub fn read(bytes: &[u8]) -> Self {
        let text = str::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        let word = |name: &str| body[name].as_str().unwrap().to_owned();
        Self {
            trip: format!("{}/{}", word("storeId"), word("shoppingTripId")),
            moves_money: !head.contains("/transactional-data"),
        }
    }
}

/// Says the requests to a service that has not heard them yet. What it answers nobody heeds.
pub fn say_again<'a>(sandbox: &Sandbox, requests: impl Iterator<Item = &'a [u8]>) {
    let connect = || BufReader::new(TcpStream::connect(sandbox.addr()).unwrap());
    let mut line = connect();
    for request in requests {
        line.get_mut().write_all(request).unwrap();
        if answer(&mut line).is_none() {
            line = connect();
        }
    }
}

/// Reads an answer to its end; none when the connection was reset, as the trip's story says.
fn answer(line: &mut BufReader<TcpStream>) -> Option<()> {
    let mut length = 0;
    loop {
        let mut header = String::new();
        if line.read_line(&mut header).ok()? == 0 {
            return None;
        }
        if let Some(said) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = said.trim().parse().unwrap();
        }
        if header.trim().is_empty() {
            break;
        }
    }
    line.read_exact(&mut vec![0; length]).ok()
}
