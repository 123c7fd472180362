//! The table of models and their capabilities.
//!
//! A row applies to every id that begins with its `model`, up to a whole token; a `model` that ends
//! with a dot is a vendor. An empty cell keeps the value of earlier rows for the same id, so a
//! future model gets the capabilities of its vendor's row. `version` completes the id for the list
//! of models; a row with `*` stands for many models and is not listed.
//!
//! `effort` is the highest effort; all below it are supported, except `xhigh` where it is `high+max`.
//! `none` is what keeps a model from reasoning; for Claude see
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html> and
//! the card of each model, as read in November 2026. `output` is the token limit of models that Bedrock would cut
//! earlier without one.

use crate::catalog::capabilities::{
    Capabilities, Choices, Effort, Family, Reasoning, Sampling, UP_TO_HIGH, Unreasoned,
};

/// The table as text.
const TABLE: &str = include_str!("models.csv");

/// The table, split into lines at compile time, because every request scans it. The last line is empty.
static LINES: [&str; count(TABLE, b'\n')] = split(TABLE, b'\n');

/// The names of the columns.
static COLUMNS: [&str; count(LINES[0], b',')] = split(LINES[0], b',');

/// The version of rows that stand for many models.
const MANY: &str = "*";

/// A row.
struct Row<'a> {
    model: &'a str,
    version: &'a str,
    /// The other cells, not yet split.
    cells: &'a str,
}

/// Looks up the model `id`; none if not even its vendor is known.
pub(crate) fn find(id: &str) -> Option<(Family, Capabilities)> {
    let mut found = None;
    for row in rows_near(id).filter(|row| row.applies_to(id)) {
        let (family, capabilities) = found.get_or_insert((Family::Other, Capabilities::UNKNOWN));
        for (column, cell) in row.cells() {
            // Cannot fail: a test reads every cell.
            let _ = set(family, capabilities, column, cell);
        }
    }
    found.map(|(family, capabilities)| (family, with_derived(family, capabilities)))
}

/// Checks whether `id` begins with the name of a vendor.
pub(crate) fn names_vendor_of(id: &str) -> bool {
    rows_near(id).any(|row| row.model.ends_with('.') && id.starts_with(row.model))
}

/// Lists the full ids of the table's models.
pub(crate) fn listed() -> impl Iterator<Item = String> {
    rows().filter(|row| row.version != MANY).map(|row| format!("{}{}", row.model, row.version))
}

/// Adds the capabilities that follow from others.
fn with_derived(family: Family, capabilities: Capabilities) -> Capabilities {
    Capabilities {
        // Both were introduced with the same grammars, and no known model supports only one.
        strict_tools: capabilities.structured_output,
        caches_tools: capabilities.caching && family == Family::Claude,
        ..capabilities
    }
}

/// Returns all rows.
fn rows() -> impl Iterator<Item = Row<'static>> {
    LINES.iter().skip(1).copied().filter_map(Row::read)
}

/// Returns the rows whose `model` is a prefix of `id`. Only these are split: most others differ in one of
/// their first bytes. The last line is empty, which is no row.
fn rows_near(id: &str) -> impl Iterator<Item = Row<'static>> {
    let begins = |line: &&str| {
        let mut id = id.bytes();
        line.bytes().take_while(|byte| *byte != b',').all(|byte| id.next() == Some(byte))
    };
    LINES.iter().skip(1).copied().filter(begins).filter_map(Row::read)
}

/// Counts the parts of `text` between separators.
#[expect(clippy::indexing_slicing, reason = "out of bounds, the build would fail")]
const fn count(text: &str, separator: u8) -> usize {
    let (mut count, mut index) = (1, 0);
    while index < text.len() {
        count += (text.as_bytes()[index] == separator) as usize;
        index += 1;
    }
    count
}

/// Splits `text` into its parts between separators.
#[expect(clippy::indexing_slicing, reason = "out of bounds, the build would fail")]
const fn split<const COUNT: usize>(mut text: &'static str, separator: u8) -> [&'static str; COUNT] {
    let mut parts = [""; COUNT];
    let (mut count, mut index) = (0, 0);
    while index < text.len() {
        if text.as_bytes()[index] == separator {
            let (part, rest) = text.split_at(index);
            (parts[count], text) = (part, rest.split_at(1).1);
            (count, index) = (count + 1, 0);
        } else {
            index += 1;
        }
    }
    parts[count] = text;
    parts
}

