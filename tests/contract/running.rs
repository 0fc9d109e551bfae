//! Running and stopping: signals, notifications, memory and wake-ups.

use crate::common::daemon::{Daemon, Note};
use crate::common::shown::{BEGIN, head, unnamed};
use crate::common::{
    DEADLINE, TempDir, assert_line, eventually, fill, have, patient, persist, queue, sys,
};
use nix::sys::signal::Signal::{SIGHUP, SIGINT, SIGTERM};
use nix::time::{ClockId, clock_gettime};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::iter;
use std::net::Shutdown;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::thread;
use std::time::{Duration, Instant};

/// Microseconds, as the service manager reads the clock.
fn monotonic() -> u64 {
    let now = Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap());
    now.as_micros().try_into().unwrap()
}

#[test]
fn sighup() {
    let daemon = Daemon::listening().ready();
    let count = (queue() / 2).min(4);
    for round in 0..3 {
        let before = monotonic();
        daemon.stopped(|| {
            (0..count).for_each(|i| daemon.send(format!("before {i}")));
            daemon.signal(SIGHUP);
            (0..count).for_each(|i| daemon.send(format!("after {i}")));
        });
        let reloading = next(&daemon, "RELOADING=1");
        let since: u64 = reloading.value("MONOTONIC_USEC").unwrap().parse().unwrap();
        assert!((before..=monotonic()).contains(&since), "round {round}: {since}");
        next(&daemon, "READY=1");
        for when in ["before", "after"] {
            for i in 0..count {
                let text = format!("{when} {i}");
                assert_line(&text, &daemon.line(), &daemon.received(text.len(), &text));
            }
        }
    }
    // The process is still the one that was started.
    daemon.signal(SIGTERM);
    assert_eq!(daemon.end().code, 0);
}

/// The next notification with this assignment.
#[track_caller]
fn next(daemon: &Daemon, assignment: &str) -> Note {
    loop {
        let note = daemon.notified();
        if note.has(assignment) {
            return note;
        }
        assert!(note.value("STATUS").is_some(), "{:?} before {assignment}", note.text);
    }
}

#[test]
fn sigterm_and_sigint() {
    // More than it receives at once, if the queue has room for them.
    let count = queue().min(40);
    for signal in [SIGTERM, SIGINT] {
        let daemon = Daemon::listening().ready();
        daemon.stopped(|| {
            (0..count).for_each(|i| daemon.send(format!("queued {i:02}")));
            daemon.signal(signal);
        });
        let want: Vec<_> =
            (0..count).map(|i| daemon.received(9, &format!("queued {i:02}"))).collect();
        let end = daemon.end();
        assert_eq!(end.code, 0, "{signal}");
        assert_eq!(end.log, want, "{signal}");
        assert!(end.notified("STOPPING=1"), "{signal}");
    }
}

/// What is queued is logged, but senders that never pause can't keep the daemon alive.
#[test]
fn sigterm_in_a_flood() {
    let (log, mut reader) = UnixStream::pair().unwrap();
    // The log takes little at a time, and each time the queue is full again.
    sys::set_send_buffer(&log, 1).unwrap();
    let daemon = Daemon::listening().log_to(log).ready();
    let sender = UnixDatagram::unbound().unwrap();
    sender.set_nonblocking(true).unwrap();
    daemon.signal(SIGTERM);
    let start = Instant::now();
    loop {
        while sender.send_to(&[1; 5000], daemon.socket()).is_ok() {}
        if reader.read(&mut [0; 20_000]).unwrap() == 0 {
            break;
        }
        assert!(start.elapsed() < DEADLINE, "it goes on");
    }
    let end = daemon.end();
    assert_eq!(end.code, 0);
    assert!(end.notified("STOPPING=1"));
}

