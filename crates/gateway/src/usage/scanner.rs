//! Reads JSON as its bytes pass, without keeping them: finds strings, and the objects that report usage.

/// The bytes that are kept of a string: more than the longest type of an event has.
const NAME: usize = 48;

/// The longest object with usage that is read, in bytes.
const CAPTURED: usize = 4096;

/// What a scanner finds.
pub trait Visit {
    /// Takes the string at `place`: its first bytes, and its whole length in bytes.
    fn string(&mut self, place: &Place, start: &[u8], length: usize);

    /// Checks whether the object at `place` is to be captured.
    fn wants(&self, _place: &Place) -> bool {
        false
    }

    /// Takes an object that was wanted.
    fn object(&mut self, _place: &Place, _json: &[u8]) {}
}

/// A name of an object's member, cut to its first bytes.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    bytes: [u8; NAME],
    length: usize,
}

/// Where a value is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// The depth below the root object, whose members have depth 1.
    pub depth: usize,
    /// The name of the member.
    pub name: Name,
    /// The name of the root's member that contains it; its own at depth 1.
    pub root_name: Name,
}

/// A scanner of JSON that arrives in pieces. Bytes outside of JSON, such as those that start a line of an
/// event stream, are skipped. Invalid JSON gives nonsense, but no failure.
#[derive(Debug, Default)]
pub struct Scanner {
    /// The number of open objects and arrays.
    depth: usize,
    /// The depth of the root objects: 1, or 2 in an array of them.
    root: usize,
    state: State,
    /// The string that is open or pending. It is read where it is, because moving it takes longer than
    /// reading it.
    string: LastString,
    place: Place,
    is_value: bool,
    capture: Option<Capture>,
}

/// What the last bytes belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// To the structure of the document.
    #[default]
    Outside,
    /// To a string.
    Open,
    /// To a string that has ended, which may be a name or an element of an array.
    Pending,
}

/// The last string.
#[derive(Debug, Default)]
struct LastString {
    start: Name,
    length: usize,
    is_escaped: bool,
}

/// An object that is being captured.
#[derive(Debug)]
struct Capture {
    place: Place,
    depth: usize,
    bytes: Vec<u8>,
}

// === impl Name ===

impl Default for Name {
    fn default() -> Self {
        Self { bytes: [0; NAME], length: 0 }
    }
}

impl Name {
    /// Returns the name's first bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn clear(&mut self) {
        self.length = 0;
    }

    /// Appends `bytes`, as far as there is room.
    fn extend(&mut self, bytes: &[u8]) {
        let room = self.bytes.get_mut(self.length..).unwrap_or_default();
        let taken = room.iter_mut().zip(bytes).map(|(slot, byte)| *slot = *byte).count();
        self.length += taken;
    }
}

// === impl Scanner ===

