//! Finds a form's `model` without parsing the rest of the form.
//!
//! Parsers of forms disagree on malformed input. A policy decision based on one reading could be
//! circumvented by another, so everything that could be read in two ways is rejected.

use std::ops::Range;

use crate::Error;
use crate::http::bytes::{find, is_alphanumeric_or};
use crate::http::model_field::ModelField;
use crate::http::parameters::{self, Reason, parameter};

/// The longest boundary RFC 2046 allows.
const BOUNDARY_LENGTH: usize = 70;

/// The line break of a form.
const LINE_BREAK: &[u8] = b"\r\n";

/// Finds the field `model` in a `multipart/form-data` body. The span is the value's.
///
/// # Errors
/// [`Error::InvalidBody`] if the body is not a form, if it has `model` twice, or if `model` is not
/// text.
pub fn find_model(content_type: &str, body: &[u8]) -> Result<Option<ModelField>, Error> {
    let delimiter = format!("--{}", boundary(content_type)?);
    let mut found = None;
    for part in parts(body, delimiter.as_bytes())? {
        let (headers, value) = split_part(body, part)?;
        if !is_model(&headers)? {
            continue;
        }
        let name = std::str::from_utf8(body.get(value.clone()).unwrap_or_default())
            .map_err(|_| Error::invalid_param("model", "`model` must be text"))?;
        let model = ModelField { name: name.to_owned(), span: value };
        if found.replace(model).is_some() {
            return Err(Error::invalid_param("model", "`model` is given more than once"));
        }
    }
    Ok(found)
}

/// Returns the `boundary` parameter of a content type, quoted or not.
fn boundary(content_type: &str) -> Result<&str, Error> {
    let boundary = parameter(content_type, "boundary").map_err(broken)?.unwrap_or_default();
    if boundary.is_empty()
        || boundary.len() > BOUNDARY_LENGTH
        || !boundary.bytes().all(is_boundary_byte)
    {
        return Err(broken("no usable boundary"));
    }
    Ok(boundary)
}

/// Checks whether RFC 2046 allows `byte` in a boundary. Space and comma are left out, because some
/// parsers end the boundary there.
fn is_boundary_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"'()+_-./:=?".contains(&byte)
}

/// Returns the spans between one delimiter and the next, each from the line break after the one to
/// the line break before the other.
///
/// Some parsers accept a delimiter anywhere. One that not all parsers recognise is rejected: after a
/// bare line feed, in the middle of a line, after the end.
fn parts(body: &[u8], delimiter: &[u8]) -> Result<Vec<Range<usize>>, Error> {
    if !body.starts_with(delimiter) {
        return Err(broken("no boundary at its start"));
    }
    let mut parts = Vec::new();
    let mut start = delimiter.len();
    loop {
        let rest = body.get(start..).unwrap_or_default();
        if let Some(after) = rest.strip_prefix(b"--") {
            let is_end = after.trim_ascii().is_empty();
            return if is_end { Ok(parts) } else { Err(broken("data after the closing boundary")) };
        }
        let length = find(rest, delimiter).ok_or_else(|| broken("closing boundary missing"))?;
        let part = rest.get(..length).unwrap_or_default();
        if !(part.starts_with(LINE_BREAK) && part.ends_with(LINE_BREAK)) {
            return Err(broken("a boundary that is not on a line of its own"));
        }
        parts.push(start..start + length - LINE_BREAK.len());
        start += length + delimiter.len();
    }
}

/// Splits a part into its headers, including the line break before them, and the span of its content.
fn split_part(body: &[u8], part: Range<usize>) -> Result<(String, Range<usize>), Error> {
    let bytes = body.get(part.clone()).unwrap_or_default();
    let end = find(bytes, b"\r\n\r\n").ok_or_else(|| broken("a part has no headers"))?;
    let headers = bytes.get(..end + LINE_BREAK.len()).unwrap_or_default();
    // A bare CR or LF ends a line for some parsers and not for others.
    if headers.windows(2).any(|pair| pair.starts_with(b"\r") != pair.ends_with(b"\n")) {
        return Err(broken("bare CR or LF in a part's headers"));
    }
    // Older clients write file names in Latin-1. Decoding every byte as Latin-1 always succeeds and
    // leaves ASCII unchanged.
    let headers = headers.iter().map(|byte| char::from(*byte)).collect();
    Ok((headers, part.start + end + 2 * LINE_BREAK.len()..part.end))
}

