//! Errors while the daemon starts. It becomes ready and loses nothing, or it exits, reports why,
//! and leaves what is queued to the next start.

use crate::common::setup::Setup;
use crate::common::{TempDir, eventually};
use crate::journal::Journal;
use crate::scene::{Fault, Log, call, has_ended, injected};
use nix::sys::signal::Signal::SIGTERM;
use std::fmt;
use std::fs;
use std::os::unix::net::UnixDatagram;

/// The datagram that is queued before the start.
const EARLY: &str = "early";

/// The result of a start.
pub struct Start {
    code: i32,
    was_ready: bool,
    /// Whether the datagram is still queued.
    is_left: bool,
    lines: Vec<String>,
    trace: String,
}

/// Whether this is the first call that foo itself makes.
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
        self.lines.iter().try_for_each(|line| writeln!(f, "{line:.120}"))?;
        let mut own = self.trace.lines().skip_while(|line| !is_own(line));
        own.try_for_each(|line| writeln!(f, "{line:.120}"))
    }
}

/// Starts a daemon with a datagram in its queue, and stops it when the datagram is logged.
pub fn run(log: Log, faults: &[Fault<'_>]) -> Start {
    let (journal, dir) = (Journal::listen(), TempDir::new());
    let trace = journal.journald.dir.join("trace");
    let socket = dir.socket("foo.socket");
    let queue = socket.try_clone().unwrap();
    UnixDatagram::unbound().unwrap().send_to(EARLY.as_bytes(), dir.join("foo.socket")).unwrap();

    // -D: the daemon stays the process that LISTEN_PID names.
    let strace = ["strace", "-D", "-q", "-o", trace.to_str().unwrap()].map(String::from);
    let setup =
        Setup::new(vec![socket.into()], dir).under(strace.into_iter().chain(injected(faults)));
    let daemon = log.of(setup, &journal).start();
    eventually("the datagram is logged, or the daemon has exited", || {
        (journal.has(EARLY) || has_ended(&daemon)).then_some(())
    });
    if !has_ended(&daemon) {
        daemon.signal(SIGTERM);
    }
    let end = daemon.end();
    journal.read_all();
    let trace = eventually("the trace ends", || {
        fs::read_to_string(&trace)
            .ok()
            .filter(|text| text.lines().any(|line| line.starts_with("+++")))
    });
    queue.set_nonblocking(true).unwrap();
    let is_left = queue.recv(&mut [0; 16]).is_ok();
    let lines = journal.kept().lines.clone();
    Start { code: end.code, was_ready: end.notified("READY=1"), is_left, lines, trace }
}

impl Start {
    /// The calls from foo's first one, before main, until it is ready, each with its number among
    /// the calls of that name. Others are those of the dynamic linker and of Rust's runtime.
    pub fn calls(&self) -> Vec<(String, u64)> {
        let mut before = self.trace.lines().collect::<Vec<_>>();
        let own = before.split_off(before.iter().position(|line| is_own(line)).unwrap());
        let is_ready = |line: &&str| line.starts_with("sendmsg(") && line.contains("READY=1");
        let ready = own.iter().position(is_ready).unwrap();
        let (mut calls, mut is_standard) = (Vec::new(), false);
        for line in &own[..=ready] {
            let name = call(line).unwrap();
            let earlier = before.iter().filter(|line| call(line) == Some(name)).count();
            // main opens and closes it, in place of Rust's runtime.
            is_standard |= line.contains("\"/dev/null\"");
            if !is_standard {
                calls.push((name.to_owned(), earlier as u64 + 1));
            }
            is_standard &= name != "close";
            before.push(line);
        }
        calls
    }

    /// Fails unless the daemon became ready and logged the datagram, or gave one of the reasons and
    /// left it queued.
    pub fn assert_ready_or_refused(&self, reasons: &[&str]) {
        let logged = self.lines.iter().filter(|line| line.ends_with(EARLY)).count();
        assert!(self.trace.contains("(INJECTED)"), "not injected: {self}");
        assert_eq!(logged + usize::from(self.is_left), 1, "lost or logged twice: {self}");
        let reported = |words: &str| self.lines.iter().any(|line| line.contains(words));
        if logged == 1 {
            assert_eq!(self.code, 0, "{self}");
            assert!(self.was_ready || reported("Unable to notify the service manager"), "{self}");
        } else {
            assert_eq!(self.code, 255, "{self}");
            assert!(!self.was_ready, "{self}");
            assert!(reasons.iter().any(|words| reported(words)), "{self}");
        }
    }
}
