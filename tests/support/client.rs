//! A client that exposes what an HTTP library would hide: raw targets, single chunks and truncated
//! bodies.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::request::Builder;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A client of one server.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    address: SocketAddr,
}

/// A keep-alive connection.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    authority: String,
}

/// A response whose body has been read.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as far as it was received.
    pub body: Vec<u8>,
    /// Whether the body was terminated correctly, and so is complete.
    pub is_complete: bool,
}

/// A request that is being built.
#[derive(Debug)]
pub struct Draft {
    builder: Builder,
    body: Bytes,
}

impl Client {
    /// Creates a client of `address`.
    pub fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// Builds a request without a body.
    pub fn request(method: &str, target: &str) -> Draft {
        Draft { builder: Request::builder().method(method).uri(target), body: Bytes::new() }
    }

    /// Builds a request with a JSON body.
    pub fn post(target: &str, body: &Value) -> Draft {
        Self::request("POST", target)
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// The server does not accept it.
    pub async fn connect(&self) -> Result<Connection> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Connection { sender, authority: self.address.to_string() })
    }

    /// Sends a request over a new connection and reads the whole response.
    ///
    /// # Errors
    /// The server does not accept the connection, or sends no valid response headers.
    pub async fn send(&self, draft: Draft) -> Result<Response> {
        self.connect().await?.send(draft).await
    }

    /// Writes `bytes` unchanged and reads until the server closes the connection.
    ///
    /// # Errors
    /// The server does not accept the connection.
    pub async fn send_raw(&self, bytes: &[u8]) -> Result<String> {
        let mut stream = TcpStream::connect(self.address).await?;
        // A server may respond and close before it has read everything, so a failed write is no error.
        let _ = stream.write_all(bytes).await;
        let mut received = Vec::new();
        let _ = stream.read_to_end(&mut received).await;
        Ok(String::from_utf8_lossy(&received).into_owned())
    }
}

impl Connection {
    /// Sends a request and reads the response headers; the body can be read as it arrives.
    ///
    /// # Errors
    /// The server sends no valid response headers.
    pub async fn open(&mut self, draft: Draft) -> Result<http::Response<Incoming>> {
        let request = draft
            .builder
            .header("host", &self.authority)
            .body(Full::new(draft.body))
            .context("not a request")?;
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }

    /// Sends a request and reads the whole response.
    ///
    /// # Errors
    /// The server sends no valid response headers.
    pub async fn send(&mut self, draft: Draft) -> Result<Response> {
        let (head, mut incoming) = self.open(draft).await?.into_parts();
        let mut body = Vec::new();
        let mut is_complete = true;
        while let Some(frame) = incoming.frame().await {
            match frame.map(hyper::body::Frame::into_data) {
                Ok(Ok(data)) => body.extend_from_slice(&data),
                Ok(Err(_trailers)) => {}
                Err(_) => {
                    is_complete = false;
                    break;
                }
            }
        }
        Ok(Response { status: head.status.as_u16(), headers: head.headers, body, is_complete })
    }
}

impl Draft {
    /// Adds a header.
    #[must_use]
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        Self { builder: self.builder.header(name, value.as_ref()), ..self }
    }

    /// Adds a team key.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.header("authorization", format!("Bearer {key}"))
    }

    /// Sets the body.
    #[must_use]
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self }
    }
}

impl Response {
    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as JSON, or null if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns `code` of OpenAI's error envelope, or an empty text.
    pub fn code(&self) -> String {
        let json = self.json();
        json.pointer("/error/code").and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}
