//! Starts the daemon as systemd does, or with a deliberate mistake.

use super::daemon::Daemon;
use super::{TempDir, foo};
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A daemon about to be started.
pub struct Setup {
    passed: Vec<OwnedFd>,
    /// The command before the program, such as valgrind.
    under: Vec<OsString>,
    /// The program with its arguments; `None` is the daemon.
    program: Option<Vec<OsString>>,
    args: Vec<OsString>,
    env: Vec<(OsString, Option<OsString>)>,
    log: Log,
    abstract_notify: bool,
    dir: TempDir,
}

/// The daemon's standard output and error.
enum Log {
    /// A pipe that the test reads.
    Read,
    /// A descriptor of the test.
    To(OwnedFd),
    /// Both are closed.
    Closed,
}

/// The command in `FOO_UNDER`, such as valgrind, under which the daemon runs.
fn under() -> impl Iterator<Item = OsString> {
    let under = env::var("FOO_UNDER").unwrap_or_default();
    under.split_whitespace().map(OsString::from).collect::<Vec<_>>().into_iter()
}

impl Setup {
    /// A daemon with at most two descriptors, and the directory of its sockets.
    pub fn new(passed: Vec<OwnedFd>, dir: TempDir) -> Self {
        Self {
            passed,
            under: Vec::new(),
            program: None,
            args: Vec::new(),
            env: Vec::new(),
            log: Log::Read,
            abstract_notify: false,
            dir,
        }
    }

    /// The directory of its sockets.
    pub fn dir(&self) -> &TempDir {
        &self.dir
    }

    /// Sets a variable. The value `self` of `LISTEN_PID` or `WATCHDOG_PID` becomes the daemon's
    /// pid.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let value = Some(value.as_ref().to_owned());
        self.env.push((name.as_ref().to_owned(), value));
        self
    }

    pub fn unset(mut self, name: &str) -> Self {
        self.env.push((name.into(), None));
        self
    }

    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Runs the daemon as the last argument of another command.
    pub fn under<S: Into<OsString>>(mut self, command: impl IntoIterator<Item = S>) -> Self {
        let command: Vec<_> = command.into_iter().map(Into::into).collect();
        self.under.splice(0..0, command);
        self
    }

    /// Makes calls of the daemon fail. A fault is what strace(1) takes after `inject=`.
    pub fn inject(self, faults: &[&str]) -> Self {
        self.trace("all", faults).0
    }

    /// The same. Also returns the path of a file that gets a line for each of these calls.
    pub fn trace(self, calls: &str, faults: &[&str]) -> (Self, PathBuf) {
        let trace = self.dir.join("trace");
        let mut strace = vec!["strace", "-D", "-qq", "-o"];
        strace.extend(trace.to_str());
        let calls = format!("trace={calls}");
        let faults = faults.iter().map(|fault| format!("inject={fault}"));
        let events = [calls].into_iter().chain(faults).collect::<Vec<_>>();
        strace.extend(events.iter().flat_map(|event| ["-e", event]));
        (self.under(strace), trace)
    }

    /// Runs another command instead of the daemon.
    pub fn program<S: Into<OsString>>(mut self, command: impl IntoIterator<Item = S>) -> Self {
        self.under.clear();
        self.program = Some(command.into_iter().map(Into::into).collect());
        self
    }

    pub fn log_to(mut self, fd: impl Into<OwnedFd>) -> Self {
        self.log = Log::To(fd.into());
        self
    }

    /// As [`Setup::log_to`], with `JOURNAL_STREAM` naming it as the journal's stream.
    pub fn log_to_journal(self, log: impl Into<OwnedFd>) -> Self {
        let log = File::from(log.into());
        let data = log.metadata().unwrap();
        self.env("JOURNAL_STREAM", format!("{}:{}", data.dev(), data.ino())).log_to(log)
    }

    pub fn log_closed(mut self) -> Self {
        self.log = Log::Closed;
        self
    }

    /// Listens for notifications on an abstract address instead of a path.
    pub fn abstract_notify(mut self) -> Self {
        self.abstract_notify = true;
        self
    }

    /// A shell moves each descriptor to its number and executes the daemon. This needs no unsafe
    /// code between fork and exec, and `$$` is the daemon's pid.
    fn script(&self) -> String {
        let passed = self.passed.len();
        let place = |i| match i {
            // The shell gets them as its standard input and output, so there are at most two.
            _ if i < passed => format!("{}<&{i}", i + 3),
            // Descriptors that the test inherited, such as make's jobserver, must not reach the
            // daemon.
            _ => format!("{}<&-", i + 3),
        };
        let places: Vec<_> = (0..7).map(place).collect();
        let log = match self.log {
            Log::Closed => ">&- 2>&-",
            Log::Read | Log::To(_) => ">&2",
        };
        format!(
            r#"exec {} </dev/null {log}
            [ "$LISTEN_PID" = self ] && LISTEN_PID=$$
            [ "$WATCHDOG_PID" = self ] && WATCHDOG_PID=$$
            exec "$0" "$@""#,
            places.join(" ")
        )
    }

    /// Starts the daemon without waiting until it is ready.
    pub fn start(self) -> Daemon {
        let (notify, notify_address) = self.notify_socket();
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(self.script()).args(&self.under);
        match &self.program {
            Some(program) => command.args(program),
            None => command.args(under()).arg(foo()),
        };
        command.args(&self.args);
        // A failed test shows the logged environment, so nothing of the runner's belongs in it, but
        // for what finding programs, measuring coverage and sanitizers need.
        let kept = ["PATH", "LLVM_PROFILE_FILE", "ASAN_OPTIONS"];
        let kept = kept.into_iter().filter_map(|name| Some((name, env::var_os(name)?)));
        command.env_clear().envs(kept);
        command.env("LISTEN_FDS", self.passed.len().to_string());
        command.env("LISTEN_FDNAMES", vec!["foo.socket"; self.passed.len()].join(":"));
        command.env("LISTEN_PID", "self").env("NOTIFY_SOCKET", notify_address);
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let mut passed = self.passed.into_iter().map(Stdio::from);
        command.stdin(passed.next().unwrap_or_else(Stdio::null));
        command.stdout(passed.next().unwrap_or_else(Stdio::null));
        assert!(passed.next().is_none(), "the shell can pass two");
        command.stderr(match self.log {
            Log::Read => Stdio::piped(),
            Log::To(fd) => fd.into(),
            Log::Closed => Stdio::null(),
        });
        Daemon::spawn(&mut command, notify, self.dir)
    }

    /// Starts the daemon and waits until it is ready. The next log line is the first after the
    /// start.
    pub fn ready(self) -> Daemon {
        let names = self.passed.len();
        let log_is_read = matches!(self.log, Log::Read);
        let daemon = self.start();
        let note = daemon.notified();
        assert!(note.has("READY=1"), "not ready: {:?}", note.text);
        if log_is_read {
            while daemon.line() != "<5>File Descriptor names are:" {}
            for _ in 0..names {
                daemon.line();
            }
        }
        daemon
    }

    fn notify_socket(&self) -> (UnixDatagram, OsString) {
        if !self.abstract_notify {
            let socket = UnixDatagram::bind(self.dir.join("notify")).unwrap();
            return (socket, self.dir.join("notify").into());
        }
        // The directory's name is unique in the abstract namespace as well.
        let name = self.dir.path().to_str().unwrap();
        let address = SocketAddr::from_abstract_name(name).unwrap();
        (UnixDatagram::bind_addr(&address).unwrap(), format!("@{name}").into())
    }
}
