//! The table of models: what each takes, told once for all whose ids begin alike.
//!
//! A row is about every id that begins with its `model`, up to a whole token; a `model` that ends
//! with a dot is a maker. An empty cell leaves what the rows above say of the same id, so a model
//! that comes out tomorrow is known as its maker's others are. `version` completes the id that
//! `GET /models` lists; a row with `*` is about many.
//!
//! `effort` is the highest up to which every one is taken: Claude 4.6 takes `max` but no `xhigh`,
//! and so has `high`.

use crate::model::{Abilities, Choices, Effort, Family, Reasoning, Sampling};

const TABLE: &str = include_str!("../models.csv");

/// The table's lines, parted when it is compiled: every request looks at all of them.
static LINES: [&str; count_lines(TABLE)] = lines(TABLE);

/// The version of rows about many models.
const MANY: &str = "*";

struct Row<'a> {
    model: &'a str,
    version: &'a str,
    /// The cells after those two.
    cells: &'a str,
}

/// What is known of the model `id`; nothing if not even its maker is.
pub(crate) fn find(id: &str) -> Option<(Family, Abilities)> {
    let mut found = None;
    for row in rows_near(id).filter(|row| row.is_about(id)) {
        let (family, abilities) = found.get_or_insert((Family::Other, Abilities::UNKNOWN));
        for (column, cell) in row.cells() {
            // A test makes sure that every cell can be read.
            let _ = set(family, abilities, column, cell);
        }
    }
    found.map(|(family, abilities)| (family, with_derived(family, abilities)))
}

/// Whether `id` begins with the name of a maker.
pub(crate) fn names_maker_of(id: &str) -> bool {
    rows_near(id).any(|row| row.model.ends_with('.') && id.starts_with(row.model))
}

/// The full ids of the table's models.
pub(crate) fn listed() -> impl Iterator<Item = String> {
    rows().filter(|row| row.version != MANY).map(|row| format!("{}{}", row.model, row.version))
}

/// What follows from the cells.
fn with_derived(family: Family, abilities: Abilities) -> Abilities {
    Abilities {
        // Both came with the same grammars, and no model is known that takes just one.
        strict_tools: abilities.structured_output,
        caches_tools: abilities.caching && family == Family::Claude,
        ..abilities
    }
}

fn columns() -> impl Iterator<Item = &'static str> {
    LINES.first().unwrap_or(&"").split(',').skip(2)
}

fn rows() -> impl Iterator<Item = Row<'static>> {
    LINES.iter().skip(1).copied().filter_map(Row::read)
}

/// The rows whose `model` is how `id` begins: a look at that is cheaper than reading a row.
fn rows_near(id: &str) -> impl Iterator<Item = Row<'static>> {
    let begins = |line: &&str| line.split_once(',').is_some_and(|(model, _)| id.starts_with(model));
    LINES.iter().skip(1).copied().filter(begins).filter_map(Row::read)
}

#[expect(clippy::indexing_slicing, reason = "out of bounds, the build would fail")]
const fn count_lines(text: &str) -> usize {
    let (mut count, mut index) = (0, 0);
    while index < text.len() {
        count += (text.as_bytes()[index] == b'\n') as usize;
        index += 1;
    }
    count
}

/// The lines of `text`, each of which has an end, the last one too.
#[expect(clippy::indexing_slicing, reason = "out of bounds, the build would fail")]
const fn lines<const COUNT: usize>(mut text: &'static str) -> [&'static str; COUNT] {
    assert!(text.as_bytes()[text.len() - 1] == b'\n', "the last line has no end");
    let mut lines = [""; COUNT];
    let (mut count, mut index) = (0, 0);
    while index < text.len() {
        if text.as_bytes()[index] == b'\n' {
            let (line, rest) = text.split_at(index);
            (lines[count], text) = (line, rest.split_at(1).1);
            (count, index) = (count + 1, 0);
        } else {
            index += 1;
        }
    }
    lines
}

/// Sets what `cell` says; nothing comes back if it says nothing that is known.
fn set(family: &mut Family, abilities: &mut Abilities, column: &str, cell: &str) -> Option<()> {
    match column {
        "family" => *family = read_family(cell)?,
        "choice" => abilities.tool_choice = read_choices(cell)?,
        "forced" => abilities.forced_tool = read_bool(cell)?,
        "parallel" => abilities.parallel_tool_config = read_bool(cell)?,
        "schema" => abilities.structured_output = read_bool(cell)?,
        "reasoning" => abilities.reasoning = read_reasoning(cell)?,
        "effort" => abilities.max_effort = read_effort(cell)?,
        "sampling" => abilities.sampling = read_sampling(cell)?,
        "stop" => abilities.stop_sequences = read_bool(cell)?,
        "prefill" => abilities.prefill = read_bool(cell)?,
        "cache" => abilities.caching = read_bool(cell)?,
        "hour" => abilities.caches_long = read_bool(cell)?,
        "images" => abilities.tool_result_images = read_bool(cell)?,
        "streams" => abilities.streams_tools = read_bool(cell)?,
        "min_tokens" => abilities.min_tokens = cell.parse().ok()?,
        _ => return None,
    }
    Some(())
}

