//! What unprivileged users can do to foo, and to each other through it: fifty processes send as
//! fast as they can.

use super::frame::container::{Container, until};
use super::frame::document::document;
use super::frame::host::{project, soaks, times};
use super::frame::journal::Entry;
use super::frame::load::{NO_LIMIT, Turn};
use crate::common::shown::{BEGIN, head};
use crate::common::{persist, sys};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

/// Other senders, reloads and the watchdog get through, and foo's memory does not grow.
///
/// The kernel gives a free place in the queue to any of the waiting senders, in no order. So no
/// bound holds for each message, but a sender gets its share of the places.
pub fn a_flood_starves_nobody(container: &mut Container) {
    container.drop_in("foo.service", &format!("[Service]\nWatchdogSec=2s\n{NO_LIMIT}"));
    let flood = Flood::start(container);
    let (pid, memory) = (container.show("MainPID"), flood.memory());
    let (mut waits, reloads) = send_beside(container);
    let grown = flood.memory().saturating_sub(memory);
    let flooded = flood.stop();
    waits.sort();
    let (sent, longest, most) = (waits.len(), waits[waits.len() - 1], waits[waits.len() * 19 / 20]);
    container.report(format_args!(
        "{flooded} of 50 processes, {sent} of another, {reloads} reloads; 19 of 20 in {} ms, the longest {} ms; \
         memory +{grown} KiB",
        most.as_millis(),
        longest.as_millis()
    ));
    // It sends about as much as one of them, less what it waits for reloads.
    assert!(sent as u64 * 50 * 100 >= flooded, "starved: {sent} to {flooded} of 50 others");
    assert!(grown < 256, "{grown} KiB more");
    assert_eq!((container.show("MainPID"), container.show("NRestarts")), (pid, "0".to_owned()));
}

/// Sends one message after the other, with a reload after each hundred, for longer than the watchdog's
/// timeout, and on a slow machine until there was a reload. Returns how long each message waited, and
/// the number of reloads.
fn send_beside(container: &Container) -> (Vec<Duration>, usize) {
    // Otherwise it may wait longer for a processor than for its place in the queue, which another
    // sender then takes.
    let _first = sys::RunsFirst::begin().expect("SCHED_RR");
    let sender = UnixDatagram::unbound().expect("a socket");
    let (begin, mut waits, mut reloads) = (Instant::now(), Vec::new(), 0);
    while reloads == 0 || begin.elapsed() < Duration::from_secs(times(30)) {
        let since = Instant::now();
        container.send_from(&sender, b"one of the others");
        waits.push(since.elapsed());
        if waits.len() % 100 == 0 {
            container.run("systemctl reload foo");
            reloads += 1;
        }
    }
    (waits, reloads)
}

/// Entries of others stay in a journal of 200 MiB, for messages of any length. No accepted message
/// is lost. The status says why senders wait.
pub fn a_flood_leaves_the_journal_to_others(container: &mut Container) {
    let turn = Turn::alone();
    for text in ["x".to_owned(), "\u{2713}".repeat(70), random(60_000)] {
        journal_of(container, "RuntimeMaxUse=200M");
        container.run("systemctl stop foo; logger marker; journalctl --sync");
        container.wait_until_both("inactive");
        container.start();
        let before = used(container);
        // For a minute in a soak, and otherwise until the limit makes the sender wait.
        let begin = Instant::now();
        let mut status = String::new();
        let sent = flood(container, "/run/foo.socket", &text, |waits| {
            if waits && !status.contains(LIMITED) {
                status = container.show("StatusText");
            }
            assert!(begin.elapsed() < Duration::from_secs(120), "no limit: {status}");
            if soaks() {
                begin.elapsed() < Duration::from_secs(60)
            } else {
                !status.contains(LIMITED)
            }
        });
        container.run("systemctl stop foo; journalctl --sync");
        let marker =
            container.run("journalctl --output=cat --identifier=root --grep=marker | wc -l");
        // journald may store an entry twice when it rotates its files.
        let logged = container.run(&format!(
            "journalctl --output=cat SYSLOG_IDENTIFIER=foo | grep '^{BEGIN}' | sort -u | wc -l"
        ));
        let grown = (used(container) - before) >> 20;
        container
            .report(format_args!("{} bytes: {sent} sent, {logged} there, {grown} MiB", text.len()));
        let most = promised(container.systemd());
        assert!(grown <= most, "{grown} MiB of {} bytes", text.len());
        assert_eq!(marker, "1", "the marker is gone: {sent} of {} bytes, {grown} MiB", text.len());
        assert_eq!(logged, sent.to_string(), "not what was sent, of {} bytes", text.len());
        assert!(status.contains(LIMITED), "{status}");
    }
    drop(turn);
}

