//! Sequential requests over keep-alive connections, each timed to the first byte and to the end of
//! its response.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use http_body_util::BodyExt as _;
use serde_json::json;
use support::client::Draft;
use support::{App, Client, Connection};

use crate::Options;

/// The load of one measurement.
pub(crate) struct Load {
    pub(crate) client: Client,
    pub(crate) connections: usize,
    pub(crate) seconds: u64,
    /// The status that every response must have.
    pub(crate) status: u16,
}

/// The times of one or more measurements.
#[derive(Default)]
pub(crate) struct Sample {
    elapsed: Duration,
    first_bytes: Vec<Duration>,
    totals: Vec<Duration>,
}

/// A kind of chat traffic.
pub(crate) struct Traffic {
    pub(crate) name: &'static str,
    pub(crate) connections: usize,
    /// The chunks of its stream; a response that is not streamed has none.
    chunks: u32,
}

/// The traffic with which two ways of the gateway are compared.
pub(crate) const COMPARED: [Traffic; 5] = [
    Traffic { name: "plain", connections: 1, chunks: 0 },
    Traffic { name: "plain", connections: 16, chunks: 0 },
    Traffic { name: "a stream of 50 chunks", connections: 1, chunks: 50 },
    Traffic { name: "a stream of 50 chunks", connections: 16, chunks: 50 },
    Traffic { name: "a stream of 1,000 chunks", connections: 1, chunks: 1000 },
];

impl Traffic {
    /// Sends chats of a `key` to a `route`.
    pub(crate) async fn send(
        &self,
        options: &Options,
        app: &App,
        key: &str,
        route: &str,
        model: &str,
    ) -> Result<Sample> {
        let (connections, chunks) = (self.connections, self.chunks);
        let message = json!({"role": "user", "content": "hello"});
        let body = json!({"model": model, "stream": chunks > 0, "messages": [message]});
        let target = format!("/{route}/chat/completions");
        let simulate = if chunks > 0 { format!("chunks={chunks}") } else { String::new() };
        let load =
            Load { client: app.client(), connections, seconds: options.seconds, status: 200 };
        let draft = || Client::post(&target, &body).key(key).header("x-simulate", &simulate);
        load.run(draft).await.with_context(|| format!("{route}: {}", self.name))
    }
}

impl Load {
    /// Sends requests for `seconds`, on all connections concurrently.
    pub(crate) async fn run(&self, draft: impl Fn() -> Draft) -> Result<Sample> {
        let warm = (0..self.connections).map(|_| self.warm(&draft));
        let connections = futures_util::future::try_join_all(warm).await?;
        let lanes = connections.into_iter().map(|connection| self.lane(connection, &draft));
        let start = Instant::now();
        let mut sample = Sample::default();
        for outcome in futures_util::future::join_all(lanes).await {
            let lane = outcome?;
            sample.first_bytes.extend(lane.first_bytes);
            sample.totals.extend(lane.totals);
        }
        sample.elapsed = start.elapsed();
        Ok(sample)
    }

    /// Opens a connection and sends one request, which is not measured because it fills caches and
    /// pools.
    async fn warm(&self, draft: &impl Fn() -> Draft) -> Result<Connection> {
        let mut connection = self.client.connect().await?;
        ask(&mut connection, draft(), self.status).await?;
        Ok(connection)
    }

    async fn lane(&self, mut connection: Connection, draft: &impl Fn() -> Draft) -> Result<Sample> {
        let mut sample = Sample::default();
        let end = Instant::now() + Duration::from_secs(self.seconds);
        while Instant::now() < end {
            let (first_byte, total) = ask(&mut connection, draft(), self.status).await?;
            sample.first_bytes.push(first_byte);
            sample.totals.push(total);
        }
        Ok(sample)
    }
}

/// Sends one request and reads its response: times to the first byte of the body and to its end.
async fn ask(
    connection: &mut Connection,
    draft: Draft,
    status: u16,
) -> Result<(Duration, Duration)> {
    let start = Instant::now();
    let mut response = connection.open(draft).await?;
    ensure!(response.status() == status, "the status is {}", response.status());
    let mut first_byte = None;
    while let Some(frame) = response.frame().await {
        frame?;
        first_byte.get_or_insert_with(|| start.elapsed());
    }
    let total = start.elapsed();
    Ok((first_byte.unwrap_or(total), total))
}

impl Sample {
    /// Adds the times of another round.
    pub(crate) fn add(&mut self, other: Self) {
        self.elapsed += other.elapsed;
        self.first_bytes.extend(other.first_bytes);
        self.totals.extend(other.totals);
    }

    /// Returns the number of requests per second.
    pub(crate) fn throughput(&self) -> f64 {
        let count = u32::try_from(self.totals.len()).unwrap_or(u32::MAX);
        f64::from(count) / self.elapsed.as_secs_f64()
    }

    /// Returns the given percentile of the times to the end of the response, in milliseconds.
    pub(crate) fn total(&self, percent: usize) -> f64 {
        percentile(&self.totals, percent)
    }

    /// Returns the given percentile of the times to the first byte of the body, in milliseconds.
    pub(crate) fn first_byte(&self, percent: usize) -> f64 {
        percentile(&self.first_bytes, percent)
    }
}

fn percentile(times: &[Duration], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort();
    let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}
