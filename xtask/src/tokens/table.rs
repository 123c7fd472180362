//! Formats results as tables.

use serde_json::Value;

/// The columns of a list: title and JSON field.
type Columns = &'static [(&'static str, &'static str)];

/// The columns of a list of keys.
const KEYS: Columns = &[
    ("ID", "id"),
    ("TEAM", "teamId"),
    ("NAME", "name"),
    ("LIMITED", "limited"),
    ("DISABLED", "disabled"),
    ("EXPIRES", "expiresAt"),
    ("PROVIDERS", "providers"),
    ("MODELS", "models"),
];

/// The columns of a list of what was used.
const USAGE: Columns = &[
    ("PERIOD", "period"),
    ("TEAM", "teamId"),
    ("KEY", "key"),
    ("REQUESTS", "requests"),
    ("INPUT", "inputTokens"),
    ("OUTPUT", "outputTokens"),
    ("CACHED", "cachedTokens"),
    ("REASONING", "reasoningTokens"),
    ("USD", "costUsd"),
];

/// The columns of a list of teams.
const TEAMS: Columns = &[("TEAM", "teamId"), ("LIMITS", "limits")];

/// Formats a list with one line per entry, and an object with one line per field.
pub(crate) fn format(result: &Value) -> String {
    match result {
        Value::Array(entries) => {
            let columns = columns(entries.first());
            let titles = columns.iter().map(|(title, _)| (*title).to_owned()).collect();
            let line =
                |entry: &Value| columns.iter().map(|(_, name)| cell(entry.get(name))).collect();
            align(std::iter::once(titles).chain(entries.iter().map(line)).collect())
        }
        Value::Object(fields) => {
            let line = |(name, value): (&String, &Value)| vec![name.clone(), cell(Some(value))];
            align(fields.iter().map(line).collect())
        }
        // A revocation returns no body.
        _ => "done".to_owned(),
    }
}

/// Returns the columns of a list with this first entry.
fn columns(entry: Option<&Value>) -> Columns {
    match entry {
        Some(entry) if entry.get("period").is_some() => USAGE,
        Some(entry) if entry.get("id").is_none() => TEAMS,
        _ => KEYS,
    }
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(entries)) => {
            let entries: Vec<String> = entries.iter().map(|entry| cell(Some(entry))).collect();
            entries.join(" ")
        }
        Some(other) => other.to_string(),
    }
}

/// Aligns the cells of all lines in columns.
fn align(lines: Vec<Vec<String>>) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for line in &lines {
        widths.resize(widths.len().max(line.len()), 0);
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let print = |line: Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.into_iter().map(print).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn format_lists_keys_as_lines_and_one_key_as_a_table() {
        let key = json!({"id": "0a", "teamId": "blue", "models": ["a*", "b"], "limited": true});
        let expected = "ID  TEAM  NAME  LIMITED  DISABLED  EXPIRES  PROVIDERS  MODELS\n\
                        0a  blue  -     true     -         -        -          a* b";
        assert_eq!(format(&json!([key])), expected);
        assert_eq!(
            format(&json!({"allowed": false, "rule": "models"})),
            "allowed  false\nrule     models"
        );
        assert_eq!(format(&Value::Null), "done");
    }
}
