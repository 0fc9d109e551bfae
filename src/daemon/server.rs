//! The server: start, loop, reload, stop.
//!
//! The loop blocks in one place only, `wait`. Each turn begins with a write, which decides between
//! two states:
//!
//! - Receiving: the write succeeded, so the log and the batch are empty. `wait` polls the sources.
//! - Blocked: the write failed and returned why. `wait` polls for that, and nothing is received, so
//!   senders wait. Signals and notifications are still handled.
//!
//! Invariant: if the batch is not empty, the log is blocked.
//!
//! A signal moves from either state to the stop, see `stop`.

#![forbid(unsafe_code)]

mod error;
mod stop;

use super::{
    activation,
    blocked::Blocked,
    bounded::bounded,
    cli::Options,
    datagram::{Batch, Datagram},
    limit::Limit,
    log::Log,
    notifier::Notifier,
    record::{Record, Sender},
    socket_file::SocketFile,
    source::Source,
    units::Units,
    wait::{Ready, ReadySource, wait},
};
use error::Error;
use libsystemd_safe::{
    daemon::{self, ListenFd, NotifyState},
    journal::Priority,
};
use nix::{
    errno::Errno,
    sys::{
        signal::{SigSet, SigmaskHow, Signal, sigprocmask},
        signalfd::{SfdFlags, SignalFd},
    },
};
use std::{
    env,
    io::{self, IsTerminal, Write},
    os::unix::ffi::OsStrExt,
    thread,
    time::{Duration, Instant},
};

/// The exit status after an error. The original returns -1.
const EXIT_FAILURE: u8 = 255;

/// Longest time that the line with an error waits for the log.
const ERROR_TIMEOUT: Duration = Duration::from_secs(1);

/// Empty polls before sleeping. About as expensive as one sleep and wake-up.
const EMPTY_POLLS_MAX: usize = 32;

/// Longest busy-poll before signals and timers are checked.
const BUSY_POLL_MAX: Duration = Duration::from_millis(2);

/// Serves the sockets that systemd passed until a signal stops it. Returns the exit status.
pub fn run(options: &Options, passed: io::Result<Vec<ListenFd>>) -> u8 {
    let mut log = match Log::open(options.fields) {
        Ok(log) => log,
        Err(error) => {
            // If standard error can't be written, the exit status still reports the error.
            let _ =
                writeln!(io::stderr(), "{}Unable to open the log: {error}", Priority::Err.prefix());
            return fail();
        }
    };
    let result = Server::start(options, passed, &mut log).and_then(|mut server| server.serve());
    if let Err(error) = result {
        match error.id() {
            Some(id) => log.report(Priority::Err, id, error),
            None => log.line(Priority::Err, error),
        }
        // If the log stays blocked, the exit status still reports the error.
        let begin = Instant::now();
        while let Err(blocked) = log.flush() {
            if log.wait_at_end(blocked, begin, ERROR_TIMEOUT).is_err() {
                break;
            }
        }
        return fail();
    }
    0
}

/// Sends `STOPPING=1` and returns the exit status after an error.
fn fail() -> u8 {
    // If the service manager can't be notified, the exit status still reports the error.
    let _ = bounded(|| daemon::notify(&[NotifyState::STOPPING]));
    EXIT_FAILURE
}

/// Logs all environment variables, as the original does.
fn log_environment(log: &mut Log) {
    log.line(Priority::Info, "Environment: ");
    for (name, value) in env::vars_os() {
        log.line_of_bytes(
            Priority::Info,
            &[b" ", name.as_bytes(), b"=", value.as_bytes()].concat(),
        );
    }
}

/// Why nothing is received now.
#[derive(Clone, Copy)]
enum Hold {
    /// The log accepts nothing.
    Log(Blocked),
    /// The rate limit is used up until this time.
    Limit(Instant),
}

struct Server<'a> {
    log: &'a mut Log,
    notifier: Notifier,
    sources: Vec<Source>,
    signals: SignalFd,
    batch: Batch,
    units: Units,
    /// Messages in the log that it has not written yet.
    unwritten: usize,
    limit: Option<Limit>,
}

