//! SQLite in Spin's own table layout, so both hosts read the same file.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use rusqlite::{Connection, OptionalExtension as _};

/// The store label, part of every row's key.
const LABEL: &str = "default";

pub(crate) struct Database(Mutex<Connection>);

impl Database {
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

    pub(crate) fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let connection = self.lock();
        let mut query = connection
            .prepare_cached("SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2")?;
        Ok(query.query_row([LABEL, key], |row| row.get(0)).optional()?)
    }

    pub(crate) fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        self.lock().execute(
            "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
             ON CONFLICT (store, key) DO UPDATE SET value = excluded.value",
            (LABEL, key, value),
        )?;
        Ok(())
    }

    pub(crate) fn delete(&self, key: &str) -> Result<()> {
        self.lock()
            .execute("DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2", [LABEL, key])?;
        Ok(())
    }

    pub(crate) fn keys(&self) -> Result<Vec<String>> {
        let connection = self.lock();
        let mut query =
            connection.prepare_cached("SELECT key FROM spin_key_value WHERE store = ?1")?;
        let keys = query.query_map([LABEL], |row| row.get(0))?;
        Ok(keys.collect::<Result<_, _>>()?)
    }

    /// A statement is whole or not at all, so a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
