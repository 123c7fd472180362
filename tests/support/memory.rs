//! What the process holds: client, embedded host and simulated upstream together.

use std::time::Duration;

/// Bytes of memory in use; `None` where the system does not tell as Linux does.
pub fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// What `work` comes to, and the most that was in use meanwhile.
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
