//! The cost of the one base URL: requests to `/v1` against those to the provider's own route.

use std::fmt::Write as _;

use anyhow::Result;
use support::App;

use crate::Options;
use crate::compared::{Compared, Way, compare};

/// Measures both routes.
pub(crate) async fn measure(options: &Options, app: &App) -> Result<Vec<Compared>> {
    let key = &app.key("bench").await?;
    let direct = Way { app, key, route: "openai", model: "gpt-4o" };
    let routed = Way { app, key, route: "v1", model: "openai/gpt-4o" };
    compare(options, "/v1", [direct, routed]).await
}

/// Writes the table of the report.
pub(crate) fn write(page: &mut String, all: &[Compared]) {
    page.push_str("\n## The cost of `/v1`\n\nRequests to `/v1`, as ratios to those to the provider's own route: one more instance, and one more read of\nthe store.\n\n| traffic | throughput | time | first byte ms | more |\n|---|---|---|---|---|\n");
    for row in all {
        let [throughput, time, _] = row.ratios();
        let first_byte = row.second.first_byte(50);
        let more = first_byte - row.first.first_byte(50);
        let title = row.title();
        let _ = writeln!(
            page,
            "| {title} | {throughput:.2} | {time:.2} | {first_byte:.3} | {more:.3} |"
        );
    }
}
