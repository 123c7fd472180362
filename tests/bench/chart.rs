//! `docs/benchmarks.svg`: one bar for throughput and one for latency, for each kind of traffic.

use std::fmt::Write as _;

use crate::Measured;
use crate::report::title;
use crate::table::Ratios;

const WIDTH: f64 = 980.0;
const TOP: f64 = 64.0;
const LINE: f64 = 40.0;
const BARS: f64 = 300.0;
/// Width in pixels of a bar that equals the baseline.
const WHOLE: f64 = 310.0;
/// Maximum ratio that is drawn; a longer bar is cut off.
const MAX_RATIO: f64 = 1.75;

/// The title of the chart.
const TITLE: &str =
    "Throughput and latency relative to a pass-through component with one read and one log line";

/// Colours that can be read on a light and on a dark page.
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#555}.title{font-size:15px;font-weight:600}\
.throughput{fill:#2f81f7}.time{fill:#e08a2b}.baseline{stroke:#888;stroke-dasharray:4 4}\
@media(prefers-color-scheme:dark){text{fill:#bbb}}";

/// Draws all measurements, one line each.
pub(crate) fn draw(all: &[Measured]) -> String {
    let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let height = TOP + LINE * f64::from(count) + 20.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"{TITLE}\">\n<style>{STYLE}</style>\n"
    );
    let _ = writeln!(svg, "<text class=\"title\" x=\"10\" y=\"24\">{TITLE}</text>");
    let _ = writeln!(
        svg,
        "<rect class=\"throughput\" x=\"10\" y=\"36\" width=\"12\" height=\"12\"/><text x=\"28\" y=\"47\">throughput, higher is better</text>"
    );
    let _ = writeln!(
        svg,
        "<rect class=\"time\" x=\"230\" y=\"36\" width=\"12\" height=\"12\"/><text x=\"248\" y=\"47\">median latency, lower is better</text>"
    );
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"47\" text-anchor=\"end\">latency relative to direct</text>",
        WIDTH - 10.0
    );
    for (measured, index) in all.iter().zip(0_u32..) {
        line(&mut svg, measured, TOP + LINE * f64::from(index));
    }
    let baseline = BARS + WHOLE;
    let _ = writeln!(
        svg,
        "<line class=\"baseline\" x1=\"{baseline}\" x2=\"{baseline}\" y1=\"{TOP}\" y2=\"{}\"/>",
        height - 16.0
    );
    svg.push_str("</svg>\n");
    svg
}

fn line(svg: &mut String, measured: &Measured, y: f64) {
    let [direct, _, keyed, gateway] = &measured.rows;
    let ratios = Ratios::new(gateway, keyed);
    let direct = Ratios::new(gateway, direct).time;
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{direct:.2}</text>",
        WIDTH - 10.0,
        y + 20.0
    );
    let _ = writeln!(svg, "<text x=\"10\" y=\"{}\">{}</text>", y + 20.0, title(measured));
    bar(svg, "throughput", ratios.throughput, y + 3.0);
    bar(svg, "time", ratios.time, y + 19.0);
}

fn bar(svg: &mut String, class: &str, share: f64, y: f64) {
    let width = share.min(MAX_RATIO) * WHOLE;
    let _ = writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{BARS}\" y=\"{y}\" width=\"{width:.1}\" height=\"13\" rx=\"2\"/>\
         <text x=\"{:.1}\" y=\"{}\">{share:.2}</text>",
        BARS + width + 6.0,
        y + 11.0
    );
}