#[test]
fn watchdog() {
    const PERIOD: Duration = Duration::from_secs(1);
    let setup = || {
        let usec = PERIOD.as_micros().to_string();
        Daemon::listening().env("WATCHDOG_USEC", usec).env("WATCHDOG_PID", "self")
    };
    for busy in [false, true] {
        // A machine that stalls may make foo late.
        eventually("no ping is late", || {
            let begin = Instant::now();
            let daemon = setup().log_to(File::create("/dev/null").unwrap()).ready();
            let start = Instant::now();
            if busy {
                daemon.flood();
            }
            let pings: Vec<_> = (0..3).map(|_| next(&daemon, "WATCHDOG=1").at).collect();
            let took = pings[2] - begin;
            assert!(took >= PERIOD, "busy {busy}: in a hurry, {took:?}");
            let mut gaps = iter::once(start).chain(pings.clone()).zip(pings);
            gaps.all(|(before, ping)| ping < before + PERIOD).then_some(())
        });
    }
    let cases = [
        ("of another process", setup().env("WATCHDOG_PID", "1")),
        ("unset", setup().unset("WATCHDOG_USEC")),
    ];
    for (case, setup) in cases {
        let daemon = setup.ready();
        daemon.assert_rests(case);
        daemon.signal(SIGTERM);
        assert!(!daemon.end().notified("WATCHDOG=1"), "{case}");
    }
}

/// Nobody can send to a socket without its file. The status says so, although no message comes.
#[test]
fn a_socket_without_its_file() {
    let daemon = Daemon::listening().env("WATCHDOG_USEC", "200000").ready();
    let (file, away) = (daemon.socket(), daemon.dir.join("away"));
    let path = file.display();
    let shows = |end: &str| {
        let status = format!("STATUS=Received 0 messages, 0 bytes{end}");
        eventually(&status, || iter::from_fn(|| daemon.note()).find(|note| note.has(&status)));
    };
    fs::rename(&file, &away).unwrap();
    shows(&format!("; {path} is gone, restart its socket unit"));
    let _other = daemon.dir.socket("foo.socket");
    shows(&format!("; {path} belongs to another socket, restart its socket unit"));
    fs::rename(&away, &file).unwrap();
    shows("");
    daemon.assert_logs("as before", "hello", "hello");
}

/// Pings for the shortest interval are limited to one a millisecond.
#[test]
fn a_watchdog_of_no_time() {
    let begin = Instant::now();
    let daemon = Daemon::listening().env("WATCHDOG_USEC", "1").ready();
    let pings: Vec<_> = (0..=300).map(|_| next(&daemon, "WATCHDOG=1").at).collect();
    let took = pings[300] - begin;
    assert!(took >= Duration::from_millis(300), "300 pings in {took:?}");
}

#[test]
fn status() {
    let daemon = Daemon::listening().ready();
    let (start, mut sent) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_millis(2500) {
        daemon.assert_logs("a message", "hello", "hello");
        sent += 1;
    }
    let want = format!("Received {sent} messages, {} bytes", 5 * sent);
    let mut notes = Vec::new();
    while notes.last().and_then(|note: &Note| note.value("STATUS")) != Some(&want) {
        notes.push(daemon.notified());
    }
    let (count, took) = (notes.len() as u64, start.elapsed());
    assert!(count <= took.as_secs() + 2, "{count} times in {took:?}");
    // The first one says that it serves, so that restarts begin anew.
    let resets: Vec<_> = notes.iter().map(|note| note.has("RESTART_RESET=1")).collect();
    assert!(resets[0] && !resets[1..].contains(&true), "{resets:?}");
    daemon.assert_rests("after the last");
    assert!(daemon.note().is_none(), "a status after {want}");
}

/// A log that can't be written does not kill foo. It receives nothing that it can't log, says so, and
/// still stops.
#[test]
fn never_killed_by_its_log() {
    keeps_receiving("closed", &Daemon::listening().log_closed().ready(), 0);
    let (log, reader) = UnixStream::pair().unwrap();
    let daemon = Daemon::listening().log_to(log).ready();
    reader.shutdown(Shutdown::Both).unwrap();
    daemon.send("hello");
    let says = |note: &Note| note.value("STATUS").is_some_and(|text| text.ends_with(FAILED));
    const FAILED: &str = "; the log can't be written, senders wait";
    while !says(&daemon.notified()) {}
    let sender = UnixDatagram::unbound().unwrap();
    sender.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
    while persist(|| sender.send_to(b"waits", daemon.socket())).is_ok() {}
    daemon.signal(SIGTERM);
    assert_eq!(daemon.end().code, 255);
}

