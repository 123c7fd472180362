//! An upstream that responds before it has read the request, keeps the connection open and reads no
//! further.

use std::time::Duration;

use support::{App, Client, Config, run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// More bytes than the buffers of the connections can hold.
const BODY: usize = 24 * 1024 * 1024;

const RESPONSE: &[u8] = b"HTTP/1.1 413 Payload Too Large\r\ncontent-type: application/json\r\n\
    content-length: 31\r\n\r\n{\"error\":{\"message\":\"enough\"}}\n";

/// Responds to each connection's first request as soon as its headers arrive.
async fn serve(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(respond_early(stream));
    }
}

async fn respond_early(mut stream: TcpStream) {
    let mut head = [0; 1024];
    if stream.read(&mut head).await.is_ok() && stream.write_all(RESPONSE).await.is_ok() {
        std::future::pending::<()>().await;
    }
}

async fn app() -> App {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = Config::default().upstream(listener.local_addr().unwrap());
    tokio::spawn(serve(listener));
    App::start(config).await.unwrap()
}

/// Waits until the app has logged `count` requests, and returns the log.
async fn logged(app: &App, count: usize) -> String {
    loop {
        let log = app.log();
        if log.matches(r#""provider":"openai""#).count() == count {
            return log;
        }
        tokio::task::yield_now().await;
    }
}

#[test]
fn early_response_does_not_wait_for_the_body() {
    run(async {
        let app = app().await;
        let key = app.key("blue").await.unwrap();
        let json = format!("{{\"model\":\"m\",\"input\":\"{}\"}}", "x".repeat(BODY));
        for (count, content_type, body) in [
            (1, "application/json", json.into_bytes()),
            (2, "application/octet-stream", vec![b'x'; BODY]),
        ] {
            let request = Client::request("POST", "/openai/files")
                .key(&key)
                .header("content-type", content_type)
                .body(body);
            let client = app.client();
            let exchange = async { (client.send(request).await, logged(&app, count).await) };
            let exchange = tokio::time::timeout(Duration::from_secs(30), exchange);
            let (response, log) = exchange.await.expect(content_type);
            // A client that is still writing when the connection closes may see only a broken pipe.
            if let Ok(response) = response {
                assert_eq!((response.status, response.text().contains("enough")), (413, true));
            }
            assert_eq!(log.matches(r#""status":413"#).count(), count, "{log}");
        }
    });
}
