//! The figures as a plot, in four panels. Each figure that C has too gets a row. Each other daemon
//! gets a mark in it, at its ratio to C.

use crate::contender::Column;
use crate::figure::Figure;
use std::fmt::Write;

/// The colour and the shape of each column, as an SVG path around 0,0. C has none, since it is the
/// vertical line at 1.
const MARKS: [(Column, &str, &str); 6] = [
    (Column::Foo, "#d1242f", "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z"),
    (Column::Plain, "#9a6700", "M-4 -4h8v8h-8z"),
    (Column::Floor, "#57606a", "M0 -5l5 9h-10z"),
    (Column::Systemd, "#0969da", "M0 -6l6 6l-6 6l-6 -6z"),
    (Column::SdNotify, "#1a7f37", "M0 5l5 -9h-10z"),
    (Column::Logger, "#8250df", "M-5 -2h3v-3h4v3h3v4h-3v3h-4v-3h-3z"),
];

/// Ratios that have a vertical line. The first and the last are the ends of the scale.
const TICKS: [f64; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];

/// The panels: a title, and what the names of their figures contain. A figure belongs to the first
/// panel that it fits.
const PANELS: [(&str, &[&str]); 4] = [
    ("Throughput: time per message", &[DAEMON, SENDER, "per line"]),
    ("Latency: from one message to its journal entry", &["one at a time"]),
    ("Start: the daemon until READY=1, the client for one message", &["exec to", "per call"]),
    ("Memory: private dirty", &["memory"]),
];

/// How the names of figures begin that share a row.
const DAEMON: &str = "processor time per message, ";
const SENDER: &str = "sender's time per message, ";

/// Sizes in pixels: the plot, its margins, and the height of a row.
const WIDTH: f64 = 960.0;
const LEFT: f64 = 390.0;
const RIGHT: f64 = 60.0;
const ROW: f64 = 26.0;

/// Distance of the two figures of a row from its middle, in pixels.
const APART: f64 = 5.5;

/// Returns the horizontal position of a ratio. The scale is logarithmic, so 2 and 0.5 are equally
/// far from 1.
fn x(ratio: f64) -> f64 {
    let [first, .., last] = TICKS;
    let part = (ratio.clamp(first, last) / first).ln() / (last / first).ln();
    LEFT + part * (WIDTH - LEFT - RIGHT)
}

/// Returns the plot as SVG.
pub fn svg(figures: &[Figure], caption: &str) -> String {
    let compared: Vec<_> =
        figures.iter().filter(|figure| figure.median(Column::C).is_some()).collect();
    let mut body = legend();
    let mut top = 100.0;
    for (title, _) in PANELS {
        let fits = |figure: &&&Figure| {
            let fits = |names: &[&str]| names.iter().any(|name| figure.name.contains(name));
            PANELS.iter().find(|(_, names)| fits(names)).is_some_and(|(first, _)| *first == title)
        };
        let figures: Vec<_> = compared.iter().filter(fits).copied().collect();
        if !figures.is_empty() {
            top = panel(title, &figures, top, &mut body);
        }
    }
    for line in wrapped(caption) {
        body += &text(12.0, top, "start", "", &line);
        top += 16.0;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {top}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n"
    )
}

/// Returns the title and what the marks mean.
fn legend() -> String {
    let title = "What foo costs, compared with a plain C daemon (1): further left is cheaper";
    let scale =
        "The scale is logarithmic. A mark at its end with an arrow is beyond it, at this ratio.";
    let pair = "In a pair, the upper mark is the daemon's processor time, and the lower, hollow one \
                the senders' time.";
    let mut legend = text(12.0, 22.0, "start", " font-size=\"15\"", title);
    legend += &text(12.0, 40.0, "start", "", scale);
    legend += &text(12.0, 56.0, "start", "", pair);
    let mut left = 18.0;
    for (column, color, shape) in MARKS {
        legend += &mark(left, 74.0, color, shape, true);
        legend += &text(left + 11.0, 78.0, "start", "", column.name());
        left += 40.0 + 6.5 * column.name().len() as f64;
    }
    legend
}

