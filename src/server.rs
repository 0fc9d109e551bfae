//! foo itself: start, loop, reload, stop.
//!
//! The loop calls nothing that can block, but for `wait`, in which it sleeps. What can't be written now is waited for
//! there like everything else, and so can't hold up a reload, the watchdog or a stop. Each turn begins with a write:
//!
//! - If it succeeds, the log and the batch are both empty, and the sources are waited for.
//! - If it fails, it says why the log is blocked, or that the rate limit is used up. That is waited for, and nothing is
//!   received. So a batch that is not empty means that the log is blocked.

#![forbid(unsafe_code)]

use crate::{
    activation,
    blocked::{Blocked, RETRY_AFTER},
    cli::Options,
    datagram::{Batch, Datagram},
    limit::Limit,
    log::Log,
    notifier::Notifier,
    record::{Record, Sender},
    source::Source,
    systemd::{
        bounded::bounded,
        daemon::{self, ListenFd, NotifyState},
        journal::Priority,
    },
    wait::wait,
};
use nix::{
    errno::Errno,
    sys::{
        signal::{SigSet, SigmaskHow, Signal, sigprocmask},
        signalfd::{SfdFlags, SignalFd},
    },
};
use std::{
    env, fmt,
    io::{self, Write},
    os::unix::ffi::OsStrExt,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

/// Exit status of the original where it fails, which is -1 there.
const FAILED: u8 = 255;

/// How long foo receives what is queued when it is stopped, in case senders never pause.
const DRAIN_FOR: Duration = Duration::from_secs(1);

/// Empty polls before sleeping. About as expensive as one sleep and wake-up.
const LOOKS: usize = 32;

/// Longest busy-poll before signals and timers are checked.
const LINGER_FOR: Duration = Duration::from_millis(2);

/// How long foo keeps entries in order and whole when it is stopped. Longer, and messages may be lost for it.
const ORDER_FOR: Duration = Duration::from_millis(500);

/// How long foo waits when it is stopped for a log that takes nothing.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves the sockets that systemd passed until it is told to stop. Returns the status to exit with.
pub fn run(options: &Options, passed: io::Result<Vec<ListenFd>>) -> ExitCode {
    let mut log = match Log::open() {
        Ok(log) => log,
        Err(error) => {
            // If standard error can't take it, the status still says so.
            let _ = writeln!(
                io::stderr(),
                "{}Unable to open the log: {error}",
                Priority::Err.prefix()
            );
            return fail();
        }
    };
    let result = Server::start(options, passed, &mut log).and_then(|mut server| server.serve());
    if let Err(error) = result {
        log.line(Priority::Err, error);
        // If the log stays blocked, the status still says so.
        let _ = log.flush_by(Instant::now() + DRAIN_FOR);
        return fail();
    }
    ExitCode::SUCCESS
}

/// Says that foo ends, and tells its status.
fn fail() -> ExitCode {
    // If the service manager can't be notified, the status still says so.
    let _ = bounded(|| daemon::notify(&[NotifyState::STOPPING]));
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
                write!(
                    f,
                    "Unable to receive from {name} any more: {error}; restart its socket unit"
                )
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
    limit: Option<Limit>,
}

impl<'a> Server<'a> {
    /// Does what the original does at its start, in the same order, and says `READY=1`.
    fn start(
        options: &Options,
        passed: io::Result<Vec<ListenFd>>,
        log: &'a mut Log,
    ) -> Result<Self, Error> {
        // From here on signals wait until the loop takes them.
        let mask = SigSet::from_iter([Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM]);
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&mask), None)
            .map_err(|errno| Error::Kernel("block signals", errno.into()))?;

        let names = passed
            .iter()
            .flatten()
            .map(|passed| passed.name.clone())
            .collect::<Vec<_>>();
        let is_malformed = passed.is_err();
        let sockets = activation::sockets(passed).map_err(Error::Activation);
        // A foo that can't start is started again and again. The journal needs no environment each time.
        if sockets.is_ok() || !log.is_journal() {
            log.line(Priority::Info, "Environment: ");
            for (name, value) in env::vars_os() {
                log.bytes(
                    Priority::Info,
                    &[b" ", name.as_bytes(), b"=", value.as_bytes()].concat(),
                );
            }
        }
        log.line(Priority::Notice, "foo service started");
        if !is_malformed {
            activation::log_names(&names, log);
        }
        let sockets = sockets?;

        let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .map_err(|errno| Error::Kernel("receive signals", errno.into()))?;
        let batch = Batch::new().map_err(|error| Error::Kernel("reserve memory", error))?;
        let mut notifier = Notifier::new(log);
        // What the log does not take now is the loop's to write.
        let _ = log.flush();
        notifier.ready(log);
        let sources = sockets
            .into_iter()
            .map(|socket| Source {
                socket,
                retry_at: None,
            })
            .collect();
        Ok(Self {
            log,
            notifier,
            sources,
            signals,
            batch,
            limit: options.max_rate.map(Limit::new),
        })
    }

    /// Serves until a signal says to stop.
    fn serve(&mut self) -> Result<(), Error> {
        let mut lingers = false;
        loop {
            let blocked = self.write().err();
            self.notifier.limited |= matches!(blocked, Some(Blocked::Limited(_)));
            let due = if lingers {
                Some(Instant::now())
            } else {
                self.notifier.due()
            };
            let ready = wait(
                &self.signals,
                &self.sources,
                blocked.map(|blocked| (&*self.log, blocked)),
                due,
            )
            .map_err(|errno| Error::Kernel("wait for datagrams", errno.into()))?;
            if ready.signal {
                match self.signal()? {
                    None => {}
                    Some(Signal::SIGHUP) => self.notifier.reload(self.log),
                    Some(_) => return self.stop(),
                }
            }
            let most = self.receive(&ready.sources)?;
            lingers = blocked.is_none()
                && most.is_some_and(|most| lingers || most > 1)
                && self.linger()?;
            if self.notifier.notify_due(self.log) {
                // A second has passed since the datagram that began this count.
                self.batch.free_memory();
                self.log.free_memory();
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

    /// Busy-polls all sources while datagrams keep arriving. Returns whether to poll again. A sender has to wake foo
    /// up if it sleeps, and foo a sender that waits for a full queue: both cost more than to poll again.
    fn linger(&mut self) -> Result<bool, Error> {
        let (begin, mut looks, mut found) = (Instant::now(), 0, false);
        let all: Vec<_> = (0..self.sources.len())
            .map(|index| (index, false))
            .collect();
        while begin.elapsed() <= LINGER_FOR {
            if looks >= LOOKS {
                return Ok(false);
            }
            match self.receive(&all)? {
                None => return Ok(false),
                Some(0) => {
                    looks += all.len();
                    // With one processor, the senders need it.
                    thread::yield_now();
                }
                Some(_) => (looks, found) = (0, true),
            }
        }
        // On a slow machine the time may be up before the looks are.
        Ok(found)
    }

    /// Receives a batch from each of the sources, and writes it. Returns how many datagrams the largest batch had, or
    /// `None` as soon as the log is blocked.
    fn receive(&mut self, sources: &[(usize, bool)]) -> Result<Option<usize>, Error> {
        let mut most = 0;
        for &(index, shut_down) in sources {
            let source = &mut self.sources[index];
            let received = source.receive(&mut self.batch, self.log, shut_down);
            most = most
                .max(received.map_err(|error| Error::Socket(source.socket.name.clone(), error))?);
            if self.write().is_err() {
                return Ok(None);
            }
        }
        Ok(Some(most))
    }

    /// Renders the received datagrams and writes what the log accepts without blocking.
    ///
    /// # Errors
    ///
    /// Says what to wait for if not everything was written.
    fn write(&mut self) -> Result<(), Blocked> {
        loop {
            self.log.flush()?;
            if self.batch.is_empty() {
                let until = self.limit.as_mut().and_then(Limit::wait_until);
                return until.map_or(Ok(()), |until| Err(Blocked::Limited(until)));
            }
            while !self.log.is_full() {
                let Some(datagram) = self.batch.take() else {
                    break;
                };
                let Datagram {
                    credentials,
                    sender,
                    length,
                    payload,
                } = datagram;
                self.notifier.count(length);
                let bytes = self.log.record(&Record {
                    credentials,
                    sender: Sender::from_sun_path(sender),
                    length,
                    payload,
                });
                if let Some(limit) = &mut self.limit {
                    limit.spend(bytes);
                }
            }
        }
    }

    /// Logs what is queued, so that it is not lost if the sockets go too.
    fn stop(&mut self) -> Result<(), Error> {
        self.notifier.stopping(self.log);
        // What is queued is logged at once, up to another burst.
        self.limit.iter_mut().for_each(Limit::fill);
        let begin = Instant::now();
        let all: Vec<_> = (0..self.sources.len())
            .map(|index| (index, false))
            .collect();
        loop {
            if !self.write_all(begin)? || begin.elapsed() >= DRAIN_FOR {
                break;
            }
            if self.receive(&all)? == Some(0) {
                // A transient error is not the end of a queue.
                if self.sources.iter().all(|source| source.retry_at.is_none()) {
                    break;
                }
                thread::sleep(RETRY_AFTER);
            }
        }
        self.log.settle(begin + PATIENCE);
        Ok(())
    }

    /// Writes everything. If journald does not read, messages are better out of order or cut than lost. Returns whether
    /// more may be received.
    fn write_all(&mut self, begin: Instant) -> Result<bool, Error> {
        while let Err(blocked) = self.write() {
            if matches!(blocked, Blocked::Limited(_)) {
                return Ok(false);
            }
            let is_worth_a_try =
                self.log.wait(blocked, begin + ORDER_FOR).is_ok() || self.log.give_up_order();
            if !is_worth_a_try {
                self.log
                    .wait(blocked, begin + PATIENCE)
                    .map_err(|_| Error::Log)?;
            }
        }
        Ok(true)
    }
}