/// A write that fails is repeated until it succeeds, as on a disk that was full. Nothing is lost.
#[test]
fn a_write_that_fails() {
    if !have("strace", "strace", "running::a_write_that_fails") {
        return;
    }
    // The first one writes the lines of the start.
    for fault in ["write:error=ENOSPC:when=2..6", "write:error=EINTR:when=2..4"] {
        let daemon = Daemon::listening().inject(&[fault]).ready();
        for payload in ["hello", "next"] {
            daemon.send(payload);
            assert_eq!(daemon.line(), daemon.received(payload.len(), payload), "{fault}");
        }
    }
}

/// Sends more than the queue holds, and waits for the status that counts all of it.
fn keeps_receiving(case: &str, daemon: &Daemon, before: usize) {
    (0..100).for_each(|_| daemon.send("hello"));
    daemon.counted(before + 100);
    daemon.assert_rests(case);
}

/// While the log is blocked senders wait, but reload, watchdog and stop do not. Nothing is lost.
#[test]
fn a_log_that_is_blocked() {
    let (log, reader) = UnixStream::pair().unwrap();
    let daemon = Daemon::listening().log_to(log).env("WATCHDOG_USEC", "1000000").ready();
    let sender = UnixDatagram::unbound().unwrap();
    sender.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let sent = (0..).take_while(|i| {
        persist(|| {
            sender.send_to(format!("{i} {}", "x".repeat(20_000)).as_bytes(), daemon.socket())
        })
        .is_ok()
    });
    let sent = sent.count();
    // Memory is given back then, but not what waits for the log.
    while daemon.notified().value("STATUS").is_none() {}
    next(&daemon, "WATCHDOG=1");
    daemon.signal(SIGHUP);
    next(&daemon, "RELOADING=1");
    next(&daemon, "READY=1");
    daemon.signal(SIGTERM);
    next(&daemon, "STOPPING=1");
    // The daemon is stopping. Now the log is read.
    let lines = thread::spawn(move || {
        let lines = BufReader::new(reader).lines().map_while(Result::ok);
        lines.filter(|line| line.contains(BEGIN)).collect::<Vec<_>>()
    });
    assert_eq!(daemon.end().code, 0);
    let lines = lines.join().unwrap();
    assert_eq!(lines.len(), sent);
    for (i, line) in lines.iter().enumerate() {
        let text = format!("{i} {}", "x".repeat(20_000));
        let want = format!("<5>{}", unnamed(text));
        assert_line(&i.to_string(), line, &want);
    }
}

/// A stop lasts as long as the log makes progress, and asks the service manager for that time.
#[test]
fn a_log_that_is_slow() {
    let (log, mut reader) = UnixStream::pair().unwrap();
    sys::set_send_buffer(&log, 1).unwrap();
    let daemon = Daemon::listening().log_to(log).ready();
    let count = queue().min(10);
    let sent: Vec<_> = (0..count).map(|i| format!("{i} {}", "x".repeat(50_000 / count))).collect();
    daemon.stopped(|| {
        sent.iter().for_each(|text| daemon.send(text));
        daemon.signal(SIGTERM);
    });
    let (start, mut lines, mut buffer) = (Instant::now(), Vec::new(), [0; 1000]);
    loop {
        match reader.read(&mut buffer).unwrap() {
            0 => break,
            count => lines.extend_from_slice(&buffer[..count]),
        }
        // No message takes long, but all of them do.
        thread::sleep(Duration::from_millis(50));
    }
    let took = start.elapsed();
    assert!(took >= Duration::from_secs(2), "a log that takes {took:?} is not slow");
    let lines = String::from_utf8(lines).unwrap();
    for text in &sent {
        assert!(lines.contains(text), "lost: {}", &text[..2]);
    }
    let end = daemon.end();
    assert_eq!(end.code, 0);
    assert!(end.notified("EXTEND_TIMEOUT_USEC=15000000"), "no more time");
}

