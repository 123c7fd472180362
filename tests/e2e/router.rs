//! `/v1`: the provider by the model's prefix, aliases with fallback, and what a key may reach through it.

use serde_json::{Value, json};
use support::client::Draft;
use support::{App, Client, Config, Response, chat_model, providers, run};

use crate::settlement::{settled, used};

pub(crate) const ALIASES: &str = r#"{
    "fast": ["openai/gpt-4o-mini", "anthropic/claude-haiku-4-5"],
    "mixed": ["bedrock/nova-lite", "openai/gpt-4o"],
    "one": "openai/gpt-4o"
}"#;

pub(crate) async fn app() -> App {
    let config = Config::default().with("model_aliases", ALIASES).with("first_byte_timeout", "2");
    App::start(config).await.unwrap()
}

pub(crate) fn chat(key: &str, model: &str, is_stream: bool) -> Draft {
    let messages = json!([{"role": "user", "content": "one two three"}]);
    let body = json!({"model": model, "stream": is_stream, "max_tokens": 50, "messages": messages});
    Client::post("/v1/chat/completions", &body).key(key)
}

/// Returns the name of a provider's chat model with its prefix.
fn whole_name(provider: &str) -> String {
    let model = chat_model(provider).unwrap();
    if provider == "compat" { model } else { format!("{provider}/{model}") }
}

#[test]
fn prefix_leads_to_every_provider() {
    run(async {
        let app = app().await;
        let key = app.account_key("blue").await.unwrap();
        for provider in providers().unwrap() {
            for is_stream in [false, true] {
                let name = whole_name(&provider);
                let response = app.client().send(chat(&key, &name, is_stream)).await.unwrap();
                assert_eq!(response.status, 200, "{name}: {}", response.text());
                assert_eq!(response.headers["x-gateway-model"], name.as_str());
                assert!(response.is_complete && response.text().contains("three"), "{name}");
                assert_eq!(response.text().ends_with("data: [DONE]\n\n"), is_stream, "{name}");
            }
        }
    });
}

#[test]
fn other_operations_reach_the_provider() {
    run(async {
        let app = app().await;
        let key = app.key("blue").await.unwrap();
        let post =
            |path: &str, body: Value| Client::post(&format!("/v1/v1{path}"), &body).key(&key);
        let form = "--B\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nopenai/whisper-1\r\n--B\r\n\
            content-disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\nabc\r\n--B--\r\n";
        let upload = Client::request("POST", "/v1/audio/transcriptions")
            .header("content-type", "multipart/form-data; boundary=B")
            .key(&key)
            .body(form);
        for (draft, expected) in [
            (
                post("/responses", json!({"model": "openai/gpt-4o", "input": "hello"})),
                "resp_simulated",
            ),
            (
                post("/responses", json!({"model": "bedrock/nova-lite", "input": "hello"})),
                "output_text",
            ),
            (
                post("/embeddings", json!({"model": "google/text-embedding-004", "input": "x"})),
                "embedding",
            ),
            (
                post("/images/generations", json!({"model": "openai/gpt-image-1", "prompt": "x"})),
                "b64_json",
            ),
            (upload, "3 bytes for whisper-1"),
        ] {
            let response = app.client().send(draft).await.unwrap();
            assert_eq!(response.status, 200, "{}", response.text());
            assert!(response.text().contains(expected), "{}", response.text());
        }
    });
}