impl<'a> Server<'a> {
    /// Starts as the original does, in the same order, and sends `READY=1`.
    fn start(
        options: &Options,
        passed: io::Result<Vec<ListenFd>>,
        log: &'a mut Log,
    ) -> Result<Self, Error> {
        // From here on signals stay pending until the loop reads them.
        let mask = SigSet::from_iter([Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM]);
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&mask), None)
            .map_err(|errno| Error::Kernel("block signals", errno.into()))?;

        let names = passed.iter().flatten().map(|passed| passed.name.clone()).collect::<Vec<_>>();
        let is_malformed = passed.is_err();
        let sockets = activation::sockets(passed).map_err(Error::Activation);
        // systemd restarts a foo that can't start, so the journal would get the environment each
        // time. On a terminal it would push the hint out of sight.
        if sockets.is_ok() || !(log.is_journal() || io::stderr().is_terminal()) {
            log_environment(log);
        }
        log.line(Priority::Notice, "foo service started");
        if !is_malformed {
            activation::log_names(&names, log);
        }
        let sockets = sockets?;

        let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .map_err(|errno| Error::Kernel("receive signals", errno.into()))?;
        let batch = Batch::new().map_err(|error| Error::Kernel("reserve memory", error))?;
        let files = sockets.iter().filter_map(|socket| SocketFile::of(&socket.fd)).collect();
        let mut notifier = Notifier::new(files, log);
        // The loop writes what the log does not accept now.
        let _ = log.flush();
        notifier.ready(log);
        let sources = sockets.into_iter().map(|socket| Source { socket, retry_at: None }).collect();
        let limit = options.max_rate.map(Limit::new);
        let units = Units::new(Instant::now());
        Ok(Self { log, notifier, sources, signals, batch, units, unwritten: 0, limit })
    }

    /// Serves until a signal stops it.
    fn serve(&mut self) -> Result<(), Error> {
        let (mut is_busy_polling, mut ready) = (false, Ready::default());
        loop {
            let hold = self.write().err();
            let (mut sources, mut blocked, mut limited) = (&self.sources[..], None, None);
            match hold {
                None => {}
                Some(Hold::Log(reason)) => {
                    reason.status().into_iter().for_each(|why| self.notifier.senders_wait(why));
                    blocked = Some((&*self.log, reason));
                }
                Some(Hold::Limit(until)) => {
                    self.notifier.limited_until(until, self.log);
                    (sources, limited) = (&[], Some(until));
                }
            }
            let deadline = if is_busy_polling {
                Some(Instant::now())
            } else {
                self.notifier.next_due().into_iter().chain(limited).min()
            };
            wait(&self.signals, sources, blocked, deadline, &mut ready)
                .map_err(|errno| Error::Kernel("wait for datagrams", errno.into()))?;
            if ready.signal {
                match self.read_signal()? {
                    None => {}
                    Some(Signal::SIGHUP) => self.notifier.reload(self.log),
                    Some(_) => return self.stop(),
                }
            }
            let largest_batch = self.receive(&ready.sources)?;
            is_busy_polling = hold.is_none()
                && largest_batch.is_some_and(|count| is_busy_polling || count > 1)
                && self.busy_poll()?;
            if self.notifier.notify_due(self.log) {
                // STATUS= is sent a second after a datagram, so journald may have read it, and a
                // pause may have begun.
                let _ = self.log.settle();
                self.batch.free_memory();
                self.log.free_memory();
            }
        }
    }

    /// Returns the next pending signal.
    fn read_signal(&self) -> Result<Option<Signal>, Error> {
        match self.signals.read_signal() {
            Ok(read) => Ok(read.and_then(|info| Signal::try_from(info.ssi_signo as i32).ok())),
            // The next turn reads it.
            Err(Errno::EINTR) => Ok(None),
            Err(errno) => Err(Error::Kernel("receive signals", errno.into())),
        }
    }

    /// Busy-polls all sources while datagrams keep arriving. Returns whether to poll again.
    ///
    /// If foo slept, senders would have to wake it, and it would have to wake senders that wait for
    /// a full queue. Both cost more than a poll.
    fn busy_poll(&mut self) -> Result<bool, Error> {
        let (begin, mut empty_polls, mut has_received) = (Instant::now(), 0, false);
        let all = self.all_sources();
        while begin.elapsed() <= BUSY_POLL_MAX {
            if empty_polls >= EMPTY_POLLS_MAX {
                return Ok(false);
            }
            match self.receive(&all)? {
                None => return Ok(false),
                Some(0) => {
                    empty_polls += all.len();
                    // If there is one processor only, the senders need it.
                    thread::yield_now();
                }
                Some(_) => (empty_polls, has_received) = (0, true),
            }
        }
        // A slow machine may reach the time limit before the limit of empty polls.
        Ok(has_received)
    }

    /// Returns all sources, as if poll(2) had reported a datagram at each.
    fn all_sources(&self) -> Vec<ReadySource> {
        let indices = 0..self.sources.len();
        indices.map(ReadySource::with_datagram).collect()
    }

    /// Receives a batch from each of the sources, and writes it. Returns how many datagrams the
    /// largest batch has, or `None` as soon as the log is blocked.
    fn receive(&mut self, sources: &[ReadySource]) -> Result<Option<usize>, Error> {
        let mut largest_batch = 0;
        for ready in sources {
            let source = &mut self.sources[ready.index];
            let count = source
                .receive(&mut self.batch, self.log, ready.maybe_shut_down)
                .map_err(|error| Error::Socket(source.socket.name.clone(), error))?;
            largest_batch = largest_batch.max(count);
            if self.write().is_err() {
                return Ok(None);
            }
        }
        Ok(Some(largest_batch))
    }

    /// Renders the received datagrams and writes what the log accepts without blocking.
    ///
    /// # Errors
    ///
    /// Returns what to wait for if not everything was written.
    fn write(&mut self) -> Result<(), Hold> {
        loop {
            self.log.flush().map_err(Hold::Log)?;
            self.unwritten = 0;
            if self.batch.is_empty() {
                self.units.end_batch();
                let until = self.limit.as_mut().and_then(Limit::used_up_until);
                return until.map_or(Ok(()), |until| Err(Hold::Limit(until)));
            }
            while !self.log.is_full() {
                let Some(datagram) = self.batch.take() else {
                    break;
                };
                let Datagram { credentials, pidfd, sender, length, payload } = datagram;
                let unit = pidfd.and_then(|pidfd| self.units.of(pidfd));
                self.notifier.count(length);
                self.unwritten += 1;
                let bytes = self.log.record(&Record {
                    credentials,
                    unit,
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
}