/// The daemon gives up, and counts what it has not logged. What is queued stays in the socket.
#[test]
fn a_log_that_stays_blocked() {
    let dir = TempDir::new();
    let socket = dir.socket("socket");
    let (log, mut reader) = UnixStream::pair().unwrap();
    let daemon = Daemon::with([socket.try_clone().unwrap()]).log_to(log).ready();
    let sender = UnixDatagram::unbound().unwrap();
    sender.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let path = dir.join("socket");
    // More than the log keeps until it can write.
    let sent = (0..).take_while(|_| persist(|| sender.send_to(&[b'x'; 40_000], &path)).is_ok());
    let sent = sent.count();
    let start = Instant::now();
    daemon.signal(SIGTERM);
    let mut daemon = daemon;
    daemon.wait();
    assert!(start.elapsed() >= Duration::from_secs(5), "too early");
    let end = daemon.end();
    assert_eq!(end.code, 255);
    socket.set_nonblocking(true).unwrap();
    let queued = iter::from_fn(|| socket.recv(&mut [0; 1]).ok()).count();
    let mut log = Vec::new();
    reader.read_to_end(&mut log).unwrap();
    let lines = String::from_utf8(log).unwrap();
    let logged = lines.matches(BEGIN).count();
    let status = end.notes.iter().filter_map(|note| note.value("STATUS")).next_back().unwrap();
    let numbers: Vec<usize> = status.split(' ').filter_map(|word| word.parse().ok()).collect();
    let want = format!(
        "Unable to log up to {} received and {queued} queued messages, no progress for 5s",
        numbers[0]
    );
    assert_eq!(status, want);
    assert!(logged + numbers[0] + queued >= sent, "{sent} sent, {logged} logged: {status}");
}

/// Why it ends is worth a moment's wait for the log.
#[test]
fn an_error_while_the_log_takes_nothing() {
    let dir = TempDir::new();
    let socket = dir.socket("socket");
    let (log, mut reader) = UnixStream::pair().unwrap();
    let filler = log.try_clone().unwrap();
    let setup = Daemon::with([socket.try_clone().unwrap()]).log_to(log);
    let daemon = setup.ready();
    daemon.stopped(|| {
        socket.shutdown(Shutdown::Read).unwrap();
        filler.set_nonblocking(true).unwrap();
        while (&filler).write(&[b'\n'; 4096]).is_ok() {}
        filler.set_nonblocking(false).unwrap();
    });
    drop(filler);
    // It waits for the log, or it has ended.
    eventually("it waits", || "SZ".contains(daemon.state()).then_some(()));
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let error = "<3>Unable to receive from foo.socket any more: it was shut down";
    assert!(text.contains(error), "{}", text.trim());
    assert_eq!(daemon.end().code, 255);
}

/// After a batch it looks for more a few times, which is cheaper than to sleep. After a single
/// message it does not, nor at a socket with an error.
#[test]
fn it_lingers_after_a_batch() {
    if !have("strace", "strace", "running::it_lingers_after_a_batch") {
        return;
    }
    // How often the daemon makes a call until it has received what is queued.
    let calls = |messages: usize, call: &str, faults: &[&str]| {
        let setup = Daemon::listening();
        let sender = UnixDatagram::unbound().unwrap();
        for _ in 0..messages {
            sender.send_to(b"hello", setup.dir().join("foo.socket")).unwrap();
        }
        let (setup, trace) = setup.trace(call, faults);
        let daemon = setup.ready();
        daemon.counted(messages);
        fs::read_to_string(trace).unwrap().matches(&format!("{call}(")).count()
    };
    assert_eq!(calls(1, "sched_yield", &[]), 0, "after a single message");
    // It has two milliseconds for that, which a busy machine may give to others.
    eventually("it looks", || {
        let looks = calls(2, "sched_yield", &[]);
        assert!(looks <= 32, "{looks} times");
        (looks > 0).then_some(())
    });
    eventually("a socket is left alone after an error", || {
        (calls(2, "recvmmsg", &["recvmmsg:error=ENOMEM:when=2+"]) <= 2).then_some(())
    });
}

