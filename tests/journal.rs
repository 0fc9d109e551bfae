//! foo's log and the journal. The test takes journald's place and decides what is read, and when.
//! It runs in a mount namespace, so it needs root or user namespaces.

mod common;

use common::daemon::Daemon;
use common::journald::{Journald, Stream, message};
use common::setup::Setup;
use common::{assert_line, eventually, in_place_of_journald, patient, queue, sys};
use nix::sys::signal::Signal::SIGTERM;
use nix::sys::socket::{MsgFlags, recv};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

/// A longer line, with its newline, becomes an entry.
const LINE_MAX: usize = 48 * 1024;

/// Two messages that become entries, since each has what journald could read as a priority.
const ENTRIES: [&str; 2] = ["<0>", "<1>"];

impl Journald {
    /// Reads the mark behind the entries, and sends a message. It is a line then. An empty line comes
    /// before it, which journald ignores.
    #[track_caller]
    fn assert_line_follows(&self, case: &str, stream: &mut Stream, daemon: &Daemon, payload: &str) {
        assert_eq!(self.datagram(), "", "{case}: the mark");
        daemon.send(payload);
        assert_eq!(stream.line(), "", "{case}: the mark in the stream");
        stream.assert_line(case, daemon, payload);
    }

    /// Fails unless the next entry is the record of this message.
    #[track_caller]
    fn assert_entry(&self, case: &str, daemon: &Daemon, payload: &str) {
        let entry = self.entry();
        assert_line(case, message(&entry).unwrap(), &message_of(daemon, payload));
    }

    /// Fails unless the next entry reports this number as lost. The catalog explains it.
    #[track_caller]
    fn assert_lost(&self, case: &str, count: usize) {
        let fields = "PRIORITY=4\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=foo";
        let end = format!("\nMESSAGE_ID={}\n{fields}\n", message_id("Messages may be lost"));
        assert_reports(case, &self.entry(), ["MESSAGE=", &end], count);
    }
}

impl Stream {
    /// Fails unless the next line is the record of this message.
    #[track_caller]
    fn assert_line(&mut self, case: &str, daemon: &Daemon, payload: &str) {
        let want = daemon.received(payload.len(), payload);
        assert_line(case, &self.line(), &want);
    }

    /// Fails unless the next line reports this number as lost.
    #[track_caller]
    fn assert_lost(&mut self, case: &str, count: usize) {
        // The line that failed may have been written in part.
        assert_eq!(self.line(), "", "{case}");
        assert_reports(case, &self.line(), ["<4>", ""], count);
    }
}

/// Fails unless a text reports that this number of lines was lost, or a few more: foo does not ask
/// after each line whether it was read.
#[track_caller]
fn assert_reports(case: &str, text: &str, [begin, end]: [&str; 2], count: usize) {
    let number = text.strip_prefix(begin).and_then(|rest| rest.strip_prefix("Up to "));
    let number = number.and_then(|rest| rest.strip_suffix(end));
    let number = number.and_then(|rest| rest.strip_suffix(" lines before this one were lost"));
    let number = number.and_then(|number| number.parse::<usize>().ok());
    let is_right = number.is_some_and(|number| (count..count + 8).contains(&number));
    assert!(is_right, "{case}: {count} were lost: {text}");
}

/// Returns the number of unread lines of a stream.
fn lines_in(stream: &UnixStream) -> usize {
    let mut bytes = [0; 4096];
    let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
    let size = recv(stream.as_raw_fd(), &mut bytes, flags).unwrap_or(0);
    bytes[..size].iter().filter(|&&byte| byte == b'\n').count()
}

/// Returns the identifier that the catalog has for a subject.
fn message_id(subject: &str) -> &'static str {
    let catalog = include_str!("../units/foo.catalog");
    let before = catalog.split(&format!("\nSubject: {subject}\n")).next().unwrap();
    before.rsplit("-- ").next().unwrap()
}

/// Returns the text of a record: a line without its prefix.
fn message_of(daemon: &Daemon, payload: &str) -> String {
    daemon.received(payload.len(), payload)[3..].to_owned()
}

