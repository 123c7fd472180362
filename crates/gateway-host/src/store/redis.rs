//! Redis, as Spin uses it: keys as they are, without a prefix.

use anyhow::{Context as _, Result};
use redis::AsyncCommands as _;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

/// A connection that is made anew when it breaks.
#[derive(Clone)]
pub(crate) struct Server(ConnectionManager);

/// Attempts to connect again before an operation fails: a client hears of an outage at once.
const RETRIES: usize = 1;

impl Server {
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        let client = redis::Client::open(url).context("the Redis URL is not valid")?;
        let config = ConnectionManagerConfig::new().set_number_of_retries(RETRIES);
        let manager = ConnectionManager::new_with_config(client, config).await;
        Ok(Self(manager.context("Redis does not answer")?))
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.0.clone().get(key).await?)
    }

    pub(crate) async fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        Ok(self.0.clone().set(key, value).await?)
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<()> {
        Ok(self.0.clone().del(key).await?)
    }

    pub(crate) async fn keys(&self) -> Result<Vec<String>> {
        Ok(self.0.clone().keys("*").await?)
    }
}
