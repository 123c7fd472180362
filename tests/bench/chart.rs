//! `docs/benchmarks.svg`: a bar of throughput and a bar of time for each kind of traffic.

use std::fmt::Write as _;

use crate::Measured;
use crate::report::title;
use crate::table::Ratios;

const WIDTH: f64 = 980.0;
const TOP: f64 = 64.0;
const LINE: f64 = 40.0;
const BARS: f64 = 300.0;
/// Pixels for the floor's own measure; the bars are shares of it.
const WHOLE: f64 = 310.0;
/// What is drawn at most, as a share.
const MOST: f64 = 1.75;

/// Colours that can be read on a light and on a dark page.
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#555}.title{font-size:15px;font-weight:600}\
.throughput{fill:#2f81f7}.time{fill:#e08a2b}.floor{stroke:#888;stroke-dasharray:4 4}\
@media(prefers-color-scheme:dark){text{fill:#bbb}}";

/// Draws all of them, one line each.
pub(crate) fn draw(all: &[Measured]) -> String {
    let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let height = TOP + LINE * f64::from(count) + 20.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"The gateway's throughput and time as shares of the floor's\">\n<style>{STYLE}</style>\n"
    );
    let _ = writeln!(
        svg,
        "<text class=\"title\" x=\"10\" y=\"24\">The gateway, where the bare floor is 1</text>"
    );
    let _ = writeln!(
        svg,
        "<rect class=\"throughput\" x=\"10\" y=\"36\" width=\"12\" height=\"12\"/><text x=\"28\" y=\"47\">throughput, more is better</text>"
    );
    let _ = writeln!(
        svg,
        "<rect class=\"time\" x=\"230\" y=\"36\" width=\"12\" height=\"12\"/><text x=\"248\" y=\"47\">median time, less is better</text>"
    );
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"47\" text-anchor=\"end\">time to direct</text>",
        WIDTH - 10.0
    );
    for (measured, index) in all.iter().zip(0_u32..) {
        line(&mut svg, measured, TOP + LINE * f64::from(index));
    }
    let floor = BARS + WHOLE;
    let _ = writeln!(
        svg,
        "<line class=\"floor\" x1=\"{floor}\" x2=\"{floor}\" y1=\"{TOP}\" y2=\"{}\"/>",
        height - 16.0
    );
    svg.push_str("</svg>\n");
    svg
}

fn line(svg: &mut String, measured: &Measured, y: f64) {
    let [direct, floor, gateway] = &measured.rows;
    let ratios = Ratios::new(gateway, floor);
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
    let width = share.min(MOST) * WHOLE;
    let _ = writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{BARS}\" y=\"{y}\" width=\"{width:.1}\" height=\"13\" rx=\"2\"/>\
         <text x=\"{:.1}\" y=\"{}\">{share:.2}</text>",
        BARS + width + 6.0,
        y + 11.0
    );
}
