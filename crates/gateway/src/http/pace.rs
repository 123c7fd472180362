//! How fast a request's body must arrive. Until it is there, it occupies one of the host's instances.

/// Milliseconds that any body may take.
const GRACE_MS: u64 = 20_000;

/// The minimum rate after that, in bytes per millisecond.
const MIN_BYTES_PER_MS: u64 = 16;

/// Milliseconds that no body may exceed: ten minutes.
const TOTAL_MS: u64 = 600_000;

/// How many chunks a body may have of any length. Each costs the host and the instance about as much
/// time as a thousand bytes do.
const FREE_CHUNKS: u64 = 4096;

/// The minimum mean length of the chunks beyond these, in bytes.
const MIN_CHUNK: u64 = 128;

/// What has arrived of a body.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    bytes: u64,
    chunks: u64,
}

impl Pace {
    /// Notes that a chunk of so many `bytes` has arrived.
    pub fn note(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.chunks += 1;
    }

    /// Checks whether more of the body is awaited after so many `millis` of waiting for it.
    pub fn is_sufficient(&self, millis: u64) -> bool {
        millis < TOTAL_MS.min(GRACE_MS + self.bytes / MIN_BYTES_PER_MS)
            && self.chunks <= FREE_CHUNKS + self.bytes / MIN_CHUNK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the pace of a body that arrived in chunks of this length.
    fn pace(chunks: u64, length: u64) -> Pace {
        Pace { bytes: chunks * length, chunks }
    }

    #[test]
    fn is_sufficient_bounds_time_and_chunks() {
        for (pace, millis, expected) in [
            (pace(0, 0), 19_999, true),
            (pace(0, 0), 20_000, false),
            (pace(1, 16_000), 20_999, true),
            (pace(1, 16_000), 21_000, false),
            (pace(1, 1 << 30), 599_999, true),
            (pace(1, 1 << 30), 600_000, false),
            (pace(4096, 1), 0, true),
            (pace(5000, 1), 0, false),
            (pace(100_000, 128), 0, true),
            (pace(100_000, 100), 0, false),
        ] {
            assert_eq!(pace.is_sufficient(millis), expected, "{pace:?} {millis}");
        }
    }

    #[test]
    fn note_counts_bytes_and_chunks() {
        let mut noted = Pace::default();
        (0..4200).for_each(|_| noted.note(1));
        assert!(!noted.is_sufficient(0));
        noted.note(20_000);
        assert!(noted.is_sufficient(0));
    }
}