/// What the log shows when a rate limit begins and ends.
const LIMIT_BEGINS: &str = "<4>--max-rate= is reached, senders wait";
const LIMIT_ENDS: &str = "<5>--max-rate= was reached for ";

/// Sends until the status shows that the limit is reached. Returns how many messages were sent, and
/// that notification.
fn reach_limit(daemon: &Daemon) -> (usize, Note) {
    let sender = UnixDatagram::unbound().unwrap();
    // Shorter than foo's pauses once the limit is reached.
    sender.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut sent = 0;
    let reached = |note: &Note| {
        let status = note.value("STATUS").unwrap_or_default();
        status.ends_with("; --max-rate= is reached, senders wait")
    };
    let note = eventually("the limit is reached", || {
        while persist(|| sender.send_to(b"hello", daemon.socket())).is_ok() {
            sent += 1;
        }
        iter::from_fn(|| daemon.note()).find(reached)
    });
    (sent, note)
}

/// What exceeds the limit stays queued and senders wait, but reload, watchdog and stop do not.
#[test]
fn a_rate_limit() {
    const RATE: usize = 10 * 1024;
    const BURST: usize = 600 * RATE;
    let start = Instant::now();
    let daemon = Daemon::listening().arg("--max-rate=10K").env("WATCHDOG_USEC", "1000000").ready();
    let (sent, note) = reach_limit(&daemon);
    let received = note.value("STATUS").unwrap().split(' ').nth(1).unwrap();
    let received: usize = received.parse().unwrap();
    let line = &format!("<5>{}", unnamed("hello"));
    // An entry takes up 700 bytes besides its line, and the last batch may have 16.
    let cost = line.len() + 1 + 700;
    let earned = start.elapsed().as_millis() as usize * RATE / 1000;
    assert!(received * cost >= BURST, "{received} are too few");
    assert!((received - 16) * cost <= BURST + earned, "{received} are too many");
    // It goes on, as the rate allows.
    let mut reports = Vec::new();
    for _ in 0..=received + 1 {
        reports.extend(Some(daemon.line()).filter(|logged| logged != line));
    }
    assert_eq!(reports, [LIMIT_BEGINS]);
    let comes = |assignment| while !daemon.notified().has(assignment) {};
    comes("WATCHDOG=1");
    daemon.signal(SIGHUP);
    comes("RELOADING=1");
    comes("READY=1");
    // What is queued is logged at once when it stops.
    daemon.signal(SIGTERM);
    let end = daemon.end();
    assert_eq!(end.code, 0);
    let (messages, reports): (Vec<_>, Vec<_>) = end.log.iter().partition(|logged| *logged == line);
    assert_eq!(received + 1 + messages.len(), sent);
    assert!(matches!(&reports[..], [end] if end.starts_with(LIMIT_ENDS)), "{reports:?}");
}

/// The log shows once that a rate limit is reached, and once that it no longer is, although foo
/// receives and waits in turn between the two.
#[test]
fn a_rate_limit_begins_and_ends() {
    let (start, daemon) = (Instant::now(), Daemon::listening().arg("--max-rate=10K").ready());
    let (sent, _) = reach_limit(&daemon);
    let mut logged = 0;
    let mut report = || loop {
        match daemon.line() {
            line if line.ends_with(": hello") => logged += 1,
            line => return (line, logged),
        }
    };
    let (begin, before) = report();
    assert_eq!(begin, LIMIT_BEGINS);
    let (end, logged) = report();
    let numbers = end.strip_prefix(LIMIT_ENDS).and_then(|end| end.split_once(" s, in which "));
    let (seconds, messages) = numbers.expect(&end);
    let waited: f64 = seconds.parse().expect(&end);
    assert!(waited > 0.0 && waited < start.elapsed().as_secs_f64(), "{end}");
    assert_eq!(messages, format!("{} messages were logged", logged - before));
    assert_eq!(logged, sent);
}

