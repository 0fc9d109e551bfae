//! `make bench`: what foo costs, compared with a plain C daemon, with the kernel alone (the floor)
//! and with daemons on other crates. README.md in this directory explains the figures.

mod build;
mod client;
#[path = "../tests/common/mod.rs"]
mod common;
mod contender;
mod figure;
#[path = "../tests/booted/frame/mod.rs"]
#[allow(dead_code, reason = "it has what the tests need")]
mod frame;
mod journald;
mod launch;
mod load;
mod plot;
mod process;
mod processors;
mod report;

use contender::{Contender, Contenders};
use figure::Figure;
use journald::Prepared;
use load::{Load, Log, Text};
use nix::sched::{CloneFlags, unshare};
use std::path::Path;
use std::{env, fs};

/// How often each daemon is measured. The table has the medians.
const ROUNDS: usize = 7;

/// The basic load: short messages of one sender. The others differ from it in one or two fields.
const PLAIN: Load = Load {
    messages: 150_000,
    size: 32,
    text: Text::Plain,
    senders: 1,
    sockets: 1,
    credentials: false,
    log: Log::Null,
    apart: true,
    queue: 10,
};

/// The option for a quick run.
const QUICK: &str = "--quick";

/// Returns whether this run only shows that everything can be measured: its figures mean nothing.
fn is_quick() -> bool {
    env::args_os().any(|argument| argument == QUICK)
}

/// Returns a number of rounds or messages, which a quick run reduces.
fn scaled(number: usize) -> usize {
    if is_quick() { number.div_ceil(200) } else { number }
}

fn main() {
    // cargo passes --bench.
    let mut arguments =
        env::args_os().skip(1).filter(|argument| argument != "--bench" && argument != QUICK);
    let first = arguments.next().unwrap_or_default();
    if first == launch::BECOME {
        panic!("{}", launch::become_daemon(arguments));
    }
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (results, plot) = (project.join("benches/RESULTS.md"), project.join("benches/results.svg"));
    if first == "redraw" {
        let (figures, caption) = report::read(&results);
        return fs::write(plot, plot::svg(&figures, &caption)).unwrap();
    }
    let out = project.join("target/bench");
    fs::create_dir_all(&out).unwrap();
    let wanted = first.to_string_lossy();
    // Both may need a network, which the namespace below does not have.
    let contenders = Contenders::build(&out);
    let journal = "journal".contains(&*wanted).then(journald::prepare);
    if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
        panic!("no network namespace, in which to set the length of queues: {error}: needs root");
    }
    let (figures, systemd) = measure(&contenders, journal, &wanted, &out);
    let (table, caption) = (report::table(&figures), report::caption(systemd.as_deref()));
    println!("{table}\n{caption}");
    // Only a complete run, compared with the C daemon of this directory, goes to the documents.
    if wanted.is_empty() && !is_quick() && env::var_os("FOO_BASELINE").is_none() {
        report::write(&results, &table, &caption);
        fs::write(plot, plot::svg(&figures, &caption)).unwrap();
    }
}

/// Measures the wanted parts. Returns their figures, and the version of systemd if the journal was
/// measured.
fn measure(
    contenders: &Contenders,
    journal: Option<Result<Prepared, String>>,
    wanted: &str,
    out: &Path,
) -> (Vec<Figure>, Option<String>) {
    let is_wanted = |part: &str| part.contains(wanted);
    let (mut figures, mut systemd) = (Vec::new(), None);
    let resting = is_wanted("memory").then(|| process::Resting::new(&contenders.ours, out));
    for (name, load, with_crates) in loads() {
        if is_wanted(name) {
            figures.extend(measure_load(name, &load, &choose(contenders, &load, with_crates), out));
        }
    }
    if let Some(prepared) = journal {
        progress("journal");
        match prepared.and_then(|prepared| journald::figures(&prepared, contenders)) {
            Ok((journal, version)) => {
                figures.extend(journal);
                systemd = Some(version);
            }
            Err(reason) => progress(&format!("skipped: the journal: {reason}")),
        }
    }
    if is_wanted("client") {
        progress("client");
        figures.extend(client::figures(contenders, out));
    }
    if is_wanted("start") {
        progress("start");
        figures.push(process::start(contenders, out));
    }
    if let Some(resting) = resting {
        progress("memory");
        figures.extend(process::memory(contenders, out));
        figures.extend(resting.figures());
    }
    if is_wanted("build") {
        progress("build");
        figures.extend(build::figures(out));
    }
    (figures, systemd)
}

