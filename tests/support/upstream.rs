//! A scripted upstream, which can send any bytes, including those that an HTTP library would not.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// One step of a script. After the last one the upstream closes the connection.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends these bytes.
    Send(Bytes),
    /// Sends the same bytes the given number of times.
    Repeat(Bytes, usize),
    /// Sends these bytes one by one, with this pause between them.
    Drip(Bytes, Duration),
    /// Sends the same bytes repeatedly, with this pause between them, until the other side closes.
    Forever(Bytes, Duration),
    /// Sends nothing until the other side closes.
    Silence,
    /// Sends nothing for a while.
    Pause(Duration),
    /// Resets the connection, once the bytes that were sent have had time to arrive.
    Reset,
}

/// Time for bytes to arrive before a reset, which discards what the other side has not read yet.
const ARRIVAL: Duration = Duration::from_secs(1);

/// A listening upstream. A request's header `x-case` names the script to play.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// The address it listens at.
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    scripts: HashMap<String, Vec<Step>>,
    closed: Mutex<HashMap<String, Instant>>,
}

impl Upstream {
    /// Starts an upstream with `scripts`.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(scripts: HashMap<String, Vec<Step>>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State { scripts, closed: Mutex::default() });
        tokio::spawn(serve(listener, state.clone()));
        Ok(Self { address, state })
    }

    /// Returns when the other side closed the connection of `case`, if it has.
    pub fn closed(&self, case: &str) -> Option<Instant> {
        self.state.closed.lock().unwrap_or_else(PoisonError::into_inner).get(case).copied()
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(respond(stream, state.clone()));
    }
}

/// Runs the script that a connection's request names.
async fn respond(mut stream: TcpStream, state: Arc<State>) {
    let Some(case) = read_request(&mut stream).await else {
        return;
    };
    for step in state.scripts.get(&case).into_iter().flatten() {
        if run_step(&mut stream, step).await.is_err() {
            let mut closed = state.closed.lock().unwrap_or_else(PoisonError::into_inner);
            closed.insert(case, Instant::now());
            return;
        }
    }
}

/// Reads a whole request and returns the case it names, or `None` if the connection closes first.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let value = |name: &str| header(head, name);
            let announced = value("content-length").and_then(|length| length.parse().ok());
            let is_whole = match announced {
                Some(length) => body.len() >= length,
                None => value("transfer-encoding").is_none() || body.ends_with("0\r\n\r\n"),
            };
            if is_whole {
                return Some(value("x-case").unwrap_or_default().to_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    fields
        .into_iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// Runs one step; an error means that the other side has closed the connection.
async fn run_step(stream: &mut TcpStream, step: &Step) -> std::io::Result<()> {
    match step {
        Step::Send(bytes) => stream.write_all(bytes).await,
        Step::Repeat(bytes, times) => {
            for _ in 0..*times {
                stream.write_all(bytes).await?;
            }
            Ok(())
        }
        Step::Drip(bytes, pause) => {
            for byte in bytes {
                tokio::time::sleep(*pause).await;
                stream.write_all(std::slice::from_ref(byte)).await?;
            }
            Ok(())
        }
        Step::Forever(bytes, pause) => loop {
            stream.write_all(bytes).await?;
            tokio::select! {
                () = tokio::time::sleep(*pause) => {}
                error = hung_up(stream) => return Err(error),
            }
        },
        Step::Silence => Err(hung_up(stream).await),
        Step::Pause(time) => {
            tokio::time::sleep(*time).await;
            Ok(())
        }
        Step::Reset => {
            tokio::time::sleep(ARRIVAL).await;
            stream.set_zero_linger()
        }
    }
}

/// Waits until the other side closes, and returns the error for that.
async fn hung_up(stream: &TcpStream) -> std::io::Error {
    let mut ignored = [0; 64];
    loop {
        if let Err(error) = stream.readable().await {
            return error;
        }
        match stream.try_read(&mut ignored) {
            Ok(0) => return std::io::ErrorKind::ConnectionReset.into(),
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return error,
            _ => {}
        }
    }
}
