//! Figures with the journal as the log: daemons under a booted systemd, with foo's units.

use crate::contender::{Column, Contender, Contenders};
use crate::figure::Figure;
use crate::frame::container::{Container, eventually};
use crate::frame::host;
use crate::frame::load::NO_LIMIT;
use crate::frame::stage::{Stage, Units};
use crate::frame::suite::Suite;
use crate::load::Text;
use crate::scaled;
use libsystemd_safe::journal;
use nix::sched::{CloneFlags, setns};
use std::fs::{self, File};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

/// How often each daemon is measured. The table has the medians.
const ROUNDS: usize = 5;

/// The loads at full speed: a name, the number of messages, their size, their text, and the queue.
/// In "lines and entries in turn", foo sends every other message to the journal as an entry. The
/// daemons on crates are measured with the first load only, as is the time to an entry.
const LOADS: [(&str, usize, usize, Text, usize); 7] = [
    ("32 bytes", 50_000, 32, Text::Plain, 10),
    ("32 bytes, lines and entries in turn", 4000, 32, Text::Prefix, 10),
    ("1,000 bytes", 20_000, 1000, Text::Plain, 10),
    ("10,000 bytes", 4000, 10_000, Text::Plain, 10),
    ("10,000 bytes with é", 4000, 10_000, Text::Accents, 10),
    ("40,000 bytes", 1500, 40_000, Text::Plain, 10),
    ("32 bytes, queue of 512", 50_000, 32, Text::Plain, 512),
];

/// The number of messages with `--fields`, and the drop-in for that.
const MESSAGES_WITH_FIELDS: usize = 20_000;
const FIELDS: &str = "[Service]\nExecStart=\nExecStart=/usr/local/bin/foo --fields\n";

/// Number of messages that are sent one at a time.
const SINGLE: u32 = 400;

/// Pause between those. The daemon sleeps again before the next one comes.
const PAUSE: Duration = Duration::from_millis(2);

/// The releases of Debian to try. The first one that runs the programs built here is used.
static SUITES: [Suite; 2] = [
    Suite::new("bookworm", "Debian 12", 252, false),
    Suite::new("trixie", "Debian 13", 257, false),
];

/// A release of Debian that runs the staged programs.
pub struct Prepared {
    suite: &'static Suite,
    stage: Arc<Stage>,
}

/// Prepares a Debian. If it has to be created, this needs a network.
///
/// # Errors
///
/// The reason why no Debian can be booted.
pub fn prepare() -> Result<Prepared, String> {
    host::can_boot()?;
    let ready = |suite: &'static Suite| {
        suite.prepare(Err("not measured".to_owned())).map(|stage| Prepared { suite, stage })
    };
    ready(&SUITES[0]).or_else(|_| ready(&SUITES[1]))
}

/// Measures the processor time per message of daemons that log to the journal, and the time until a
/// message is an entry. Returns the figures and the version of systemd.
///
/// # Errors
///
/// The reason why nothing can be measured.
pub fn figures(
    prepared: &Prepared,
    contenders: &Contenders,
) -> Result<(Vec<Figure>, String), String> {
    let Prepared { suite, stage } = prepared;
    let container = suite.boot(stage, Units::Ours).map_err(host::error)?;
    let lines = || container.drop_in("foo.service", &format!("[Service]\n{NO_LIMIT}"));
    lines();
    let mut costs = LOADS.map(|(name, ..)| {
        Figure::new(format!("processor time per message, journal, {name}"), "ns")
    });
    let mut fields = Figure::new("processor time per message, journal, 32 bytes, --fields", "ns");
    let mut median = Figure::new("send to journal entry, one at a time, p50", "µs");
    let mut slow = Figure::new("send to journal entry, one at a time, p99", "µs");
    let Contenders { ours, c, c_roomy, floor, crates, .. } = contenders;
    for round in 0..scaled(ROUNDS) {
        for Contender { column, program } in [ours, floor, c].into_iter().chain(crates) {
            let mut running = None;
            for (cost, (name, messages, size, text, queue)) in costs.iter_mut().zip(LOADS) {
                let is_first = name == LOADS[0].0;
                let program = match (column, &c_roomy) {
                    (Column::Systemd | Column::SdNotify, _) if !is_first => continue,
                    (Column::C, Some(roomy)) if size > 1024 => &roomy.program,
                    _ => program,
                };
                if running.replace((program, queue)) != Some((program, queue)) {
                    replace(&container, program, queue);
                }
                let other = if let Text::Prefix = text { Text::Plain } else { text };
                let texts = [text.of(size), other.of(size)];
                cost.add(*column, at_full_speed(&container, scaled(messages), &texts));
                // The floor logs nothing.
                if is_first && *column != Column::Floor {
                    let delays = one_at_a_time(&container, &format!("{round} {}", column.name()));
                    median.add(*column, delays[delays.len() / 2]);
                    slow.add(*column, delays[delays.len() * 99 / 100]);
                }
            }
            if *column == Column::Foo {
                container.drop_in("foo.service", FIELDS);
                replace(&container, program, LOADS[0].4);
                let text = Text::Plain.of(LOADS[0].2);
                let messages = scaled(MESSAGES_WITH_FIELDS);
                fields.add(*column, at_full_speed(&container, messages, &[text.clone(), text]));
                lines();
            }
        }
    }
    Ok((costs.into_iter().chain([fields, median, slow]).collect(), suite.systemd()))
}

