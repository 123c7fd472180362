//! The key-value store in SQLite, in Spin's own table layout, so that both hosts can use one file.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _};

/// The label of the store, which is part of every row's key.
const LABEL: &str = "default";

/// How long an operation waits for another process that has locked the file.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(10);

/// An open database file.
#[derive(Clone)]
pub(crate) struct Database(Arc<Mutex<Connection>>);

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
        // SQLite would wait in the thread that serves other requests; `run` waits elsewhere.
        connection.busy_timeout(Duration::ZERO)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Reads the value of `key`.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let key = key.to_owned();
        self.run(move |connection| read(connection, &key)).await
    }

    /// Writes the value of `key`.
    pub(crate) async fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.run(move |connection| write(connection, &key, &value)).await
    }

    /// Deletes `key`, if it exists.
    pub(crate) async fn delete(&self, key: &str) -> Result<()> {
        let key = key.to_owned();
        self.run(move |connection| {
            let mut statement = connection
                .prepare_cached("DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2")?;
            statement.execute([LABEL, &key]).map(drop)
        })
        .await
    }

    /// Lists all keys.
    pub(crate) async fn keys(&self) -> Result<Vec<String>> {
        self.run(|connection| {
            let mut query =
                connection.prepare_cached("SELECT key FROM spin_key_value WHERE store = ?1")?;
            let keys = query.query_map([LABEL], |row| row.get(0))?;
            keys.collect()
        })
        .await
    }

    /// Adds `delta` to the counter `key` and returns its new value. As in Spin, it is stored as eight
    /// bytes, the lowest first.
    pub(crate) async fn increment(&self, key: &str, delta: i64) -> Result<i64> {
        let key = key.to_owned();
        self.run(move |connection| {
            let transaction = connection.unchecked_transaction()?;
            let stored = read(&transaction, &key)?.map_or(Ok(0), count)?;
            let count = stored.wrapping_add(delta);
            write(&transaction, &key, &count.to_le_bytes())?;
            transaction.commit()?;
            Ok(count)
        })
        .await
    }

    /// Runs `operation`, here if the file is free. Otherwise it waits for it in a thread of its own, so
    /// that requests that need no store are served meanwhile.
    async fn run<T: Send + 'static>(
        &self,
        operation: impl Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        if let Ok(connection) = self.0.try_lock() {
            match operation(&connection) {
                Err(error) if is_locked(&error) => {}
                done => return Ok(done?),
            }
        }
        let connection = self.0.clone();
        let wait = move || {
            let start = Instant::now();
            loop {
                // A poisoned lock is used all the same: statements are atomic, so a panic elsewhere
                // cannot leave a partial change.
                let done = operation(&connection.lock().unwrap_or_else(PoisonError::into_inner));
                match done {
                    Err(error) if is_locked(&error) && start.elapsed() < PATIENCE => {}
                    done => return done,
                }
                std::thread::sleep(PAUSE);
            }
        };
        Ok(tokio::task::spawn_blocking(wait).await??)
    }
}

/// Checks whether another process has locked the file.
fn is_locked(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Reads the value of a counter.
fn count(stored: Vec<u8>) -> rusqlite::Result<i64> {
    let length = stored.len();
    let bytes = stored.try_into();
    bytes.map(i64::from_le_bytes).map_err(|_| {
        rusqlite::Error::InvalidColumnType(
            0,
            format!("the counter has {length} bytes"),
            rusqlite::types::Type::Blob,
        )
    })
}

fn read(connection: &Connection, key: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut query = connection
        .prepare_cached("SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2")?;
    query.query_row([LABEL, key], |row| row.get(0)).optional()
}

fn write(connection: &Connection, key: &str, value: &[u8]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
         ON CONFLICT (store, key) DO UPDATE SET value = excluded.value",
    )?;
    statement.execute((LABEL, key, value)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn increment_adds_to_counters_only() {
        let database = Database::open(Path::new(":memory:")).unwrap();
        assert_eq!(database.increment("count", 2).await.unwrap(), 2);
        assert_eq!(database.increment("count", -3).await.unwrap(), -1);
        database.set("text", b"abc").await.unwrap();
        let error = database.increment("text", 1).await.unwrap_err();
        assert!(error.to_string().contains("3 bytes"), "{error}");
        assert_eq!(database.get("text").await.unwrap().unwrap(), b"abc");
    }
}
