//! What the host knows: settings, time, randomness, and where log lines go.

use std::time::Instant;

use gateway::error::Cause;
use gateway::key::SECRET_BYTES;
use gateway::{Error, Settings};
use spin_sdk::variables;

/// The component variable that holds all settings of a component.
const SETTINGS: &str = "settings";

/// Reads the component's settings, with one call to the host.
pub(crate) fn settings() -> Result<Settings, Error> {
    match variables::get(SETTINGS) {
        Ok(lines) => Ok(Settings::from_lines(lines)),
        Err(variables::Error::Undefined(_) | variables::Error::InvalidName(_)) => {
            Err(Error::Configuration(format!("spin.toml gives no variable {SETTINGS}")))
        }
        Err(variables::Error::Provider(text) | variables::Error::Other(text)) => {
            Err(Error::Internal(Cause(format!("cannot read settings: {text}"))))
        }
    }
}

/// Random bytes for a key, from the host's secure source.
pub(crate) fn random() -> [u8; SECRET_BYTES] {
    let mut secret = [0; SECRET_BYTES];
    let bytes = wasi::random::random::get_random_bytes(SECRET_BYTES as u64);
    secret.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
    secret
}

/// Writes a log line. A log that cannot be written must not fail a request.
pub(crate) fn log(line: &str) {
    // WASI takes 4096 bytes at once.
    let stdout = wasi::cli::stdout::get_stdout();
    for part in line.as_bytes().chunks(4096) {
        let _ = stdout.blocking_write_and_flush(part);
    }
}

/// Whole milliseconds since `start`.
pub(crate) fn millis_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