/// Adds a panel whose title begins at `top`. Returns where the next one begins.
fn panel(title: &str, figures: &[&Figure], top: f64, body: &mut String) -> f64 {
    let mut rows: Vec<(&str, Vec<(&Figure, bool)>)> = Vec::new();
    for figure in figures {
        let sender = figure.name.strip_prefix(SENDER);
        let name = sender.or(figure.name.strip_prefix(DAEMON)).unwrap_or(&figure.name);
        match rows.last_mut().filter(|(last, _)| *last == name) {
            Some((_, pair)) => pair.push((figure, sender.is_none())),
            None => rows.push((name, vec![(figure, sender.is_none())])),
        }
    }
    *body += &text(12.0, top + 8.0, "start", " font-size=\"13\" font-weight=\"bold\"", title);
    let first = top + 16.0;
    let bottom = first + ROW * rows.len() as f64;
    for place in (0..rows.len()).step_by(2) {
        let y = first + ROW * place as f64;
        let size = format!("width=\"{}\" height=\"{ROW}\"", WIDTH - 24.0);
        writeln!(body, "<rect x=\"12\" y=\"{y}\" {size} fill=\"#f6f8fa\"/>").unwrap();
    }
    for tick in TICKS {
        let (x, color) = (x(tick), if tick == 1.0 { "#000" } else { "#d0d7de" });
        let ends = format!("x1=\"{x:.1}\" y1=\"{first}\" x2=\"{x:.1}\" y2=\"{bottom}\"");
        writeln!(body, "<line {ends} stroke=\"{color}\"/>").unwrap();
        *body += &text(x, bottom + 14.0, "middle", " fill=\"#57606a\"", &tick.to_string());
    }
    for (place, (name, pair)) in rows.iter().enumerate() {
        let middle = first + ROW * (place as f64 + 0.5);
        *body += &text(LEFT - 58.0, middle + 4.0, "end", "", &name.replace('`', ""));
        for (figure, is_filled) in pair {
            let shift = match (pair.len(), is_filled) {
                (1, _) => 0.0,
                (_, true) => -APART,
                (_, false) => APART,
            };
            ratios(figure, middle + shift, *is_filled, body);
        }
    }
    bottom + 34.0
}

/// Adds the marks of a figure. That of foo is on top.
fn ratios(figure: &Figure, y: f64, is_filled: bool, body: &mut String) {
    let (mut low, mut high) = (Vec::new(), Vec::new());
    for (column, color, shape) in MARKS.into_iter().rev() {
        let Some(ratio) = figure.ratio(column, Column::C) else {
            continue;
        };
        *body += &mark(x(ratio), y, color, shape, is_filled);
        match ratio {
            ratio if ratio < TICKS[0] => low.push(format!("{ratio:.2}")),
            ratio if ratio > TICKS[TICKS.len() - 1] => high.push(format!("{ratio:.1}")),
            _ => {}
        }
    }
    let small = " font-size=\"9\"";
    if !low.is_empty() {
        *body += &text(x(0.0) - 8.0, y + 3.0, "end", small, &format!("{} ←", low.join(", ")));
    }
    if !high.is_empty() {
        let ratios = format!("→ {}", high.join(", "));
        *body += &text(x(f64::MAX) + 8.0, y + 3.0, "start", small, &ratios);
    }
}

/// Returns the caption in lines that fit the plot.
fn wrapped(caption: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for part in caption.split_inclusive(", ") {
        if lines.last().is_some_and(|line| line.len() + part.len() > 140) {
            lines.push(String::new());
        }
        lines.iter_mut().last().unwrap().push_str(part);
    }
    lines
}

fn mark(x: f64, y: f64, color: &str, shape: &str, is_filled: bool) -> String {
    let fill = if is_filled { color } else { "#fff" };
    let place = format!("transform=\"translate({x:.1} {y:.1})\"");
    format!(
        "<path d=\"{shape}\" {place} fill=\"{fill}\" stroke=\"{color}\" stroke-width=\"1.2\"/>\n"
    )
}

fn text(x: f64, y: f64, anchor: &str, style: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\"{style}>{text}</text>\n")
}
