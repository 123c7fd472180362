//! Accessors for the parts of a Converse request that rules and responses need.

use serde_json::Value;

use crate::simulator::bedrock::model::Model;

/// A Converse request. Its shape has been checked against the schema.
pub(crate) struct Request<'a> {
    pub(crate) body: &'a Value,
    pub(crate) model: &'a Model,
    pub(crate) is_stream: bool,
}

/// A content block and its position.
#[derive(Clone, Copy)]
pub(crate) struct PlacedBlock<'a> {
    pub(crate) message: usize,
    pub(crate) index: usize,
    pub(crate) role: &'a str,
    pub(crate) block: &'a Value,
}

impl<'a> Request<'a> {
    /// Returns the messages.
    pub(crate) fn messages(&self) -> &'a [Value] {
        list(&self.body["messages"])
    }

    /// Lists all content blocks of all messages.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = PlacedBlock<'a>> + use<'a> {
        self.messages().iter().enumerate().flat_map(|(message, turn)| {
            let role = turn["role"].as_str().unwrap_or_default();
            let blocks = list(&turn["content"]).iter().enumerate();
            blocks.map(move |(index, block)| PlacedBlock { message, index, role, block })
        })
    }

    /// Lists the specifications of the offered tools.
    pub(crate) fn tools(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        list(&self.body["toolConfig"]["tools"]).iter().filter_map(|tool| tool.get("toolSpec"))
    }

    /// Returns the tool choice.
    pub(crate) fn tool_choice(&self) -> &'a Value {
        &self.body["toolConfig"]["toolChoice"]
    }

    /// Checks whether the model must call a tool.
    pub(crate) fn is_forced(&self) -> bool {
        let choice = self.tool_choice();
        choice.get("any").is_some() || choice.get("tool").is_some()
    }

    /// Returns a field of `additionalModelRequestFields`, which AWS passes to the model.
    pub(crate) fn model_field(&self, name: &str) -> &'a Value {
        &self.body["additionalModelRequestFields"][name]
    }

    /// Returns a field of `inferenceConfig`.
    pub(crate) fn inference(&self, name: &str) -> &'a Value {
        &self.body["inferenceConfig"][name]
    }

    /// Counts the cache points.
    pub(crate) fn cache_points(&self) -> usize {
        let messages = self.messages().iter().flat_map(|message| list(&message["content"]));
        let system = list(&self.body["system"]).iter();
        let tools = list(&self.body["toolConfig"]["tools"]).iter();
        messages.chain(system).chain(tools).filter(|block| has(block, "cachePoint")).count()
    }
}

impl PlacedBlock<'_> {
    /// Formats the position as AWS does in its messages.
    pub(crate) fn path(&self) -> String {
        format!("messages.{}.content.{}", self.message, self.index)
    }
}

/// Returns the items of a list; none if the value is not a list.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Checks whether an object has a member.
pub(crate) fn has(value: &Value, member: &str) -> bool {
    value.get(member).is_some()
}

/// Collects the string at `pointer` of every item that has one.
pub(crate) fn strings<'a>(
    items: impl IntoIterator<Item = &'a Value>,
    pointer: &str,
) -> Vec<&'a str> {
    items.into_iter().filter_map(|item| item.pointer(pointer)?.as_str()).collect()
}

/// Finds the first item that repeats an earlier one.
pub(crate) fn duplicate<'a>(items: &[&'a str]) -> Option<&'a str> {
    let mut seen = std::collections::HashSet::new();
    items.iter().copied().find(|item| !seen.insert(*item))
}
