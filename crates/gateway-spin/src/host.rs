//! What the host knows: settings, time, randomness, and where log lines go.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gateway::error::Cause;
use gateway::key::SECRET_BYTES;
use gateway::{Error, LimitedModels, Settings, Team, policy};
use spin_sdk::variables;
use wasi::clocks::{monotonic_clock, wall_clock};

/// The component variable that holds all settings of a component.
const SETTINGS: &str = "settings";

/// Reads the component's settings, with one call to the host.
pub(crate) fn settings() -> Result<Settings, Error> {
    variable(SETTINGS).map(Settings::from_lines)
}

/// The models of limited teams. No other team's request reads them.
pub(crate) fn limited_models(team: &Team) -> Result<LimitedModels, Error> {
    if !team.limited {
        return Ok(LimitedModels::default());
    }
    LimitedModels::parse(&variable(policy::SETTING)?)
}

/// Reads a variable that `spin.toml` gives the component.
pub(crate) fn variable(name: &str) -> Result<String, Error> {
    variables::get(name).map_err(|error| match error {
        variables::Error::Undefined(_) | variables::Error::InvalidName(_) => {
            Error::Configuration(format!("spin.toml gives no variable {name}"))
        }
        variables::Error::Provider(text) | variables::Error::Other(text) => {
            Error::Internal(Cause(format!("cannot read {name}: {text}")))
        }
    })
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

/// A moment of the host's steady clock. WASI's clocks are read without the standard library's way
/// round, which would make a component some kilobytes larger.
#[derive(Clone, Copy)]
pub(crate) struct Moment(u64);

impl Moment {
    pub(crate) fn now() -> Self {
        Self(monotonic_clock::now())
    }

    /// Whole milliseconds since then.
    pub(crate) fn millis(self) -> u64 {
        monotonic_clock::now().saturating_sub(self.0) / 1_000_000
    }
}

/// What time it is.
pub(crate) fn time() -> SystemTime {
    let now = wall_clock::now();
    let since = Duration::from_secs(now.seconds)
        .saturating_add(Duration::from_nanos(now.nanoseconds.into()));
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}
