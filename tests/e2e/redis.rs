//! Keys that two gateways share in a real Redis, and an outage of that Redis.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::{App, Client, Config, Response, run};
use tempfile::TempDir;

/// How long Redis may take to come up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A Redis server for one test, which keeps its data when it is killed.
pub(crate) struct Redis {
    port: u16,
    folder: TempDir,
    server: Child,
}

impl Redis {
    /// Starts a server; returns `None` where `redis-server` is not installed.
    pub(crate) fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let server = serve(port, folder.path())?;
        Some(Self { port, folder, server })
    }

    /// Returns a configuration of an app that stores its keys in this server.
    pub(crate) fn config(&self) -> Config {
        let path = self.folder.path().join("runtime-config.toml");
        let url = format!("redis://127.0.0.1:{}", self.port);
        let text = format!("[key_value_store.default]\ntype = \"redis\"\nurl = \"{url}\"\n");
        std::fs::write(&path, text).unwrap();
        Config::default().store(&path)
    }

    /// Returns the path of that configuration.
    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("runtime-config.toml")
    }

    fn kill(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    fn restart(&mut self) {
        self.server = serve(self.port, self.folder.path()).unwrap();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts the server and waits until it accepts connections.
fn serve(port: u16, folder: &Path) -> Option<Child> {
    let port = port.to_string();
    let arguments = ["--port", &port, "--bind", "127.0.0.1", "--appendonly", "yes"];
    let mut server = Command::new("redis-server")
        .args(arguments)
        .args(["--appendfsync", "always", "--save", "", "--dir"])
        .arg(folder)
        .stdout(Stdio::null())
        .spawn()
        .ok()?;
    let start = Instant::now();
    while std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_err() {
        assert!(server.try_wait().unwrap().is_none(), "redis-server ended");
        assert!(start.elapsed() < PATIENCE, "redis-server does not accept connections");
        std::thread::yield_now();
    }
    Some(server)
}

async fn models(app: &App, key: &str) -> Response {
    app.client().send(Client::request("GET", "/openai/models").key(key)).await.unwrap()
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test must be visible in the output")]
fn gateways_share_keys_and_a_store_outage_is_503_until_it_ends() {
    let Some(mut redis) = Redis::start() else {
        eprintln!("skipped: redis-server is not installed");
        return;
    };
    run(async {
        let one = App::start(redis.config()).await.unwrap();
        let other = App::start(redis.config()).await.unwrap();
        let created = one.create("blue").await.unwrap();
        let key = created["apiKey"].as_str().unwrap();
        let kept = one.key("red").await.unwrap();
        assert_eq!(models(&other, key).await.status, 200);

        let target = format!("/tokens/{}", created["id"].as_str().unwrap());
        assert_eq!(
            other.admin("GET", "/tokens", "").await.unwrap().json()["data"]
                .as_array()
                .unwrap()
                .len(),
            2
        );
        assert_eq!(one.admin("DELETE", &target, "").await.unwrap().status, 204);
        assert_eq!(models(&other, key).await.status, 401);

        redis.kill();
        for app in [&one, &other] {
            let response = models(app, &kept).await;
            assert_eq!((response.status, response.code().as_str()), (503, "store_unavailable"));
            assert_eq!(response.headers["retry-after"], "1");
        }

        redis.restart();
        for app in [&one, &other] {
            // A request opens the connection again, and that request may still find the old one broken.
            let start = Instant::now();
            while models(app, &kept).await.status != 200 {
                assert!(start.elapsed() < PATIENCE, "the store does not recover");
            }
        }
        assert_eq!(models(&one, key).await.status, 401);
    });
}

/// Sets an option of the server while it runs.
pub(crate) fn configure(redis: &Redis, option: &str, value: &str) {
    let port = redis.port.to_string();
    let arguments = ["-p", &port, "config", "set", option, value];
    assert!(Command::new("redis-cli").args(arguments).status().unwrap().success());
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test must be visible in the output")]
fn requests_at_once_to_two_gateways_create_and_rotate_one_key() {
    let Some(redis) = Redis::start() else {
        eprintln!("skipped: redis-server is not installed");
        return;
    };
    run(async {
        let one = App::start(redis.config()).await.unwrap();
        let other = App::start(redis.config()).await.unwrap();
        crate::rotation::assert_one_succeeds(&[&one, &other]).await;
    });
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test must be visible in the output")]
fn key_in_a_full_store_can_be_revoked() {
    let Some(redis) = Redis::start() else {
        eprintln!("skipped: redis-server is not installed");
        return;
    };
    run(async {
        let app = App::start(redis.config()).await.unwrap();
        let created = app.create("blue").await.unwrap();
        let key = created["apiKey"].as_str().unwrap();
        configure(&redis, "maxmemory-policy", "noeviction");
        configure(&redis, "maxmemory", "1");
        let creation = app.admin("POST", "/tokens", r#"{"teamId":"red"}"#).await.unwrap();
        assert_eq!((creation.status, creation.code().as_str()), (503, "store_unavailable"));
        assert_eq!(models(&app, key).await.status, 200);
        let target = format!("/tokens/{}", created["id"].as_str().unwrap());
        assert_eq!(app.admin("DELETE", &target, "").await.unwrap().status, 204);
        assert_eq!(models(&app, key).await.status, 401);
    });
}
