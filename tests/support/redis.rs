//! A Redis server for one test or benchmark.
#![expect(clippy::expect_used, reason = "nothing can be tested with a server that does not start")]

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::Config;

/// How long Redis may take to come up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A Redis server, which keeps its data when it is killed.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    folder: TempDir,
    fsync: &'static str,
    server: Child,
}

impl Redis {
    /// Starts a server that writes every change to disk immediately; returns `None` where `redis-server` is
    /// not installed.
    ///
    /// # Panics
    /// The server does not start.
    pub fn start() -> Option<Self> {
        Self::with_fsync("always")
    }

    /// Starts a server that writes to disk every second, as Redis does by default.
    ///
    /// # Panics
    /// The server does not start.
    pub fn start_relaxed() -> Option<Self> {
        Self::with_fsync("everysec")
    }

    fn with_fsync(fsync: &'static str) -> Option<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("a port").port();
        drop(listener);
        let folder = tempfile::tempdir().expect("a folder");
        let server = serve(port, folder.path(), fsync)?;
        Some(Self { port, folder, fsync, server })
    }

    /// Returns a configuration of an app that stores its keys in this server.
    ///
    /// # Panics
    /// The file cannot be written.
    pub fn config(&self) -> Config {
        let url = format!("redis://127.0.0.1:{}", self.port);
        let text = format!("[key_value_store.default]\ntype = \"redis\"\nurl = \"{url}\"\n");
        std::fs::write(self.file(), text).expect("the file can be written");
        Config::default().store(&self.file())
    }

    /// Returns the path of that configuration.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("runtime-config.toml")
    }

    /// Sets an option of the server while it runs.
    ///
    /// # Panics
    /// The server rejects it.
    pub fn configure(&self, option: &str, value: &str) {
        let port = self.port.to_string();
        let arguments = ["-p", &port, "config", "set", option, value];
        let status = Command::new("redis-cli").args(arguments).stdout(Stdio::null()).status();
        assert!(status.expect("redis-cli").success(), "{option} {value}");
    }

    /// Kills the server.
    ///
    /// # Panics
    /// The server has ended before.
    pub fn kill(&mut self) {
        self.server.kill().expect("a running server");
        self.server.wait().expect("a running server");
    }

    /// Starts the server again, with its data.
    ///
    /// # Panics
    /// The server does not start.
    pub fn restart(&mut self) {
        self.server = serve(self.port, self.folder.path(), self.fsync).expect("redis-server");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Starts the server and waits until it accepts connections.
fn serve(port: u16, folder: &Path, fsync: &str) -> Option<Child> {
    let port = port.to_string();
    let arguments = ["--port", &port, "--bind", "127.0.0.1", "--appendonly", "yes"];
    let mut server = Command::new("redis-server")
        .args(arguments)
        .args(["--appendfsync", fsync, "--save", "", "--dir"])
        .arg(folder)
        .stdout(Stdio::null())
        .spawn()
        .ok()?;
    let start = Instant::now();
    while TcpStream::connect(format!("127.0.0.1:{port}")).is_err() {
        assert!(server.try_wait().expect("a process").is_none(), "redis-server ended");
        assert!(start.elapsed() < PATIENCE, "redis-server does not accept connections");
        std::thread::yield_now();
    }
    Some(server)
}