#[test]
fn what_is_an_entry() {
    let Some(journal) = Journald::new("what_is_an_entry") else { return };
    let (daemon, mut stream) = journal.ready(Daemon::listening());
    // The length of the line with its newline.
    let payload_of = |length: usize| {
        let digits = 5;
        let rest = message_of(&daemon, "").len() - 1 + digits + 1;
        "x".repeat(length - rest)
    };
    let (longest, longer) = (payload_of(LINE_MAX), payload_of(LINE_MAX + 1));
    let lines =
        ["hello", "<", "<7", "<>", "<8>", "< 7>", "<0007>", "<08>", "<008>", "7>", &longest];
    for payload in lines {
        daemon.send(payload);
        stream.assert_line("a line", &daemon, payload);
    }
    assert!(journal.is_empty(), "an entry of what is a line");
    let entries = [
        "<7>",
        "<00>",
        "<007>",
        "a<0>b",
        "<<0>",
        "<9><1>",
        &longer,
        &"y".repeat(150_000),
        "x ",
        "x\t",
    ];
    for payload in entries {
        daemon.send(payload);
        let text = message_of(&daemon, payload);
        let fields = "PRIORITY=5\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=foo";
        let entry = format!("MESSAGE={text}\n{fields}\n");
        assert_line("an entry", &journal.entry(), &entry);
    }
    assert!(stream.is_empty(), "a line of what is an entry");
}

/// With `--fields` each message is an entry with its exact bytes, of any content and length. None
/// waits for another, and no line is written.
#[test]
fn each_message_with_its_fields() {
    let Some(journal) = Journald::with_room("each_message_with_its_fields") else { return };
    let (daemon, mut stream) = journal.ready(Daemon::listening().arg("--fields"));
    let long = "y".repeat(100_000);
    let cases: [(&[u8], &str); 7] = [
        (b"hello", "hello"),
        (b"", ""),
        (b"<0>x ", "<0>x "),
        (b"two\nlines\n\0", r"two\x0alines"),
        (b"\nMESSAGE=forged\nPRIORITY=0\n", r"\x0aMESSAGE=forged\x0aPRIORITY=0"),
        (b"\0\xff\n", r"\x00\xff"),
        (long.as_bytes(), &long),
    ];
    cases.iter().for_each(|(payload, _)| daemon.send(payload));
    daemon.counted(cases.len());
    assert!(stream.is_empty(), "a line of what is an entry");
    for (payload, text) in cases {
        let message = &daemon.received(payload.len(), text)[3..];
        let address = daemon.dir.join("client");
        let mut want = format!(
            "MESSAGE={message}\nFOO_SENDER_ADDRESS={}\nFOO_LENGTH={}\nFOO_PAYLOAD",
            address.display(),
            payload.len()
        )
        .into_bytes();
        // The form that journald reads any bytes in.
        if payload.contains(&b'\n') {
            want.push(b'\n');
            want.extend((payload.len() as u64).to_le_bytes());
        } else {
            want.push(b'=');
        }
        want.extend(payload);
        want.extend(b"\nPRIORITY=5\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=foo\n");
        let mut entry = journal.bytes();
        while entry.is_empty() {
            entry = journal.bytes();
        }
        assert_eq!(entry.escape_ascii().to_string(), want.escape_ascii().to_string());
    }
}

/// Entries have the identifier and facility that the unit sets for lines, if journald accepts them.
#[test]
fn settings_of_the_unit() {
    let Some(journal) = Journald::new("settings_of_the_unit") else { return };
    let (longest, longer) = ("7".repeat(64), "7".repeat(65));
    for (facility, identifier, want) in [
        ("16", "an identifier", ("16", "an identifier")),
        (&*longest, &*longest, (&*longest, &*longest)),
        ("", "", ("3", "foo")),
        ("1x", "a\tb", ("3", "foo")),
        (&longer, &longer, ("3", "foo")),
    ] {
        let setup = Daemon::listening()
            .env("SYSLOG_FACILITY", facility)
            .env("SYSLOG_IDENTIFIER", identifier);
        let (daemon, _stream) = journal.ready(setup);
        daemon.send(ENTRIES[0]);
        let (facility, identifier) = want;
        let fields = format!("SYSLOG_FACILITY={facility}\nSYSLOG_IDENTIFIER={identifier}\n");
        let entry = journal.entry();
        assert!(entry.ends_with(&fields), "no {fields:?} in {entry:?}");
    }
}