/// Checks whether a part is the field `model`, by `content-disposition: form-data; name="…"`.
fn is_model(headers: &str) -> Result<bool, Error> {
    if headers.split('\n').any(|line| line.starts_with([' ', '\t'])) {
        return Err(broken("a part's header is folded"));
    }
    let Some(disposition) = header(headers, "content-disposition")? else {
        return Ok(false);
    };
    let name = field_name(disposition).map_err(broken)?;
    if name.eq_ignore_ascii_case("_charset_") {
        return Err(broken("a field changes the charset of the others"));
    }
    let is_model = name == "model";
    // Some parsers ignore case, and some read `model[]` and `model[x]` as `model`.
    if !is_model && name.split('[').next().is_some_and(|it| it.eq_ignore_ascii_case("model")) {
        return Err(broken("the field `model` is written in another way"));
    }
    if is_model {
        check_plain(headers)?;
    }
    Ok(is_model)
}

/// Returns the name of a part's field. Accepts only what every parser
/// reads in the same way.
fn field_name(disposition: &str) -> Result<&str, Reason> {
    if count_names(disposition) > 1 {
        return Err("a parameter is given twice");
    }
    let mut parts = parameters::parts(disposition);
    if !parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("form-data")) {
        return Err("a part is not form-data");
    }
    let is_known = |part: &str| {
        let name = part.split('=').next().unwrap_or_default().trim();
        ["", "name", "filename", "filename*"].iter().any(|known| name.eq_ignore_ascii_case(known))
            && (name.is_empty() == part.is_empty())
    };
    if !parts.all(is_known) {
        return Err("a parameter other than `name` and `filename`");
    }
    let name = parameter(disposition, "name")?.ok_or("a part has no name")?;
    if is_alphanumeric_or(b"-_.[]", name) { Ok(name) } else { Err("a special character in a name") }
}

/// Rejects a model whose text every parser would have to decode first.
fn check_plain(headers: &str) -> Result<(), Error> {
    let encoding = header(headers, "content-transfer-encoding")?.unwrap_or("binary").trim();
    let is_plain = ["7bit", "8bit", "binary"].iter().any(|it| it.eq_ignore_ascii_case(encoding));
    let content_type = header(headers, "content-type")?.unwrap_or("text/plain");
    let media_type = parameters::parts(content_type).next().unwrap_or_default();
    if !is_plain
        || !media_type.eq_ignore_ascii_case("text/plain")
        || !parameters::is_utf8(content_type).map_err(broken)?
    {
        return Err(broken("the model is encoded"));
    }
    Ok(())
}

/// Returns the value of a part's header, which must not be repeated.
fn header<'a>(headers: &'a str, name: &str) -> Result<Option<&'a str>, Error> {
    let mut values = headers
        .split('\n')
        .filter_map(|line| line.split_once(':'))
        .filter(|(given, _)| given.trim().eq_ignore_ascii_case(name));
    match (values.next(), values.next()) {
        (found, None) => Ok(found.map(|(_, value)| value)),
        (_, Some(_)) => Err(broken("a header is given twice")),
    }
}

