//! The cost of variables in the environment: against an app whose variables are in a file, as those of
//! `cargo xtask up` are, and all others of this benchmark.

use std::fmt::Write as _;

use anyhow::Result;
use support::{App, Config};

use crate::Options;
use crate::compared::{Compared, Way, compare};

/// Measures an app with its variables in the environment, against `gateway`.
pub(crate) async fn measure(options: &Options, gateway: &App) -> Result<Vec<Compared>> {
    let app = App::start(Config::default().variables_from_environment()).await?;
    let keys = [gateway.key("bench").await?, app.key("bench").await?];
    let [file, environment] = [(gateway, &keys[0]), (&app, &keys[1])].map(|(app, key)| Way {
        app,
        key,
        route: "openai",
        model: "gpt-4o",
    });
    compare(options, "environment", [file, environment]).await
}

/// Writes the table of the report.
pub(crate) fn write(page: &mut String, all: &[Compared]) {
    page.push_str("\n## The cost of variables in the environment\n\nRequests to an app whose variables are environment variables, as ratios to one whose variables are in a file,\nas they are in all other tables: the host looks up each of them for each request\n([ADR 12](adr/0012-variables-in-a-file.md)).\n\n| traffic | throughput | time | first byte |\n|---|---|---|---|\n");
    for row in all {
        let [throughput, time, first_byte] = row.ratios();
        let title = row.title();
        let _ = writeln!(page, "| {title} | {throughput:.2} | {time:.2} | {first_byte:.2} |");
    }
}
