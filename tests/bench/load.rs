//! Requests in a row over kept-alive connections, each timed to its first byte and its end.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use http_body_util::BodyExt as _;
use support::client::Draft;
use support::{Client, Connection};

/// How hard to ask.
pub(crate) struct Load {
    pub(crate) client: Client,
    pub(crate) connections: usize,
    pub(crate) seconds: u64,
    /// What every answer must have.
    pub(crate) status: u16,
}

/// What was measured.
#[derive(Default)]
pub(crate) struct Sample {
    elapsed: Duration,
    first_bytes: Vec<Duration>,
    totals: Vec<Duration>,
}

impl Load {
    /// Asks for as long as it is told to, on all connections at once.
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

    /// Opens a connection. Its first request warms the way and is not counted.
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

/// Sends one request and reads its answer: times to the first byte of the body and to its end.
async fn ask(
    connection: &mut Connection,
    draft: Draft,
    status: u16,
) -> Result<(Duration, Duration)> {
    let start = Instant::now();
    let mut response = connection.open(draft).await?;
    ensure!(response.status() == status, "answered {}", response.status());
    let mut first_byte = None;
    while let Some(frame) = response.frame().await {
        frame?;
        first_byte.get_or_insert_with(|| start.elapsed());
    }
    let total = start.elapsed();
    Ok((first_byte.unwrap_or(total), total))
}

impl Sample {
    /// Adds what another round measured.
    pub(crate) fn add(&mut self, other: Self) {
        self.elapsed += other.elapsed;
        self.first_bytes.extend(other.first_bytes);
        self.totals.extend(other.totals);
    }

    /// Requests a second.
    pub(crate) fn throughput(&self) -> f64 {
        let count = u32::try_from(self.totals.len()).unwrap_or(u32::MAX);
        f64::from(count) / self.elapsed.as_secs_f64()
    }

    /// The time within which `percent` of a hundred requests were answered, in milliseconds.
    pub(crate) fn total(&self, percent: usize) -> f64 {
        percentile(&self.totals, percent)
    }

    /// The same for the first byte of the answer.
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
