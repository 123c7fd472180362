//! Two ways to the same response of the gateway, measured in turn.

use anyhow::Result;
use support::App;

use crate::Options;
use crate::load::{COMPARED, Sample, Traffic};

/// A way to a response.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) app: &'a App,
    pub(crate) key: &'a str,
    pub(crate) route: &'a str,
    pub(crate) model: &'a str,
}

/// The comparison of two ways, for one kind of traffic.
pub(crate) struct Compared {
    traffic: &'static Traffic,
    pub(crate) first: Sample,
    pub(crate) second: Sample,
}

/// Measures two ways, for all kinds of traffic, and prints the second one's ratios to the first one's.
pub(crate) async fn compare(
    options: &Options,
    name: &str,
    ways: [Way<'_>; 2],
) -> Result<Vec<Compared>> {
    let mut all = Vec::new();
    for traffic in &COMPARED {
        let mut samples: [Sample; 2] = Default::default();
        for _ in 0..options.rounds {
            for (way, sample) in ways.iter().zip(&mut samples) {
                let Way { app, key, route, model } = *way;
                sample.add(traffic.send(options, app, key, route, model).await?);
            }
        }
        let [first, second] = samples;
        let row = Compared { traffic, first, second };
        print(name, &row);
        all.push(row);
    }
    Ok(all)
}

impl Compared {
    /// Returns the kind of traffic and its number of connections.
    pub(crate) fn title(&self) -> String {
        format!("{} ×{}", self.traffic.name, self.traffic.connections)
    }

    /// Returns the second way's throughput, time and time to the first byte, as ratios to the first one's.
    pub(crate) fn ratios(&self) -> [f64; 3] {
        let Self { first, second, .. } = self;
        [
            second.throughput() / first.throughput(),
            second.total(50) / first.total(50),
            second.first_byte(50) / first.first_byte(50),
        ]
    }
}

#[expect(clippy::print_stdout, reason = "the table is the command's output")]
fn print(name: &str, row: &Compared) {
    let [throughput, time, first_byte] = row.ratios();
    println!(
        "{name}: {}: throughput {throughput:.2}, time {time:.2} ({:.3} to {:.3} ms), first byte {first_byte:.2} \
         ({:.3} to {:.3} ms)",
        row.title(),
        row.first.total(50),
        row.second.total(50),
        row.first.first_byte(50),
        row.second.first_byte(50),
    );
}