/// An entry waits until the lines before it are read. Lines behind it become entries too, so that
/// they need not wait, until the queue is empty.
#[test]
fn lines_and_entries_keep_their_order() {
    let Some(journal) = Journald::with_room("lines_and_entries_keep_their_order") else { return };
    let (daemon, mut stream) = journal.ready(Daemon::listening());
    for payload in ["one", ENTRIES[0], "two"] {
        daemon.send(payload);
    }
    daemon.counted(2);
    assert!(journal.is_empty(), "an entry before the line is read");
    stream.assert_line("one", &daemon, "one");
    daemon.counted(3);
    for payload in [ENTRIES[0], "two"] {
        journal.assert_entry("in the queue", &daemon, payload);
    }
    assert!(stream.is_empty(), "a line before the queue is empty");
    daemon.signal(SIGTERM);
    // The mark behind the second entry, and the one that shows that the queue is open.
    while stream.0.read(&mut [0]).is_ok_and(|size| size > 0) {}
    assert_eq!(daemon.end().code, 0);
}

/// An entry costs more than a line, so only a few lines follow an entry into the queue. The others
/// wait until it is read, and go to the stream.
#[test]
fn lines_return_to_the_stream() {
    let Some(journal) = Journald::with_room("lines_return_to_the_stream") else { return };
    let (daemon, mut stream) = journal.ready(Daemon::listening());
    let lines = ["1", "2", "3", "4", "5", "6"];
    daemon.stopped(|| {
        daemon.send(ENTRIES[0]);
        lines.iter().for_each(|line| daemon.send(line));
    });
    // Nothing is read until foo has all of them.
    daemon.counted(1 + lines.len());
    for payload in [ENTRIES[0], "1", "2", "3", "4"] {
        journal.assert_entry("in the queue", &daemon, payload);
    }
    // Empty lines show foo that journald has read the entries before them.
    let mut others = Vec::new();
    eventually("the others in the stream", || {
        // This reads a mark, if there is one.
        journal.is_empty();
        while lines_in(&stream.0) > 0 {
            others.extend(Some(stream.line()).filter(|line| !line.is_empty()));
        }
        (others.len() == 2).then_some(())
    });
    assert_eq!(others, ["5", "6"].map(|line| daemon.received(1, line)));
}

/// A journald that is frozen costs nearly nothing.
#[test]
fn an_entry_behind_a_line_rests() {
    let Some(journal) = Journald::new("an_entry_behind_a_line_rests") else { return };
    let (daemon, mut stream) = journal.ready(Daemon::listening());
    daemon.send("one");
    daemon.send(ENTRIES[0]);
    daemon.counted(2);
    let wakeups = || daemon.proc_number("status", "voluntary_ctxt_switches");
    let (start, before) = (Instant::now(), wakeups());
    thread::sleep(Duration::from_secs(1));
    let rate = (wakeups() - before) as f64 / start.elapsed().as_secs_f64();
    assert!(rate < 12.0, "{rate} times a second");
    stream.assert_line("one", &daemon, "one");
    journal.assert_entry("the entry", &daemon, ENTRIES[0]);
}

#[test]
fn a_full_queue() {
    let Some(journal) = Journald::new("a_full_queue") else { return };
    let (daemon, _stream) = journal.ready(Daemon::listening());
    let filled = journal.fill();
    daemon.send(ENTRIES[0]);
    daemon.counted(1);
    daemon.assert_rests("a full queue");
    journal.drain(filled);
    journal.assert_entry("after it was full", &daemon, ENTRIES[0]);
    // There may have been no room for a mark, so a line can't be sure that the entry is read.
    daemon.send("one");
    daemon.counted(2);
    journal.assert_entry("behind it", &daemon, "one");
}

