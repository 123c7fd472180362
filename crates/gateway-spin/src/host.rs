//! What the host provides: settings, clocks, randomness, and the log.

use std::cell::OnceCell;
use std::mem::ManuallyDrop;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gateway::error::Cause;
use gateway::http::cors::{self, Cors};
use gateway::keys::api_key::SECRET_BYTES;
use gateway::models::limited;
use gateway::{Error, Head, LimitedModels, Settings, Team};
use spin_sdk::variables;
use wasi::clocks::{monotonic_clock, wall_clock};

/// The component variable that holds all settings of a component.
const SETTINGS: &str = "settings";

/// Returns a handle that is never dropped. The host drops all handles of an instance when it ends, and to
/// drop one earlier is a host call.
pub(crate) fn kept<T>(handle: T) -> ManuallyDrop<T> {
    ManuallyDrop::new(handle)
}

/// The component's settings, read when they are first needed, with one host call.
#[derive(Default)]
pub(crate) struct OwnSettings(OnceCell<Settings>);

impl OwnSettings {
    /// Returns the settings.
    ///
    /// # Errors
    /// Those of reading the component's variable.
    pub(crate) fn get(&self) -> Result<&Settings, Error> {
        if let Some(settings) = self.0.get() {
            return Ok(settings);
        }
        let settings = variable(SETTINGS).map(Settings::from_lines)?;
        Ok(self.0.get_or_init(|| settings))
    }

    /// Returns the origin of the web page that sent a request, if the operator allows it. A request of
    /// any other client does without the host call.
    pub(crate) fn cors(&self, head: &Head) -> Option<Cors> {
        head.headers.get("origin")?;
        Cors::of(head, self.get().ok()?.get(cors::SETTING)?)
    }
}

/// Reads the models of limited teams. A request of any other team does without the host call.
pub(crate) fn limited_models(team: &Team) -> Result<LimitedModels, Error> {
    if !team.limited {
        return Ok(LimitedModels::default());
    }
    LimitedModels::parse(&model_setting(limited::SETTING)?)
}

/// Reads a setting about models, with one host call; empty if it is not set.
///
/// # Errors
/// [`Error::Configuration`] if the component has no variable of that name.
pub(crate) fn model_setting(name: &str) -> Result<String, Error> {
    let settings = variable(name).map(Settings::from_lines)?;
    Ok(settings.get(name).unwrap_or_default().to_owned())
}

/// Reads a variable that `spin.toml` gives the component.
fn variable(name: &str) -> Result<String, Error> {
    variables::get(name).map_err(|error| match error {
        variables::Error::Undefined(_) | variables::Error::InvalidName(_) => Error::Configuration(
            format!("variable {name} is not declared for this component in spin.toml"),
        ),
        variables::Error::Provider(text) | variables::Error::Other(text) => {
            Error::Internal(Cause(format!("cannot read {name}: {text}")))
        }
    })
}

/// Draws random bytes for a key, from the host's secure source.
pub(crate) fn random() -> [u8; SECRET_BYTES] {
    random_bytes()
}

/// Draws random bytes from the host's secure source, with one host call.
fn random_bytes<const N: usize>() -> [u8; N] {
    let mut drawn = [0; N];
    let bytes = wasi::random::random::get_random_bytes(N as u64);
    drawn.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
    drawn
}

/// Draws random bytes for the id of a request.
pub(crate) fn random_id() -> [u8; 16] {
    random_bytes()
}

/// Draws a random number, to choose among models.
pub(crate) fn random_number() -> u64 {
    wasi::random::random::get_random_u64()
}

/// Writes a log line. A log that cannot be written must not fail a request.
pub(crate) fn log(line: &str) {
    // WASI accepts 4096 bytes at a time.
    let stdout = kept(wasi::cli::stdout::get_stdout());
    for part in line.as_bytes().chunks(4096) {
        let _ = stdout.blocking_write_and_flush(part);
    }
}

/// A time of the host's monotonic clock. WASI's clocks are called directly, because the standard
/// library's would make a component some kilobytes larger.
#[derive(Clone, Copy)]
pub(crate) struct Instant(u64);

impl Instant {
    /// Returns the current time.
    pub(crate) fn now() -> Self {
        Self(monotonic_clock::now())
    }

    /// Returns the whole milliseconds since then.
    pub(crate) fn millis(self) -> u64 {
        self.micros() / 1000
    }

    /// Returns the whole microseconds since then.
    pub(crate) fn micros(self) -> u64 {
        monotonic_clock::now().saturating_sub(self.0) / 1000
    }
}

/// Returns the time of day.
pub(crate) fn time() -> SystemTime {
    let now = wall_clock::now();
    let since = Duration::from_secs(now.seconds)
        .saturating_add(Duration::from_nanos(now.nanoseconds.into()));
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}
