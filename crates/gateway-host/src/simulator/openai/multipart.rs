//! Parses multipart forms, as far as the simulated APIs need them.

use crate::simulator::Received;

/// The parts of a form.
pub(crate) struct Multipart(Vec<Part>);

/// One part of a form.
pub(crate) struct Part {
    name: String,
    pub(crate) filename: Option<String>,
    pub(crate) content: Vec<u8>,
}

impl Multipart {
    /// Reads the form of a request; `None` if its body is not a valid one.
    pub(crate) fn read(received: &Received) -> Option<Self> {
        let content_type = received.headers.get("content-type")?.to_str().ok()?;
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=")?;
        let delimiter = format!("--{}", boundary.trim_matches('"'));
        let body = &received.body;
        let mut parts = Vec::new();
        let mut starts = find_all(body, delimiter.as_bytes()).peekable();
        while let (Some(start), Some(end)) = (starts.next(), starts.peek()) {
            parts.push(Part::read(body.get(start + delimiter.len() + 2..end.checked_sub(2)?)?)?);
        }
        Some(Self(parts))
    }

    /// Finds the first part called `name`.
    pub(crate) fn find(&self, name: &str) -> Option<&Part> {
        self.0.iter().find(|part| part.name == name)
    }
}

impl Part {
    /// Splits a part into its headers and its content.
    fn read(part: &[u8]) -> Option<Self> {
        let split = find_all(part, b"\r\n\r\n").next()?;
        let head = String::from_utf8_lossy(part.get(..split)?).into_owned();
        let value = |name: &str| {
            let start = format!(" {name}=\"");
            Some(head.split(&start).nth(1)?.split('"').next()?.to_owned())
        };
        let content = part.get(split + 4..)?.to_vec();
        Some(Self { name: value("name")?, filename: value("filename"), content })
    }
}

/// Finds every position of `needle`.
fn find_all<'a>(haystack: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    haystack
        .windows(needle.len())
        .enumerate()
        .filter(move |(_, window)| *window == needle)
        .map(|(index, _)| index)
}
