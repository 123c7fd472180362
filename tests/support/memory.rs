//! The memory of the process, which runs client, embedded host and simulated upstream.

use std::time::Duration;

/// Returns the bytes of memory in use, or `None` on systems without Linux's `/proc`.
pub fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Runs `work` and returns its output, and the peak of the memory in use during it.
pub async fn peak_during<T>(work: impl Future<Output = T>) -> (T, Option<u64>) {
    tokio::pin!(work);
    let mut peak = resident();
    loop {
        tokio::select! {
            outcome = &mut work => return (outcome, peak),
            () = tokio::time::sleep(Duration::from_millis(100)) => peak = peak.max(resident()),
        }
    }
}
