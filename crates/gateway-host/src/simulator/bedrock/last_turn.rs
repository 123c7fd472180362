//! The user's last turn, which the simulated model repeats: text, attachments and tool results.

use serde_json::Value;

use crate::simulator::bedrock::request::{Request, list};

/// The content of the last message with the user role.
pub(crate) struct LastTurn {
    /// The text of the message's own blocks.
    pub(crate) text: String,
    /// The text of the tool results, if there are any.
    pub(crate) result: Option<String>,
    attachments: String,
}

impl LastTurn {
    /// Extracts the last user turn of a request.
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

    /// Builds the text of a model that calls no tool.
    pub(crate) fn repeat(&self) -> String {
        let attachments = &self.attachments;
        match &self.result {
            Some(result) => format!("The tool says: {result}{attachments}"),
            None if self.text.is_empty() => format!("You said: nothing{attachments}"),
            None => format!("You said: {}{attachments}", self.text),
        }
    }
}

/// Joins the texts of blocks. JSON is written as text, and guarded content is read like any other.
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

/// Formats the attachments, such as ` [2 images, png, jpeg]`, so that tests see which ones were
/// received.
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
