//! The figures as a plot. Each figure that C has too gets a line, and each daemon a dot on it, at
//! its ratio to C.

use crate::contender::Column;
use crate::figure::Figure;
use std::fmt::Write;

/// The colour of each column. C has none, since it is the vertical line at 1.
const COLORS: [(Column, &str); 5] = [
    (Column::Foo, "#d1242f"),
    (Column::Plain, "#9a6700"),
    (Column::Floor, "#57606a"),
    (Column::Systemd, "#0969da"),
    (Column::SdNotify, "#1a7f37"),
];

/// Ratios that have a vertical line. The first and the last are the ends of the scale.
const TICKS: [f64; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];

/// Sizes in pixels: the plot, its margins, and the height of a figure's line.
const WIDTH: f64 = 900.0;
const LEFT: f64 = 410.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 70.0;
const LINE: f64 = 20.0;

/// Returns the horizontal position of a ratio. The scale is logarithmic, so 2 and 0.5 are equally
/// far from 1.
fn x(ratio: f64) -> f64 {
    let [first, .., last] = TICKS;
    let part = (ratio.clamp(first, last) / first).ln() / (last / first).ln();
    LEFT + part * (WIDTH - LEFT - RIGHT)
}

/// Returns the plot as SVG.
pub fn svg(figures: &[Figure], caption: &str) -> String {
    let figures: Vec<_> =
        figures.iter().filter(|figure| figure.median(Column::C).is_some()).collect();
    let bottom = TOP + LINE * figures.len() as f64;
    let height = bottom + 60.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"22\" font-size=\"15\">\
         What foo costs, compared with a plain C daemon (1.0): further left is cheaper</text>\n"
    );
    let mut add = |element: String| writeln!(svg, "{element}").unwrap();
    for (place, (column, color)) in COLORS.iter().enumerate() {
        let x = 20.0 + 160.0 * place as f64;
        add(dot(x, 42.0, color));
        add(text(x + 10.0, 46.0, "start", column.name()));
    }
    for tick in TICKS {
        let (x, color) = (x(tick), if tick == 1.0 { "#000" } else { "#d0d7de" });
        let ends = format!("x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\"");
        add(format!("<line {ends} stroke=\"{color}\"/>"));
        add(text(x, bottom + 16.0, "middle", &format!("{tick}")));
    }
    for (place, figure) in figures.iter().enumerate() {
        let y = TOP + LINE * (place as f64 + 0.5);
        add(text(LEFT - 12.0, y + 4.0, "end", &figure.name.replace('`', "")));
        // Reversed, so that the dot of foo is on top.
        for (column, color) in COLORS.iter().rev() {
            if let Some(ratio) = figure.ratio(*column, Column::C) {
                add(dot(x(ratio), y, color));
            }
        }
    }
    let (first, second) = caption.split_at(caption.len() / 2);
    let (rest, second) = second.split_once(", ").unwrap_or((second, ""));
    add(text(12.0, bottom + 36.0, "start", &format!("{first}{rest},")));
    add(text(12.0, bottom + 52.0, "start", second));
    svg + "</svg>\n"
}

fn dot(x: f64, y: f64, color: &str) -> String {
    format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"{color}\"/>")
}

fn text(x: f64, y: f64, anchor: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>")
}
