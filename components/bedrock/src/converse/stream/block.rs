//! A block of a message that has begun and not yet ended.

use serde_json::value::RawValue;

use crate::completion::ThinkingBlock;
use crate::converse::citations::Sources;
use crate::converse::request::JsonTool;
use crate::json::Text;

/// A block, and what of it can only be told at its end.
#[derive(Debug, Default)]
pub(crate) struct OpenBlock {
    /// Where in the content its text starts, in characters.
    pub(crate) start: usize,
    pub(crate) call: Call,
    /// Reasoning, and the signature that makes it worth sending back.
    pub(crate) thinking: String,
    pub(crate) signature: String,
    /// Sources, which may be named before the text that relies on them.
    pub(crate) citations: Vec<Box<RawValue>>,
}

/// The call that a block is.
#[derive(Debug, Default)]
pub(crate) enum Call {
    #[default]
    None,
    /// A call of a client's tool: its number for the client, and whether its input has begun.
    Tool { index: u32, has_input: bool },
    /// The answer by a schema, told as it comes.
    Json { has_input: bool },
    /// The same, inside an object that can only be taken off at the end.
    WrappedJson { tool: JsonTool, input: String },
}

/// The blocks that are open, each with Bedrock's number for it. There is seldom more than one, so a
/// list serves, and a guest has little room for maps.
#[derive(Debug, Default)]
pub(crate) struct OpenBlocks(Vec<(u64, OpenBlock)>);

impl OpenBlocks {
    /// The block `number`, which is opened at the character `start` if it is not open.
    pub(crate) fn open(&mut self, number: u64, start: usize) -> Option<&mut OpenBlock> {
        if self.get(number).is_none() {
            self.0.push((number, OpenBlock::at(start)));
        }
        self.get(number)
    }

    /// The block `number`, if it is open.
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
    /// A block whose text is to start at the character `start`.
    pub(crate) fn at(start: usize) -> Self {
        Self { start, ..Self::default() }
    }

    /// Its reasoning, in the form that can be sent back.
    pub(crate) fn thinking_block(&self) -> Option<ThinkingBlock<'_>> {
        let thinking = Text::from(self.thinking.as_str());
        let signature = Text::from(self.signature.as_str());
        (!signature.is_empty()).then_some(ThinkingBlock::Thinking { thinking, signature })
    }

    /// The sources of its text, which ends at the character `end`.
    pub(crate) fn sources(&self, end: usize) -> Sources<'_> {
        let mut sources = Sources::default();
        for citation in &self.citations {
            // What is no citation supports nothing that is said.
            if let Ok(cited) = serde_json::from_str(citation.get()) {
                sources.add(cited, &(self.start..end));
            }
        }
        sources
    }
}