impl Scanner {
    /// Takes the next bytes, and passes what is found in them to `visitor`.
    pub fn push(&mut self, bytes: &[u8], visitor: &mut impl Visit) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.state {
                State::Open => self.take_string(rest, visitor),
                State::Outside | State::Pending => self.take_outside(rest, visitor),
            };
        }
    }

    /// Forgets what is open: the next byte starts another document.
    pub fn reset(&mut self) {
        (self.depth, self.root, self.state) = (0, 0, State::Outside);
        (self.is_value, self.capture) = (false, None);
        self.place.name.clear();
        self.place.root_name.clear();
    }

    /// Checks whether nothing is open.
    pub fn is_idle(&self) -> bool {
        self.depth == 0 && self.state != State::Open
    }

    /// Takes the bytes of a string, up to its end, and returns the rest.
    fn take_string<'a>(&mut self, bytes: &'a [u8], visitor: &mut impl Visit) -> &'a [u8] {
        let end = if self.string.is_escaped { 1 } else { plain_length(bytes) };
        let (plain, rest) = bytes.split_at(end.min(bytes.len()));
        self.string.is_escaped = false;
        self.string.length += plain.len();
        self.string.start.extend(plain);
        self.keep(plain);
        match rest.split_first() {
            Some((b'\\', after)) => {
                self.string.is_escaped = true;
                self.keep(b"\\");
                after
            }
            Some((b'"', after)) => {
                self.keep(b"\"");
                self.end_string(visitor);
                after
            }
            _ => rest,
        }
    }

    fn open_string(&mut self) {
        self.state = State::Open;
        (self.string.length, self.string.is_escaped) = (0, false);
        self.string.start.clear();
    }

    fn end_string(&mut self, visitor: &mut impl Visit) {
        if std::mem::take(&mut self.is_value) {
            self.state = State::Outside;
            self.visit_string(visitor);
        } else {
            self.state = State::Pending;
        }
    }

    fn visit_string(&mut self, visitor: &mut impl Visit) {
        self.set_depth();
        visitor.string(&self.place, self.string.start.bytes(), self.string.length);
    }

    /// Takes the bytes outside of strings up to the first that has a meaning, and that one, and returns
    /// the rest.
    fn take_outside<'a>(&mut self, bytes: &'a [u8], visitor: &mut impl Visit) -> &'a [u8] {
        let place = bytes.iter().position(|byte| is_structural(*byte)).unwrap_or(bytes.len());
        let (plain, rest) = bytes.split_at(place);
        self.keep(plain);
        let Some((byte, after)) = rest.split_first() else { return rest };
        self.take(*byte, visitor);
        after
    }

    /// Takes a structural byte.
    fn take(&mut self, byte: u8, visitor: &mut impl Visit) {
        if !matches!(byte, b'{' | b'[') {
            self.keep(&[byte]);
        }
        match byte {
            b'"' => self.open_string(),
            b':' => self.name_value(),
            b',' => self.end_element(visitor),
            b'{' | b'[' => self.open(byte, visitor),
            _ => {
                self.end_element(visitor);
                self.depth = self.depth.saturating_sub(1);
                self.end_capture(visitor);
            }
        }
    }

    /// Opens an object or an array.
    fn open(&mut self, byte: u8, visitor: &mut impl Visit) {
        if byte == b'{' && self.capture.is_none() && self.is_value {
            self.set_depth();
            if visitor.wants(&self.place) {
                let (place, depth) = (self.place, self.depth);
                self.capture = Some(Capture { place, depth, bytes: Vec::new() });
            }
        }
        self.keep(&[byte]);
        if self.depth == 0 {
            self.root = if byte == b'[' { 2 } else { 1 };
        }
        self.depth += 1;
        (self.is_value, self.state) = (false, State::Outside);
    }

    /// Ends an element of an array or a member of an object. A string without a colon was an element.
    fn end_element(&mut self, visitor: &mut impl Visit) {
        self.is_value = false;
        if self.state == State::Pending {
            self.state = State::Outside;
            self.visit_string(visitor);
        }
    }

    /// Takes the pending string as the name of the value that follows.
    fn name_value(&mut self) {
        if self.state != State::Pending {
            return;
        }
        (self.state, self.is_value) = (State::Outside, true);
        self.place.name = self.string.start;
        if self.depth <= self.root {
            self.place.root_name = self.string.start;
        }
    }

    fn set_depth(&mut self) {
        self.place.depth = (self.depth + 1).saturating_sub(self.root);
    }

    /// Keeps bytes of an object that is being captured.
    fn keep(&mut self, bytes: &[u8]) {
        if let Some(capture) = &mut self.capture
            && capture.bytes.len() < CAPTURED
        {
            capture.bytes.extend_from_slice(bytes);
        }
    }

    fn end_capture(&mut self, visitor: &mut impl Visit) {
        let depth = self.depth;
        if let Some(capture) = self.capture.take_if(|capture| depth <= capture.depth)
            && capture.bytes.len() < CAPTURED
        {
            visitor.object(&capture.place, &capture.bytes);
        }
    }
}

