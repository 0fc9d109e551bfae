//! The daemon as a child of the test, which reads its log and its notifications.

use super::setup::Setup;
use super::shown::head;
use super::{DEADLINE, TempDir, assert_line, assert_words, eventually, patient, persist, state};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Lines after which the log is closed, so that a daemon that logs without end can't fill the
/// memory.
const WILD: usize = 3_000_000;

/// Reads the log in a thread, so that the daemon never waits for the test.
fn read_lines(log: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(log).split(b'\n').map_while(Result::ok).take(WILD) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Reads notifications in a thread, as the service manager does, so that the daemon never waits for
/// them.
fn read_notes(socket: UnixDatagram) -> Receiver<Note> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        // Zero bytes are the end: the socket was shut down.
        while let Ok(size @ 1..) = socket.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..size]).into_owned();
            if sender.send(Note { at: Instant::now(), text }).is_err() {
                break;
            }
        }
    });
    receiver
}

/// A notification and when it came.
pub struct Note {
    pub at: Instant,
    pub text: String,
}

impl Note {
    pub fn has(&self, assignment: &str) -> bool {
        self.text.lines().any(|line| line == assignment)
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        let mut lines = self.text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    }
}

/// A running daemon, killed when this is dropped.
pub struct Daemon {
    child: Child,
    lines: Option<Receiver<String>>,
    notes: Receiver<Note>,
    notify: UnixDatagram,
    client: UnixDatagram,
    pub dir: TempDir,
}

/// The end of a daemon, with what the test had not read yet.
pub struct End {
    /// As in a shell: 128 + n for signal n.
    pub code: i32,
    pub log: Vec<String>,
    pub notes: Vec<Note>,
}

impl End {
    pub fn notified(&self, assignment: &str) -> bool {
        self.notes.iter().any(|note| note.has(assignment))
    }

    pub fn errors(&self) -> Vec<&String> {
        self.log.iter().filter(|line| line.starts_with("<3>")).collect()
    }

    /// Fails unless the daemon exited without becoming ready, with one error line that contains all
    /// words.
    #[track_caller]
    pub fn assert_refused(&self, case: &str, words: &[&str]) {
        assert_eq!(self.code, 255, "{case}: exit code");
        assert!(!self.notified("READY=1"), "{case}: was ready");
        assert!(self.notified("STOPPING=1"), "{case}: no STOPPING=1");
        let errors = self.errors();
        assert_eq!(errors.len(), 1, "{case}: {errors:?}");
        assert_words(case, errors[0], words);
    }
}

impl Daemon {
    /// With one datagram socket.
    pub fn listening() -> Setup {
        let dir = TempDir::new();
        Setup::new(vec![dir.socket("foo.socket").into()], dir)
    }

    /// With at most two descriptors.
    pub fn with<T: Into<OwnedFd>>(passed: impl IntoIterator<Item = T>) -> Setup {
        Setup::new(passed.into_iter().map(Into::into).collect(), TempDir::new())
    }

