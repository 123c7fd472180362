//! The printed table: the numbers, and the gateway's ratios to the other targets.

use crate::load::Sample;

/// One line: a target in one scenario.
pub(crate) struct Row {
    pub(crate) scenario: &'static str,
    pub(crate) connections: usize,
    pub(crate) target: &'static str,
    pub(crate) sample: Sample,
}

/// The ratios of one target's measurements to another's.
pub(crate) struct Ratios {
    pub(crate) throughput: f64,
    /// Ratio of the medians.
    pub(crate) time: f64,
    pub(crate) first_byte: f64,
    /// Ratio of the 99th percentiles.
    slowest: f64,
}

impl Ratios {
    pub(crate) fn new(one: &Row, other: &Row) -> Self {
        let (one, other) = (&one.sample, &other.sample);
        Self {
            throughput: one.throughput() / other.throughput(),
            time: one.total(50) / other.total(50),
            first_byte: one.first_byte(50) / other.first_byte(50),
            slowest: one.total(99) / other.total(99),
        }
    }
}

/// Prints the lines of one scenario, and the ratios of the last one to the others.
#[expect(clippy::print_stdout, reason = "the table is the command's output")]
pub(crate) fn print(rows: &[Row; 4]) {
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
    let [direct, baseline, keyed, gateway] = rows;
    for other in [direct, baseline, keyed] {
        let ratios = Ratios::new(gateway, other);
        println!(
            "{:<22}{:>10.2}{:>10.2}{:>10.2}{:>12.2}",
            format!("  ratio to {}", other.target),
            ratios.throughput,
            ratios.time,
            ratios.slowest,
            ratios.first_byte,
        );
    }
}
