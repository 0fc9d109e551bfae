//! foo itself: start, loop, reload, stop.

#![forbid(unsafe_code)]

use crate::{
    activation::{self, Socket},
    datagram::Batch,
    log::Log,
    record::{Record, Sender},
    systemd::{
        daemon::{self, ListenFd, NotifyState},
        journal::Priority,
    },
};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, ppoll},
    sys::{
        signal::{SigSet, Signal},
        signalfd::{SfdFlags, SignalFd},
        time::TimeSpec,
    },
};
use std::{
    env, fmt, io,
    os::{fd::AsFd, unix::ffi::OsStrExt},
    process::ExitCode,
    time::{Duration, Instant},
};

/// Exit status of the original where it fails, which is -1 there.
const FAILED: u8 = 255;

/// `STATUS=` is sent at most so often, and memory given back no earlier than so long after large datagrams.
const STATUS_INTERVAL: Duration = Duration::from_secs(1);

/// How long a socket is left alone after an error that can pass.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// How long foo takes what is queued when it is stopped, in case senders never pause.
const DRAIN_FOR: Duration = Duration::from_secs(1);

/// Serves the sockets that systemd passed until it is told to stop; the status to exit with.
pub fn run() -> ExitCode {
    // First of all: as long as nothing else has been opened, what is open from 3 on was passed.
    let passed = daemon::listen_fds_with_names();
    let mut log = match Log::open() {
        Ok(log) => log,
        Err(error) => {
            eprintln!("{}Unable to open the log: {error}", Priority::Err.prefix());
            return fail();
        }
    };
    let result = Server::start(passed, &mut log).and_then(|mut server| server.serve());
    if let Err(error) = result {
        log.line(Priority::Err, error);
        log.flush();
        return fail();
    }
    ExitCode::SUCCESS
}

/// Says that foo ends, and tells its status.
fn fail() -> ExitCode {
    // Where nobody can be told, the status still tells.
    let _ = daemon::notify(&[NotifyState::Stopping]);
    ExitCode::from(FAILED)
}

/// Why foo can't serve.
enum Error {
    /// The sockets passed are none that it can serve.
    Activation(activation::Error),
    /// The kernel refuses what it needs.
    Kernel(&'static str, io::Error),
    /// A socket has failed for good.
    Socket(String, io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Activation(error) => error.fmt(f),
            Self::Kernel(what, error) => write!(f, "Unable to {what}: {error}"),
            Self::Socket(name, error) => {
                write!(f, "Unable to receive from {name} any more: {error}; restart its socket unit")
            }
        }
    }
}

/// What poll(2) says of a socket that was shut down for reading. nix has no name for it.
const SHUT_DOWN: PollFlags = PollFlags::from_bits_retain(libc::POLLRDHUP);

/// Whether poll(2) said so. nix gives no flags at all where there is one that it has no name for.
fn is_shut_down(fd: &PollFd<'_>) -> bool {
    fd.revents().is_none_or(|events| events.intersects(SHUT_DOWN | PollFlags::POLLHUP))
}

/// A socket, and whether it works just now.
struct Source {
    socket: Socket,
    /// When to try again, from an error that can pass until the socket works again.
    retry_at: Option<Instant>,
}

struct Server<'a> {
    log: &'a mut Log,
    sources: Vec<Source>,
    signals: SignalFd,
    batch: Batch,
    messages: u64,
    bytes: u64,
    /// When to tell of the counts: set from a datagram on until that is done.
    status_at: Option<Instant>,
    /// How often, and when next, to say that foo is alive.
    watchdog: Option<(Duration, Instant)>,
    /// Whether the last notification failed.
    unheard: bool,
}

impl<'a> Server<'a> {
    /// Does what the original does at its start, in the same order, and says `READY=1`.
    fn start(passed: io::Result<Vec<ListenFd>>, log: &'a mut Log) -> Result<Self, Error> {
        // From here on signals wait until the loop takes them.
        let mask = SigSet::from_iter([Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM]);
        mask.thread_block().map_err(|errno| Error::Kernel("block signals", errno.into()))?;

        log.line(Priority::Info, "Environment: ");
        for (name, value) in env::vars_os() {
            log.bytes(Priority::Info, &[b" ", name.as_bytes(), b"=", value.as_bytes()].concat());
        }
        log.line(Priority::Notice, "foo service started");
        let sockets = activation::sockets(passed, log).map_err(Error::Activation)?;

        let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .map_err(|errno| Error::Kernel("receive signals", errno.into()))?;
        let batch = Batch::new().map_err(|error| Error::Kernel("reserve memory", error))?;
        let watchdog = daemon::watchdog_enabled().unwrap_or_else(|error| {
            log.line(
                Priority::Warning,
                format_args!("No watchdog, WATCHDOG_USEC or WATCHDOG_PID is wrong: {error}"),
            );
            None
        });
        log.flush();
        let mut server = Self {
            log,
            sources: sockets.into_iter().map(|socket| Source { socket, retry_at: None }).collect(),
            signals,
            batch,
            messages: 0,
            bytes: 0,
            status_at: None,
            watchdog: watchdog.map(|period| (period / 2, Instant::now())),
            unheard: false,
        };
        server.notify(&[NotifyState::Ready, NotifyState::Status(&server.status())]);
        Ok(server)
    }

