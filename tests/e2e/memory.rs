//! The memory that an instance of Bedrock's component takes: at most four times the body, whatever the
//! body consists of.

use support::{App, Client, Config, run};

/// The length of a body, a little below the limit of 32 MiB.
const LENGTH: usize = 31_000_000;

/// The model of all requests but those for embeddings.
const MODEL: &str = r#""model":"claude""#;

/// The end of a conversation. The simulated model repeats the last message, which must be short:
/// otherwise the test would measure the response too.
const LAST: &str = r#"{"role":"assistant","content":"x"},{"role":"user","content":"x"}]}"#;

/// Fills the space between `start` and `end` with `unit`.
fn filled(start: &str, unit: &str, end: &str) -> String {
    let count = (LENGTH - start.len() - end.len()) / unit.len();
    [start, &unit.repeat(count), end].concat()
}

/// Returns a request whose content is filled with `unit`.
fn content(start: &str, unit: &str, end: &str) -> String {
    let start = format!(r#"{{{MODEL},"messages":[{{"role":"user","content":{start}"#);
    filled(&start, unit, &format!("{end}}},{LAST}"))
}

/// Returns a request with the field `start`, which is filled with `unit`.
fn field(start: &str, unit: &str, end: &str) -> String {
    let messages = r#""messages":[{"role":"user","content":"x"}]"#;
    filled(&format!("{{{MODEL},{messages},{start}"), unit, &format!("{end}}}"))
}

/// Returns a request whose second message is filled with `unit`.
fn message(start: &str, unit: &str, end: &str) -> String {
    let start = format!(r#"{{{MODEL},"messages":[{{"role":"user","content":"x"}},{start}"#);
    filled(&start, unit, &format!("{end},{LAST}"))
}

/// Returns nearly as many messages as a request may have, the first of them long.
fn many_messages() -> String {
    let pair = r#"{"role":"assistant","content":"x"},{"role":"user","content":"x"},"#;
    let end = format!(r#""}},{}{{"role":"assistant","content":"x""#, pair.repeat(4990));
    content(r#""\n"#, "word ", &end)
}

/// Returns bodies for chat completions that would take much memory if they were read naively.
fn bodies() -> Vec<(&'static str, String)> {
    let image = r#"[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo"#;
    let line = format!("{}\\n", "A".repeat(76));
    let schema =
        r#""tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object""#;
    vec![
        ("text", content("\"", "word ", "\"")),
        ("text with an escape", content(r#""\n"#, "word ", "\"")),
        ("escapes", content("\"", r"\u0041", "\"")),
        ("short escapes", content("\"", r"\n", "x\"")),
        ("an image", content(image, "AAAA", r#""}}]"#)),
        ("an image in lines", content(image, &line, r#""}}]"#)),
        ("parts", content("[", r#"{"type":"text","text":"x"},"#, r#"{"type":"text","text":"x"}]"#)),
        ("empty parts", content("[", r#"{"type":""},"#, r#"{"type":""}]"#)),
        ("a wrong type", content(r#""x","tool_calls":""#, "\u{7f}", "\"")),
        ("an instruction", message(r#"{"role":"system","content":"\n"#, "word ", r#""}"#)),
        ("messages", message("", r#"{"role":"user","content":"x"},"#, "{}")),
        ("empty messages", message("", r#"{"role":""},"#, "{}")),
        ("numbers", message("", "0,", "0")),
        ("many messages and a long one", many_messages()),
        ("tools", field(r#""tools":["#, r#"{"type":"function","function":{"name":"f"}},"#, "0]")),
        ("a schema", field(schema, r#","a":{}"#, "}}}]")),
        ("stop sequences", field(r#""stop":["#, r#""x","#, r#""x"]"#)),
        ("metadata", field(r#""metadata":{"#, r#""":"","#, r#""":""}"#)),
        ("an unknown field", field(r#""x":""#, "word ", "\"")),
        ("nested arrays", field(r#""x":[0"#, ",[[[[[[[[]]]]]]]]", "]")),
    ]
}

/// Returns a request for a response whose input is filled with `unit`.
fn input(start: &str, unit: &str, end: &str) -> String {
    filled(&format!(r#"{{{MODEL},"input":[{start}"#), unit, &format!("{end},{LAST}"))
}

/// Returns bodies for responses that would take much memory if they were read naively.
fn bodies_of_responses() -> Vec<(&'static str, String)> {
    let instructions = format!(r#"{{{MODEL},"input":"x","instructions":""#);
    let parts = r#"{"role":"user","content":["#;
    let part = r#"{"type":"input_text","text":"x"}"#;
    let tools =
        format!(r#"{{{MODEL},"input":"x","tools":[{{"type":"namespace","name":"n","tools":["#);
    vec![
        ("instructions", filled(&instructions, "word ", "\"}")),
        ("instructions with an escape", filled(&instructions, r"word \n", "\"}")),
        ("text", input(r#"{"role":"user","content":""#, "word ", r#""}"#)),
        ("parts", input(parts, &format!("{part},"), &format!("{part}]}}"))),
        ("reasoning", input(r#"{"type":"reasoning","encrypted_content":""#, "AAAA", r#""}"#)),
        (
            "items",
            input("", r#"{"role":"user","content":"x"},"#, r#"{"role":"user","content":"x"}"#),
        ),
        ("functions", filled(&tools, r#"{"type":"function","name":"f"},"#, "0]}]}")),
    ]
}

#[test]
fn memory_of_any_body_is_at_most_four_times_the_body() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        let key = app.key("memory").await.unwrap();
        let embeddings =
            filled(r#"{"model":"amazon.titan-embed-text-v2:0","input":["\n"#, "word ", "\"]}");
        let chats =
            bodies().into_iter().map(|(name, body)| (name, "/bedrock/chat/completions", body));
        let responses = bodies_of_responses();
        let responses =
            responses.into_iter().map(|(name, body)| (name, "/bedrock/responses", body));
        let embeddings = [("embeddings", "/bedrock/embeddings", embeddings)];
        for (name, target, body) in chats.chain(responses).chain(embeddings) {
            let length = body.len();
            let request = Client::request("POST", target)
                .header("content-type", "application/json")
                .key(&key)
                .body(body);
            app.take_peak_memory();
            let response = app.client().send(request).await.unwrap();
            let peak = app.take_peak_memory();
            assert!(matches!(response.status, 200 | 400), "{name}: {response:?}");
            assert!(peak > length, "{name}: the body is not in the memory of {peak} bytes");
            assert!(peak <= 4 * length, "{name}: {peak} bytes for a body of {length}");
        }
    });
}