fn read_bool(cell: &str) -> Option<bool> {
    match cell {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn read_family(cell: &str) -> Option<Family> {
    Some(match cell {
        "claude" => Family::Claude,
        "nova" => Family::Nova,
        "titan" => Family::Titan,
        "llama" => Family::Llama,
        "mistral" => Family::Mistral,
        "cohere" => Family::Cohere,
        "deepseek" => Family::DeepSeek,
        "openai" => Family::OpenAi,
        "qwen" => Family::Qwen,
        "other" => Family::Other,
        _ => return None,
    })
}

fn read_choices(cell: &str) -> Option<Choices> {
    match cell {
        "all" => Some(Choices { any: true, tool: true }),
        "any" => Some(Choices { any: true, tool: false }),
        "none" => Some(Choices { any: false, tool: false }),
        _ => None,
    }
}

fn read_reasoning(cell: &str) -> Option<Reasoning> {
    Some(match cell {
        "no" => Reasoning::No,
        "budget" => Reasoning::Budget,
        "adaptive" => Reasoning::Adaptive,
        "nova" => Reasoning::Nova,
        "flat" => Reasoning::Flat,
        "nested" => Reasoning::Nested,
        _ => return None,
    })
}

fn read_effort(cell: &str) -> Option<Effort> {
    match cell {
        "high" => Some(Effort::High),
        "xhigh" => Some(Effort::XHigh),
        "max" => Some(Effort::Max),
        _ => None,
    }
}

fn read_sampling(cell: &str) -> Option<Sampling> {
    match cell {
        "both" => Some(Sampling::Both),
        "one" => Some(Sampling::One),
        "no" => Some(Sampling::No),
        _ => None,
    }
}

// === impl Row ===

impl<'a> Row<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let (model, rest) = line.split_once(',')?;
        let (version, cells) = rest.split_once(',')?;
        Some(Self { model, version, cells })
    }

    fn is_about(&self, id: &str) -> bool {
        let is_whole = |rest: &str| {
            self.model.ends_with('.') || rest.is_empty() || rest.starts_with(['-', ':'])
        };
        id.strip_prefix(self.model).is_some_and(is_whole)
    }

    /// The cells that say something, each with its column.
    fn cells(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        columns().zip(self.cells.split(',')).filter(|(_, cell)| !cell.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_can_be_read() {
        let width = columns().count();
        assert_eq!(LINES.len(), TABLE.lines().count());
        for line in &LINES[1..] {
            let row = Row::read(line).unwrap();
            assert_eq!(row.cells.split(',').count(), width, "{line}");
            for (column, cell) in row.cells() {
                let outcome =
                    set(&mut Family::Other, &mut Abilities::UNKNOWN.clone(), column, cell);
                assert!(outcome.is_some(), "{line}: {column}");
            }
        }
    }

    #[test]
    fn a_row_follows_the_rows_it_adds_to() {
        let rows: Vec<Row<'_>> = rows().collect();
        for (index, row) in rows.iter().enumerate() {
            for later in &rows[index + 1..] {
                assert_ne!(row.model, later.model);
                assert!(!later.is_about(row.model), "{} comes after {}", later.model, row.model);
            }
        }
    }

    #[test]
    fn a_model_that_can_be_forced_has_a_choice() {
        for id in listed() {
            let (_, abilities) = find(&id).unwrap();
            assert!(abilities.tool_choice.any || !abilities.forced_tool, "{id}");
        }
    }

    #[test]
    fn rows_are_about_whole_tokens() {
        for (model, id, expected) in [
            ("anthropic.", "anthropic.claude-x", true),
            ("anthropic.claude-opus-4-1", "anthropic.claude-opus-4-1", true),
            ("anthropic.claude-opus-4-1", "anthropic.claude-opus-4-1-20250805-v1:0", true),
            ("anthropic.claude-opus-4-1", "anthropic.claude-opus-4-10", false),
            ("deepseek.v3", "deepseek.v3:0", true),
            ("deepseek.v3", "deepseek.v3.2", false),
            ("meta.", "us.meta.llama", false),
        ] {
            let row = Row { model, version: "", cells: "" };
            assert_eq!(row.is_about(id), expected, "{model} {id}");
        }
    }
}