/// Starts a daemon in place of foo, with a queue of this length.
fn replace(container: &Container, program: &Path, queue: usize) {
    fs::copy(program, container.path("/usr/local/bin/new")).unwrap();
    container
        .run("systemctl stop foo.socket foo.service; mv /usr/local/bin/new /usr/local/bin/foo");
    let network = File::open(container.path("/proc/1/ns/net")).unwrap();
    let set_length = move || {
        setns(network, CloneFlags::CLONE_NEWNET).unwrap();
        fs::write("/proc/sys/net/unix/max_dgram_qlen", queue.to_string()).unwrap();
    };
    // A socket has the length that the network of its creator had then.
    thread::spawn(set_length).join().unwrap();
    container.run("systemctl start foo.socket foo.service");
}

/// Returns the daemon's processor time per message, in nanoseconds.
fn at_full_speed(container: &Container, messages: usize, texts: &[Vec<u8>; 2]) -> f64 {
    let sender = sender(container);
    let pid = container.show("MainPID");
    let before = busy(container, &pid);
    for text in texts.iter().cycle().take(messages) {
        sender.send(text).unwrap();
    }
    eventually("all received", || match journal::unread(&sender).unwrap() {
        0 => Ok(()),
        bytes => Err(format!("{bytes} bytes left")),
    });
    let cost = (busy(container, &pid) - before) / messages as f64;
    container.run("journalctl --sync");
    cost
}

/// Sends messages one at a time. Returns the time from each message to its entry, in microseconds,
/// sorted.
fn one_at_a_time(container: &Container, mark: &str) -> Vec<f64> {
    let sender = sender(container);
    for _ in 0..SINGLE {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        sender.send(format!("{mark} sent at {}", now.as_micros()).as_bytes()).unwrap();
        thread::sleep(PAUSE);
    }
    let wanted = format!(": {mark} sent at ");
    let mut delays = eventually("all logged", || {
        let mut reader = container.reader("_SYSTEMD_UNIT=foo.service");
        // These messages are the last, but for lines of foo itself.
        reader.seek_tail().unwrap();
        reader.previous_skip(2 * SINGLE).unwrap();
        let mut delays = Vec::new();
        while reader.next().unwrap() {
            let logged = reader.realtime().unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            let message = String::from_utf8_lossy(reader.data(c"MESSAGE").unwrap().unwrap());
            if let Some((_, sent)) = message.split_once(&wanted) {
                delays.push(logged.as_micros() as f64 - sent.parse::<f64>().unwrap());
            }
        }
        if delays.len() == SINGLE as usize {
            Ok(delays)
        } else {
            Err(format!("{} of {SINGLE}", delays.len()))
        }
    });
    delays.sort_by(f64::total_cmp);
    delays
}

/// Returns a bound socket that is connected to foo.
fn sender(container: &Container) -> UnixDatagram {
    let path = container.path("/run/bench.sender");
    let _ = fs::remove_file(&path);
    let sender = UnixDatagram::bind(path).unwrap();
    sender.connect(container.path("/run/foo.socket")).unwrap();
    sender
}

/// Waits until a process sleeps. Returns the processor time that it has used, in nanoseconds.
fn busy(container: &Container, pid: &str) -> f64 {
    let read = |file| fs::read_to_string(container.path(&format!("/proc/{pid}/{file}"))).unwrap();
    eventually("asleep", || match read("status") {
        status if status.contains("State:\tS") => Ok(()),
        status => Err(status),
    });
    read("schedstat").split_whitespace().next().unwrap().parse().unwrap()
}
