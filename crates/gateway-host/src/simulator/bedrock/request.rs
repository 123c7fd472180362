//! The parts of a Converse request that rules and answers ask for.

use serde_json::Value;

use crate::simulator::bedrock::model::Model;

/// A request, after its schema has been checked.
pub(crate) struct Request<'a> {
    pub(crate) body: &'a Value,
    pub(crate) model: &'a Model,
    pub(crate) is_stream: bool,
}

/// A content block and where it is.
#[derive(Clone, Copy)]
pub(crate) struct Placed<'a> {
    pub(crate) message: usize,
    pub(crate) index: usize,
    pub(crate) role: &'a str,
    pub(crate) block: &'a Value,
}

impl<'a> Request<'a> {
    pub(crate) fn messages(&self) -> &'a [Value] {
        list(&self.body["messages"])
    }

    /// All blocks of all messages.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Placed<'a>> + use<'a> {
        self.messages().iter().enumerate().flat_map(|(message, turn)| {
            let role = turn["role"].as_str().unwrap_or_default();
            let blocks = list(&turn["content"]).iter().enumerate();
            blocks.map(move |(index, block)| Placed { message, index, role, block })
        })
    }

    /// The specifications of the tools on offer.
    pub(crate) fn tools(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        list(&self.body["toolConfig"]["tools"]).iter().filter_map(|tool| tool.get("toolSpec"))
    }

    pub(crate) fn tool_choice(&self) -> &'a Value {
        &self.body["toolConfig"]["toolChoice"]
    }

    pub(crate) fn is_forced(&self) -> bool {
        let choice = self.tool_choice();
        choice.get("any").is_some() || choice.get("tool").is_some()
    }

    /// A field for the model itself.
    pub(crate) fn extra(&self, name: &str) -> &'a Value {
        &self.body["additionalModelRequestFields"][name]
    }

    /// A field of `inferenceConfig`.
    pub(crate) fn inference(&self, name: &str) -> &'a Value {
        &self.body["inferenceConfig"][name]
    }

    pub(crate) fn cache_points(&self) -> usize {
        let messages = self.messages().iter().flat_map(|message| list(&message["content"]));
        let system = list(&self.body["system"]).iter();
        let tools = list(&self.body["toolConfig"]["tools"]).iter();
        messages.chain(system).chain(tools).filter(|block| has(block, "cachePoint")).count()
    }
}

impl Placed<'_> {
    /// The place as AWS names it.
    pub(crate) fn path(&self) -> String {
        format!("messages.{}.content.{}", self.message, self.index)
    }
}

/// A list's items; none where there is no list.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

pub(crate) fn has(value: &Value, member: &str) -> bool {
    value.get(member).is_some()
}

/// The strings at `pointer` of every item that has one.
pub(crate) fn strings<'a>(
    items: impl IntoIterator<Item = &'a Value>,
    pointer: &str,
) -> Vec<&'a str> {
    items.into_iter().filter_map(|item| item.pointer(pointer)?.as_str()).collect()
}

/// The first that was there before.
pub(crate) fn duplicate<'a>(items: &[&'a str]) -> Option<&'a str> {
    let mut seen = std::collections::HashSet::new();
    items.iter().copied().find(|item| !seen.insert(*item))
}