/// Checks whether a byte outside of strings has a meaning for the structure of JSON.
fn is_structural(byte: u8) -> bool {
    matches!(byte, b'"' | b':' | b',' | b'{' | b'[' | b'}' | b']')
}

/// Returns the number of bytes before the first quote or backslash.
fn plain_length(bytes: &[u8]) -> usize {
    let special = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\'));
    special.unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Default)]
    struct Found(Vec<String>);

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    impl Visit for Found {
        fn string(&mut self, place: &Place, start: &[u8], length: usize) {
            let (root, name) = (text(place.root_name.bytes()), text(place.name.bytes()));
            self.0.push(format!("{} {root}/{name} {} {length}", place.depth, text(start)));
        }

        fn wants(&self, place: &Place) -> bool {
            place.name.bytes() == b"usage"
        }

        fn object(&mut self, place: &Place, json: &[u8]) {
            self.0.push(format!("{} {}", place.depth, text(json)));
        }
    }

    fn found(chunks: &[&[u8]]) -> Vec<String> {
        let (mut scanner, mut found) = (Scanner::default(), Found::default());
        for chunk in chunks {
            scanner.push(chunk, &mut found);
        }
        found.0
    }

    #[test]
    fn push_finds_strings_and_wanted_objects() {
        for (json, expected) in [
            (r#"{"a":"x","b":{"c":"y\"z"}}"#, &["1 a/a x 1", r#"2 b/c y"z 3"#][..]),
            (r#"{"a":["x","y"]}"#, &["2 a/a x 1", "2 a/a y 1"]),
            (
                r#"{"usage":{"n":1,"d":{"m":2}},"a":"x"}"#,
                &[r#"1 {"n":1,"d":{"m":2}}"#, "1 a/a x 1"],
            ),
            (r#"[{"usage":{"n":1}},{"usage":{"n":2}}]"#, &[r#"1 {"n":1}"#, r#"1 {"n":2}"#]),
            (r#"{"a":{"usage":{"t":"}"}}}"#, &["3 a/t } 1", r#"2 {"t":"}"}"#]),
            (r#"{"usage":null,"a":"\\"}"#, &[r"1 a/a \ 1"]),
            (r#"data: {"a":"usage"}"#, &["1 a/a usage 5"]),
            (r#"{"a":"{\"usage\":{}}"}"#, &[r#"1 a/a {"usage":{}} 12"#]),
            ("[DONE]", &[]),
        ] {
            assert_eq!(found(&[json.as_bytes()]), expected, "{json}");
        }
    }

    #[test]
    fn reset_forgets_the_names_of_a_document() {
        let (mut scanner, mut found) = (Scanner::default(), Found::default());
        scanner.push(br#"{"text":"x"}"#, &mut found);
        scanner.reset();
        scanner.push(br#"["y"]"#, &mut found);
        assert_eq!(found.0, ["1 text/text x 1", "0 / y 1"]);
    }

    #[test]
    fn push_survives_bytes_that_are_not_json() {
        for bytes in ["}}}]]]", "\"", "{\"a\":{", "{{{{[[[[\"\\", ":,:,{:}"] {
            let (mut scanner, mut visitor) = (Scanner::default(), Found::default());
            scanner.push(bytes.as_bytes(), &mut visitor);
            scanner.reset();
            assert!(scanner.is_idle(), "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn what_is_found_does_not_depend_on_the_splits(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    r#"{"usage":{"n":1}}"#, r#"{"a":"x\\\"y"}"#, "[", "]", "{", "}", "\"", "\\", ":", ",", "a",
                ]),
                0..12,
            ),
            size in 1_usize..5,
        ) {
            let text = parts.concat();
            let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            prop_assert_eq!(found(&chunks), found(&[text.as_bytes()]));
        }
    }
}