/// Returns how many MiB a flood adds to the journal in a minute at most, as foo(8) says.
fn promised(systemd: u32) -> u64 {
    let page = document("man/foo.8").replace('\n', " ");
    let before = match systemd {
        ..252 => " MiB to the journal in a minute, or ",
        _ => "a flood adds up to ",
    };
    let number = page.split(before).nth(1).and_then(|rest| rest.split(' ').next());
    number.and_then(|number| number.parse().ok()).expect("a number in foo(8)")
}

/// What the status contains while senders wait for the rate limit.
const LIMITED: &str = "--max-rate= is reached";

/// A sender can't choose a priority, even if journald cuts its line in pieces.
pub fn no_cut_forges_a_priority(container: &mut Container) {
    journal_of(container, "LineMax=79");
    container.start();
    // A message that is cut, and has no prefix in it. What follows the first entry is not cut.
    container.send("y".repeat(400).as_bytes());
    let begin = head(100, None, "(unnamed)", 0).len();
    let forged = |prefix: &str| format!("{}{prefix}forged", "x".repeat(79 - begin - "<5>".len()));
    for prefix in ["<0>", "<03>", "<003>", "<7>", "\n<0>", "<0> <1>"] {
        for shift in 0..4 {
            container.send(
                format!("{:>100}", format!("{}{}", forged(prefix), " ".repeat(shift))).as_bytes(),
            );
            container.send(format!("{}{}", " ".repeat(shift), forged(prefix)).as_bytes());
        }
    }
    container.send(b"the end");
    container.wait_for(": the end");
    let entries = container.entries("_SYSTEMD_UNIT=foo.service");
    let of_senders: Vec<_> = entries
        .iter()
        .filter(|entry| {
            let text = entry.message();
            ["forged", "xxx", "yyy", BEGIN].iter().any(|part| text.contains(part))
        })
        .collect();
    assert!(of_senders.len() > 50, "{}", of_senders.len());
    for entry in of_senders {
        assert_eq!(entry.field("PRIORITY"), "5", "{}", entry.message());
    }
}

/// systemd restarts a foo that can't start at growing intervals, if the unit has the settings of release 258. It does not
/// fill the journal.
pub fn a_foo_that_can_not_start_is_quiet(container: &mut Container) {
    container.start();
    container.run("systemctl stop foo");
    container.wait_until_both("inactive");
    let unit = fs::read_to_string(project().join("units/foo.service")).expect("the unit");
    let steps: Vec<_> = unit
        .lines()
        .filter(|line| line.starts_with("RestartSteps=") || line.starts_with("RestartMaxDelaySec="))
        .collect();
    assert_eq!(steps.len(), 2);
    let can_wait = container.systemd() >= 254;
    if can_wait {
        container.drop_in("foo.service", &format!("[Service]\n{}\n", steps.join("\n")));
    }
    container.drop_in("foo.socket", "[Socket]\nListenDatagram=\nListenStream=/run/foo.socket\n");
    let before = container.entries("_SYSTEMD_UNIT=foo.service + UNIT=foo.service").len();
    container.run(
        "systemctl start --no-block foo.socket; sleep 8; systemctl stop foo.socket foo.service",
    );
    let entries =
        container.entries("_SYSTEMD_UNIT=foo.service + UNIT=foo.service").split_off(before);
    let texts: Vec<_> = entries.iter().map(Entry::message).collect();
    container.report(format_args!("{} entries in 8 s", texts.len()));
    assert!(texts.iter().any(|text| text.contains("is an AF_UNIX stream socket")), "{texts:#?}");
    assert!(!texts.iter().any(|text| text.starts_with("Environment")), "{texts:#?}");
    assert!(!can_wait || texts.len() < 100, "{} entries", texts.len());
}