/// Counts how often a parser that searches for `name=` finds it, even inside another parameter.
fn count_names(disposition: &str) -> usize {
    let bytes = disposition.as_bytes();
    let is_inside = |index: usize| {
        index.checked_sub(1).and_then(|before| bytes.get(before)).copied().is_some_and(is_word_byte)
    };
    let found = bytes.windows(5).enumerate();
    found.filter(|(at, window)| window.eq_ignore_ascii_case(b"name=") && !is_inside(*at)).count()
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn broken(why: &str) -> Error {
    Error::InvalidBody { message: format!("invalid form: {why}"), param: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=XX";

    fn form(parts: &[(&str, &str)]) -> String {
        let part = |(head, value): &(&str, &str)| {
            format!("--XX\r\ncontent-disposition: form-data; {head}\r\n\r\n{value}\r\n")
        };
        parts.iter().map(part).collect::<String>() + "--XX--\r\n"
    }

    #[test]
    fn find_model_finds_the_field() {
        let file = ("name=\"file\"; filename=\"a; model.mp3\"", "--X model");
        let plain = ("name=\"model\"\r\ncontent-transfer-encoding: 8bit", "m");
        for (parts, expected) in [
            (vec![], None),
            (vec![file], None),
            (vec![file, ("name=\"model\"", "whisper-1")], Some("whisper-1")),
            (vec![("NAME=model", ""), file], Some("")),
            (vec![plain], Some("m")),
            (vec![("name=\"xmodel\"", "a"), ("name=\"model\"", "b")], Some("b")),
        ] {
            let body = form(&parts);
            let found = find_model(TYPE, body.as_bytes()).unwrap();
            let name = found.as_ref().map(|model| &body[model.span.clone()]);
            assert_eq!(name, expected, "{body}");
            assert_eq!(found.map(|model| model.name).as_deref(), expected);
        }
    }

    #[test]
    fn find_model_accepts_a_part_without_headers() {
        let model = "content-disposition: form-data; name=\"model\"\r\n\r\nm\r\n--XX--";
        for (body, expected) in [
            (format!("--XX\r\n\r\n{model}"), None),
            (format!("--XX\r\n\r\ntext\r\n--XX\r\n{model}"), Some("m")),
        ] {
            let found = find_model(TYPE, body.as_bytes()).unwrap();
            assert_eq!(found.map(|model| model.name).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn find_model_reads_a_quoted_boundary() {
        let body = form(&[("name=\"model\"", "m")]);
        for content_type in [
            "multipart/form-data; boundary=\"XX\"",
            "multipart/form-data; charset=utf-8; Boundary=XX",
        ] {
            assert!(find_model(content_type, body.as_bytes()).unwrap().is_some());
        }
    }

    #[test]
    fn find_model_rejects_ambiguous_forms() {
        let twice = form(&[("name=\"model\"", "a"), ("name=\"model\"", "b")]);
        let two_names = form(&[("name=\"model\"; name=\"x\"", "a")]);
        let folded = form(&[("x=y;\r\n name=\"model\"", "a")]);
        let escaped = form(&[("name=\"mo\\del\"", "a")]);
        let encoded = form(&[("name*=utf-8''model", "a")]);
        let escaped_quote = form(&[("filename=\"a\\\"; name=model", "a")]);
        let half_break = form(&[("name=\"file\"\nX: y", "a")]);
        let within = form(&[("filename=\"a name=model\"; name=file", "a")]);
        let prefixed = form(&[("x-name=model; name=file", "a")]);
        let coded = form(&[("name=model\r\ncontent-transfer-encoding: quoted-printable", "a=2D")]);
        let (file, model) = (("name=\"file\"", "a"), ("name=\"model\"", "b"));
        let other_break = form(&[file, model]).replacen("\r\n--XX", "\n--XX", 1);
        let inside_a_line = form(&[("name=\"file\"", "a --XX")]);
        let twofold = form(&[file]) + &form(&[model]);
        let attachment = form(&[("name=model", "a")]).replace("form-data", "attachment");
        for (content_type, body) in [
            (TYPE, attachment.as_str()),
            ("multipart/form-data; boundary=XX; boundary=YY", "--XX--"),
            ("multipart/form-data; boundary=\"XX;YY", "--XX--"),
            (TYPE, folded.as_str()),
            (TYPE, &escaped),
            (TYPE, &encoded),
            (TYPE, &escaped_quote),
            (TYPE, &half_break),
            (TYPE, &within),
            (TYPE, &prefixed),
            (TYPE, &coded),
            ("multipart/form-data; boundary=\"XX \"", "--XX --"),
            ("multipart/form-data; boundary=XX,YY", "--XX,YY--"),
            (TYPE, &other_break),
            (TYPE, &inside_a_line),
            (TYPE, &twofold),
            (TYPE, twice.as_str()),
            (TYPE, &two_names),
            (TYPE, ""),
            (TYPE, "--XX"),
            (TYPE, "--XX\r\nno end"),
            (TYPE, "--XX\r\nno headers\r\n--XX--"),
            (TYPE, "preamble\r\n--XX--"),
            ("multipart/form-data", "--XX--"),
            ("multipart/form-data; boundary=", "--XX--"),
        ] {
            let outcome = find_model(content_type, body.as_bytes());
            assert!(matches!(outcome, Err(Error::InvalidBody { .. })), "{body}: {outcome:?}");
        }
    }

    #[test]
    fn find_model_rejects_a_part_that_some_parsers_read_as_the_model() {
        let other_charset = "name=model\r\ncontent-type: text/plain; charset=utf-16";
        let as_json = "name=model\r\ncontent-type: application/json";
        for head in [
            "name*0=\"mod\"; name*1=\"el\"",
            "name*0*=utf-8''model",
            "name=\"model \"",
            "name=\" model\"",
            "(a comment) name=model",
            "=?utf-8?q?x?= name=model",
            "name=\"=?utf-8?q?model?=\"",
            "name=\"%6dodel\"",
            "name=\"Model\"",
            "name=\"model[]\"",
            "name=\"MODEL[0]\"",
            "name=\"m\u{f6}del\"",
            "name=_charset_",
            "name model",
            "x=y; name=model",
            "filename=\"a; name=model",
            "filename=\"a; name=model; b\"",
            "filename=\"a\"",
            other_charset,
            as_json,
        ] {
            let body = form(&[(head, "a")]);
            let outcome = find_model(TYPE, body.as_bytes());
            assert!(matches!(outcome, Err(Error::InvalidBody { .. })), "{head}: {outcome:?}");
        }
    }
}