/// A journald that reads nothing does not keep foo from stopping, and nothing is lost.
#[test]
fn a_stop_gives_up_the_order() {
    let Some(mut journal) = Journald::with_room("a_stop_gives_up_the_order") else { return };
    // Nothing of the queue is read.
    let (daemon, mut stream) = journal.ready(Daemon::listening());
    journal.fill();
    daemon.send(ENTRIES[0]);
    daemon.send("one");
    daemon.counted(1);
    daemon.signal(SIGTERM);
    // As a line it has nothing in which journald could read a priority.
    assert_eq!(stream.line(), daemon.received(3, r"\x3c0>"), "a full queue");
    stream.assert_line("a full queue", &daemon, "one");
    assert_eq!(daemon.end().code, 0, "a full queue");

    // Nothing of the stream is read.
    journal.renew_queue();
    let (daemon, mut stream) = journal.ready(Daemon::listening());
    for payload in ["one", ENTRIES[0], "two"] {
        daemon.send(payload);
    }
    daemon.counted(2);
    let start = Instant::now();
    daemon.signal(SIGTERM);
    journal.assert_entry("out of order", &daemon, ENTRIES[0]);
    assert!(start.elapsed() >= Duration::from_millis(500), "too early");
    eventually("foo has ended", || (daemon.state() == 'Z').then_some(()));
    journal.assert_entry("behind it", &daemon, "two");
    stream.assert_line("an unread stream", &daemon, "one");
    assert_eq!(daemon.end().code, 0, "an unread stream");
}

/// Returns a daemon whose log accepts nothing, and the other end of the log. A stop takes the
/// longest time, five seconds.
fn stuck() -> (Daemon, UnixStream) {
    let (log, reader) = UnixStream::pair().unwrap();
    let daemon = Daemon::listening().log_to(log.try_clone().unwrap()).ready();
    log.set_nonblocking(true).unwrap();
    while (&log).write(&[b'\n'; 4096]).is_ok() {}
    daemon.send("hello");
    (daemon, reader)
}

/// A stop waits until journald has read everything, while it makes progress.
#[test]
fn a_stop_waits_for_the_reader() {
    let Some(journal) = Journald::new("a_stop_waits_for_the_reader") else { return };
    let (stuck_for_one, _reader) = stuck();
    stuck_for_one.signal(SIGTERM);

    // Nothing is read.
    let (daemon, stream) = journal.ready(Daemon::listening());
    daemon.send("one");
    daemon.counted(1);
    let start = Instant::now();
    daemon.signal(SIGTERM);
    assert_eq!(daemon.end().code, 0);
    assert!(start.elapsed() >= Duration::from_millis(500), "too early");
    assert_ne!(stuck_for_one.state(), 'Z', "as long as may be");
    drop(stream);

    // Everything is read, so a stop does not wait: many stops take less time than the longest one.
    let (stuck, _reader) = stuck();
    let daemons: Vec<_> = (0..12).map(|_| journal.ready(Daemon::listening())).collect();
    stuck.signal(SIGTERM);
    for (daemon, _stream) in daemons {
        daemon.signal(SIGTERM);
        assert_eq!(daemon.end().code, 0);
    }
    assert_ne!(stuck.state(), 'Z', "they wait");

    // A line is read now and then, and then none for too long.
    const LINES: usize = 10;
    const PACE: Duration = Duration::from_millis(100);
    eventually("a machine that does not stall", || {
        let (daemon, mut stream) = journal.ready(Daemon::listening());
        for line in 0..LINES {
            daemon.send("one");
            eventually("it arrives", || (lines_in(&stream.0) > line).then_some(()));
        }
        daemon.signal(SIGTERM);
        let mut stalls = false;
        for _ in 1..LINES {
            let start = Instant::now();
            thread::sleep(PACE);
            stream.line();
            stalls |= start.elapsed() > 3 * PACE;
        }
        let state = daemon.state();
        stream.line();
        if stalls {
            return None;
        }
        assert_ne!(state, 'Z', "ended before all was read");
        assert_eq!(daemon.end().code, 0);
        Some(())
    });
}

