//! What stands for Redis in a build without it.

#![expect(clippy::unused_async, reason = "Redis needs it")]

use anyhow::{Result, bail};

/// A connection, which cannot be made.
#[derive(Clone)]
pub(crate) enum Server {}

impl Server {
    /// Reports that this build has no Redis.
    pub(crate) async fn connect(_url: &str) -> Result<Self> {
        bail!("this build of the embedded host has no Redis: build it with the feature `redis`")
    }

    /// Reads the value of `key`.
    pub(crate) async fn get(&self, _key: &str) -> Result<Option<Vec<u8>>> {
        match *self {}
    }

    /// Writes the value of `key`.
    pub(crate) async fn set(&self, _key: &str, _value: &[u8]) -> Result<()> {
        match *self {}
    }

    /// Deletes `key`.
    pub(crate) async fn delete(&self, _key: &str) -> Result<()> {
        match *self {}
    }

    /// Adds `delta` to the counter `key`.
    pub(crate) async fn increment(&self, _key: &str, _delta: i64) -> Result<i64> {
        match *self {}
    }

    /// Lists all keys.
    pub(crate) async fn keys(&self) -> Result<Vec<String>> {
        match *self {}
    }
}