    /// Runs a command that is the daemon or executes it. Standard error is the log, if it is a
    /// pipe.
    pub fn spawn(command: &mut Command, notify: UnixDatagram, dir: TempDir) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = child.stderr.take().map(read_lines);
        let notes = read_notes(notify.try_clone().unwrap());
        let client = patient(dir.socket("client"));
        Self { child, lines, notes, notify, client, dir }
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.join("foo.socket")
    }

    /// Sends a datagram from a socket that is bound to a path.
    pub fn send(&self, payload: impl AsRef<[u8]>) {
        persist(|| self.client.send_to(payload.as_ref(), self.socket())).unwrap();
    }

    /// Sends from two threads until the daemon exits. Escaping the payload takes longer than
    /// sending it, so the queue is never empty.
    pub fn flood(&self) {
        for _ in 0..2 {
            let (sender, socket) = (patient(UnixDatagram::unbound().unwrap()), self.socket());
            thread::spawn(move || while persist(|| sender.send_to(&[1; 5000], &socket)).is_ok() {});
        }
    }

    /// The line for a datagram of this size that `send` sent.
    pub fn received(&self, bytes: usize, text: &str) -> String {
        let from = self.dir.join("client");
        format!("<5>{}{text}", head(bytes, None, from.to_str().unwrap(), 0))
    }

    /// Sends a datagram; the next line must be its record.
    #[track_caller]
    pub fn assert_logs(&self, case: &str, payload: impl AsRef<[u8]>, text: &str) {
        let payload = payload.as_ref();
        self.send(payload);
        assert_line(case, &self.line(), &self.received(payload.len(), text));
    }

    /// The next log line.
    #[track_caller]
    pub fn line(&self) -> String {
        match self.lines.as_ref().unwrap().recv_timeout(DEADLINE) {
            Ok(line) => line,
            Err(error) => panic!("no log line: {error}"),
        }
    }

    /// The next notification.
    #[track_caller]
    pub fn notified(&self) -> Note {
        match self.notes.recv_timeout(DEADLINE) {
            Ok(note) => note,
            Err(error) => panic!("no notification: {error}"),
        }
    }

    /// Waits until the daemon reports this number of messages, and not more. It does so a second
    /// after it has logged the first of them.
    #[track_caller]
    pub fn counted(&self, messages: usize) {
        let count = |note: Note| {
            let count = note.value("STATUS")?.split(' ').nth(1)?;
            count.parse::<usize>().ok()
        };
        let mut counted = 0;
        while counted < messages {
            counted = count(self.notified()).unwrap_or(counted);
        }
        assert_eq!(counted, messages, "messages received");
    }

    /// A notification that has arrived already.
    pub fn note(&self) -> Option<Note> {
        self.notes.try_recv().ok()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(pid, signal).unwrap();
    }

    /// Stops the process while the test arranges what it finds when it continues.
    pub fn stopped(&self, arrange: impl FnOnce()) {
        self.signal(Signal::SIGSTOP);
        eventually("stopped", || (self.state() == 'T').then_some(()));
        arrange();
        self.signal(Signal::SIGCONT);
    }

    /// Waits for the exit, and returns what the test has not read yet of log and notifications.
    #[track_caller]
    pub fn end(mut self) -> End {
        let status = eventually("the daemon ends", || self.child.try_wait().unwrap());
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap());
        self.notify.shutdown(Shutdown::Both).unwrap();
        End { code, log: self.lines.as_ref().map_or_else(Vec::new, rest), notes: rest(&self.notes) }
    }

    /// Waits for the exit and keeps the directory.
    pub fn wait(&mut self) {
        eventually("the daemon ends", || self.child.try_wait().unwrap());
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A file in the daemon's directory of /proc.
    pub fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap()
    }

    /// The value of a name in such a file.
    pub fn proc_text(&self, file: &str, name: &str) -> String {
        let text = self.proc(file);
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap().split_whitespace().next().unwrap().to_owned()
    }

    /// A number by its name in such a file.
    pub fn proc_number(&self, file: &str, name: &str) -> u64 {
        self.proc_text(file, name).parse().unwrap()
    }

    /// The processor time that it has taken.
    pub fn ran(&self) -> Duration {
        let nanoseconds = self.proc("schedstat");
        Duration::from_nanos(nanoseconds.split(' ').next().unwrap().parse().unwrap())
    }

    /// How many descriptors it has open.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// The letter of its process state, such as `S` for sleeping.
    pub fn state(&self) -> char {
        state(self.child.id())
    }

    /// Fails if the daemon wakes up within a second.
    #[track_caller]
    pub fn assert_rests(&self, case: &str) {
        eventually("asleep", || (self.state() == 'S').then_some(()));
        let wakeups = || self.proc_number("status", "voluntary_ctxt_switches");
        let before = wakeups();
        thread::sleep(Duration::from_secs(1));
        assert_eq!(self.state(), 'S', "{case}: busy");
        assert_eq!(wakeups(), before, "{case}: woke up");
    }
}

/// Everything left in a queue up to its end.
#[track_caller]
fn rest<T>(queue: &Receiver<T>) -> Vec<T> {
    let mut rest = Vec::new();
    loop {
        match queue.recv_timeout(DEADLINE) {
            Ok(item) => rest.push(item),
            Err(RecvTimeoutError::Disconnected) => return rest,
            Err(RecvTimeoutError::Timeout) => panic!("no end"),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.notify.shutdown(Shutdown::Both);
    }
}
