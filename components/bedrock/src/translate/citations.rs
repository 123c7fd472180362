//! The sources of a response: web pages as OpenAI's annotations, all others as an extension.

use std::ops::Range;

use crate::converse::response::{Cited, Web};
use crate::json::Text;
use crate::openai::completion::{Annotation, Citation, UrlCitation};

/// The sources of a text, by the field that lists them.
#[derive(Debug, Default)]
pub(crate) struct Sources<'a> {
    pub(crate) annotations: Vec<Annotation<'a>>,
    pub(crate) citations: Vec<Citation<'a>>,
}

impl<'a> Sources<'a> {
    /// Adds the source of the characters in `range`.
    pub(crate) fn add(&mut self, cited: Cited<'a>, range: &Range<usize>) {
        match cited.web() {
            Some(web) => self.annotations.push(annotation(cited.title, web, range)),
            None => self.citations.push(citation(cited, range)),
        }
    }

    /// Checks whether there are no sources.
    pub(crate) fn is_empty(&self) -> bool {
        self.annotations.is_empty() && self.citations.is_empty()
    }
}

/// Creates the citation of any other source.
fn citation<'a>(cited: Cited<'a>, range: &Range<usize>) -> Citation<'a> {
    let Cited { title, source, source_content, location } = cited;
    let (start_index, end_index) = (range.start, range.end);
    Citation { title, source, source_content, location, start_index, end_index }
}

/// Creates the annotation for a web page. OpenAI requires a `title`, so a page without one gets its
/// domain.
fn annotation<'a>(title: Option<Text<'a>>, web: Web<'a>, range: &Range<usize>) -> Annotation<'a> {
    let url_citation = UrlCitation {
        url: web.url,
        title: title.or(web.domain).unwrap_or_default(),
        start_index: range.start,
        end_index: range.end,
    };
    Annotation { kind: "url_citation", url_citation }
}
