//! The cost of the one base URL: requests to `/v1` against those to the provider's own route.

use std::fmt::Write as _;

use anyhow::Result;
use support::App;

use crate::Options;
use crate::load::{COMPARED, Sample, Traffic};

/// The comparison of one kind of traffic.
pub(crate) struct RouteComparison {
    traffic: &'static Traffic,
    direct: Sample,
    routed: Sample,
}

/// Measures both routes in turn.
pub(crate) async fn measure(options: &Options, gateway: &App) -> Result<Vec<RouteComparison>> {
    let key = gateway.key("bench").await?;
    let mut all = Vec::new();
    for traffic in &COMPARED {
        let (mut direct, mut routed) = (Sample::default(), Sample::default());
        for _ in 0..options.rounds {
            direct.add(traffic.send(options, gateway, &key, "openai", "gpt-4o").await?);
            routed.add(traffic.send(options, gateway, &key, "v1", "openai/gpt-4o").await?);
        }
        let row = RouteComparison { traffic, direct, routed };
        print(&row);
        all.push(row);
    }
    Ok(all)
}

#[expect(clippy::print_stdout, reason = "the table is the command's output")]
fn print(row: &RouteComparison) {
    let RouteComparison { traffic, direct, routed } = row;
    let Traffic { name, connections, .. } = traffic;
    println!(
        "/v1: {name} x{connections}: {:.3} ms, routed {:.3} ms; throughput {:.2}, first byte {:.3} and {:.3} ms",
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
    for RouteComparison { traffic, direct, routed } in all {
        let Traffic { name, connections, .. } = traffic;
        let _ = writeln!(
            page,
            "| {name} ×{connections} | {:.2} | {:.2} | {:.3} | {:.3} |",
            routed.throughput() / direct.throughput(),
            routed.total(50) / direct.total(50),
            routed.first_byte(50),
            routed.first_byte(50) - direct.first_byte(50),
        );
    }
}
