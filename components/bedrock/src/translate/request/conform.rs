//! The form of a conversation that the model's family accepts, where it is narrower than Converse's.

use std::mem;

use crate::catalog::capabilities::Capabilities;
use crate::converse::request::{Block, ConverseRequest, Role, Turn};

/// The text of a turn that is there for the other side's turns only.
pub(super) const FILLER: &str = ".";

/// Puts the request into the form that a model with `capabilities` accepts.
pub(super) fn conform(converse: &mut ConverseRequest<'_>, capabilities: &Capabilities) {
    if !capabilities.system_prompt {
        move_system_prompt(converse);
    }
    if !capabilities.mixed_turns {
        converse.messages = separate(mem::take(&mut converse.messages));
    }
}

/// Moves the system prompt to the beginning of the first turn, which is the user's.
fn move_system_prompt(converse: &mut ConverseRequest<'_>) {
    if let Some(first) = converse.messages.first_mut() {
        first.content.splice(0..0, mem::take(&mut converse.system));
    }
}

/// Separates tool calls and results from the text of their turn, by a turn of the other side.
fn separate(turns: Vec<Turn<'_>>) -> Vec<Turn<'_>> {
    let mut separate = Vec::with_capacity(turns.len());
    for mut turn in turns {
        if let Some(end) = end_of_first_kind(&turn.content) {
            let (role, rest) = (turn.role, turn.content.split_off(end));
            let filler = Turn { role: role.other(), content: vec![Block::text(FILLER)] };
            separate.extend([turn, filler, Turn { role, content: rest }]);
        } else {
            separate.push(turn);
        }
    }
    separate
}

/// Returns the index of the first block whose kind is not that of the blocks before it. There is at
/// most one, because a turn has its results first and its calls last.
fn end_of_first_kind(blocks: &[Block<'_>]) -> Option<usize> {
    let first = blocks.iter().find_map(is_of_tool)?;
    blocks.iter().position(|block| is_of_tool(block).is_some_and(|kind| kind != first))
}

/// Reports whether a block is a tool call or its result; none for a block that belongs to another.
fn is_of_tool(block: &Block<'_>) -> Option<bool> {
    match block {
        Block::ToolUse(_) | Block::ToolResult(_) => Some(true),
        Block::CachePoint(_) | Block::ReasoningContent(_) => None,
        _ => Some(false),
    }
}

impl Role {
    /// Returns the other side.
    fn other(self) -> Self {
        match self {
            Self::User => Self::Assistant,
            Self::Assistant => Self::User,
        }
    }
}
