//! The key-value store in SQLite, in Spin's own table layout, so that both hosts can use one file.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use rusqlite::{Connection, OptionalExtension as _};

/// The label of the store, which is part of every row's key.
const LABEL: &str = "default";

/// An open database file.
pub(crate) struct Database(Mutex<Connection>);

impl Database {
    /// Opens the file at `path`, and creates it and its table if necessary.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let connection = Connection::open(path)?;
        connection.execute(
            "CREATE TABLE IF NOT EXISTS spin_key_value (
                store TEXT NOT NULL,
                key   TEXT NOT NULL,
                value BLOB NOT NULL,
                PRIMARY KEY (store, key)
            )",
            [],
        )?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Reads the value of `key`.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let connection = self.lock();
        let mut query = connection
            .prepare_cached("SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2")?;
        Ok(query.query_row([LABEL, key], |row| row.get(0)).optional()?)
    }

    /// Writes the value of `key`.
    pub(crate) fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        self.lock().execute(
            "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
             ON CONFLICT (store, key) DO UPDATE SET value = excluded.value",
            (LABEL, key, value),
        )?;
        Ok(())
    }

    /// Deletes `key`, if it exists.
    pub(crate) fn delete(&self, key: &str) -> Result<()> {
        self.lock()
            .execute("DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2", [LABEL, key])?;
        Ok(())
    }

    /// Lists all keys.
    pub(crate) fn keys(&self) -> Result<Vec<String>> {
        let connection = self.lock();
        let mut query =
            connection.prepare_cached("SELECT key FROM spin_key_value WHERE store = ?1")?;
        let keys = query.query_map([LABEL], |row| row.get(0))?;
        Ok(keys.collect::<Result<_, _>>()?)
    }

    /// Locks the connection. A poisoned lock is used all the same: statements are atomic, so a
    /// panic elsewhere cannot leave a partial change.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
