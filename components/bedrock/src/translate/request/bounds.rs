//! Bodies that would take much memory or time if they were read naively, and the bounds that stop them.

use super::*;
use crate::limits::{
    FIELDS, Limit, MESSAGES, MODALITIES, MODEL_BYTES, NAME_BYTES, PARTS, SCHEMA_BYTES,
    SCHEMA_DEPTH, STOP_SEQUENCES, TOOLS,
};

const MODEL: &str = r#""model":"anthropic.claude-sonnet-4-5-20250929-v1:0""#;
const USER: &str = r#"{"role":"user","content":"x"}"#;
const TOOL: &str = r#"{"type":"function","function":{"name":"f"}}"#;

/// Writes `count` entries with a comma between them.
fn repeated(entry: &str, count: usize) -> String {
    vec![entry; count].join(",")
}

/// Creates a request with the field `field`.
fn with_field(field: &str) -> String {
    format!(r#"{{{MODEL},"messages":[{USER}],{field}}}"#)
}

/// Creates a request with `messages` and a tool.
fn with_messages(messages: &str) -> String {
    format!(r#"{{{MODEL},"messages":[{messages}],"tools":[{TOOL}]}}"#)
}

/// Creates a request with a tool of these parameters.
fn with_parameters(schema: &str) -> String {
    let function = format!(r#"{{"name":"f","parameters":{schema}}}"#);
    with_field(&format!(r#""tools":[{{"type":"function","function":{function}}}]"#))
}

/// Creates a request for a response with this schema.
fn with_format(schema: &str) -> String {
    let format = format!(r#"{{"type":"json_schema","json_schema":{{"schema":{schema}}}}}"#);
    with_field(&format!(r#""response_format":{format}"#))
}

/// Creates an assistant's message with a call.
fn calling(id: &str, name: &str) -> String {
    let function = format!(r#"{{"name":"{name}","arguments":"{{}}"}}"#);
    let call = format!(r#"{{"id":"{id}","function":{function}}}"#);
    format!(r#"{{"role":"assistant","tool_calls":[{call}]}},{USER}"#)
}

/// A bound, the field that an error names, and a body with so many things.
type Bound = (&'static Limit, &'static str, fn(usize) -> String);

const BOUNDS: [Bound; 21] = [
    (&FIELDS, "", |count| {
        // Two fields are the model and the messages.
        let names: Vec<_> = (2..count).map(|number| format!(r#""{number}":0"#)).collect();
        with_field(&names.join(","))
    }),
    (&FIELDS, "metadata", |count| {
        with_field(&format!(r#""metadata":{{{}}}"#, repeated(r#""a":"b""#, count)))
    }),
    (&FIELDS, "additionalModelRequestFields", |count| {
        let fields = repeated(r#""a":0"#, count);
        with_field(&format!(r#""additionalModelRequestFields":{{{fields}}}"#))
    }),
    (&MODALITIES, "modalities", |count| {
        with_field(&format!(r#""modalities":[{}]"#, repeated(r#""text""#, count)))
    }),
    (&STOP_SEQUENCES, "stop", |count| {
        with_field(&format!(r#""stop":[{}]"#, repeated(r#""x""#, count)))
    }),
    (&TOOLS, "tools", |count| with_field(&format!(r#""tools":[{}]"#, repeated(TOOL, count)))),
    (&TOOLS, "tool_choice", |count| {
        let tools = repeated(TOOL, count);
        let allowed = format!(r#"{{"mode":"auto","tools":[{tools}]}}"#);
        let choice = format!(r#"{{"type":"allowed_tools","allowed_tools":{allowed}}}"#);
        with_field(&format!(r#""tools":[{TOOL}],"tool_choice":{choice}"#))
    }),
    (&MESSAGES, "messages", |count| with_messages(&repeated(USER, count))),
    (&PARTS, "messages[1]", |count| {
        let parts = repeated(r#"{"type":"text","text":"x"}"#, count);
        with_messages(&format!(r#"{USER},{{"role":"user","content":[{parts}]}}"#))
    }),
    (&PARTS, "messages[1]", |count| {
        let calls = repeated(r#"{"id":"1","function":{"name":"f"}}"#, count - 1);
        let first = r#"{"role":"user","content":[{"type":"text","text":"x"}]}"#;
        with_messages(&format!(r#"{first},{{"role":"assistant","tool_calls":[{calls}]}},{USER}"#))
    }),
    (&PARTS, "messages[0]", |count| {
        let blocks = repeated(r#"{"type":"thinking"}"#, count);
        with_messages(&format!(r#"{{"role":"assistant","thinking_blocks":[{blocks}]}},{USER}"#))
    }),
    (&NAME_BYTES, "messages[0].tool_calls[0].id", |count| {
        with_messages(&calling(&"x".repeat(count), "f"))
    }),
    (&NAME_BYTES, "messages[0].tool_calls[0].function.name", |count| {
        with_messages(&calling("1", &"x".repeat(count)))
    }),
    (&NAME_BYTES, "messages[0].function_call.name", |count| {
        let name = "x".repeat(count);
        let call = format!(r#"{{"role":"assistant","function_call":{{"name":"{name}"}}}}"#);
        with_messages(&format!("{call},{USER}"))
    }),
    (&NAME_BYTES, "messages[0].tool_call_id", |count| {
        let id = "x".repeat(count);
        with_messages(&format!(r#"{{"role":"tool","tool_call_id":"{id}","content":"x"}}"#))
    }),
    (&NAME_BYTES, "tools[0].function.name", |count| {
        let function = format!(r#"{{"name":"{}"}}"#, "x".repeat(count));
        with_field(&format!(r#""tools":[{{"type":"function","function":{function}}}]"#))
    }),
    (&SCHEMA_BYTES, "tools[0].function.parameters", |count| {
        with_parameters(&format!(r#"{{"a":"{}"}}"#, "x".repeat(count - 8)))
    }),
    (&SCHEMA_BYTES, "response_format.json_schema.schema", |count| {
        with_format(&format!(r#"{{"a":"{}"}}"#, "x".repeat(count - 8)))
    }),
    (&SCHEMA_DEPTH, "tools[0].function.parameters", |count| with_parameters(&nested(count))),
    (&SCHEMA_DEPTH, "response_format.json_schema.schema", |count| with_format(&nested(count))),
    (&MODEL_BYTES, "model", |count| {
        format!(r#"{{"model":"{}","messages":[{USER}]}}"#, "x".repeat(count))
    }),
];

/// Creates a schema of this depth.
fn nested(depth: usize) -> String {
    format!("{}{{}}{}", r#"{"items":"#.repeat(depth - 1), "}".repeat(depth - 1))
}

/// Translates `body`, and returns the error's code, `param` and text.
fn outcome(body: &str) -> Result<(), (String, String, String)> {
    let built = ChatRequest::parse(body.as_bytes()).and_then(|request| {
        let model = Model::of(&request.model);
        build(&request, &model, Fallback::default()).map(drop)
    });
    built.map_err(|error| {
        let param = error.param().unwrap_or_default().to_owned();
        (error.shape().code.to_owned(), param, error.to_string())
    })
}

#[test]
fn build_beyond_a_bound_names_the_field() {
    for (limit, param, body) in BOUNDS {
        assert_eq!(outcome(&body(limit.most)), Ok(()), "{param}: {limit:?}");
        let (code, found, message) = outcome(&body(limit.most + 1)).unwrap_err();
        assert_eq!((code.as_str(), found.as_str()), ("invalid_body", param), "{message}");
        let expected = format!("may have at most {}", limit.most);
        assert!(message.contains(&expected) && message.len() < 200, "{param}: {message}");
    }
}

#[test]
fn build_of_entries_far_beyond_a_bound_is_rejected() {
    for (body, param) in [
        (with_messages(&repeated(r#"{"role":""}"#, 1_000_000)), "messages"),
        (with_field(&format!(r#""stop":[{}]"#, repeated("0", 1_000_000))), "stop"),
        (with_field(&format!(r#""metadata":{{{}}}"#, repeated(r#""":0"#, 1_000_000))), "metadata"),
    ] {
        assert_eq!(outcome(&body).unwrap_err().1, param);
    }
}

#[test]
fn build_with_a_long_string_in_place_of_another_type_does_not_repeat_it() {
    let long = format!("\"{}\"", "\u{7f}".repeat(100_000));
    for (body, param) in [
        (with_messages(&long), "messages[0]"),
        (with_messages(&format!(r#"{USER},{{"role":"user","tool_calls":{long}}}"#)), "messages[1]"),
        (with_messages(&format!(r#"{{"role":"user","content":[{long}]}}"#)), "messages[0]"),
        (with_field(&format!(r#""tools":{long}"#)), "tools"),
        (with_field(&format!(r#""tools":[{{"type":"a","function":{long}}}]"#)), "tools[0]"),
        (with_field(&format!(r#""stream":{long}"#)), "stream"),
        (with_field(&format!(r#""stream_options":{long}"#)), "stream_options"),
        (with_field(&format!(r#""response_format":{long}"#)), "response_format"),
        (with_field(&format!(r#""temperature":{long}"#)), "temperature"),
        (with_field(&format!(r#""logit_bias":{long}"#)), "logit_bias"),
    ] {
        let (_, found, message) = outcome(&body).unwrap_err();
        assert_eq!(found, param, "{message}");
        assert!(message.len() < 200 && !message.contains('\u{7f}'), "{message}");
    }
}

#[test]
fn build_with_split_arguments_makes_a_bounded_number_of_calls() {
    let arguments = "{}".repeat(16);
    let call = format!(r#"{{"id":"","function":{{"name":"f","arguments":"{arguments}"}}}}"#);
    let calls = |count| {
        let message =
            format!(r#"{{"role":"assistant","tool_calls":[{}]}}"#, repeated(&call, count));
        let body = with_messages(&format!("{message},{USER}"));
        let request = ChatRequest::parse(body.as_bytes()).unwrap();
        let model = Model::of(&request.model);
        let (converse, _) = build(&request, &model, Fallback::default()).unwrap();
        converse.messages.iter().map(|turn| turn.content.len()).max().unwrap()
    };
    // The calls of one turn with the same id are duplicates, but not those made by splitting.
    assert_eq!(calls(1), 17);
    assert!(calls(2000) < 4000);
}
