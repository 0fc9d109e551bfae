//! `RESULTS.md`: the figures as a table, and what they were measured on.

use crate::contender::{Column, run};
use crate::figure::Figure;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What the document begins with.
const HEAD: &str = "# What foo costs: results

`make bench` writes this file and [results.svg](results.svg). [README.md](README.md) says what the columns are and how
each figure is measured.

![What foo costs, compared with a plain C daemon](results.svg)
";

/// The machine, the kernel and the versions; `systemd` is what ran in the container, if one did.
pub fn caption(systemd: Option<&str>) -> String {
    let first = |program: &str, arguments: &[&str]| {
        let output = run(Command::new(program).args(arguments));
        output.lines().next().unwrap_or_default().to_owned()
    };
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let libsystemd = first("pkg-config", &["--modversion", "libsystemd"]);
    [
        format!("foo {}", env!("CARGO_PKG_VERSION")),
        format!("{processors} × {}", model.map_or("unknown processor", |(_, model)| model)),
        format!("Linux {}", first("uname", &["-r"])),
        first("rustc", &["--version"]),
        first("cc", &["--version"]),
        format!("libsystemd {libsystemd}"),
        systemd.map_or_else(
            || "no container".to_owned(),
            |systemd| format!("in the container {systemd}"),
        ),
    ]
    .join(", ")
}

/// The figures as a table.
pub fn table(figures: &[Figure]) -> String {
    let mut table = String::new();
    let mut row = |cells: Vec<String>| writeln!(table, "| {} |", cells.join(" | ")).unwrap();
    let names = Column::ALL.map(Column::name);
    let heading = ["figure"].into_iter().chain(names).chain(["foo / C", "foo / floor"]);
    row(heading.map(str::to_owned).collect());
    let alignment = ["---"].into_iter().chain([" ---:"; Column::ALL.len() + 2]);
    row(alignment.map(|cell| cell.trim().to_owned()).collect());
    for figure in figures {
        let medians = Column::ALL.map(|column| figure.median(column).map_or(String::new(), number));
        let ratios = [Column::C, Column::Floor].map(|column| figure.ratio(Column::Foo, column));
        let ratios = ratios.map(|ratio| ratio.map_or(String::new(), |ratio| format!("{ratio:.2}")));
        let name = format!("{}, {}", figure.name, figure.unit);
        row([name].into_iter().chain(medians).chain(ratios).collect());
    }
    table
}

/// Three digits at least, with commas between thousands.
fn number(value: f64) -> String {
    if value.abs() < 100.0 && value != value.trunc() {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let (sign, digits) = digits.split_at(usize::from(digits.starts_with('-')));
    let groups: Vec<_> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap())
        .collect();
    format!("{sign}{}", groups.join(","))
}

/// Reads a document that `write` wrote. Its figures have medians only, and no unit.
pub fn read(document: &Path) -> (Vec<Figure>, String) {
    let text = fs::read_to_string(document).unwrap();
    let rows: Vec<Vec<_>> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|row| row.split(" | ").map(str::trim).collect())
        .collect();
    let column = |name: &&str| Column::ALL.into_iter().find(|column| column.name() == *name);
    let columns: Vec<_> = rows[0].iter().map(column).collect();
    let figure = |row: &Vec<&str>| {
        let name = row[0].rsplit_once(", ").map_or(row[0], |(name, _unit)| name);
        let mut figure = Figure::new(name, "");
        for (column, cell) in columns.iter().zip(row) {
            if let (Some(column), Ok(value)) = (column, cell.replace(',', "").parse()) {
                figure.add(*column, value);
            }
        }
        figure
    };
    let caption = text.lines().last().unwrap_or_default().trim_end_matches('.').to_owned();
    (rows[2..].iter().map(figure).collect(), caption)
}

/// Writes the document: its head, the table and the caption.
pub fn write(document: &Path, table: &str, caption: &str) {
    fs::write(document, format!("{HEAD}\n{table}\n{caption}.\n")).unwrap();
}
