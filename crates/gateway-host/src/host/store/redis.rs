//! The key-value store in Redis. As in Spin, keys are stored without a prefix.

use anyhow::{Context as _, Result};
use redis::AsyncCommands as _;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

/// A connection that is restored when it breaks.
#[derive(Clone)]
pub(crate) struct Server(ConnectionManager);

/// Attempts to reconnect before an operation fails. With a single one, an outage is reported to the
/// client immediately.
const RETRIES: usize = 1;

impl Server {
    /// Connects to the server at `url`.
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        let client = redis::Client::open(url).context("the Redis URL is not valid")?;
        let config = ConnectionManagerConfig::new().set_number_of_retries(RETRIES);
        let manager = ConnectionManager::new_with_config(client, config).await;
        Ok(Self(manager.context("cannot connect to Redis")?))
    }

    /// Reads the value of `key`.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.0.clone().get(key).await?)
    }

    /// Writes the value of `key`.
    pub(crate) async fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        Ok(self.0.clone().set(key, value).await?)
    }

    /// Deletes `key`, if it exists.
    pub(crate) async fn delete(&self, key: &str) -> Result<()> {
        Ok(self.0.clone().del(key).await?)
    }

    /// Adds `delta` to the counter `key` and returns its new value. Redis stores it as decimal digits.
    pub(crate) async fn increment(&self, key: &str, delta: i64) -> Result<i64> {
        Ok(self.0.clone().incr(key, delta).await?)
    }

    /// Lists all keys.
    pub(crate) async fn keys(&self) -> Result<Vec<String>> {
        Ok(self.0.clone().keys("*").await?)
    }
}
