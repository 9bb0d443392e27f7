//! The wire: connections that a fault can take away from the HTTP server.
//!
//! A broken answer cannot be had from a sound HTTP server, so whoever plays a fault takes the
//! socket out of its hands and writes the bytes himself.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::ledger::locked;

/// A connection that is served until it is taken.
#[derive(Clone)]
pub(super) struct Line {
    stream: Arc<Mutex<Option<TcpStream>>>,
    caller: SocketAddr,
}

impl Line {
    /// Takes the socket; the server finds the line dead from then on.
    pub fn take(&self) -> Option<TcpStream> {
        locked(&self.stream).take()
    }

    /// True when the caller sits on this machine.
    pub fn is_local(&self) -> bool {
        self.caller.ip().is_loopback()
    }

    fn write_with<T>(
        &self,
        write: impl FnOnce(Pin<&mut TcpStream>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match locked(&self.stream).as_mut() {
            Some(stream) => write(Pin::new(stream)),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match locked(&self.stream).as_mut() {
            Some(stream) => Pin::new(stream).poll_read(context, buffer),
            // Not the end of the line: that would make the server drop whoever took it.
            None => Poll::Pending,
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write_with(|stream| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write_with(|stream| stream.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match locked(&self.stream).as_mut() {
            Some(stream) => Pin::new(stream).poll_flush(context),
            // The server flushes while it waits for its handler; nothing is unsaid yet.
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match locked(&self.stream).as_mut() {
            Some(stream) => Pin::new(stream).poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        }
    }
}

/// Accepts lines.
pub(super) struct Lines(pub TcpListener);

impl Listener for Lines {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        let (stream, caller) = Listener::accept(&mut self.0).await;
        // Answers are small; waiting for more to send would only delay them.
        let _ = stream.set_nodelay(true);
        let stream = Arc::new(Mutex::new(Some(stream)));
        (Line { stream, caller }, caller)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Lines>> for Line {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        stream.io().clone()
    }
}