/// Sets the capability in `column`; none if the column or the cell is unknown.
fn set(
    family: &mut Family,
    capabilities: &mut Capabilities,
    column: &str,
    cell: &str,
) -> Option<()> {
    match column {
        "family" => *family = read_family(cell)?,
        "choice" => capabilities.tool_choice = read_choices(cell)?,
        "forced" => capabilities.forced_tool = read_bool(cell)?,
        "parallel" => capabilities.parallel_tool_config = read_bool(cell)?,
        "schema" => capabilities.structured_output = read_bool(cell)?,
        "reasoning" => capabilities.reasoning = read_reasoning(cell)?,
        "none" => capabilities.unreasoned = read_unreasoned(cell)?,
        "effort" => capabilities.efforts = read_efforts(cell)?,
        "sampling" => capabilities.sampling = read_sampling(cell)?,
        "stop" => capabilities.stop_sequences = read_bool(cell)?,
        "prefill" => capabilities.prefill = read_bool(cell)?,
        "cache" => capabilities.caching = read_bool(cell)?,
        "hour" => capabilities.caches_long = read_bool(cell)?,
        "images" => capabilities.tool_result_images = read_bool(cell)?,
        "streams" => capabilities.streams_tools = read_bool(cell)?,
        "min_tokens" => capabilities.min_tokens = cell.parse().ok()?,
        "output" => capabilities.max_tokens = Some(cell.parse().ok()?),
        "system" => capabilities.system_prompt = read_bool(cell)?,
        "mixed" => capabilities.mixed_turns = read_bool(cell)?,
        "narrow" => capabilities.narrow_schemas = read_bool(cell)?,
        _ => return None,
    }
    Some(())
}

/// Reads a yes or no.
fn read_bool(cell: &str) -> Option<bool> {
    match cell {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// Reads a family.
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

/// Reads values of `toolChoice`.
fn read_choices(cell: &str) -> Option<Choices> {
    match cell {
        "all" => Some(Choices { any: true, tool: true }),
        "any" => Some(Choices { any: true, tool: false }),
        "none" => Some(Choices { any: false, tool: false }),
        _ => None,
    }
}

/// Reads a way to ask for reasoning.
fn read_reasoning(cell: &str) -> Option<Reasoning> {
    Some(match cell {
        "no" => Reasoning::No,
        "budget" => Reasoning::Budget,
        "adaptive" => Reasoning::Adaptive,
        "summarized" => Reasoning::Summarized,
        "nova" => Reasoning::Nova,
        "flat" => Reasoning::Flat,
        "nested" => Reasoning::Nested,
        _ => return None,
    })
}

/// Reads a way to keep a model from reasoning.
fn read_unreasoned(cell: &str) -> Option<Unreasoned> {
    match cell {
        "omit" => Some(Unreasoned::Omit),
        "disabled" => Some(Unreasoned::Disabled),
        "lowest" => Some(Unreasoned::Lowest),
        _ => None,
    }
}

/// Reads the efforts: all up to the highest, unless the cell says otherwise.
fn read_efforts(cell: &str) -> Option<&'static [Effort]> {
    use Effort::{High, Low, Max, Medium, XHigh};
    match cell {
        "high" => Some(&UP_TO_HIGH),
        "high+max" => Some(&[Low, Medium, High, Max]),
        "xhigh" => Some(&[Low, Medium, High, XHigh]),
        "max" => Some(&[Low, Medium, High, XHigh, Max]),
        _ => None,
    }
}

/// Reads the sampling parameters.
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
    /// Splits a line into its first two cells and the others.
    fn read(line: &'a str) -> Option<Self> {
        let (model, rest) = line.split_once(',')?;
        let (version, cells) = rest.split_once(',')?;
        Some(Self { model, version, cells })
    }

    /// Checks whether the row applies to the model `id`, so that `opus-4-1` does not match
    /// `opus-4-10`.
    fn applies_to(&self, id: &str) -> bool {
        let is_whole = |rest: &str| {
            self.model.ends_with('.') || rest.is_empty() || rest.starts_with(['-', ':'])
        };
        id.strip_prefix(self.model).is_some_and(is_whole)
    }

    /// Returns the cells that are not empty, each with its column.
    fn cells(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        let cells = self.cells.split(',').enumerate().filter(|(_, cell)| !cell.is_empty());
        // The first two cells are not among these.
        cells.filter_map(|(index, cell)| Some((*COLUMNS.get(index + 2)?, cell)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_reads_every_cell() {
        let width = COLUMNS.len() - 2;
        let (last, lines) = LINES[1..].split_last().unwrap();
        assert_eq!((*last, lines.len()), ("", TABLE.lines().count() - 1));
        for line in lines {
            let row = Row::read(line).unwrap();
            assert_eq!(row.cells.split(',').count(), width, "{line}");
            for (column, cell) in row.cells() {
                let outcome =
                    set(&mut Family::Other, &mut Capabilities::UNKNOWN.clone(), column, cell);
                assert!(outcome.is_some(), "{line}: {column}");
            }
        }
    }

    #[test]
    fn rows_follow_the_rows_that_they_refine() {
        let rows: Vec<Row<'_>> = rows().collect();
        for (index, row) in rows.iter().enumerate() {
            for later in &rows[index + 1..] {
                assert_ne!(row.model, later.model);
                assert!(!later.applies_to(row.model), "{} comes after {}", later.model, row.model);
            }
        }
    }

    #[test]
    fn find_of_a_forceable_model_has_a_tool_choice() {
        for id in listed() {
            let (_, capabilities) = find(&id).unwrap();
            assert!(capabilities.tool_choice.any || !capabilities.forced_tool, "{id}");
        }
    }

    #[test]
    fn applies_to_matches_whole_tokens() {
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
            assert_eq!(row.applies_to(id), expected, "{model} {id}");
        }
    }
}
