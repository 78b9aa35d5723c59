//! Listeners and connections.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::respond::respond;
use crate::shared::Shared;

/// A listener at work. Dropping it ends it and its connections.
#[derive(Debug)]
pub(crate) struct Server(JoinHandle<()>);

impl Server {
    pub(crate) fn start(
        listener: TcpListener,
        addr: SocketAddr,
        tls: Option<TlsAcceptor>,
        shared: Arc<Shared>,
    ) -> Self {
        Self(tokio::spawn(accept(listener, addr.port(), tls, shared)))
    }

    pub(crate) async fn stop(mut self) {
        self.0.abort();
        // The task was told to stop: that it did is all there is to learn.
        let _ = (&mut self.0).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn accept(listener: TcpListener, port: u16, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    // Connections end with this set, which ends with this task.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, port, tls.clone(), Arc::clone(&shared)));
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection was not accepted");
                    tokio::task::yield_now().await;
                }
            },
            Some(ended) = connections.join_next() => {
                let _ = ended.map_err(|error| tracing::debug!(%error, "a connection failed"));
            }
        }
    }
}

async fn connection(stream: TcpStream, port: u16, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve(stream, port, shared).await,
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => serve(stream, port, shared).await,
            Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
        },
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, port: u16, shared: Arc<Shared>) {
    let service = service_fn(|request| respond(Arc::clone(&shared), port, request));
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection ended early");
    }
}
