//! An upstream that answers by script, byte for byte, as no HTTP library would.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the upstream does next. After its last step it closes the connection.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends these bytes.
    Send(Bytes),
    /// Sends the same bytes so many times.
    Repeat(Bytes, usize),
    /// Sends these bytes one by one, so far apart.
    Drip(Bytes, Duration),
    /// Sends the same bytes again and again, so far apart, until the other side closes.
    Forever(Bytes, Duration),
    /// Sends nothing more until the other side closes.
    Silence,
    /// Sends nothing for a while.
    Pause(Duration),
    /// Resets the connection, after what was sent has had time to arrive.
    Reset,
}

/// A reset discards what the other side has not read yet.
const ARRIVAL: Duration = Duration::from_secs(1);

/// A listening upstream. A request's header `x-case` names the script that answers it.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    scripts: HashMap<String, Vec<Step>>,
    closed: Mutex<HashMap<String, Instant>>,
}

impl Upstream {
    /// Starts an upstream that knows `scripts`.
    ///
    /// # Errors
    /// The machine gives no port.
    pub async fn start(scripts: HashMap<String, Vec<Step>>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State { scripts, closed: Mutex::default() });
        tokio::spawn(serve(listener, state.clone()));
        Ok(Self { address, state })
    }

    /// When the other side closed the connection of the case, if it has.
    pub fn closed(&self, case: &str) -> Option<Instant> {
        self.state.closed.lock().unwrap_or_else(PoisonError::into_inner).get(case).copied()
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer_all(stream, state.clone()));
    }
}

/// Answers a connection's request, and then ends it as the script does.
async fn answer_all(mut stream: TcpStream, state: Arc<State>) {
    let Some(case) = read_request(&mut stream).await else {
        return;
    };
    for step in state.scripts.get(&case).into_iter().flatten() {
        if play(&mut stream, step).await.is_err() {
            let mut closed = state.closed.lock().unwrap_or_else(PoisonError::into_inner);
            closed.insert(case, Instant::now());
            return;
        }
    }
}

/// Reads a whole request and returns the case it names; `None` if it breaks off.
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

/// Plays one step; an error says that the other side has closed.
async fn play(stream: &mut TcpStream, step: &Step) -> std::io::Result<()> {
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

/// Waits for the other side to close.
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
