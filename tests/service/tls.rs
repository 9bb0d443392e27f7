//! TLS servers: with a certificate that nobody trusts, or one of the test authority's.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A file of `fixtures/tls`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/tls")
        .join(name)
}

/// Starts one whose certificate nobody trusts, and gives its port.
pub fn start() -> u16 {
    start_with("untrusted-test-cert.pem", "untrusted-test-key.pem")
}

/// Starts one whose certificate the test authority has signed, and gives its port.
pub fn start_signed(cert: &str) -> u16 {
    start_with(cert, "server-test-key.pem")
}

fn start_with(cert: &str, key: &str) -> u16 {
    tripsettle::payment_service::install_tls();
    let cert = CertificateDer::from_pem_file(fixture(cert)).unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture(key)).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![cert], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = rustls::StreamOwned::new(connection, stream.unwrap());
            // The handshake; a client that does not like the certificate hangs up.
            if tls.read(&mut [0; 4_096]).is_ok_and(|read| read > 0) {
                let _ = tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            }
        }
    });
    port
}
