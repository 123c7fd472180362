//! Forms: the model found is the one that every parser finds, a strict one and a tolerant one.

use corpus::Input;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

use crate::http::multipart::find_model;

const WORDS: &str = r#"
    ␍␊ ␊ ␍ ␍␊␍␊ ␊␊ ␍␊␣ ␣ ␉ ␀ é " \ \" ; = : X -- --X ␍␊--X ␍␊--X␍␊ ␊--X␊ --X-- ␍␊--X--␍␊ --X--␍␊
    name= name=model name="model" ;␣name="model" ;␣name="file" NAME name*=utf-8''model filename="
    ;␣filename="a;b" name="Model" name="model␣" name="model[]" name*0="mod";␣name*1="el" (x)␣name=model
    model content-disposition: form-data Content-Type:␣text/plain
    Content-Disposition:␣form-data;␣name="model" Content-Disposition:␣form-data;␣name="file"
    ␍␊content-disposition:␣form-data;␣name=model␍␊␍␊m
    multipart/form-data;␣boundary=X ;␣boundary= boundary="X"
"#;

/// A form as it is received: its content type and its bytes.
type Form = (String, Input);

/// Generates forms from the corpus, whose files start with their content type, and parts made of a
/// sequence of words.
fn changed() -> impl Strategy<Value = Form> {
    let corpus = super::files("multipart", WORDS);
    let types = weighted(0.2, corpus.changes());
    let seed = (select(corpus.seeds().to_vec()), corpus.changes(), types);
    let changed = seed.prop_map(|(seed, changes, types)| {
        let end = seed.windows(2).position(|pair| pair == b"\r\n").unwrap();
        let (content_type, body) = (seed[..end].to_vec(), seed[end + 2..].to_vec());
        let content_type = match types {
            Some(types) => types.made_to(content_type),
            None => content_type,
        };
        (String::from_utf8_lossy(&content_type).into_owned(), Input(changes.made_to(body)))
    });
    let row = corpus.rows().prop_map(|words| {
        let body = [b"--X\r\n", &*words, b"\r\n--X--\r\n"].concat();
        ("multipart/form-data; boundary=X".to_owned(), Input(body))
    });
    prop_oneof![4 => changed, 1 => row]
}

/// A field as it is sent.
#[derive(Clone, Debug)]
struct Field {
    name: String,
    disposition: String,
    value: Input,
}

/// Generates well-formed fields of all kinds that do not contain the boundary.
fn fields() -> impl Strategy<Value = Vec<Field>> {
    let name = select(vec!["model", "file", "image[]", "xmodel", "x.model", ""]);
    let quote = select(vec!["name=\"", "NAME=\"", "name = \""]);
    let file = select(vec!["", "; filename=\"a; model.mp3\"", "; filename*=utf-8''a%22", ";"]);
    let value = vec(
        select(vec![
            "whisper-1",
            "-",
            "--",
            "\r\n",
            "\n",
            "\r\n\r\n",
            "é",
            "model",
            "name=\"model\"",
            "x",
            "",
        ]),
        0..6,
    );
    let value =
        prop_oneof![value.prop_map(|words| words.concat().into_bytes()), vec(any::<u8>(), 0..30)];
    let field = (name, quote, file, value).prop_map(|(name, quote, file, value)| Field {
        name: name.to_owned(),
        disposition: format!("form-data; {quote}{name}\"{file}"),
        value: Input(value),
    });
    vec(field, 0..4)
}

const BOUNDARY: &str = "4b0undary";

fn written(fields: &[Field]) -> Vec<u8> {
    let part = |field: &Field| {
        let head =
            format!("--{BOUNDARY}\r\nX: y\r\nContent-Disposition: {}\r\n\r\n", field.disposition);
        [head.as_bytes(), &field.value, b"\r\n"].concat()
    };
    let end = format!("--{BOUNDARY}--\r\n").into_bytes();
    fields.iter().map(part).chain([end]).collect::<Vec<_>>().concat()
}

// === parsers to compare with ===

/// Converts every byte into a character, so that text of any encoding can be compared.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Parses the parameters of a header's value as RFC 9110 says: quoted strings may contain escapes.
fn parameters(value: &str) -> Vec<(String, String)> {
    let mut parts = vec![String::new()];
    let (mut is_quoted, mut is_escaped) = (false, false);
    for character in value.chars() {
        match character {
            ';' if !is_quoted => parts.push(String::new()),
            _ => parts.last_mut().unwrap().push(character),
        }
        is_quoted ^= character == '"' && !is_escaped;
        is_escaped = is_quoted && character == '\\' && !is_escaped;
    }
    let parameter = |part: &String| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim().to_lowercase(), unquoted(value.trim())))
    };
    parts.iter().filter_map(parameter).collect()
}

