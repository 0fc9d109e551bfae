//! foo itself: start, loop, reload, stop.

#![forbid(unsafe_code)]

use crate::{
    activation::{self, Socket},
    datagram::{Batch, Datagram},
    log::Log,
    notifier::Notifier,
    record::{Record, Sender},
    sink::RETRY_AFTER,
    systemd::{
        daemon::{self, ListenFd, NotifyState},
        journal::Priority,
    },
    wait::{Source, wait},
};
use nix::{
    errno::Errno,
    sys::{
        signal::{SigSet, SigmaskHow, Signal, sigprocmask},
        signalfd::{SfdFlags, SignalFd},
    },
};
use std::{
    env, fmt, io,
    os::unix::ffi::OsStrExt,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

/// Exit status of the original where it fails, which is -1 there.
const FAILED: u8 = 255;

/// How long foo receives what is queued when it is stopped, in case senders never pause.
const DRAIN_FOR: Duration = Duration::from_secs(1);

/// How often foo looks in vain for more where several datagrams had been queued, before it sleeps: for about
/// as long as falling asleep and being woken would take it and the sender.
const LOOKS: usize = 32;

/// How long foo goes on to receive before it sees to signals and notifications in between.
const LINGER_FOR: Duration = Duration::from_millis(2);

/// How long foo waits in the end for a journal that reads nothing of what was written.
const SETTLE_FOR: Duration = Duration::from_millis(500);

/// How long foo waits when it is stopped for a log that takes nothing.
const PATIENCE: Duration = Duration::from_secs(5);

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
        log.flush_by(Instant::now() + DRAIN_FOR);
        return fail();
    }
    ExitCode::SUCCESS
}

/// Says that foo ends, and tells its status.
fn fail() -> ExitCode {
    // Where nobody can be told, the status still tells.
    let _ = daemon::notify(&[NotifyState::STOPPING]);
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
    /// The log takes nothing.
    Log,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Activation(error) => error.fmt(f),
            Self::Kernel(what, error) => write!(f, "Unable to {what}: {error}"),
            Self::Socket(name, error) => {
                write!(f, "Unable to receive from {name} any more: {error}; restart its socket unit")
            }
            Self::Log => write!(f, "Unable to log all that was received, in {PATIENCE:?}"),
        }
    }
}

struct Server<'a> {
    log: &'a mut Log,
    notifier: Notifier,
    sources: Vec<Source>,
    signals: SignalFd,
    batch: Batch,
}

