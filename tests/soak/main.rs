//! `cargo xtask soak`: mixed traffic for several minutes, with every response checked.
//!
//! Streams that last for seconds, plain requests, uploads, and the creation, rotation and revocation
//! of keys run concurrently. The report has one line per interval, and a summary of times, errors
//! and memory.

#![expect(clippy::print_stdout, reason = "the report is the command's output")]

mod tally;
mod traffic;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use clap::Parser;
use support::{App, Config, memory, run};

use crate::tally::Tally;
use crate::traffic::{Kind, Lane};

/// Sends mixed traffic through the app and checks every response.
#[derive(Parser)]
struct Options {
    /// Duration in minutes.
    #[arg(long, default_value_t = 1)]
    minutes: u64,
    /// Number of streams open at any time; a third of them are Bedrock's.
    #[arg(long, default_value_t = 200)]
    streams: usize,
    /// Seconds between two lines of the report.
    #[arg(long, default_value_t = 10)]
    every: u64,
}

/// Number of lanes that send no streams. They pause between requests, so as not to starve the
/// streams.
const PLAIN_LANES: usize = 4;
const UPLOAD_LANES: usize = 2;

/// Percentage by which memory may grow after the first quarter of the time, in which buffers and
/// pools fill.
const GROWTH: u64 = 25;

fn main() -> Result<()> {
    let options = Options::parse();
    run(soak(options))
}

async fn soak(options: Options) -> Result<()> {
    ensure!(
        options.every <= 15 * options.minutes,
        "--every is too long: memory is compared after a quarter of the time"
    );
    let app = Arc::new(App::start(Config::default()).await?);
    let key = app.key("soak").await?;
    let tally = Arc::new(Tally::default());
    let start = Instant::now();
    let end = start + Duration::from_secs(60 * options.minutes);
    let lane = |(kind, delay)| Lane {
        kind,
        app: app.clone(),
        key: key.clone(),
        tally: tally.clone(),
        delay,
        end,
    };
    let delays = (0..).map(|index| Duration::from_millis(10) * index);
    let lanes: Vec<_> = kinds(options.streams)
        .zip(delays)
        .map(|of_lane| tokio::spawn(lane(of_lane).run()))
        .collect();

    let before = memory::resident();
    println!(
        "{} lanes, {} of them streams, for {} min",
        lanes.len(),
        options.streams,
        options.minutes
    );
    println!("{}", tally::HEADLINE);
    let mut settled = None;
    while start.elapsed() + Duration::from_secs(options.every) <= end - start {
        tokio::time::sleep(Duration::from_secs(options.every)).await;
        let now = memory::resident();
        if start.elapsed() * 4 >= end - start {
            settled = settled.or(now);
        }
        print!("{}", tally.interval(start.elapsed(), now));
    }
    for lane in lanes {
        lane.await?;
    }
    print!("{}", tally.summary(before, settled, memory::resident()));
    verdict(&tally, settled, memory::resident())
}

/// Returns the kind of every lane, the streams first.
fn kinds(streams: usize) -> impl Iterator<Item = Kind> {
    let streams =
        (0..streams).map(|index| if index % 3 == 2 { Kind::Bedrock } else { Kind::Stream });
    streams
        .chain(std::iter::repeat_n(Kind::Plain, PLAIN_LANES))
        .chain(std::iter::repeat_n(Kind::Upload, UPLOAD_LANES))
        .chain([Kind::Keys])
}

fn verdict(tally: &Tally, settled: Option<u64>, last: Option<u64>) -> Result<()> {
    let errors = tally.errors();
    if let Some(first) = errors.first() {
        bail!("{} requests failed, the first: {first}", errors.len());
    }
    if let (Some(settled), Some(last)) = (settled, last) {
        ensure!(
            last * 100 <= settled * (100 + GROWTH),
            "memory grew from {settled} to {last} bytes"
        );
    }
    Ok(())
}