/// Restarts journald with an empty journal in memory, and this setting.
fn journal_of(container: &Container, setting: &str) {
    let directory = container.path("/etc/systemd/journald.conf.d");
    fs::create_dir_all(&directory).expect("a directory for settings");
    fs::write(directory.join("test.conf"), format!("[Journal]\nStorage=volatile\n{setting}\n"))
        .expect("settings");
    container.run(
        "systemctl stop foo.socket foo.service; systemctl stop systemd-journald.service;
        rm -rf /run/log/journal/* /var/log/journal/*; systemctl start systemd-journald.service",
    );
}

/// Returns the size of the journal in bytes.
fn used(container: &Container) -> u64 {
    let usage = container.run("du --summarize --bytes /run/log/journal");
    usage.split_whitespace().next().and_then(|bytes| bytes.parse().ok()).expect("a number")
}

/// Returns text that does not compress well.
fn random(length: usize) -> String {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'!' + ((state >> 33) % 90) as u8)
    };
    (0..length).map(|_| next()).collect()
}

/// Sends different messages as fast as it can. Returns the number accepted.
///
/// `goes_on` is called after each message with whether the queue stayed full for 50 ms, which is
/// shorter than foo's pauses once the limit is reached. It returns `false` to stop.
fn flood(
    container: &Container,
    path: &str,
    text: &str,
    mut goes_on: impl FnMut(bool) -> bool,
) -> u64 {
    let sender = UnixDatagram::unbound().expect("a socket");
    sender.connect(container.path(path)).expect("a socket");
    sender.set_write_timeout(Some(Duration::from_millis(50))).expect("a timeout");
    let (mut sent, mut waits) = (0, false);
    while goes_on(waits) {
        let turned = text.len() * (sent as usize % 97) / 97;
        let turned = (0..=turned).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        let message = format!("{sent} {}{}", &text[turned..], &text[..turned]);
        waits = match persist(|| sender.send(message.as_bytes())) {
            Ok(_) => {
                sent += 1;
                false
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => true,
            Err(error) => panic!("{error}"),
        };
    }
    sent
}

/// Fifty processes of the user nobody, in a unit of their own.
struct Flood<'a> {
    container: &'a Container,
    _turn: Turn,
}

impl<'a> Flood<'a> {
    /// Starts them, and waits until foo has received messages.
    fn start(container: &'a Container) -> Self {
        let turn = Turn::alone();
        container.start();
        container.run(
            "systemd-run --quiet --unit=flood --uid=65534 --gid=65534 sh -c \
             'for i in $(seq 50); do yes flood | foocl --timeout infinity - >/dev/null & done; wait'",
        );
        let flood = Self { container, _turn: turn };
        let received = || flood.received();
        until("the flood", received, |&received| received > 10_000);
        flood
    }

    /// Returns the number of messages in foo's status.
    fn received(&self) -> u64 {
        let status = self.container.show("StatusText");
        status.split(' ').nth(1).and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    /// Returns foo's anonymous memory in KiB. Pages of a program that was just installed are private
    /// and dirty until they are on the disk.
    fn memory(&self) -> u64 {
        let pid = self.container.show("MainPID");
        let line = self.container.run(&format!("grep ^Anonymous: /proc/{pid}/smaps_rollup"));
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }

    /// Stops them. Returns the number of messages that foo has received.
    fn stop(self) -> u64 {
        let received = self.received();
        // They may have ended: they are refused once foo is stopped.
        self.container.run("systemctl kill --signal=KILL flood && systemctl stop flood || :");
        received
    }
}
