//! `docs/benchmarks.md`: ratios first, then the numbers, and what they were measured on.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use support::root;

use crate::facts::Facts;
use crate::table::Ratios;
use crate::{Measured, Options, chart};

/// Writes the page and its chart.
pub(crate) fn write(options: &Options, facts: &Facts, all: &[Measured]) -> Result<()> {
    for (file, text) in [
        ("docs/benchmarks.md", page(options, facts, all)),
        ("docs/benchmarks.svg", chart::draw(all)),
    ] {
        std::fs::write(root().join(file), text).with_context(|| format!("cannot write {file}"))?;
    }
    Ok(())
}

const INTRODUCTION: &str = "# Benchmarks

Written by `cargo xtask bench --report`; what is here was measured in one run.

Three ways lead to the same simulated AI Gateway: **direct**; through the **floor**, a bare guest that
passes a request on and looks at nothing; and through the **gateway**, with key, policy, headers and log.
Floor and gateway run on the embedded host, which is not Spin. Client, host and upstream share the
cores, so that a ratio says more than a number: a provider behind a real network takes hundreds of
milliseconds, to which the gateway adds what lies between its line and *direct* under Numbers.

![The gateway's throughput and time as shares of the floor's](benchmarks.svg)
";

fn page(options: &Options, facts: &Facts, all: &[Measured]) -> String {
    let mut page = INTRODUCTION.to_owned();
    let Options { seconds, rounds, .. } = options;
    let _ = writeln!(
        page,
        "\nOn {}; {}. {rounds} rounds of {seconds} s each.",
        facts.machine, facts.versions
    );
    page.push_str("\n## Ratios\n\n`×16`: over sixteen connections at once. Times are medians.\n\n");
    page.push_str("| traffic | throughput to floor | time to floor | first byte to floor | throughput to direct | time to direct |\n");
    page.push_str("|---|---|---|---|---|---|\n");
    for measured in all {
        ratios(&mut page, measured);
    }
    page.push_str("\nThe floor of Bedrock's lines sends Converse's own body and passes its frames on; the gateway\nmakes that body, signs it, and translates each frame.\n");
    page.push_str("\n## Numbers\n\n| traffic | way | requests/s | p50 ms | p99 ms | first byte p50 ms |\n|---|---|---|---|---|---|\n");
    for measured in all {
        numbers(&mut page, measured);
    }
    stages(&mut page, facts, all);
    rest(&mut page, facts);
    page
}

/// Its title, and over how many connections.
pub(crate) fn title(measured: &Measured) -> String {
    let scenario = &measured.scenario;
    format!("{} ×{}", scenario.title, scenario.connections)
}

fn ratios(page: &mut String, measured: &Measured) {
    let [direct, floor, gateway] = &measured.rows;
    let [by_floor, by_direct] = [floor, direct].map(|other| Ratios::new(gateway, other));
    let _ = writeln!(
        page,
        "| {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
        title(measured),
        by_floor.throughput,
        by_floor.time,
        by_floor.first_byte,
        by_direct.throughput,
        by_direct.time,
    );
}

fn numbers(page: &mut String, measured: &Measured) {
    for row in &measured.rows {
        let sample = &row.sample;
        let _ = writeln!(
            page,
            "| {} | {} | {:.0} | {:.3} | {:.3} | {:.3} |",
            title(measured),
            row.target,
            sample.throughput(),
            sample.total(50),
            sample.total(99),
            sample.first_byte(50),
        );
    }
}

/// Requests that end ever later: what lies between two lines is what that part of the way costs.
fn stages(page: &mut String, facts: &Facts, all: &[Measured]) {
    let Some(Measured { rows: [direct, floor, gateway], .. }) = all.first() else {
        return;
    };
    page.push_str("\n## Where the time goes\n\nMedian over one connection, of requests that end ever later on their way. The first line is what an\ninstance costs to start; the difference of two lines is what the part between them costs.\n\n| the request ends at | ms | more than before |\n|---|---|---|\n");
    let whole = ("its end: the request upstream, and its answer", gateway.sample.total(50));
    let mut before = 0.0;
    for (name, millis) in facts.stages.iter().copied().chain([whole]) {
        let _ = writeln!(page, "| {name} | {millis:.3} | {:.3} |", millis - before);
        before = millis;
    }
    let _ = writeln!(
        page,
        "\nThe same request takes {:.3} ms through the floor, and {:.3} ms directly.",
        floor.sample.total(50),
        direct.sample.total(50)
    );
}

fn rest(page: &mut String, facts: &Facts) {
    page.push_str("\n## Sizes and memory\n\n| component | bytes of wasm |\n|---|---|\n");
    for (name, bytes) in &facts.sizes {
        let _ = writeln!(page, "| {name} | {bytes} |");
    }
    if let (Some(idle), Some(streaming)) = (facts.idle, facts.streaming) {
        let _ = writeln!(
            page,
            "\nThe process, with client, host and upstream in it, holds {} MB when the components are compiled, and\n{} MB at its largest in the run of 64 streams, after all the traffic above it in the tables.",
            idle / 1_000_000,
            streaming / 1_000_000
        );
    }
}