/// A foo that can't start is restarted often, so it logs only the error. If that has to be an entry
/// and the queue is missing, it becomes a line.
#[test]
fn a_start_that_fails() {
    let Some(journal) = Journald::new("a_start_that_fails") else { return };
    fs::remove_file(journal.dir.join("socket")).unwrap();
    let no_datagrams = Daemon::with([UnixStream::pair().unwrap().0]).env("LISTEN_FDNAMES", "<0>");
    let cases = [
        (
            Daemon::listening().unset("LISTEN_FDS"),
            &[
                "<5>foo service started",
                "<4>Unable to find any file descriptors",
                "<3>Unable to get file descriptor for socket",
            ][..],
        ),
        (
            no_datagrams,
            &[
                "<5>foo service started",
                "<5>File Descriptor names are:",
                r"<5> \x3c0>",
                "<3>File descriptor 3 (\\x3c0>) is an AF_UNIX stream socket, not an AF_UNIX datagram \
                socket: its socket unit needs ListenDatagram= with a path or an abstract name",
            ],
        ),
    ];
    for (setup, want) in cases {
        let ours = journal.connect();
        let mut stream = journal.accept();
        let end = journal.serve(setup, ours).start().end();
        assert_eq!(end.code, 255);
        let mut text = String::new();
        stream.0.read_to_string(&mut text).unwrap();
        assert_eq!(text.lines().collect::<Vec<_>>(), want);
    }
}

/// What `journalctl -x` explains is an entry behind the lines, if there is a queue.
#[test]
fn an_error_is_explained() {
    let Some(journal) = Journald::new("an_error_is_explained") else { return };
    let ours = journal.connect();
    let mut stream = journal.accept();
    let daemon = journal.serve(Daemon::listening().unset("LISTEN_FDS"), ours).start();
    while stream.line() != "<4>Unable to find any file descriptors" {}
    let fields = "PRIORITY=3\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=foo";
    let id = message_id("systemd passed no socket that foo can serve");
    let text = "Unable to get file descriptor for socket";
    let want = format!("MESSAGE={text}\nMESSAGE_ID={id}\n{fields}\n");
    assert_eq!(journal.entry(), want);
    assert_eq!(daemon.end().code, 255);
}

/// Lines that journald may not have read when its end of a stream is closed are reported once.
#[test]
fn a_stream_that_is_dropped() {
    let Some(journal) = Journald::new("a_stream_that_is_dropped") else { return };
    // Without a queue the report is a line.
    fs::remove_file(journal.dir.join("socket")).unwrap();
    let (daemon, mut stream) = journal.ready(Daemon::listening());
    daemon.send("read");
    stream.assert_line("read", &daemon, "read");
    let wait_for = |stream: &Stream, lines| {
        eventually("lines arrive", || (lines_in(&stream.0) == lines).then_some(()));
    };
    daemon.send("one");
    daemon.send("two");
    wait_for(&stream, 2);
    stream.close();
    daemon.send("three");
    let stream = journal.accept_opened();
    daemon.send("four");
    // With the report, which has two lines.
    wait_for(&stream, 4);
    stream.close();
    // The report may be lost too. Then the next report includes its count.
    daemon.send("five");
    let mut stream = journal.accept_opened();
    stream.assert_lost("the third stream", 4);
    stream.assert_line("the third stream", &daemon, "five");
    daemon.send("six");
    stream.assert_line("the third stream", &daemon, "six");
    daemon.send("seven");
    stream.assert_line("the third stream", &daemon, "seven");
}

/// With a queue the report is an entry, which may be lost too.
#[test]
fn a_report_that_is_lost() {
    let Some(mut journal) = Journald::new("a_report_that_is_lost") else { return };
    let (daemon, stream) = journal.ready(Daemon::listening());
    daemon.send("one");
    eventually("it arrives", || (lines_in(&stream.0) == 1).then_some(()));
    stream.close();
    daemon.send(ENTRIES[0]);
    let _stream = journal.accept_opened();
    daemon.counted(2);
    daemon.stopped(|| journal.renew_queue());
    daemon.send(ENTRIES[1]);
    journal.assert_lost("the report and an entry", 2);
    journal.assert_entry("behind the report", &daemon, ENTRIES[1]);
}

/// A full stream delays a line. One that a dropped stream took in part is written again from its
/// start.
#[test]
fn a_line_that_is_cut() {
    let Some(journal) = Journald::new("a_line_that_is_cut") else { return };
    let ours = journal.connect();
    // A long line needs several calls.
    sys::set_send_buffer(&ours, 1).unwrap();
    let (daemon, mut stream) = journal.ready_with(Daemon::listening(), ours);
    let long = "x".repeat(40_000);
    daemon.send(&long);
    stream.assert_line("a full stream", &daemon, &long);
    daemon.stopped(|| {
        daemon.send("one");
        daemon.send(&long);
    });
    daemon.counted(3);
    stream.assert_line("before it", &daemon, "one");
    stream.close();
    let _stream = journal.accept_opened();
    journal.assert_lost("before it", 1);
    journal.assert_entry("the long one", &daemon, &long);
}