    /// Serves until a signal says to stop.
    fn serve(&mut self) -> Result<(), Error> {
        loop {
            let ready = self.wait().map_err(|errno| Error::Kernel("wait for datagrams", errno.into()))?;
            match self.signal()? {
                None => {}
                Some(Signal::SIGHUP) => self.reload(),
                Some(_) => return self.stop(),
            }
            for (index, shut_down) in ready {
                self.receive(index, shut_down)?;
            }
            self.log.flush();
            self.notify_due();
        }
    }

    /// Waits for a signal, a datagram or a time at which something is due. Which sources have something,
    /// and whether that may be that they were shut down.
    fn wait(&self) -> Result<Vec<(usize, bool)>, Errno> {
        let now = Instant::now();
        let retries = self.sources.iter().filter_map(|source| source.retry_at);
        let due = retries.chain(self.status_at).chain(self.watchdog.map(|(_, at)| at)).min();
        let timeout = due.map(|at| TimeSpec::from_duration(at.saturating_duration_since(now)));

        let sources = self.sources.iter().enumerate();
        let active = sources.filter(|(_, source)| source.retry_at.is_none_or(|at| at <= now));
        let (mut indices, mut fds) = (Vec::new(), Vec::new());
        for (index, source) in active {
            indices.push(index);
            fds.push(PollFd::new(source.socket.fd.as_fd(), PollFlags::POLLIN | SHUT_DOWN));
        }
        fds.push(PollFd::new(self.signals.as_fd(), PollFlags::POLLIN));
        match ppoll(&mut fds, timeout, None) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
        let ready = indices.into_iter().zip(&fds).filter(|(_, fd)| fd.any() != Some(false));
        Ok(ready.map(|(index, fd)| (index, is_shut_down(fd))).collect())
    }

    /// Takes a signal, if there is one.
    fn signal(&self) -> Result<Option<Signal>, Error> {
        let read =
            self.signals.read_signal().map_err(|errno| Error::Kernel("receive signals", errno.into()))?;
        Ok(read.and_then(|info| Signal::try_from(info.ssi_signo as i32).ok()))
    }

    /// Logs a batch from a source; whether there was any.
    fn receive(&mut self, index: usize, shut_down: bool) -> Result<bool, Error> {
        let Source { socket: Socket { name, fd }, retry_at } = &mut self.sources[index];
        let error = match self.batch.receive(fd) {
            Ok(datagrams) => {
                if retry_at.take().is_some() {
                    self.log.line(Priority::Notice, format_args!("Receiving from {name} again"));
                }
                self.status_at.get_or_insert_with(|| Instant::now() + STATUS_INTERVAL);
                for datagram in datagrams {
                    self.messages += 1;
                    self.bytes += datagram.length as u64;
                    let sender = Sender::from_sun_path(datagram.sender);
                    self.log.record(&Record { sender, length: datagram.length, payload: datagram.payload });
                }
                return Ok(true);
            }
            Err(error) => error,
        };
        match Errno::from_raw(error.raw_os_error().unwrap_or_default()) {
            // Nothing comes any more, but poll(2) would not wait.
            Errno::EAGAIN if shut_down => {
                Err(Error::Socket(name.clone(), io::Error::other("it was shut down")))
            }
            Errno::EAGAIN | Errno::EINTR => Ok(false),
            Errno::EBADF
            | Errno::ENOTSOCK
            | Errno::EINVAL
            | Errno::EFAULT
            | Errno::EOPNOTSUPP
            | Errno::ENOSYS => Err(Error::Socket(name.clone(), error)),
            _ => {
                if retry_at.replace(Instant::now() + RETRY_AFTER).is_none() {
                    self.log.line(
                        Priority::Err,
                        format_args!("Unable to receive from {name}, trying again: {error}"),
                    );
                }
                Ok(false)
            }
        }
    }

    /// There is nothing to read anew, but whoever asked is told that it was heard.
    fn reload(&mut self) {
        match NotifyState::reloading() {
            Ok(reloading) => self.notify(&[reloading]),
            Err(error) => self.log.line(Priority::Warning, format_args!("Unable to read the clock: {error}")),
        }
        self.notify(&[NotifyState::Ready]);
    }

    /// Logs what is queued, so that it is not lost where the sockets go too.
    fn stop(&mut self) -> Result<(), Error> {
        self.notify(&[NotifyState::Stopping]);
        let end = Instant::now() + DRAIN_FOR;
        let mut more = true;
        while more && Instant::now() < end {
            more = false;
            for index in 0..self.sources.len() {
                more |= self.receive(index, false)?;
            }
            self.log.flush();
        }
        Ok(())
    }

    /// Sends the notifications whose time has come.
    fn notify_due(&mut self) {
        let now = Instant::now();
        if let Some((interval, _)) = self.watchdog.filter(|&(_, at)| at <= now) {
            self.watchdog = Some((interval, now + interval));
            self.notify(&[NotifyState::Watchdog]);
        }
        if self.status_at.is_some_and(|at| at <= now) {
            self.status_at = None;
            self.notify(&[NotifyState::Status(&self.status())]);
            self.batch.rest();
            self.log.rest();
        }
    }

    fn status(&self) -> String {
        let plural = if self.messages == 1 { "" } else { "s" };
        format!("Received {} message{plural}, {} bytes", self.messages, self.bytes)
    }

    /// Notifies the service manager. That it can't be told is logged once, not each time.
    fn notify(&mut self, state: &[NotifyState<'_>]) {
        let result = daemon::notify(state);
        let unheard = std::mem::replace(&mut self.unheard, result.is_err());
        if let (Err(error), false) = (result, unheard) {
            self.log.line(Priority::Warning, format_args!("Unable to notify the service manager: {error}"));
        }
    }
}
