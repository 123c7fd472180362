//! The table that is printed: numbers, and the gateway's ratios to the other two.

use crate::load::Sample;

/// One line: a target under one kind of traffic.
pub(crate) struct Row {
    pub(crate) scenario: &'static str,
    pub(crate) connections: usize,
    pub(crate) target: &'static str,
    pub(crate) sample: Sample,
}

/// Prints the lines of one scenario; the last one is compared with each of the others.
#[expect(clippy::print_stdout, reason = "the table is the command's output")]
pub(crate) fn print(rows: &[Row]) {
    println!("\n{:<22}{:>10}{:>10}{:>10}{:>12}", "", "req/s", "p50 ms", "p99 ms", "first byte");
    for row in rows {
        let name = format!("{} x{} {}", row.scenario, row.connections, row.target);
        let sample = &row.sample;
        println!(
            "{name:<22}{:>10.0}{:>10.3}{:>10.3}{:>12.3}",
            sample.throughput(),
            sample.total(50),
            sample.total(99),
            sample.first_byte(50),
        );
    }
    let Some((gateway, others)) = rows.split_last() else {
        return;
    };
    for other in others {
        println!(
            "{:<22}{:>10.2}{:>10.2}{:>10.2}{:>12.2}",
            format!("  ratio to {}", other.target),
            gateway.sample.throughput() / other.sample.throughput(),
            gateway.sample.total(50) / other.sample.total(50),
            gateway.sample.total(99) / other.sample.total(99),
            gateway.sample.first_byte(50) / other.sample.first_byte(50),
        );
    }
}
