//! A load, and what it costs a daemon and its senders.

use crate::common::daemon::Daemon;
use crate::common::{eventually, patient, persist};
use crate::{launch, processors, scaled};
use libsystemd_safe::journal;
use std::fs::File;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

/// The file that a daemon's lines go to.
#[derive(Clone, Copy, PartialEq)]
pub enum Log {
    Null,
    File,
}

/// What a message consists of.
#[derive(Clone, Copy)]
pub enum Text {
    /// Printable ASCII.
    Plain,
    /// Every eighth byte is a tab.
    Tabs,
    /// Latin letters with accents.
    Accents,
    Cyrillic,
    Json,
    /// Lines of about 60 bytes.
    Lines,
    /// Random bytes but NUL, at which the C daemon would cut the message.
    Binary,
    /// Looks like another line's priority, so that foo sends it to the journal as an entry.
    Prefix,
}

impl Text {
    /// Returns a text of this length in bytes.
    pub fn of(self, size: usize) -> Vec<u8> {
        let sample = match self {
            Self::Plain => "x",
            Self::Tabs => "column \t",
            Self::Accents => "Le garçon préféré a mangé une crème brûlée dans un café à côté. ",
            Self::Cyrillic => "Съешь же ещё этих мягких французских булок, да выпей чаю. ",
            Self::Json => {
                r#"{"time":"2024-05-17T09:30:00Z","level":"info","text":"démarré","count":17},"#
            }
            Self::Lines => "2024-05-17 09:30:00 worker 7: the request took 17 milliseconds\n",
            Self::Binary => return random(size),
            Self::Prefix => "<0>x",
        };
        let mut text = sample.repeat(size / sample.len() + 1);
        let whole = (0..=size).rev().find(|&end| text.is_char_boundary(end));
        text.truncate(whole.unwrap_or_default());
        // In place of a character that would be cut.
        text.push_str(&"x".repeat(size - text.len()));
        text.into_bytes()
    }
}

/// Returns the same random bytes at each call, by a linear congruential generator.
fn random(size: usize) -> Vec<u8> {
    let next = |&state: &u64| {
        Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    };
    std::iter::successors(Some(1), next)
        .skip(1)
        .map(|state| ((state >> 56) as u8).max(1))
        .take(size)
        .collect()
}

/// A load: messages, senders, sockets and surroundings.
#[derive(Clone, Copy)]
pub struct Load {
    /// Number of messages of all senders.
    pub messages: usize,
    /// Size of a message, in bytes.
    pub size: usize,
    pub text: Text,
    pub senders: usize,
    pub sockets: usize,
    /// Whether the sockets ask for the credentials of senders.
    pub credentials: bool,
    pub log: Log,
    /// Whether no sender runs on the processor of the daemon.
    pub apart: bool,
    /// Length of a socket's queue: `net.unix.max_dgram_qlen`.
    pub queue: usize,
}

/// The cost of a load per message, in nanoseconds.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Processor time of the daemon.
    pub daemon: f64,
    /// Time that the senders took, from the first message to the last.
    pub senders: f64,
}

impl Load {
    /// Opens a new log for a daemon.
    pub fn log(&self, scratch: &Path) -> File {
        match self.log {
            Log::Null => File::options().write(true).open("/dev/null").unwrap(),
            Log::File => File::create(scratch.join("log")).unwrap(),
        }
    }

    /// Starts a daemon, loads it and stops it.
    pub fn measure(&self, program: &Path, scratch: &Path) -> Cost {
        let (daemon, _) = launch::start(program, self.sockets, self.credentials, self.log(scratch));
        // A first, smaller load: memory that is used for the first time costs more.
        Self { messages: self.messages / 20, ..*self }.run(&daemon);
        self.run(&daemon)
    }

    /// The load, or a small part of it if this is a quick run.
    pub fn scaled(self) -> Self {
        Self { messages: scaled(self.messages), ..self }
    }

    /// Sends the load, and waits until the daemon has logged all of it.
    pub fn run(&self, daemon: &Daemon) -> Cost {
        eventually("idle", || (daemon.state() == 'S').then_some(()));
        let (busy, barrier) = (busy(daemon), Arc::new(Barrier::new(self.senders + 1)));
        let senders: Vec<_> = (0..self.senders)
            .map(|number| {
                let target = launch::socket(daemon.dir.path(), number % self.sockets);
                let name = daemon.dir.join(&format!("sender{number}"));
                let (load, barrier) = (*self, Arc::clone(&barrier));
                thread::spawn(move || load.send(&name, &target, &barrier))
            })
            .collect();
        barrier.wait();
        let start = Instant::now();
        let sockets: Vec<_> = senders.into_iter().map(|sender| sender.join().unwrap()).collect();
        let last = sockets.iter().map(|&(_, end)| end).max().unwrap() - start;
        for (socket, _) in &sockets {
            eventually("all received", || (journal::unread(socket).unwrap() == 0).then_some(()));
        }
        eventually("all logged", || (daemon.state() == 'S').then_some(()));
        let per_message = |time: Duration| time.as_nanos() as f64 / self.messages as f64;
        Cost { daemon: per_message(self::busy(daemon) - busy), senders: per_message(last) }
    }

    /// Sends one sender's messages. Returns its socket and the time after the last message.
    fn send(&self, name: &Path, target: &Path, barrier: &Barrier) -> (UnixDatagram, Instant) {
        processors::keep_sender(self.apart);
        let _ = std::fs::remove_file(name);
        let socket = patient(UnixDatagram::bind(name).unwrap());
        socket.connect(target).unwrap();
        let text = self.text.of(self.size);
        barrier.wait();
        for _ in 0..self.messages / self.senders {
            persist(|| socket.send(&text)).unwrap();
        }
        (socket, Instant::now())
    }
}

/// Returns the processor time that a daemon has used. The daemon must be asleep.
pub fn busy(daemon: &Daemon) -> Duration {
    let stat = daemon.proc("schedstat");
    Duration::from_nanos(stat.split_whitespace().next().unwrap().parse().unwrap())
}
