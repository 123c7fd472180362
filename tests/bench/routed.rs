//! The cost of the one base URL: requests to `/v1` against those to the provider's own route.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde_json::json;
use support::{App, Client};

use crate::Options;
use crate::load::{Load, Sample};

/// The comparison of one kind of traffic.
pub(crate) struct RouteComparison {
    traffic: &'static str,
    connections: usize,
    direct: Sample,
    routed: Sample,
}

/// Measures both routes in turn.
pub(crate) async fn measure(options: &Options, gateway: &App) -> Result<Vec<RouteComparison>> {
    let key = gateway.key("bench").await?;
    let mut all = Vec::new();
    for (traffic, connections, chunks) in [
        ("plain", 1, 0),
        ("plain", 16, 0),
        ("a stream of 50 chunks", 1, 50),
        ("a stream of 50 chunks", 16, 50),
        ("a stream of 1,000 chunks", 1, 1000),
    ] {
        let (mut direct, mut routed) = (Sample::default(), Sample::default());
        for _ in 0..options.rounds {
            for (route, model, sample) in
                [("openai", "gpt-4o", &mut direct), ("v1", "openai/gpt-4o", &mut routed)]
            {
                let message = json!({"role": "user", "content": "hello"});
                let body = json!({"model": model, "stream": chunks > 0, "messages": [message]});
                let target = format!("/{route}/chat/completions");
                let simulate = if chunks > 0 { format!("chunks={chunks}") } else { String::new() };
                let load = Load {
                    client: gateway.client(),
                    connections,
                    seconds: options.seconds,
                    status: 200,
                };
                let draft =
                    || Client::post(&target, &body).key(&key).header("x-simulate", &simulate);
                sample.add(load.run(draft).await.context("routed")?);
            }
        }
        let row = RouteComparison { traffic, connections, direct, routed };
        print(&row);
        all.push(row);
    }
    Ok(all)
}

#[expect(clippy::print_stdout, reason = "the table is the command's output")]
fn print(row: &RouteComparison) {
    let RouteComparison { traffic, connections, direct, routed } = row;
    println!(
        "/v1: {traffic} x{connections}: {:.3} ms, routed {:.3} ms; throughput {:.2}, first byte {:.3} and {:.3} ms",
        direct.total(50),
        routed.total(50),
        routed.throughput() / direct.throughput(),
        direct.first_byte(50),
        routed.first_byte(50),
    );
}

/// Writes the table of the report.
pub(crate) fn write(page: &mut String, all: &[RouteComparison]) {
    page.push_str("\n## The cost of `/v1`\n\nRequests to `/v1`, as ratios to those to the provider's own route: one more instance, and one more read of\nthe store.\n\n| traffic | throughput | time | first byte ms | more |\n|---|---|---|---|---|\n");
    for RouteComparison { traffic, connections, direct, routed } in all {
        let _ = writeln!(
            page,
            "| {traffic} ×{connections} | {:.2} | {:.2} | {:.3} | {:.3} |",
            routed.throughput() / direct.throughput(),
            routed.total(50) / direct.total(50),
            routed.first_byte(50),
            routed.first_byte(50) - direct.first_byte(50),
        );
    }
}
