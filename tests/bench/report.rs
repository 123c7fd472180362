//! `docs/benchmarks.md`: the ratios, the numbers, and the conditions they were measured under.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use support::root;

use crate::facts::Facts;
use crate::table::Ratios;
use crate::{Measured, Options, chart, counting, environment, routed};

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

Written by `cargo xtask bench --report`. All numbers are from one run.

Four paths to the same simulated AI Gateway are compared: **direct**, a bare pass-through component (the
**baseline**), the same with one read of the store and one log line, which any gateway with keys needs
(**keyed**), and the **gateway**, which adds keys, policy, headers and a log. These components run on
the embedded host, which is not Spin. Client, host and upstream share the cores of one machine, so ratios
are more meaningful than absolute numbers: a provider behind a real network takes hundreds of milliseconds,
and the gateway adds the difference between its line and *direct* under Numbers.

![Throughput and latency relative to a pass-through component with one read and one log line](benchmarks.svg)
";

fn page(options: &Options, facts: &Facts, all: &[Measured]) -> String {
    let mut page = INTRODUCTION.to_owned();
    let Options { seconds, rounds, .. } = options;
    let _ = writeln!(
        page,
        "\nMeasured on {}; {}; {rounds} rounds of {seconds} s each.",
        facts.machine, facts.versions
    );
    page.push_str(
        "\n## Ratios\n\n`×16` means sixteen concurrent connections. Times are medians.\n\n",
    );
    page.push_str("| traffic | throughput / keyed | time / keyed | first byte / keyed | throughput / baseline | time / baseline | throughput / direct | time / direct |\n");
    page.push_str("|---|---|---|---|---|---|---|---|\n");
    for measured in all {
        ratios(&mut page, measured);
    }
    page.push_str("\nFor Bedrock, the baselines are sent a Converse body and forward it and the frames of the response; the\ngateway creates and signs that body and translates each frame.\n");
    page.push_str("\n## Numbers\n\n| traffic | path | requests/s | p50 ms | p99 ms | first byte p50 ms |\n|---|---|---|---|---|---|\n");
    for measured in all {
        numbers(&mut page, measured);
    }
    counting::write(&mut page, &facts.counting);
    routed::write(&mut page, &facts.routed);
    environment::write(&mut page, &facts.environment);
    stages(&mut page, facts, all);
    rest(&mut page, facts);
    page
}

/// Returns the title of the scenario, with the number of connections.
pub(crate) fn title(measured: &Measured) -> String {
    let scenario = &measured.scenario;
    format!("{} ×{}", scenario.title, scenario.connections)
}

fn ratios(page: &mut String, measured: &Measured) {
    let [direct, baseline, keyed, gateway] = &measured.rows;
    let [by_keyed, by_baseline, by_direct] =
        [keyed, baseline, direct].map(|other| Ratios::new(gateway, other));
    let _ = writeln!(
        page,
        "| {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
        title(measured),
        by_keyed.throughput,
        by_keyed.time,
        by_keyed.first_byte,
        by_baseline.throughput,
        by_baseline.time,
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

/// Writes the requests that end at later and later stages: the difference between two lines is the
/// cost of the stage between them.
fn stages(page: &mut String, facts: &Facts, all: &[Measured]) {
    let Some(Measured { rows: [direct, baseline, keyed, gateway], .. }) = all.first() else {
        return;
    };
    page.push_str("\n## Where the time goes\n\nMedian times over one connection, of requests that end at later and later stages. The first line is the\ncost of starting an instance; the difference between two lines is the cost of the stage between them.\n\n| the request ends with | ms | difference |\n|---|---|---|\n");
    let whole =
        ("a response: the request to the upstream, and its response", gateway.sample.total(50));
    let mut before = 0.0;
    for (name, millis) in facts.stages.iter().copied().chain([whole]) {
        let _ = writeln!(page, "| {name} | {millis:.3} | {:.3} |", millis - before);
        before = millis;
    }
    let _ = writeln!(
        page,
        "\nThe same request takes {:.3} ms through the keyed component, {:.3} ms through the baseline and {:.3} ms\ndirectly.",
        keyed.sample.total(50),
        baseline.sample.total(50),
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
            "\nThe process, which runs client, host and upstream, uses {} MB when the components are compiled, and\npeaks at {} MB with 64 open streams, after all the traffic above that line in the tables.",
            idle / 1_000_000,
            streaming / 1_000_000
        );
    }
}
