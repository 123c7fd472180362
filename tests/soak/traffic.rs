//! The lanes, which send one request after another and check each response.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use support::client::Draft;
use support::{App, Client, Connection};

use crate::tally::Tally;

/// A kind of traffic.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Kind {
    /// A chat stream of OpenAI.
    Stream,
    /// A chat stream of Bedrock, which is translated.
    Bedrock,
    /// A chat completion.
    Plain,
    /// A form with a file.
    Upload,
    /// A key that is created, used, rotated and revoked.
    Keys,
}

/// A client that sends one request after another until `end`.
pub(crate) struct Lane {
    pub(crate) kind: Kind,
    pub(crate) app: Arc<App>,
    pub(crate) key: String,
    pub(crate) tally: Arc<Tally>,
    /// The delay before the first request; lanes start one after another, as clients do.
    pub(crate) delay: Duration,
    pub(crate) end: Instant,
}

/// A response, and the time to the first byte of its body.
struct Received {
    status: u16,
    body: Vec<u8>,
    first: Duration,
}

/// Number of chunks of each stream; they are sent 20 ms apart, about as fast as a model sends them.
const CHUNKS: usize = 100;
const SIMULATE: &str = "chunks=100,chunk_delay=20";

/// Size of an upload in bytes. It is more than the simulated AI Gateway records of a request, because
/// recorded uploads would look like a leak.
const UPLOAD: usize = 2_000_000;
const PAUSE: Duration = Duration::from_millis(20);
const LONG_PAUSE: Duration = Duration::from_millis(250);

impl Lane {
    /// Sends requests until the end, and records errors in the tally.
    pub(crate) async fn run(self) {
        let mut connection = None;
        tokio::time::sleep(self.delay).await;
        while Instant::now() < self.end {
            if let Err(error) = self.once(&mut connection).await {
                self.tally.note_error(self.kind, &error);
                connection = None;
            }
            match self.kind {
                Kind::Stream | Kind::Bedrock => {}
                Kind::Plain => tokio::time::sleep(PAUSE).await,
                Kind::Upload | Kind::Keys => tokio::time::sleep(LONG_PAUSE).await,
            }
        }
    }

    async fn once(&self, connection: &mut Option<Connection>) -> Result<()> {
        let mut open = match connection.take() {
            Some(open) => open,
            None => self.app.client().connect().await?,
        };
        let start = Instant::now();
        let received = match self.kind {
            Kind::Keys => self.turn_keys(&mut open).await?,
            _ => ask(&mut open, self.draft()).await?,
        };
        let total = start.elapsed();
        self.check(&received)?;
        self.tally.note(self.kind, received.first, total, received.body.len());
        *connection = Some(open);
        Ok(())
    }

    fn draft(&self) -> Draft {
        let draft = match self.kind {
            Kind::Stream => chat("openai", "gpt-4o", true).header("x-simulate", SIMULATE),
            Kind::Bedrock => chat("bedrock", "nova-lite", true).header("x-simulate", SIMULATE),
            Kind::Upload => upload(),
            Kind::Plain | Kind::Keys => chat("openai", "gpt-4o", false),
        };
        draft.key(&self.key)
    }

    fn check(&self, received: &Received) -> Result<()> {
        let text = String::from_utf8_lossy(&received.body);
        ensure!(received.status == 200, "the status is {}: {text}", received.status);
        match self.kind {
            Kind::Stream | Kind::Bedrock => check_stream(&text),
            Kind::Upload => {
                let expected = format!("{UPLOAD} bytes for whisper-1");
                ensure!(text.contains(&expected), "the upload did not arrive whole: {text}");
                Ok(())
            }
            Kind::Plain | Kind::Keys => {
                ensure!(text.contains("You said: hello"), "not the expected completion: {text}");
                Ok(())
            }
        }
    }

    /// Creates, rotates and revokes a key, and checks at each step which keys are valid.
    async fn turn_keys(&self, connection: &mut Connection) -> Result<Received> {
        let created = self.app.create("soak").await?;
        let old = text_of(&created, "apiKey")?;
        let target = format!("/tokens/{}/refresh", text_of(&created, "id")?);
        let refreshed = self.app.admin("POST", &target, "").await?.json();
        let new = text_of(&refreshed, "apiKey")?;
        let plain = |key: &str| chat("openai", "gpt-4o", false).key(key);
        let received = ask(connection, plain(&new)).await?;
        let refused = ask(connection, plain(&old)).await?;
        ensure!(refused.status == 401, "the old key still gets {}", refused.status);
        let target = format!("/tokens/{}", text_of(&refreshed, "id")?);
        self.app.admin("DELETE", &target, "").await?;
        let refused = ask(connection, plain(&new)).await?;
        ensure!(refused.status == 401, "the revoked key still gets {}", refused.status);
        Ok(received)
    }
}

fn chat(provider: &str, model: &str, stream: bool) -> Draft {
    let message = json!({"role": "user", "content": "hello"});
    let body = json!({"model": model, "stream": stream, "messages": [message]});
    Client::post(&format!("/{provider}/chat/completions"), &body)
}

fn upload() -> Draft {
    let field = "--B\r\ncontent-disposition: form-data; name=";
    let model = format!("{field}\"model\"\r\n\r\nwhisper-1\r\n");
    let file = format!("{field}\"file\"; filename=\"a.mp3\"\r\n\r\n");
    let content = vec![b'x'; UPLOAD];
    let body = [model.as_bytes(), file.as_bytes(), &content, b"\r\n--B--\r\n"].concat();
    Client::request("POST", "/openai/audio/transcriptions")
        .header("content-type", "multipart/form-data; boundary=B")
        .body(body)
}

fn text_of(value: &Value, name: &str) -> Result<String> {
    let text = value.get(name).and_then(Value::as_str);
    Ok(text.with_context(|| format!("no {name} in {value}"))?.to_owned())
}

/// Checks that a stream has all its chunks, its end, and only valid events.
fn check_stream(text: &str) -> Result<()> {
    let events = text.split_terminator("\n\n").collect::<Vec<_>>();
    let tokens = events.iter().filter(|event| event.contains(r#""content":"token ""#)).count();
    ensure!(tokens == CHUNKS, "{tokens} of {CHUNKS} chunks: {text}");
    ensure!(events.last() == Some(&"data: [DONE]"), "no [DONE]: {text}");
    for event in events.iter().filter(|event| **event != "data: [DONE]") {
        let data = event.strip_prefix("data: ").context("an event without data")?;
        serde_json::from_str::<Value>(data).with_context(|| format!("a broken event: {event}"))?;
    }
    Ok(())
}

async fn ask(connection: &mut Connection, draft: Draft) -> Result<Received> {
    let start = Instant::now();
    let mut response = connection.open(draft).await?;
    let status = response.status().as_u16();
    let (mut first, mut body) = (None, Vec::new());
    while let Some(frame) = response.frame().await {
        let data = frame?.into_data().unwrap_or_default();
        first.get_or_insert_with(|| start.elapsed());
        body.extend_from_slice(&data);
    }
    Ok(Received { status, body, first: first.unwrap_or_else(|| start.elapsed()) })
}
