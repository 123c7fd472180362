//! Counts, times and errors of the requests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::traffic::Kind;

/// The columns of the report.
pub(crate) const HEADLINE: &str =
    "   time  requests  errors      stream first byte ms          plain ms      memory MB
                                  p50      p99      max      p50      p99";

/// The counts of all lanes.
#[derive(Default)]
pub(crate) struct Tally(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    now: BTreeMap<Kind, Times>,
    all: BTreeMap<Kind, Times>,
    bytes: u64,
    errors: Vec<String>,
}

/// Microseconds to the first byte and to the end.
struct Times {
    first: Histogram<u64>,
    total: Histogram<u64>,
}

impl Default for Times {
    #[expect(clippy::expect_used, reason = "three digits are a precision that histograms have")]
    fn default() -> Self {
        let histogram = || Histogram::new(3).expect("a precision");
        Self { first: histogram(), total: histogram() }
    }
}

impl Times {
    fn record(&mut self, first: Duration, total: Duration) {
        for (histogram, time) in [(&mut self.first, first), (&mut self.total, total)] {
            let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
            // The histogram resizes itself, so recording does not fail in practice.
            let _ = histogram.record(micros);
        }
    }
}

impl Tally {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a successful request.
    pub(crate) fn note(&self, kind: Kind, first: Duration, total: Duration, bytes: usize) {
        let mut counts = self.counts();
        counts.bytes += bytes as u64;
        counts.now.entry(kind).or_default().record(first, total);
        counts.all.entry(kind).or_default().record(first, total);
    }

    /// Records a failed request.
    pub(crate) fn note_error(&self, kind: Kind, error: &anyhow::Error) {
        self.counts().errors.push(format!("{kind:?}: {error:#}"));
    }

    pub(crate) fn errors(&self) -> Vec<String> {
        self.counts().errors.clone()
    }

    /// Returns a line of the report on the requests since the last line.
    pub(crate) fn interval(&self, at: Duration, memory: Option<u64>) -> String {
        let mut counts = self.counts();
        let now = std::mem::take(&mut counts.now);
        let requests: u64 = now.values().map(|times| times.total.len()).sum();
        let empty = Times::default();
        let streams = &now.get(&Kind::Stream).unwrap_or(&empty).first;
        let plain = &now.get(&Kind::Plain).unwrap_or(&empty).total;
        let columns = [
            quantile(streams, 0.5),
            quantile(streams, 0.99),
            quantile(streams, 1.0),
            quantile(plain, 0.5),
            quantile(plain, 0.99),
        ];
        let columns = columns.map(|time| format!("{time:>8.2}")).join(" ");
        let (seconds, errors) = (at.as_secs(), counts.errors.len());
        format!(
            "{seconds:>5} s  {requests:>8}  {errors:>6}  {columns}  {:>11}\n",
            megabytes(memory)
        )
    }

    /// Returns the summary of the whole run.
    pub(crate) fn summary(
        &self,
        before: Option<u64>,
        settled: Option<u64>,
        last: Option<u64>,
    ) -> String {
        let counts = self.counts();
        let mut text =
            "\n            requests   first byte ms p50 / p99 / max     total ms p50 / p99 / max\n"
                .to_owned();
        for (kind, times) in &counts.all {
            let name = format!("{kind:?}").to_lowercase();
            let (first, total) = (spread(&times.first), spread(&times.total));
            let _ = writeln!(text, "{name:<10}{:>10} {first:>31} {total:>28}", times.total.len());
        }
        let memory = [before, settled, last].map(megabytes).join(" -> ");
        let _ = writeln!(text, "\nbytes of response bodies: {}", counts.bytes);
        let _ = writeln!(
            text,
            "memory in MB at the start, after a quarter of the time, and at the end: {memory}"
        );
        let _ = writeln!(text, "errors: {}", counts.errors.len());
        text
    }
}

fn spread(times: &Histogram<u64>) -> String {
    [0.5, 0.99, 1.0].map(|share| format!("{:.2}", quantile(times, share))).join(" / ")
}

/// Returns a quantile in milliseconds.
fn quantile(times: &Histogram<u64>, share: f64) -> f64 {
    let micros = u32::try_from(times.value_at_quantile(share)).unwrap_or(u32::MAX);
    f64::from(micros) / 1000.0
}

fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "unknown".to_owned(), |bytes| (bytes / 1_000_000).to_string())
}
