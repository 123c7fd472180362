//! The field of a body that names the model.

use std::ops::Range;

/// A body's `model` and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelField {
    /// The name, unescaped.
    pub name: String,
    /// Its bytes in the body: a JSON string with its quotes, or a form's plain text.
    pub span: Range<usize>,
}

impl ModelField {
    /// Returns `body` with `value` in place of the model, and every other byte unchanged.
    ///
    /// The span was found in the same bytes; one outside of `body` changes nothing.
    pub fn replace_in(&self, body: &[u8], value: &[u8]) -> Vec<u8> {
        let (Some(before), Some(after)) = (body.get(..self.span.start), body.get(self.span.end..))
        else {
            return body.to_vec();
        };
        [before, value, after].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replace_in_changes_only_the_value() {
        let body = br#"{ "a":1, "model" : "x\n" ,"b":[ 2 ]}"#;
        let model = ModelField { name: "x\n".to_owned(), span: 19..24 };
        let edited = model.replace_in(body, br#""y\"z""#);
        assert_eq!(edited, br#"{ "a":1, "model" : "y\"z" ,"b":[ 2 ]}"#);
        let outside = ModelField { name: String::new(), span: 99..100 };
        assert_eq!(outside.replace_in(body, b"x"), body);
    }
}