impl<'a> Server<'a> {
    /// Does what the original does at its start, in the same order, and says `READY=1`.
    fn start(passed: io::Result<Vec<ListenFd>>, log: &'a mut Log) -> Result<Self, Error> {
        // From here on signals wait until the loop takes them.
        let mask = SigSet::from_iter([Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM]);
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&mask), None)
            .map_err(|errno| Error::Kernel("block signals", errno.into()))?;

        log.line(Priority::Info, "Environment: ");
        for (name, value) in env::vars_os() {
            log.bytes(Priority::Info, &[b" ", name.as_bytes(), b"=", value.as_bytes()].concat());
        }
        log.line(Priority::Notice, "foo service started");
        let sockets = activation::sockets(passed, log).map_err(Error::Activation)?;

        let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .map_err(|errno| Error::Kernel("receive signals", errno.into()))?;
        let batch = Batch::new().map_err(|error| Error::Kernel("reserve memory", error))?;
        let mut notifier = Notifier::new(log);
        log.flush();
        notifier.ready(log);
        let sources = sockets.into_iter().map(|socket| Source { socket, retry_at: None }).collect();
        Ok(Self { log, notifier, sources, signals, batch })
    }

    /// Serves until a signal says to stop.
    fn serve(&mut self) -> Result<(), Error> {
        let mut lingers = false;
        loop {
            let due = if lingers { Some(Instant::now()) } else { self.notifier.due() };
            let ready = wait(&self.signals, &self.sources, self.log, due)
                .map_err(|errno| Error::Kernel("wait for datagrams", errno.into()))?;
            if ready.signal {
                match self.signal()? {
                    None => {}
                    Some(Signal::SIGHUP) => self.notifier.reload(self.log),
                    Some(_) => return self.stop(),
                }
            }
            self.write();
            let mut most = 0;
            for (index, shut_down) in ready.sources {
                most = most.max(self.receive(index, shut_down)?);
            }
            lingers = (lingers || most > 1) && self.linger()?;
            if self.notifier.notify_due(self.log) {
                // A second has passed since the datagram that began this count.
                self.batch.rest();
                self.log.rest();
            }
        }
    }

    /// Takes a signal, if there is one.
    fn signal(&self) -> Result<Option<Signal>, Error> {
        match self.signals.read_signal() {
            Ok(read) => Ok(read.and_then(|info| Signal::try_from(info.ssi_signo as i32).ok())),
            // The next turn takes it.
            Err(Errno::EINTR) => Ok(None),
            Err(errno) => Err(Error::Kernel("receive signals", errno.into())),
        }
    }

    /// Goes on to receive from all sources for as long as there is more, or was just now; whether it should be
    /// called again. Who sends to foo while it sleeps has to wake it, and who waits for room in the queue has
    /// to be woken: both cost more than to look again.
    fn linger(&mut self) -> Result<bool, Error> {
        let (begin, mut looks, mut found) = (Instant::now(), 0, false);
        while begin.elapsed() < LINGER_FOR {
            if looks >= LOOKS || self.log.is_pending() {
                return Ok(false);
            }
            let mut any = false;
            for index in 0..self.sources.len() {
                any |= self.sources[index].retry_at.is_none() && self.receive(index, false)? > 0;
            }
            if any {
                (looks, found) = (0, true);
            } else {
                looks += self.sources.len();
                // With one processor, the senders need it.
                thread::yield_now();
            }
        }
        // On a slow machine the time may be up before the looks are.
        Ok(found)
    }

    /// Receives a batch from a source and logs it, unless the log takes nothing; how many there were.
    fn receive(&mut self, index: usize, shut_down: bool) -> Result<usize, Error> {
        if self.log.is_pending() {
            return Ok(0);
        }
        let Source { socket: Socket { name, fd }, retry_at } = &mut self.sources[index];
        let error = match self.batch.receive(fd) {
            Ok(count) => {
                if retry_at.take().is_some() {
                    self.log.line(Priority::Notice, format_args!("Receiving from {name} again"));
                }
                self.write();
                return Ok(count);
            }
            Err(error) => error,
        };
        match Errno::from_raw(error.raw_os_error().unwrap_or_default()) {
            // Nothing comes any more, but poll(2) would not wait.
            Errno::EAGAIN if shut_down => {
                Err(Error::Socket(name.clone(), io::Error::other("it was shut down")))
            }
            Errno::EAGAIN | Errno::EINTR => Ok(0),
            Errno::EBADF
            | Errno::ENOTSOCK
            | Errno::EINVAL
            | Errno::EFAULT
            | Errno::EOPNOTSUPP
            | Errno::ENOSYS => Err(Error::Socket(name.clone(), error)),
            _ => {
                if retry_at.replace(Instant::now() + RETRY_AFTER).is_none() {
                    let text = format!("Unable to receive from {name}, trying again: {error}");
                    self.log.line(Priority::Err, text);
                    self.log.flush();
                }
                Ok(0)
            }
        }
    }

    /// Logs what has been received and writes it out, as far as that is taken now.
    fn write(&mut self) {
        while self.log.flush() {
            if self.batch.is_empty() {
                break;
            }
            while !self.log.is_full() {
                let Some(Datagram { sender, length, payload }) = self.batch.take() else { break };
                self.notifier.count(length);
                self.log.record(&Record { sender: Sender::from_sun_path(sender), length, payload });
            }
        }
    }

    /// Logs what is queued, so that it is not lost where the sockets go too.
    fn stop(&mut self) -> Result<(), Error> {
        self.notifier.stopping(self.log);
        let begin = Instant::now();
        loop {
            while self.log.is_pending() || !self.batch.is_empty() {
                if !self.log.flush_by(begin + PATIENCE) {
                    return Err(Error::Log);
                }
                self.write();
            }
            let mut any = false;
            if begin.elapsed() < DRAIN_FOR {
                for index in 0..self.sources.len() {
                    any |= self.receive(index, false)? > 0;
                }
                // An error that can pass is not the end of a queue.
                let fails = |source: &Source| source.retry_at.is_some_and(|at| at > Instant::now());
                if !any && self.sources.iter().any(fails) {
                    thread::sleep(RETRY_AFTER);
                    any = true;
                }
            }
            if !any {
                break;
            }
        }
        self.settle();
        Ok(())
    }

    /// Waits for the journal to read what was written: it may read the next foo's stream first, whose lines would
    /// stand before the last of these. A busy machine's journal is slow; one that has read nothing for a while hangs.
    fn settle(&self) {
        let begin = Instant::now();
        let (mut left, mut since) = (usize::MAX, begin);
        while begin.elapsed() < PATIENCE && since.elapsed() < SETTLE_FOR {
            let unread = self.log.unread();
            if unread == 0 {
                break;
            }
            if unread < left {
                (left, since) = (unread, Instant::now());
            }
            // No event tells of it.
            thread::sleep(Duration::from_millis(1));
        }
    }
}
