//! A gate before the sandbox: calls wait at it until it is opened.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// A closed gate in front of a service.
#[derive(Debug)]
pub struct Gate {
    pub url: String,
    open: Arc<(Mutex<bool>, Condvar)>,
}

impl Gate {
    pub fn before(service: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let open = Arc::new((Mutex::new(false), Condvar::new()));
        let gate = open.clone();
        // It listens for as long as the tests last.
        thread::spawn(move || {
            for caller in listener.incoming() {
                let (caller, gate) = (caller.unwrap(), gate.clone());
                thread::spawn(move || pass(caller, service, &gate));
            }
        });
        Self { url, open }
    }

    pub fn set_open(&self, open: bool) {
        *self.open.0.lock().unwrap() = open;
        self.open.1.notify_all();
    }
}

/// Waits for the gate, then carries bytes both ways until one side has said everything.
fn pass(caller: TcpStream, service: SocketAddr, gate: &(Mutex<bool>, Condvar)) {
    drop(
        gate.1
            .wait_while(gate.0.lock().unwrap(), |open| !*open)
            .unwrap(),
    );
    let service = TcpStream::connect(service).unwrap();
    let (from, to) = (caller.try_clone().unwrap(), service.try_clone().unwrap());
    thread::spawn(move || carry(&from, &to));
    carry(&service, &caller);
}

fn carry(mut from: &TcpStream, mut to: &TcpStream) {
    // An error means that somebody hung up, which ends the conversation as well.
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}
