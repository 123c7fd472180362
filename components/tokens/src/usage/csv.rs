//! Usage as CSV, for spreadsheets. <https://www.rfc-editor.org/rfc/rfc4180>

use std::fmt::Write as _;

use gateway::Response;
use http::StatusCode;

use super::Page;
use super::amounts::UsageView;

const TITLES: &str = "period,teamId,key,requests,inputTokens,outputTokens,cachedTokens,cacheWriteTokens,reasoningTokens,costUsd\r\n";

/// Responds with the rows of a page. The header `x-next-cursor` names the next page, if there is one.
pub(super) fn respond(page: &Page) -> Response {
    let mut text = TITLES.to_owned();
    for row in &page.data {
        let amounts = UsageView::from(row.amounts);
        let numbers = [
            amounts.requests,
            amounts.input_tokens,
            amounts.output_tokens,
            amounts.cached_tokens,
            amounts.cache_write_tokens,
            amounts.reasoning_tokens,
        ];
        let numbers = numbers.map(|number| number.to_string()).join(",");
        let (period, cost) = (&row.period, &amounts.cost_usd);
        let key = row.key.as_deref().unwrap_or_default();
        let team = quoted(&row.team_id);
        // Writing to a string cannot fail.
        let _ = write!(text, "{period},{team},{key},{numbers},{cost}\r\n");
    }
    let mut response = Response::new(StatusCode::OK, text.into_bytes(), "text/csv; charset=utf-8");
    if let Some(cursor) = &page.next_cursor {
        response.headers.push("x-next-cursor", cursor.clone());
    }
    response
}

/// Quotes a value. One that a spreadsheet would take for a formula begins with an apostrophe.
/// <https://owasp.org/www-community/attacks/CSV_Injection>
fn quoted(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let mark = if is_formula { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_is_neither_a_formula_nor_two_values() {
        for (text, expected) in [
            ("blue", "\"blue\""),
            ("a,b\"c", "\"a,b\"\"c\""),
            ("=1+1", "\"'=1+1\""),
            ("@x", "\"'@x\""),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}
