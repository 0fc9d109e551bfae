//! Senders that load foo, and the account of their messages.

use super::container::{Container, eventually, until};
use super::host::soaks;
use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::mem;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Senders that number their messages, and run until they are stopped.
pub struct Load {
    stop: Arc<AtomicBool>,
    /// The number of messages accepted from each sender.
    accepted: Vec<Arc<AtomicU64>>,
    senders: Vec<JoinHandle<Troubles>>,
    _turn: Turn,
}

/// Settings of foo.service that remove its rate limit.
pub const NO_LIMIT: &str = "ExecStart=\nExecStart=/usr/local/bin/foo\n";

/// The number of senders.
const SENDERS: usize = 4;

/// How fast a sender sends, and how much.
#[derive(Clone, Copy)]
struct Pace {
    /// Lengths of the padding after a message's number, in bytes, used in turn.
    lengths: &'static [usize],
    /// The pause after each message.
    pause: Duration,
}

/// The right to load the machine. A load at full speed runs alone, since two would slow each other
/// down. Loads that pause run together.
pub enum Turn {
    Alone(#[expect(dead_code, reason = "held until dropped")] RwLockWriteGuard<'static, ()>),
    Shared(#[expect(dead_code, reason = "held until dropped")] RwLockReadGuard<'static, ()>),
}

impl Turn {
    /// Waits until no other load runs.
    pub fn alone() -> Self {
        Self::Alone(TURNS.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn of(pace: Pace) -> Self {
        if pace.pause.is_zero() {
            return Self::alone();
        }
        Self::Shared(TURNS.read().unwrap_or_else(PoisonError::into_inner))
    }
}

static TURNS: RwLock<()> = RwLock::new(());

/// What happened to a sender.
#[derive(Default)]
struct Troubles {
    refused: u64,
    longest_wait: Duration,
}

impl Load {
    /// Starts senders that send as fast as they can.
    pub fn at_full_speed(container: &Container) -> Self {
        Self::start(container, Pace { lengths: &[0], pause: Duration::ZERO })
    }

    /// Starts senders at full speed in a soak. A check runs several loads together, so there they
    /// pause for a moment.
    pub fn heavy(container: &Container) -> Self {
        let pause = if soaks() { 0 } else { 500 };
        Self::start(container, Pace { lengths: &[0], pause: Duration::from_micros(pause) })
    }

    /// Starts senders that pause, so that journald has time for other work.
    pub fn at_ease(container: &Container) -> Self {
        Self::start(container, Pace { lengths: &[0], pause: Duration::from_millis(1) })
    }

    /// Starts senders of messages of these lengths. They are slow, since it takes long to read long
    /// messages from the journal.
    pub fn of_lengths(container: &Container, lengths: &'static [usize]) -> Self {
        Self::start(container, Pace { lengths, pause: Duration::from_millis(10) })
    }

    fn start(container: &Container, pace: Pace) -> Self {
        let turn = Turn::of(pace);
        let stop = Arc::new(AtomicBool::new(false));
        let accepted: Vec<_> = (0..SENDERS).map(|_| Arc::<AtomicU64>::default()).collect();
        let senders = accepted.iter().enumerate().map(|(sender, accepted)| {
            let (stop, accepted) = (Arc::clone(&stop), Arc::clone(accepted));
            let path = container.path("/run/foo.socket");
            thread::spawn(move || send(&path, sender, pace, &stop, &accepted))
        });
        Self { senders: senders.collect(), stop, accepted, _turn: turn }
    }

    /// Returns the number of messages accepted from each sender so far.
    pub fn accepted(&self) -> Vec<u64> {
        self.accepted.iter().map(|accepted| accepted.load(Ordering::Acquire)).collect()
    }

    /// Waits until `more` further messages have been accepted.
    pub fn wait_for(&self, more: u64) {
        let sent = || self.accepted().iter().sum::<u64>();
        let wanted = sent() + more;
        until("more messages accepted", sent, |sent| *sent >= wanted);
    }

    /// Waits until the queue is full and all senders wait. Returns the number accepted from each.
    pub fn wait_until_full(&self) -> Vec<u64> {
        let mut before = self.accepted();
        eventually("a full queue", || {
            // Longer than a sender needs for a message if it does not wait.
            thread::sleep(Duration::from_millis(100));
            let now = self.accepted();
            if mem::replace(&mut before, now.clone()) == now {
                Ok(now)
            } else {
                Err(format!("{now:?}"))
            }
        })
    }

    /// Stops the senders. Returns and reports the account once everything queued is logged.
    pub fn finish(mut self, container: &Container) -> Account {
        let troubles = self.stop();
        // The queue keeps order: once this is logged, all before it is.
        container.send(b"the end of the load");
        let lines = eventually("the end of the load", || {
            let lines = container.lines();
            if lines.contains(": the end of the load") { Ok(lines) } else { Err(String::new()) }
        });
        let account = Account::new(&self.accepted(), &troubles, &lines);
        container.report(&account);
        account
    }

    /// Stops the senders. Returns and reports the account of the messages accepted until `by_then`.
    pub fn account(mut self, by_then: &[u64], container: &Container) -> Account {
        let troubles = self.stop();
        let account = Account::new(by_then, &troubles, &container.lines());
        container.report(&account);
        account
    }

    fn stop(&mut self) -> Vec<Troubles> {
        self.stop.store(true, Ordering::Relaxed);
        self.senders.drain(..).map(|sender| sender.join().expect("a sender")).collect()
    }
}

/// Sends `load SENDER NUMBER PADDING` until `stop` is set.
fn send(
    path: &Path,
    sender: usize,
    pace: Pace,
    stop: &AtomicBool,
    accepted: &AtomicU64,
) -> Troubles {
    let socket = UnixDatagram::unbound().expect("a socket");
    // So that it notices `stop`.
    socket.set_write_timeout(Some(Duration::from_millis(50))).expect("a timeout");
    let mut troubles = Troubles::default();
    let (mut number, mut since) = (0_u64, Instant::now());
    while !stop.load(Ordering::Relaxed) {
        let length = pace.lengths[number as usize % pace.lengths.len()];
        // No blank at the end: such a message is an entry, which costs journald more than a line.
        let message = format!("load {sender} {number} {}", "x".repeat(length.max(1)));
        match socket.send_to(message.as_bytes(), path) {
            Ok(_) => {
                number += 1;
                accepted.store(number, Ordering::Release);
                troubles.longest_wait = troubles.longest_wait.max(since.elapsed());
                if !pace.pause.is_zero() {
                    thread::sleep(pace.pause);
                }
                since = Instant::now();
            }
            Err(error)
                if [ErrorKind::WouldBlock, ErrorKind::Interrupted].contains(&error.kind()) => {}
            Err(_) => {
                troubles.refused += 1;
                thread::sleep(Duration::from_millis(1));
            }
        }
    }
    troubles
}

/// Sends numbered messages of these lengths, used in turn, until foo's queue is full. Returns how
/// many were accepted.
pub fn fill(container: &Container, lengths: &[usize]) -> u64 {
    let (path, mut sent) = (container.path("/run/foo.socket"), 0_u64);
    let mut senders = Vec::new();
    // A sender's buffer holds less than the queue.
    loop {
        let (sender, before) = (UnixDatagram::unbound().expect("a socket"), sent);
        sender.set_nonblocking(true).expect("a non-blocking socket");
        loop {
            let length = lengths[sent as usize % lengths.len()];
            let message = format!("load 0 {sent} {}", "x".repeat(length.max(1)));
            match sender.send_to(message.as_bytes(), &path) {
                Ok(_) => sent += 1,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("message {sent}: {error}"),
            }
        }
        if sent == before {
            return sent;
        }
        senders.push(sender);
    }
}

/// Returns and reports the account of messages that [`fill`] sent.
pub fn account(sent: u64, container: &Container) -> Account {
    let account = Account::new(&[sent], &[], &container.lines());
    container.report(&account);
    account
}

/// How many messages were sent, and how many of them are in the journal.
#[derive(Debug, Default)]
pub struct Account {
    pub sent: u64,
    pub refused: u64,
    pub logged: u64,
    pub lost: u64,
    pub doubled: u64,
    pub reordered: u64,
    pub longest_wait: Duration,
}

impl Account {
    fn new(accepted: &[u64], troubles: &[Troubles], lines: &str) -> Self {
        let mut seen: Vec<BTreeMap<u64, u64>> = vec![BTreeMap::new(); accepted.len()];
        let mut last = vec![0; accepted.len()];
        let mut account = Self::default();
        for (sender, number) in lines.lines().filter_map(numbers) {
            let seen = &mut seen[sender];
            account.reordered += u64::from(mem::replace(&mut last[sender], number) > number);
            let times = seen.entry(number).or_default();
            *times += 1;
            if *times > 1 {
                account.doubled += 1;
            }
        }
        for (&accepted, seen) in accepted.iter().zip(&seen) {
            account.sent += accepted;
            let logged = seen.range(..accepted).count() as u64;
            account.logged += logged;
            account.lost += accepted - logged;
        }
        account.refused = troubles.iter().map(|troubles| troubles.refused).sum();
        account.longest_wait =
            troubles.iter().map(|troubles| troubles.longest_wait).max().unwrap_or_default();
        account
    }

    /// Fails unless each message is in the journal once, in its sender's order, and none was
    /// refused.
    #[track_caller]
    pub fn assert_whole(&self) {
        self.assert_lost_at_most(0);
        assert_eq!([self.refused, self.reordered], [0, 0], "refused or reordered: {self:?}");
    }

    /// Fails if more were lost, or if any is there twice.
    #[track_caller]
    pub fn assert_lost_at_most(&self, most: u64) {
        assert!(self.sent > 0, "nothing was sent");
        assert!(self.lost <= most && self.doubled == 0, "more than {most}: {self:?}");
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, logged, lost, longest_wait, .. } = self;
        write!(f, "{sent} / {logged} / {lost}; {} ms", longest_wait.as_millis())
    }
}

/// Returns the sender and the number in a line about a message of the load.
fn numbers(line: &str) -> Option<(usize, u64)> {
    let (_, message) = line.split_once(": load ")?;
    let mut numbers = message.split(' ');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}