/// Entries that journald may not have read when it closes the queue are reported, also if only
/// entries follow.
#[test]
fn a_queue_that_is_closed() {
    let Some(mut journal) = Journald::with_room("a_queue_that_is_closed") else { return };
    let (daemon, _stream) = journal.ready(Daemon::listening());
    daemon.send(ENTRIES[0]);
    daemon.send(ENTRIES[1]);
    daemon.counted(2);
    daemon.stopped(|| journal.renew_queue());
    daemon.send(ENTRIES[0]);
    journal.assert_lost("an entry follows", 2);
    journal.assert_entry("after the report", &daemon, ENTRIES[0]);
}

/// Returns a daemon of which another than journald has read an entry, as systemd does while it
/// stops journald. A line that follows the entry is not read.
fn with_emptied_queue(journal: &Journald) -> (Daemon, Stream) {
    let (daemon, stream) = journal.ready(Daemon::listening());
    daemon.send(ENTRIES[0]);
    journal.assert_entry("read by systemd", &daemon, ENTRIES[0]);
    assert_eq!(journal.datagram(), "", "the mark");
    daemon.send("a line");
    eventually("the empty line and the line", || (lines_in(&stream.0) == 2).then_some(()));
    (daemon, stream)
}

/// What systemd has read counts as lost, whether it drops the stream or gives it to the next
/// journald.
#[test]
fn a_queue_that_is_emptied() {
    let Some(mut journal) = Journald::new("a_queue_that_is_emptied") else { return };
    let (daemon, stream) = with_emptied_queue(&journal);
    stream.close();
    daemon.send(ENTRIES[0]);
    let _stream = journal.accept_opened();
    journal.assert_lost("another stream", 2);
    journal.assert_entry("another stream", &daemon, ENTRIES[0]);
    drop(daemon);

    journal.renew_queue();
    let (daemon, mut stream) = with_emptied_queue(&journal);
    daemon.stopped(|| journal.renew_queue());
    assert_eq!(stream.line(), "", "the mark in the stream");
    stream.assert_line("the same stream", &daemon, "a line");
    // It sees so a second after the message, without another one.
    journal.assert_lost("the same stream", 1);
}

/// Waits until the daemon reports that there is no journal.
fn wait_until_gone(daemon: &Daemon) {
    let gone = "; the journal can't be reached, senders wait";
    while !daemon.notified().value("STATUS").is_some_and(|text| text.ends_with(gone)) {}
}

/// An entry waits for a journald that restarts, for any time. Nothing after it is lost either.
#[test]
fn a_journald_that_is_restarted() {
    let Some(mut journal) = Journald::new("a_journald_that_is_restarted") else { return };
    // `WATCHDOG=1` comes every second.
    let setup = Daemon::listening().env("WATCHDOG_USEC", "2000000");
    let (daemon, mut stream) = journal.ready(setup);
    daemon.send("one");
    stream.assert_line("one", &daemon, "one");
    daemon.send(ENTRIES[0]);
    daemon.counted(2);
    journal.stop(stream);
    daemon.send(ENTRIES[1]);
    wait_until_gone(&daemon);
    let before = daemon.ran();
    for _ in 0..3 {
        while !daemon.notified().has("WATCHDOG=1") {}
    }
    let ran = daemon.ran() - before;
    assert!(ran < Duration::from_millis(100), "busy for {ran:?}");
    let mut stream = journal.start();
    stream.assert_lost("after the restart", 1);
    journal.queue = patient(journal.dir.socket("socket"));
    journal.assert_entry("the entry that waited", &daemon, ENTRIES[1]);
    journal.assert_line_follows("after the restart", &mut stream, &daemon, "two");

    journal.stop(stream);
    daemon.send("three");
    wait_until_gone(&daemon);
    let mut stream = journal.start();
    let text = daemon.received(5, "three");
    while stream.line() != text {}
    daemon.signal(SIGTERM);
    assert_eq!(daemon.end().code, 0);
}

