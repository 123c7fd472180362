//! JSON that the gateway writes: one type for all values keeps the component small.

use serde_json::value::RawValue;

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Null,
    Number(u64),
    Text(&'a str),
    Raw(&'a RawValue),
    List(Vec<Value<'a>>),
    Object(Members<'a>),
}

/// The members of an object, in their order.
pub(crate) type Members<'a> = Vec<(&'static str, Value<'a>)>;

impl Value<'_> {
    /// Appends this value to `out` as JSON.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::Text(text) => write_text(text, out),
            Self::Raw(raw) => out.extend_from_slice(raw.get().as_bytes()),
            Self::List(list) => enclose(list, (b'[', b']'), out, Self::write),
            Self::Object(members) => enclose(members, (b'{', b'}'), out, |(name, value), out| {
                write_text(name, out);
                out.push(b':');
                value.write(out);
            }),
        }
    }

    /// Returns this value as JSON.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let mut json = Vec::new();
        self.write(&mut json);
        json
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Value<'_> {
    fn from(number: usize) -> Self {
        Self::Number(u64::try_from(number).unwrap_or(u64::MAX))
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<'a> From<&'a [Box<RawValue>]> for Value<'a> {
    fn from(list: &'a [Box<RawValue>]) -> Self {
        Self::List(list.iter().map(|raw| Value::Raw(raw)).collect())
    }
}

/// Appends `text` to `out` as a JSON string.
fn write_text(text: &str, out: &mut Vec<u8>) {
    // Neither serialising a text nor writing to a vector can fail.
    serde_json::to_writer(out, text).unwrap_or_default();
}

/// Appends `entries`, each by `write`, with commas between them and brackets around them.
fn enclose<T>(
    entries: &[T],
    (start, end): (u8, u8),
    out: &mut Vec<u8>,
    write: impl Fn(&T, &mut Vec<u8>),
) {
    out.push(start);
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(entry, out);
    }
    out.push(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_json_writes_every_kind_of_value() {
        let raw = RawValue::from_string("[1.0]".to_owned()).unwrap();
        let value = Value::Object(vec![
            ("a", Value::Null),
            ("b", 7_u64.into()),
            ("c\"", "d\n".into()),
            ("e", Value::List(vec![Value::Raw(&raw), Value::List(Vec::new())])),
            ("f", Value::Object(Vec::new())),
            ("g", None::<&str>.into()),
        ]);
        let expected = r#"{"a":null,"b":7,"c\"":"d\n","e":[[1.0],[]],"f":{},"g":null}"#;
        assert_eq!(String::from_utf8(value.to_json()).unwrap(), expected);
    }
}
