//! What the user's last turn says: its text, its attachments, and what tools have returned.

use serde_json::Value;

use crate::simulator::bedrock::request::{Request, list};

/// The last user turn.
pub(crate) struct Said {
    pub(crate) text: String,
    /// The text of tool results, if there are any.
    pub(crate) result: Option<String>,
    attachments: String,
}

impl Said {
    pub(crate) fn new(request: &Request<'_>) -> Self {
        let turns = request.messages().iter();
        let last = turns.rev().find(|turn| turn["role"] == "user").unwrap_or(&Value::Null);
        let blocks = list(&last["content"]);
        let results: Vec<&Value> =
            blocks.iter().filter_map(|block| block.get("toolResult")).collect();
        let returned: Vec<&Value> =
            results.iter().flat_map(|result| list(&result["content"])).collect();
        let result = (!results.is_empty()).then(|| join(returned.iter().copied()));
        Self {
            text: join(blocks.iter()),
            result,
            attachments: attachments(&blocks.iter().chain(returned).collect::<Vec<_>>()),
        }
    }

    /// What a model that has nothing to do answers.
    pub(crate) fn answer(&self) -> String {
        let attachments = &self.attachments;
        match &self.result {
            Some(result) => format!("The tool says: {result}{attachments}"),
            None if self.text.is_empty() => format!("You said: something else{attachments}"),
            None => format!("You said: {}{attachments}", self.text),
        }
    }
}

/// The texts of blocks, and their JSON as text.
fn join<'a>(blocks: impl Iterator<Item = &'a Value>) -> String {
    let text = |block: &Value| match block.get("text")?.as_str() {
        Some(text) => Some(text.to_owned()),
        None => block["text"]["text"].as_str().map(str::to_owned),
    };
    let texts: Vec<String> = blocks
        .filter_map(|block| {
            let guarded = block.get("guardContent").unwrap_or(block);
            text(guarded).or_else(|| block.get("json").map(ToString::to_string))
        })
        .collect();
    texts.join(" ")
}

/// Such as ` [2 images, png, jpeg]`, for tests to see what has arrived.
fn attachments(blocks: &[&Value]) -> String {
    let kinds = ["image", "document", "audio", "video"];
    kinds
        .iter()
        .filter_map(|kind| {
            let formats: Vec<&str> = blocks
                .iter()
                .filter_map(|block| block.get(kind))
                .map(|attachment| attachment["format"].as_str().unwrap_or("unknown"))
                .collect();
            let plural = if formats.len() == 1 { "" } else { "s" };
            (!formats.is_empty())
                .then(|| format!(" [{} {kind}{plural}, {}]", formats.len(), formats.join(", ")))
        })
        .collect()
}