/// If only the queue is missing, an entry waits for a limited time. Then it becomes a line.
#[test]
fn a_queue_that_is_missing() {
    let Some(mut journal) = Journald::new("a_queue_that_is_missing") else { return };
    let (daemon, mut stream) = journal.ready(Daemon::listening());
    fs::rename(journal.dir.join("socket"), journal.dir.join("hidden")).unwrap();
    daemon.send("read");
    stream.assert_line("read", &daemon, "read");
    daemon.send(ENTRIES[0]);
    daemon.counted(2);
    assert!(stream.is_empty(), "it does not wait");
    fs::rename(journal.dir.join("hidden"), journal.dir.join("socket")).unwrap();
    journal.assert_entry("back in time", &daemon, ENTRIES[0]);
    journal.assert_line_follows("after it", &mut stream, &daemon, "after it");
    // It sees that the queue is open when the mark is read, and when the line is.
    assert_eq!([journal.datagram(), journal.datagram()], ["", ""]);

    journal.close_queue();
    fs::remove_file(journal.dir.join("socket")).unwrap();
    daemon.send(ENTRIES[0]);
    let text = daemon.received(3, r"\x3c0>");
    assert_eq!(stream.line(), text, "not in time");
}

/// The lines that entries with fields become have no fields, and keep their order.
#[test]
fn fields_without_a_queue() {
    let Some(journal) = Journald::with_room("fields_without_a_queue") else { return };
    let (daemon, mut stream) = journal.ready(Daemon::listening().arg("--fields"));
    fs::remove_file(journal.dir.join("socket")).unwrap();
    daemon.stopped(|| ["one", "two\nlines", ENTRIES[0]].iter().for_each(|text| daemon.send(text)));
    for (length, text) in [(3, "one"), (9, r"two\x0alines"), (3, r"\x3c0>")] {
        assert_eq!(stream.line(), daemon.received(length, text));
    }
}

/// Several waiting entries become lines one after the other, such as those of the environment.
#[test]
fn several_entries_without_a_queue() {
    let Some(journal) = Journald::new("several_entries_without_a_queue") else { return };
    fs::remove_file(journal.dir.join("socket")).unwrap();
    let ours = journal.connect();
    let mut stream = journal.accept();
    let names = ["A", "B", "C"];
    let setup = names
        .iter()
        .fold(Daemon::listening(), |setup, name| setup.env(name, format!("<{name}><0>")));
    let _daemon = journal.serve(setup, ours).ready();
    let mut lines = Vec::new();
    while lines.last().is_none_or(|line| line != "<5> foo.socket") {
        lines.push(stream.line());
    }
    for name in names {
        let line = format!(r"<6> {name}=\x3c{name}>\x3c0>");
        assert_eq!(lines.iter().filter(|other| **other == line).count(), 1, "{lines:?}");
    }
    let is_whole = |line: &String| line.starts_with("<6>") || line.starts_with("<5>");
    assert!(lines.iter().all(is_whole), "{lines:?}");
}

/// systemd puts /dev/null in the journal's place if journald refuses connections when foo starts.
/// Then foo opens a stream of its own, and receives nothing that it can't log.
#[test]
fn a_start_without_a_journal() {
    let Some(mut journal) = Journald::new("a_start_without_a_journal") else { return };
    journal.close_queue();
    for name in ["socket", "stdout"] {
        fs::remove_file(journal.dir.join(name)).unwrap();
    }
    let null = || File::options().write(true).open("/dev/null").unwrap();
    let start = |setup: Setup| {
        let setup = setup.env("INVOCATION_ID", "0123456789abcdef0123456789abcdef");
        setup.log_to(null()).under(in_place_of_journald(journal.dir.path())).start()
    };
    let daemon = start(Daemon::listening());
    while !daemon.notified().has("READY=1") {}
    // More than a batch: what is not received waits in the queue.
    let sent: Vec<_> =
        (0..queue().min(4)).map(|number| format!("{number} {}", "x".repeat(40_000))).collect();
    sent.iter().for_each(|text| daemon.send(text));
    let mut stream = journal.start();
    while stream.line() != "<5> foo.socket" {}
    sent.iter().for_each(|text| stream.assert_line("after the start", &daemon, text));
}