/// Prints what is being measured.
fn progress(what: &str) {
    eprintln!("bench: {what}");
}

/// A load of 1,000 bytes a message, which are logged to a file.
const fn text(text: Text) -> Load {
    Load { size: 1000, text, messages: 40_000, log: Log::File, ..PLAIN }
}

/// The loads: a name, the load, and whether the daemons on crates are measured too.
fn loads() -> Vec<(&'static str, Load, bool)> {
    vec![
        ("32 bytes, /dev/null", PLAIN, true),
        ("32 bytes, file", Load { log: Log::File, ..PLAIN }, true),
        ("32 bytes, /dev/null, queue of 512", Load { queue: 512, ..PLAIN }, false),
        ("32 bytes, file, queue of 512", Load { queue: 512, log: Log::File, ..PLAIN }, false),
        ("32 bytes, /dev/null, one processor", Load { apart: false, ..PLAIN }, false),
        ("32 bytes, file, one processor", Load { log: Log::File, apart: false, ..PLAIN }, false),
        ("8 senders", Load { senders: 8, ..PLAIN }, false),
        ("8 senders, 4 sockets", Load { senders: 8, sockets: 4, ..PLAIN }, false),
        ("32 bytes, /dev/null, credentials", Load { credentials: true, ..PLAIN }, false),
        ("1 byte", Load { size: 1, ..PLAIN }, false),
        ("1,000 bytes", Load { size: 1000, ..PLAIN }, false),
        ("1,000 bytes, file", text(Text::Plain), false),
        ("1,000 bytes with tabs, file", text(Text::Tabs), false),
        ("1,000 bytes with é, file", text(Text::Accents), false),
        ("1,000 bytes of Cyrillic, file", text(Text::Cyrillic), false),
        ("1,000 bytes of JSON, file", text(Text::Json), false),
        ("1,000 bytes with newlines, file", text(Text::Lines), false),
        ("1,000 bytes, binary, file", text(Text::Binary), false),
        ("60,000 bytes", Load { size: 60_000, messages: 10_000, ..PLAIN }, false),
        (
            "60,000 bytes with tabs",
            Load { size: 60_000, text: Text::Tabs, messages: 10_000, ..PLAIN },
            false,
        ),
        ("200,000 bytes", Load { size: 200_000, messages: 4000, ..PLAIN }, false),
    ]
}

/// Returns the daemons that can process a load.
fn choose<'a>(contenders: &'a Contenders, load: &Load, with_crates: bool) -> Vec<&'a Contender> {
    let Contenders { ours, c, c_roomy, floor, crates, .. } = contenders;
    // The C daemon serves one socket without credentials. It truncates messages at 1,024 bytes, and
    // is built with a larger buffer for longer ones.
    let c = match load {
        Load { sockets: 2.., .. } | Load { credentials: true, .. } => None,
        Load { size: 1025.., .. } => c_roomy.as_ref(),
        _ => Some(c),
    };
    let crates = if with_crates { &crates[..] } else { &[] };
    [ours, floor].into_iter().chain(c).chain(crates).collect()
}

/// Loads each daemon in turn. Returns the cost per message for the daemons and for their senders.
fn measure_load(name: &str, load: &Load, contenders: &[&Contender], scratch: &Path) -> [Figure; 2] {
    progress(name);
    fs::write("/proc/sys/net/unix/max_dgram_qlen", load.queue.to_string()).unwrap();
    let mut daemon = Figure::new(format!("processor time per message, {name}"), "ns");
    let mut senders = Figure::new(format!("sender's time per message, {name}"), "ns");
    for _ in 0..scaled(ROUNDS) {
        for contender in contenders {
            let cost = load.scaled().measure(&contender.program, scratch);
            daemon.add(contender.column, cost.daemon);
            senders.add(contender.column, cost.senders);
        }
    }
    [daemon, senders]
}
