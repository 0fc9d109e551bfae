//! Errors while the daemon stops. It logs what is queued, or counts it and leaves it to the next
//! start.

use crate::common::TempDir;
use crate::common::setup::Setup;
use crate::common::shown::unnamed;
use crate::journal::Journal;
use crate::scene::{Fault, Log, attach, end};
use nix::sys::signal::Signal::SIGTERM;
use std::fs;
use std::iter;
use std::os::unix::net::UnixDatagram;

/// Datagrams that are queued when the stop begins.
const QUEUED: [&str; 2] = ["first", "second"];

/// Stops a daemon while calls fail. Fails unless it logs everything, or if it `gives_up`, unless it
/// reports that and leaves everything queued.
pub fn check(log: Log, faults: &[Fault<'_>], gives_up: bool) {
    let (journal, dir) = (Journal::listen(), TempDir::new());
    let socket = dir.socket("foo.socket");
    let queue = socket.try_clone().unwrap();
    let trace = journal.journald.dir.join("trace");
    let daemon = log.of(Setup::new(vec![socket.into()], dir), &journal).ready();
    let mut strace = None;
    daemon.stopped(|| {
        let sender = UnixDatagram::unbound().unwrap();
        for text in QUEUED {
            sender.send_to(text.as_bytes(), daemon.socket()).unwrap();
        }
        daemon.signal(SIGTERM);
        strace = Some(attach(&daemon, faults, &trace));
    });
    let code = end(daemon, strace.unwrap(), &journal);
    queue.set_nonblocking(true).unwrap();
    let left = iter::from_fn(|| queue.recv(&mut [0; 16]).ok()).count();
    let lines = journal.kept().lines.clone();
    let has = |end: &str| lines.iter().any(|line| line.ends_with(end));
    let logged = QUEUED.iter().filter(|text| has(&unnamed(text))).count();
    assert!(fs::read_to_string(&trace).unwrap().contains("(INJECTED)"), "not injected: {lines:#?}");
    let want = if gives_up { (255, 0, QUEUED.len()) } else { (0, QUEUED.len(), 0) };
    assert_eq!((code, logged, left), want, "{lines:#?}");
    let report = "Unable to log up to 0 received and 2 queued messages, no progress for 5s";
    assert_eq!(has(report), gives_up, "{lines:#?}");
}