#[test]
fn alias_falls_back_before_the_first_byte_and_never_after() {
    run(async {
        let app = app().await;
        let key = app.key("blue").await.unwrap();
        for (number, fault) in [
            "status=408",
            "status=429",
            "status=500",
            "status=529",
            "cut=head",
            "cloudflare=2005",
            "cloudflare=2003",
            "head_delay=60000",
        ]
        .into_iter()
        .enumerate()
        {
            for is_stream in [false, true] {
                let case = format!("falls back {number} {is_stream}");
                let draft = chat(&key, "fast", is_stream)
                    .header("x-case", &case)
                    .header("x-simulate", format!("{fault},times=1,id={case}"));
                let response = app.client().send(draft).await.unwrap();
                assert_eq!(response.status, 200, "{fault}: {}", response.text());
                assert_eq!(response.headers["x-gateway-model"], "anthropic/claude-haiku-4-5");
                assert_eq!(response.headers["x-gateway-alias"], "fast");
                let sent = app.simulator.received(&case);
                assert_eq!(sent.len(), 2, "{fault}");
                assert!(
                    sent[0].target.contains("/openai/") && sent[1].target.contains("/anthropic/")
                );
            }
        }
        let log = app.log();
        assert!(
            log.contains(r#""attempts":"openai/gpt-4o-mini 429, anthropic/claude-haiku-4-5 200""#)
        );

        for (fault, status) in
            [("status=400", 400), ("status=401", 401), ("status=404", 404), ("cut=body", 200)]
        {
            let draft =
                chat(&key, "fast", true).header("x-case", fault).header("x-simulate", fault);
            let response = app.client().send(draft).await.unwrap();
            assert_eq!(response.status, status, "{}", response.text());
            assert_eq!(app.simulator.received(fault).len(), 1, "{fault}");
            assert!(!response.text().contains("[DONE]"), "{fault}");
            assert_eq!(status == 200, response.text().contains("upstream_interrupted"), "{fault}");
        }
        // Both fail: the last one is what the client gets.
        let draft = chat(&key, "fast", false).header("x-simulate", "status=503");
        let response = app.client().send(draft).await.unwrap();
        assert_eq!(
            (response.status, &response.headers["x-gateway-model"]),
            (503, &"anthropic/claude-haiku-4-5".parse().unwrap())
        );
    });
}

#[test]
fn key_whose_scope_names_an_alias_needs_no_other() {
    run(async {
        let app = app().await;
        let created =
            app.create_with(&json!({"teamId": "aliases", "models": ["mixed"]})).await.unwrap();
        let key = created["apiKey"].as_str().unwrap();
        let send = async |draft: Draft| app.client().send(draft).await.unwrap();
        assert_eq!(send(chat(key, "mixed", false)).await.status, 200);
        let retried =
            chat(key, "mixed", true).header("x-simulate", "status=503,times=1,id=alias-scope");
        assert_eq!(send(retried).await.headers["x-gateway-model"], "openai/gpt-4o");
        for model in
            ["fast", "one", "openai/gpt-4o", "bedrock/nova-lite", "anthropic/claude-haiku-4-5"]
        {
            let response = send(chat(key, model, false)).await;
            assert_eq!(
                (response.status, response.code().as_str()),
                (403, "model_not_allowed"),
                "{model}"
            );
        }
        // What a client claims itself opens no more than the alias does.
        let direct = |target: &str, model: &str, alias: &str| {
            let body = json!({"model": model, "messages": [{"role": "user", "content": "x"}]});
            Client::post(target, &body).key(key).header("x-gateway-alias", alias)
        };
        for (target, model, alias, status) in [
            ("/openai/chat/completions", "gpt-4o", "mixed", 200),
            ("/openai/chat/completions", "gpt-4o-mini", "mixed", 403),
            ("/openai/chat/completions", "gpt-4o", "fast", 403),
            ("/openai/chat/completions", "gpt-4o", "", 403),
            ("/azure/chat/completions", "gpt-4o", "mixed", 403),
            ("/compat/chat/completions", "openai/gpt-4o", "mixed", 403),
        ] {
            let response = send(direct(target, model, alias)).await;
            assert_eq!(response.status, status, "{target} {model} {alias}: {}", response.text());
        }
        let models = send(Client::request("GET", "/v1/models").key(key)).await.json();
        let ids: Vec<&str> = models["data"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|model| model["id"].as_str())
            .collect();
        assert_eq!(ids, ["mixed"]);
    });
}

#[test]
fn limits_are_counted_for_the_provider_that_responds() {
    run(async {
        let app = app().await;
        let limits = json!({"budgets": [{"unit": "tokens", "amount": 1000, "window": "day"}]});
        let (key, id) = app.limited_key("counted", limits).await.unwrap();
        assert_eq!(app.client().send(chat(&key, "openai/gpt-4o", true)).await.unwrap().status, 200);
        assert_eq!(settled(&app, &id, 1).await, (9, 12));
        let draft = chat(&key, "fast", false).header("x-simulate", "status=503,times=1,id=counted");
        assert_eq!(app.client().send(draft).await.unwrap().status, 200);
        // The attempt that failed used no tokens, and is no second request.
        assert_eq!(settled(&app, &id, 2).await, (18, 24));
        let (requests, input, output) = used(&app, &id).await;
        assert_eq!((requests, input + output), (2, 42));
    });
}

#[test]
fn attempts_of_an_alias_are_one_request_of_a_rate() {
    run(async {
        let app = app().await;
        // The second attempt is refused if the first one still counts, or still holds its place.
        let limits = json!({"requestsPerMinute": 2, "parallelRequests": 1});
        let (key, id) = app.limited_key("rated", limits).await.unwrap();
        for (number, fault) in (1_i64..).zip(["status=503", "cut=head"]) {
            let draft = chat(&key, "fast", false)
                .header("x-simulate", format!("{fault},times=1,id=rated {number}"));
            let response = app.client().send(draft).await.unwrap();
            assert_eq!(response.status, 200, "{fault}: {}", response.text());
            assert_eq!(
                response.headers["x-ratelimit-remaining-requests"],
                (2 - number).to_string()
            );
            assert!(!response.headers.contains_key("x-gateway-counted"));
            settled(&app, &id, number).await;
        }
        let refused = app.client().send(chat(&key, "fast", false)).await.unwrap();
        assert_eq!(refused.status, 429, "{}", refused.text());
        assert!(!refused.headers.contains_key("x-gateway-counted"));
    });
}

#[test]
fn failed_attempts_are_counted_if_no_other_one_is() {
    run(async {
        let app = app().await;
        // The second provider is not in the key's scope, so it refuses without counting.
        let body = json!({
            "teamId": "scoped", "providers": ["openai"], "limits": {"requestsPerMinute": 2},
        });
        let created = app.create_with(&body).await.unwrap();
        let key = created["apiKey"].as_str().unwrap();
        let mut statuses = Vec::new();
        for number in 0..4 {
            let draft = chat(key, "fast", false)
                .header("x-simulate", format!("status=503,times=1,id=scoped {number}"));
            statuses.push(app.client().send(draft).await.unwrap().status);
        }
        assert_eq!(statuses, [403, 403, 429, 429]);
        settled(&app, created["id"].as_str().unwrap(), 2).await;
    });
}

#[test]
fn refusal_by_a_limit_is_not_asked_for_elsewhere() {
    run(async {
        let app = app().await;
        let limits = json!({"requestsPerMinute": 50, "tokensPerMinute": 100});
        let (key, _) = app.limited_key("few tokens", limits).await.unwrap();
        let mut refused = app.client().send(chat(&key, "fast", false)).await.unwrap();
        while refused.status == 200 {
            refused = app.client().send(chat(&key, "fast", false)).await.unwrap();
        }
        let before = refused.headers["x-ratelimit-remaining-requests"].to_str().unwrap().to_owned();
        let refused = app.client().send(chat(&key, "fast", false)).await.unwrap();
        let after = refused.headers["x-ratelimit-remaining-requests"].to_str().unwrap().to_owned();
        let [before, after] = [before, after].map(|number| number.parse::<i64>().unwrap());
        assert_eq!((refused.status, before - after), (429, 1));
    });
}

#[test]
fn limited_team_gets_the_operators_models_through_v1() {
    run(async {
        let app = app().await;
        let created =
            app.create_with(&json!({"teamId": "limited", "limited": true})).await.unwrap();
        let key = created["apiKey"].as_str().unwrap();
        let response = app.client().send(chat(key, "openai/gpt-4o", false)).await.unwrap();
        assert_eq!((response.status, &response.json()["model"]), (200, &json!("gpt-4o-mini")));
    });
}

/// Names of models of other providers, in spellings that might be read as such.
const OTHERS: [&str; 16] = [
    "anthropic/claude-sonnet-4-5",
    "Anthropic/claude-sonnet-4-5",
    "openai/anthropic/claude-sonnet-4-5",
    "compat/anthropic/claude-sonnet-4-5",
    "groq/llama-3.3-70b",
    "dynamic/anything",
    "auto",
    "bedrock/nova-lite",
    "aws-bedrock/nova-lite",
    "@cf/meta/llama-3.1-8b-instruct",
    "google-ai-studio/gemini-2.5-flash",
    " anthropic/x",
    "anthropic//x",
    "openai/../anthropic/x",
    "\u{61}nthropic/claude-sonnet-4-5",
    "fast",
];

/// Returns a hostile request for each model, route and content type, and some of other kinds.
fn hostile_drafts(key: &str) -> Vec<(String, Draft)> {
    let draft = |target: &str, media: &str, body: String| {
        let draft = Client::request("POST", target)
            .header("content-type", media)
            .header("x-case", "one-provider")
            .header("x-gateway-alias", "fast")
            .key(key)
            .body(body.clone());
        (format!("{target} {media} {body}"), draft)
    };
    let chat = "chat/completions";
    let targets = ["v1", "v1/v1", "compat", "compat/v1"].map(|route| format!("/{route}/{chat}"));
    let medias = [
        "application/json",
        "text/plain",
        "application/json; charset=utf-16",
        "multipart/form-data; boundary=B",
    ];
    let message = json!([{"role": "user", "content": "x"}]);
    let mut drafts = Vec::new();
    for (model, target) in
        OTHERS.iter().flat_map(|model| targets.iter().map(move |target| (model, target)))
    {
        let body = json!({"model": model, "messages": message}).to_string();
        drafts.extend(medias.map(|media| draft(target, media, body.clone())));
    }
    for (target, body) in [
        (
            "/v1/chat/completions",
            r#"{"model":"openai/gpt-4o","model":"anthropic/x","messages":[]}"#,
        ),
        ("/v1/chat/completions", r#"{"MODEL":"anthropic/x","messages":[]}"#),
        ("/v1/../anthropic/chat/completions", r#"{"model":"claude-sonnet-4-5","messages":[]}"#),
        ("/v1/%2e%2e/anthropic/chat/completions", r#"{"model":"claude-sonnet-4-5","messages":[]}"#),
        ("/v1//anthropic/chat/completions", r#"{"model":"openai/gpt-4o","messages":[]}"#),
    ] {
        drafts.push(draft(target, "application/json", body.to_owned()));
    }
    drafts
}

#[test]
fn key_for_one_provider_reaches_no_other_by_any_spelling() {
    run(async {
        let app = app().await;
        let created =
            app.create_with(&json!({"teamId": "one", "providers": ["openai"]})).await.unwrap();
        for (what, draft) in hostile_drafts(created["apiKey"].as_str().unwrap()) {
            let _: Response = app.client().send(draft).await.unwrap();
            for received in app.simulator.received("one-provider") {
                assert!(received.target.contains("/openai/"), "{what}: {}", received.target);
            }
        }
    });
}