/// A bucket that is just empty is no more full than one that lacks a lot, and nothing spins until it is filled.
#[test]
fn a_rate_limit_is_reached_exactly() {
    let line = format!("<5>{}\n", head(400, None, "(unnamed)", 0)).len();
    // A burst of 600 bytes is too little, one of 1,200 is what this takes.
    let text = "x".repeat(500 - line);
    let is_reached = |rate: u32| {
        let daemon = Daemon::listening()
            .arg(&format!("--max-rate={rate}"))
            .log_to(File::create("/dev/null").unwrap())
            .ready();
        let sender = UnixDatagram::unbound().unwrap();
        let (start, before) = (Instant::now(), daemon.ran());
        sender.send_to(text.as_bytes(), daemon.socket()).unwrap();
        let note = daemon.notified();
        let status = note.value("STATUS").unwrap();
        if !status.contains("--max-rate= is reached") {
            return None;
        }
        let ran = daemon.ran() - before;
        assert!(ran < Duration::from_millis(100), "{rate}: busy for {ran:?}");
        // The next one comes a second later, as always.
        daemon.notified();
        let took = start.elapsed();
        assert!(took >= Duration::from_secs(2), "{rate}: two in {took:?}");
        Some(())
    };
    is_reached(1).unwrap();
    // A machine that is paused for half a second earns the byte that is missing.
    eventually("the limit is reached", || is_reached(2));
}

/// A service manager that does not read blocks nothing. When it reads, it gets every state in
/// order.
#[test]
fn a_service_manager_that_reads_nothing() {
    let setup = Daemon::listening();
    let manager = patient(setup.dir().socket("manager"));
    let path = setup.dir().join("manager");
    let full = fill(&path, b"X_FILLER=1");
    let daemon = setup.env("NOTIFY_SOCKET", path).start();
    while daemon.line() != "<5> foo.socket" {}
    for round in 0..100 {
        daemon.assert_logs(&format!("round {round}"), "hello", "hello");
    }
    daemon.signal(SIGHUP);
    daemon.assert_logs("after the signal", "hello", "hello");
    // It tries again ten times a second.
    let wakeups = || daemon.proc_number("status", "voluntary_ctxt_switches");
    let (start, before) = (Instant::now(), wakeups());
    thread::sleep(Duration::from_secs(1));
    let rate = (wakeups() - before) as f64 / start.elapsed().as_secs_f64();
    assert!(rate < 45.0, "{rate} times a second");
    let next = || {
        let mut buffer = [0; 4096];
        let size = persist(|| manager.recv(&mut buffer)).unwrap();
        String::from_utf8_lossy(&buffer[..size]).into_owned()
    };
    assert!((0..full).all(|_| next() == "X_FILLER=1"));
    let texts: Vec<_> =
        iter::repeat_with(next).filter(|text| !text.starts_with("STATUS=")).take(3).collect();
    for (text, begin) in texts.iter().zip(["READY=1\nSTATUS=", "RELOADING=1\n", "READY=1"]) {
        assert!(text.starts_with(begin), "{texts:?}");
    }
    daemon.signal(SIGTERM);
    assert_eq!(daemon.end().code, 0);
    while next() != "STOPPING=1" {}
}

#[test]
fn memory_is_flat() {
    let daemon = Daemon::listening().ready();
    let burst = |count: usize| {
        thread::scope(|scope| {
            let sender = patient(UnixDatagram::unbound().unwrap());
            let socket = daemon.socket();
            scope.spawn(move || {
                for i in 0..count {
                    persist(|| sender.send_to(format!("message {i}").as_bytes(), &socket)).unwrap();
                }
            });
            (0..count).for_each(|_| drop(daemon.line()));
        });
        eventually("asleep", || (daemon.state() == 'S').then_some(()));
        // Not what files have: they are private and dirty where a program was just built.
        daemon.proc_number("smaps_rollup", "Anonymous")
    };
    let before = burst(20_000);
    let after = burst(200_000);
    assert!(after < before + 64, "{before} KiB, then {after} KiB");
}
