//! The same while the daemon starts: it gets ready and loses nothing, or ends, says why, and leaves what is queued to
//! the next one.

use crate::common::setup::Setup;
use crate::common::{TempDir, eventually};
use crate::journal::Journal;
use crate::scene::{Fault, Log, call, has_ended, injected};
use nix::sys::signal::Signal::SIGTERM;
use std::fmt;
use std::fs;
use std::os::unix::net::UnixDatagram;

/// What is queued before the start.
const EARLY: &str = "early";

/// What is seen of a start.
pub struct Start {
    code: i32,
    was_ready: bool,
    /// Whether the datagram is still queued.
    is_left: bool,
    lines: Vec<String>,
    trace: String,
}

/// Whether this is the first call that is foo's own.
fn is_own(line: &str) -> bool {
    line.starts_with("fcntl(3, F_GETFD")
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "exit status {}, ready: {}, left: {}",
            self.code, self.was_ready, self.is_left
        )?;
        self.lines
            .iter()
            .try_for_each(|line| writeln!(f, "{line:.120}"))?;
        let mut own = self.trace.lines().skip_while(|line| !is_own(line));
        own.try_for_each(|line| writeln!(f, "{line:.120}"))
    }
}

/// Starts a daemon that has a datagram to log, and stops it once it has.
pub fn run(log: Log, fault: Option<Fault<'_>>) -> Start {
    let (scratch, dir) = (TempDir::new(), TempDir::new());
    let journal = Journal::listen(scratch.path());
    let trace = scratch.join("trace");
    let socket = dir.socket("foo.socket");
    let queue = socket.try_clone().unwrap();
    UnixDatagram::unbound()
        .unwrap()
        .send_to(EARLY.as_bytes(), dir.join("foo.socket"))
        .unwrap();

    // Beside the daemon, whose process stays the one that LISTEN_PID tells.
    let strace = ["strace", "-D", "-q", "-o", trace.to_str().unwrap()].map(String::from);
    let setup =
        Setup::new(vec![socket.into()], dir).under(strace.into_iter().chain(injected(fault)));
    let daemon = log.of(setup, &scratch, &journal).start();
    eventually("logged, or ended", || {
        (journal.has(EARLY) || has_ended(&daemon)).then_some(())
    });
    if !has_ended(&daemon) {
        daemon.signal(SIGTERM);
    }
    let end = daemon.end();
    eventually("all is read", || (journal.kept().open == 0).then_some(()));
    let trace = eventually("the trace ends", || {
        fs::read_to_string(&trace)
            .ok()
            .filter(|text| text.lines().any(|line| line.starts_with("+++")))
    });
    queue.set_nonblocking(true).unwrap();
    let is_left = queue.recv(&mut [0; 16]).is_ok();
    let lines = journal.kept().lines.clone();
    Start {
        code: end.code,
        was_ready: end.notified("READY=1"),
        is_left,
        lines,
        trace,
    }
}

impl Start {
    /// The calls from foo's own first one on until it is ready, and the how many'th of its name each is. What the
    /// dynamic linker and Rust's runtime call before is not foo's.
    pub fn calls(&self) -> Vec<(String, u64)> {
        let mut before = self.trace.lines().collect::<Vec<_>>();
        let own = before.split_off(before.iter().position(|line| is_own(line)).unwrap());
        let is_ready = |line: &&str| line.starts_with("sendmsg(") && line.contains("READY=1");
        let ready = own.iter().position(is_ready).unwrap();
        let mut calls = Vec::new();
        for line in &own[..=ready] {
            let name = call(line).unwrap();
            let earlier = before
                .iter()
                .filter(|line| call(line) == Some(name))
                .count();
            calls.push((name.to_owned(), earlier as u64 + 1));
            before.push(line);
        }
        calls
    }

    /// Fails unless it went as it must, or as one of the words tells why it did not.
    pub fn assert_lawful(&self, reasons: &[&str]) {
        let logged = self
            .lines
            .iter()
            .filter(|line| line.ends_with(EARLY))
            .count();
        assert!(self.trace.contains("(INJECTED)"), "not injected: {self}");
        assert_eq!(
            logged + usize::from(self.is_left),
            1,
            "lost or doubled: {self}"
        );
        let told = |words: &str| self.lines.iter().any(|line| line.contains(words));
        if logged == 1 {
            assert_eq!(self.code, 0, "{self}");
            assert!(
                self.was_ready || told("Unable to notify the service manager"),
                "{self}"
            );
        } else {
            assert_eq!(self.code, 255, "{self}");
            assert!(!self.was_ready, "{self}");
            assert!(reasons.iter().any(|words| told(words)), "{self}");
        }
    }
}
