//! The blocks of a streamed message that have begun and not ended.

use serde_json::value::RawValue;

use crate::json::Text;
use crate::openai::completion::ThinkingBlock;
use crate::translate::citations::Sources;
use crate::translate::json_tool::JsonTool;

/// An open block, and the parts that can only be emitted at its end.
#[derive(Debug, Default)]
pub(crate) struct OpenBlock {
    /// The character of the content at which the block's text starts.
    pub(crate) start: usize,
    pub(crate) call: Call,
    /// Reasoning, and the signature without which it cannot be sent back.
    pub(crate) thinking: String,
    pub(crate) signature: String,
    /// Sources, which may arrive before the text that they support.
    pub(crate) citations: Vec<Box<RawValue>>,
}

/// The tool call of a block.
#[derive(Debug, Default)]
pub(crate) enum Call {
    /// The block is not a call, or a call that is dropped.
    #[default]
    None,
    /// A call of a client's tool: its index for the client, and whether its input has begun.
    Tool { index: u32, has_input: bool },
    /// A response by a schema, emitted as it arrives.
    Json { has_input: bool },
    /// A response by a schema inside an object that can only be removed at the end.
    WrappedJson { tool: JsonTool, input: String },
}

/// The open blocks, each with Bedrock's index. There is seldom more than one, so a list is enough;
/// code for a map would make the component larger.
#[derive(Debug, Default)]
pub(crate) struct OpenBlocks(Vec<(u64, OpenBlock)>);

impl OpenBlocks {
    /// Returns the block `number`, and opens it at the character `start` if it is not open.
    pub(crate) fn open(&mut self, number: u64, start: usize) -> Option<&mut OpenBlock> {
        if self.get(number).is_none() {
            self.0.push((number, OpenBlock::at(start)));
        }
        self.get(number)
    }

    /// Returns the block `number`, if it is open.
    pub(crate) fn get(&mut self, number: u64) -> Option<&mut OpenBlock> {
        let mut blocks = self.0.iter_mut();
        blocks.find(|(open, _)| *open == number).map(|(_, block)| block)
    }

    /// Closes the block `number`, if it is open.
    pub(crate) fn close(&mut self, number: u64) -> Option<OpenBlock> {
        let place = self.0.iter().position(|(open, _)| *open == number)?;
        Some(self.0.remove(place).1)
    }

    /// Closes the block that was opened first.
    pub(crate) fn close_first(&mut self) -> Option<OpenBlock> {
        let (number, _) = self.0.first()?;
        self.close(*number)
    }
}

impl OpenBlock {
    /// Creates a block whose text starts at the character `start`.
    pub(crate) fn at(start: usize) -> Self {
        Self { start, ..Self::default() }
    }

    /// Returns the reasoning in the form that a client can send back; none if it is unsigned.
    pub(crate) fn thinking_block(&self) -> Option<ThinkingBlock<'_>> {
        let thinking = Text::from(self.thinking.as_str());
        let signature = Text::from(self.signature.as_str());
        (!signature.is_empty()).then_some(ThinkingBlock::Thinking { thinking, signature })
    }

    /// Collects the sources of the block's text, which ends at the character `end`.
    pub(crate) fn sources(&self, end: usize) -> Sources<'_> {
        let mut sources = Sources::default();
        for citation in &self.citations {
            // A malformed citation supports no text, and must not fail the stream.
            if let Ok(cited) = serde_json::from_str(citation.get()) {
                sources.add(cited, &(self.start..end));
            }
        }
        sources
    }
}
