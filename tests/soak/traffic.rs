//! The lanes: one request after the other, each answer checked byte for byte or by its count.

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
    /// A chat stream of OpenAI's.
    Stream,
    /// A chat stream of Bedrock's, translated.
    Bedrock,
    /// A chat completion.
    Plain,
    /// A form with a file.
    Upload,
    /// A key that is made, used, rotated and revoked.
    Keys,
}

/// One request after the other, until `end`.
pub(crate) struct Lane {
    pub(crate) kind: Kind,
    pub(crate) app: Arc<App>,
    pub(crate) key: String,
    pub(crate) tally: Arc<Tally>,
    /// Lanes begin one after the other, as clients do.
    pub(crate) delay: Duration,
    pub(crate) end: Instant,
}

/// An answer's body and when its first byte came.
struct Heard {
    status: u16,
    body: Vec<u8>,
    first: Duration,
}

/// Chunks of each stream, and milliseconds between them, as a model would send them.
const CHUNKS: usize = 100;
const SIMULATE: &str = "chunks=100,chunk_delay=20";

/// More than the simulated gateway remembers of a request, which would look like a leak.
const UPLOAD: usize = 2_000_000;
const PAUSE: Duration = Duration::from_millis(20);
const LONG_PAUSE: Duration = Duration::from_millis(250);

impl Lane {
    /// Goes on through errors; the tally has them.
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
        let heard = match self.kind {
            Kind::Keys => self.turn_keys(&mut open).await?,
            _ => ask(&mut open, self.draft()).await?,
        };
        let total = start.elapsed();
        self.check(&heard)?;
        self.tally.note(self.kind, heard.first, total, heard.body.len());
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

    fn check(&self, heard: &Heard) -> Result<()> {
        let text = String::from_utf8_lossy(&heard.body);
        ensure!(heard.status == 200, "answered {} {text}", heard.status);
        match self.kind {
            Kind::Stream | Kind::Bedrock => check_stream(&text),
            Kind::Upload => {
                let expected = format!("{UPLOAD} bytes for whisper-1");
                ensure!(text.contains(&expected), "the upload did not arrive whole: {text}");
                Ok(())
            }
            Kind::Plain | Kind::Keys => {
                ensure!(text.contains("You said: hello"), "not what was said: {text}");
                Ok(())
            }
        }
    }

    /// A key's life: what it may do at each step is checked.
    async fn turn_keys(&self, connection: &mut Connection) -> Result<Heard> {
        let created = self.app.create("soak").await?;
        let old = text_of(&created, "apiKey")?;
        let target = format!("/tokens/{}/refresh", text_of(&created, "id")?);
        let refreshed = self.app.admin("POST", &target, "").await?.json();
        let new = text_of(&refreshed, "apiKey")?;
        let plain = |key: &str| chat("openai", "gpt-4o", false).key(key);
        let heard = ask(connection, plain(&new)).await?;
        let refused = ask(connection, plain(&old)).await?;
        ensure!(refused.status == 401, "the old key still answers {}", refused.status);
        let target = format!("/tokens/{}", text_of(&refreshed, "id")?);
        self.app.admin("DELETE", &target, "").await?;
        let refused = ask(connection, plain(&new)).await?;
        ensure!(refused.status == 401, "the revoked key still answers {}", refused.status);
        Ok(heard)
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

/// A stream has lost nothing if it has all chunks, its end, and nothing but events.
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

async fn ask(connection: &mut Connection, draft: Draft) -> Result<Heard> {
    let start = Instant::now();
    let mut response = connection.open(draft).await?;
    let status = response.status().as_u16();
    let (mut first, mut body) = (None, Vec::new());
    while let Some(frame) = response.frame().await {
        let data = frame?.into_data().unwrap_or_default();
        first.get_or_insert_with(|| start.elapsed());
        body.extend_from_slice(&data);
    }
    Ok(Heard { status, body, first: first.unwrap_or_else(|| start.elapsed()) })
}
