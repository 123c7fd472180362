//! What an answer relies on: web pages as OpenAI's annotations, everything else as an extension.

use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::completion::{Annotation, Citation, UrlCitation};
use crate::json::Text;

/// A source as Bedrock names it, in an answer and in a stream.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cited<'a> {
    #[serde(borrow, default)]
    title: Option<Text<'a>>,
    #[serde(borrow, default)]
    source: Option<Text<'a>>,
    #[serde(borrow, default)]
    source_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    location: Option<&'a RawValue>,
}

/// The sources of a text, by how a client is told of them.
#[derive(Debug, Default)]
pub(crate) struct Sources<'a> {
    pub(crate) annotations: Vec<Annotation<'a>>,
    pub(crate) citations: Vec<Citation<'a>>,
}

#[derive(Deserialize)]
struct Location<'a> {
    #[serde(borrow)]
    web: Web<'a>,
}

#[derive(Deserialize)]
struct Web<'a> {
    #[serde(borrow)]
    url: Text<'a>,
    #[serde(borrow, default)]
    domain: Option<Text<'a>>,
}

impl<'a> Sources<'a> {
    /// Adds a source of the characters in `stretch`.
    pub(crate) fn add(&mut self, cited: Cited<'a>, stretch: &Range<usize>) {
        match cited.web() {
            Some(web) => self.annotations.push(annotation(cited.title, web, stretch)),
            None => self.citations.push(cited.at(stretch)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.annotations.is_empty() && self.citations.is_empty()
    }
}

impl<'a> Cited<'a> {
    /// The web page, if it is one.
    fn web(&self) -> Option<Web<'a>> {
        let location: Location<'a> = serde_json::from_str(self.location?.get()).ok()?;
        Some(location.web)
    }

    fn at(self, stretch: &Range<usize>) -> Citation<'a> {
        let Self { title, source, source_content, location } = self;
        let (start_index, end_index) = (stretch.start, stretch.end);
        Citation { title, source, source_content, location, start_index, end_index }
    }
}

/// `title` must be there in OpenAI's shape; a page without one goes by its domain.
fn annotation<'a>(title: Option<Text<'a>>, web: Web<'a>, stretch: &Range<usize>) -> Annotation<'a> {
    let url_citation = UrlCitation {
        url: web.url,
        title: title.or(web.domain).unwrap_or_default(),
        start_index: stretch.start,
        end_index: stretch.end,
    };
    Annotation { kind: "url_citation", url_citation }
}