fn unquoted(value: &str) -> String {
    let Some(quoted) = value.strip_prefix('"') else {
        return value.to_owned();
    };
    let mut characters = quoted.chars();
    let mut plain = String::new();
    while let Some(character) = characters.next().filter(|character| *character != '"') {
        plain.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    plain
}

/// Checks whether a parser would take a part for the field `model`: one that joins `name*0` and `name*1`,
/// skips comments, trims, ignores case, or reads `model[]` as an array.
fn is_model(disposition: &str) -> bool {
    let parameters = parameters(disposition);
    let values = |is_wanted: fn(&str) -> bool| -> Vec<&str> {
        let wanted = parameters.iter().filter(|(name, _)| is_wanted(name));
        wanted.map(|(_, value)| value.as_str()).collect()
    };
    let joined = values(|name| name.starts_with("name*")).concat();
    let plain = values(|name| name.rsplit([' ', ')']).next() == Some("name"));
    plain
        .into_iter()
        .chain([joined.as_str()])
        .any(|name| name.trim().to_lowercase().split('[').next() == Some("model"))
}

/// Returns the content of every part that is a field `model`.
fn models(form: &str, delimiter: &str, line_end: &str) -> Vec<String> {
    let head_end = line_end.repeat(2);
    let part = |part: &str| {
        let (head, value) = part.split_once(&head_end)?;
        let head =
            head.replace(&format!("{line_end} "), " ").replace(&format!("{line_end}\t"), " ");
        let is_model =
            head.split(line_end).filter_map(|line| line.split_once(':')).any(|(name, value)| {
                name.trim().eq_ignore_ascii_case("content-disposition") && is_model(value)
            });
        is_model.then(|| value.to_owned())
    };
    form.split(delimiter).skip(1).filter_map(part).collect()
}

/// Finds the models as a parser that follows RFC 2046 does.
fn strictly(boundary: &str, body: &[u8]) -> Vec<String> {
    let form = format!("\r\n{}", latin(body));
    let delimiter = format!("\r\n--{boundary}");
    let whole = form.split(&format!("{delimiter}--")).next().unwrap();
    models(whole, &delimiter, "\r\n")
}

/// Finds the models as a parser does that accepts any line break, and a boundary anywhere.
fn tolerantly(boundary: &str, body: &[u8]) -> Vec<String> {
    let form = plain(&latin(body));
    let models = models(&form, &format!("--{boundary}"), "\n");
    models.into_iter().map(|model| model.strip_suffix('\n').unwrap_or(&model).to_owned()).collect()
}

/// Shortens a boundary as parsers do that end it at a space or a comma.
fn cut(boundary: &str) -> &str {
    boundary.split([' ', ',']).next().unwrap_or_default()
}

/// Replaces all line breaks in `text` by one kind.
fn plain(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

proptest! {
    #[test]
    fn find_model_finds_what_every_parser_finds((content_type, body) in changed()) {
        let Ok(found) = find_model(&content_type, &body) else {
            return Ok(());
        };
        let boundaries = parameters(&content_type).into_iter().filter(|(name, _)| name == "boundary");
        let boundaries: Vec<String> = boundaries.map(|(_, boundary)| boundary).collect();
        prop_assert_eq!(boundaries.len(), 1);
        let model = found.as_ref().map(|model| latin(&body[model.span.clone()]));
        if let Some(found) = &found {
            prop_assert_eq!(found.name.as_bytes(), &body[found.span.clone()]);
        }
        let boundary = &boundaries[0];
        prop_assert_eq!(Vec::from_iter(model.clone()), strictly(boundary, &body));
        prop_assert_eq!(Vec::from_iter(model.clone()), strictly(cut(boundary), &body));
        prop_assert_eq!(Vec::from_iter(model.map(|model| plain(&model))), tolerantly(boundary, &body));
    }

    #[test]
    fn find_model_reads_a_well_formed_form(fields in fields(), other in "[ -~]{0,12}") {
        let body = written(&fields);
        let found = find_model(&format!("multipart/form-data; boundary={BOUNDARY}"), &body);
        let mut models = fields.iter().filter(|field| field.name == "model");
        match (models.next(), models.next()) {
            (None, _) => prop_assert_eq!(found.unwrap(), None),
            (Some(field), None) if std::str::from_utf8(&field.value).is_ok() => {
                let found = found.unwrap().unwrap();
                prop_assert_eq!(found.name.as_bytes(), &*field.value);
                let mut fields = fields.clone();
                let model = fields.iter_mut().find(|field| field.name == "model").unwrap();
                model.value = Input(other.clone().into_bytes());
                prop_assert_eq!(found.replace_in(&body, other.as_bytes()), written(&fields));
            }
            _ => {
                let error = found.unwrap_err();
                prop_assert_eq!(error.param(), Some("model"));
            }
        }
    }
}
