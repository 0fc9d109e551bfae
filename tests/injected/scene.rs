//! The scene of each test: datagrams of all sizes, a reload, a restarted journal, a status, a stop.

use crate::common::daemon::{Daemon, Note};
use crate::common::setup::Setup;
use crate::common::shown::line;
use crate::common::{TempDir, eventually, sys};
use crate::journal::Journal;
use nix::sys::signal::Signal::{SIGHUP, SIGTERM};
use nix::unistd::getuid;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::{self, Child, Command, Stdio};

/// A call, its error, and the numbers of the first and the last call that fail.
pub type Fault<'a> = (&'a str, &'a str, u64, u64);

/// The last call that can fail: strace accepts no greater number.
pub const ALWAYS: u64 = 65_534;

/// What standard error is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Log {
    /// A socket.
    Stream,
    /// A stream to the journal.
    Journal,
}

/// The result of a run.
pub struct Run {
    pub code: i32,
    /// Whether an error was injected.
    pub injected: bool,
    /// Whether a write was partial.
    pub cut_short: bool,
    /// Whether an entry has become several lines.
    pub is_split: bool,
    /// The expected end of each line.
    pub sent: Vec<String>,
    pub lines: Vec<String>,
    /// How often each call was made.
    pub calls: BTreeMap<String, u64>,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit status {}, {:?}", self.code, self.calls)?;
        self.lines.iter().try_for_each(|line| writeln!(f, "{line:.80}"))
    }
}

/// Runs the scene with injected errors.
pub fn run(log: Log, faults: &[Fault<'_>]) -> Run {
    let journal = Journal::listen();
    let dir = TempDir::new();
    let socket = dir.socket("foo.socket");
    if log.shows_credentials() {
        sys::ask_for_credentials(&socket).unwrap();
    }
    let setup = Setup::new(vec![socket.into()], dir).env("WATCHDOG_USEC", "600000");
    let daemon = log.of(setup, &journal).ready();
    let trace = journal.journald.dir.join("trace");
    let strace = attach(&daemon, faults, &trace);
    let sent = play(log, &daemon, &journal);
    finish(daemon, strace, &journal, sent, &trace)
}

/// Attaches strace to a daemon and injects the errors.
pub fn attach(daemon: &Daemon, faults: &[Fault<'_>], trace: &Path) -> Child {
    let mut strace = Command::new("strace");
    strace.args(["-qq", "-p", &daemon.id().to_string(), "-o"]).arg(trace).stderr(Stdio::null());
    let strace = strace.args(injected(faults)).spawn().unwrap();
    // Some errors make the daemon exit at once.
    let is_traced = || daemon.proc_number("status", "TracerPid") > 0 || has_ended(daemon);
    eventually("strace is attached", || is_traced().then_some(()));
    strace
}

/// The options with which strace injects the errors.
pub fn injected<'a>(faults: &'a [Fault<'a>]) -> impl Iterator<Item = String> + 'a {
    let inject = |&(call, error, first, last): &Fault<'_>| {
        ["-e".into(), format!("inject={call}:error={error}:when={first}..{last}")]
    };
    faults.iter().flat_map(inject)
}

impl Log {
    /// One of the two does.
    fn shows_credentials(self) -> bool {
        self == Self::Stream
    }

    /// Gives the daemon this log, which `journal` reads.
    pub fn of(self, setup: Setup, journal: &Journal) -> Setup {
        match self {
            Self::Stream => {
                let (ours, other) = UnixStream::pair().unwrap();
                journal.read(other);
                setup.log_to(ours)
            }
            Self::Journal => {
                let stream = journal.journald.connect();
                // So a long line takes several writes.
                sys::set_send_buffer(&stream, 1).unwrap();
                journal.journald.serve(setup, stream)
            }
        }
    }
}

/// Sends, reloads and stops the daemon. Returns the expected end of each line.
fn play(log: Log, daemon: &Daemon, journal: &Journal) -> Vec<String> {
    let sender = UnixDatagram::unbound().unwrap();
    let credentials = log.shows_credentials().then(|| (process::id(), getuid().as_raw()));
    let mut sent = Vec::new();
    let mut send = |texts: &[&str]| {
        for text in texts {
            // Some errors make the daemon exit.
            let _ = sender.send_to(text.as_bytes(), daemon.socket());
            sent.push(line(credentials, "(unnamed)", 0, text.as_bytes()));
        }
        let last = sent.last().unwrap();
        eventually("the last is logged", || (journal.has(last) || has_ended(daemon)).then_some(()));
    };
    // Up to the longest line of the journal, and longer.
    let [long, longer, longest] = [40_000, 60_000, 200_000].map(|size| "x".repeat(size));
    send(&["first", &long, &longer, &longest, "second"]);
    daemon.signal(SIGHUP);
    send(&["after the reload"]);
    if log == Log::Journal {
        journal.restart();
        send(&["after the journal"]);
    }
    let reported = |note: Option<Note>| note.is_some_and(|note| note.value("STATUS").is_some());
    let unable = || journal.kept().lines.iter().any(|line| line.contains("Unable to notify"));
    eventually("the status", || {
        (reported(daemon.note()) || unable() || has_ended(daemon)).then_some(())
    });
    send(&["after the status"]);
    daemon.signal(SIGTERM);
    sent
}

pub fn has_ended(daemon: &Daemon) -> bool {
    daemon.state() == 'Z'
}

/// Waits until the daemon has ended and all that it wrote is read. Returns its exit status.
pub fn end(daemon: Daemon, mut strace: Child, journal: &Journal) -> i32 {
    eventually("the daemon ends", || has_ended(&daemon).then_some(()));
    strace.wait().unwrap();
    let code = daemon.end().code;
    journal.read_all();
    code
}

fn finish(
    daemon: Daemon,
    strace: Child,
    journal: &Journal,
    sent: Vec<String>,
    trace: &Path,
) -> Run {
    let code = end(daemon, strace, journal);
    let mut calls = BTreeMap::new();
    let mut cut_short = false;
    let trace = fs::read_to_string(trace).unwrap();
    for line in trace.lines() {
        let Some(name) = call(line) else { continue };
        cut_short |= name == "write" && is_cut_short(line);
        *calls.entry(name.into()).or_default() += 1;
    }
    let injected = trace.contains("(INJECTED)");
    let kept = journal.kept();
    let (is_split, lines) = (kept.is_split, kept.lines.clone());
    Run { code, injected, cut_short, is_split, sent, lines, calls }
}

/// The call in a line of the trace. Signals are none. exit_group does not return.
pub fn call(line: &str) -> Option<&str> {
    let name = line.split_once('(')?.0;
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_name && name != "exit_group").then_some(name)
}

/// Whether `write(2, "..."..., 40062) = 2304` wrote less than it was given.
fn is_cut_short(call: &str) -> bool {
    let counts = call.rsplit_once(") = ").and_then(|(arguments, written)| {
        let given = arguments.rsplit_once(", ")?.1;
        Some((given.parse::<u64>().ok()?, written.parse::<u64>().ok()?))
    });
    counts.is_some_and(|(given, written)| written < given)
}
