//! A load: what it consists of, and what it costs a daemon and its senders.

use crate::common::daemon::Daemon;
use crate::common::{eventually, patient, persist};
use crate::{launch, processors};
use foo::systemd::journal;
use std::fs::File;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

/// Where a daemon's lines go.
#[derive(Clone, Copy, PartialEq)]
pub enum Log {
    Null,
    File,
}

/// What is sent, by whom and to what.
#[derive(Clone, Copy)]
pub struct Load {
    pub messages: usize,
    /// Bytes of a message.
    pub size: usize,
    pub senders: usize,
    pub sockets: usize,
    /// Whether the sockets ask for the credentials of senders.
    pub credentials: bool,
    pub log: Log,
    /// Whether the daemon has a processor of its own.
    pub apart: bool,
    /// `net.unix.max_dgram_qlen`.
    pub queue: usize,
}

/// What a message cost, in nanoseconds.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Processor time of the daemon.
    pub daemon: f64,
    /// Time of the senders, from the first message to the end of the last.
    pub senders: f64,
}

impl Load {
    /// The log of a daemon, a new one.
    pub fn log(&self, scratch: &Path) -> File {
        match self.log {
            Log::Null => File::options().write(true).open("/dev/null").unwrap(),
            Log::File => File::create(scratch.join("log")).unwrap(),
        }
    }

    /// Starts a daemon, loads it and stops it.
    pub fn measure(&self, program: &Path, scratch: &Path) -> Cost {
        let (daemon, _) = launch::start(program, self.sockets, self.credentials, self.log(scratch));
        // What is touched for the first time costs more, and is not what this is about.
        Self {
            messages: self.messages / 20,
            ..*self
        }
        .run(&daemon);
        self.run(&daemon)
    }

    /// Loads a daemon, and waits until it has logged everything.
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
        let sockets: Vec<_> = senders
            .into_iter()
            .map(|sender| sender.join().unwrap())
            .collect();
        let last = sockets.iter().map(|&(_, end)| end).max().unwrap() - start;
        for (socket, _) in &sockets {
            eventually("all received", || {
                (journal::unread(socket).unwrap() == 0).then_some(())
            });
        }
        eventually("all logged", || (daemon.state() == 'S').then_some(()));
        let per_message = |time: Duration| time.as_nanos() as f64 / self.messages as f64;
        Cost {
            daemon: per_message(self::busy(daemon) - busy),
            senders: per_message(last),
        }
    }

    /// Sends a sender's part; its socket, and when it had sent the last.
    fn send(&self, name: &Path, target: &Path, barrier: &Barrier) -> (UnixDatagram, Instant) {
        processors::keep_sender(self.apart);
        let _ = std::fs::remove_file(name);
        let socket = patient(UnixDatagram::bind(name).unwrap());
        socket.connect(target).unwrap();
        let text = vec![b'x'; self.size];
        barrier.wait();
        for _ in 0..self.messages / self.senders {
            persist(|| socket.send(&text)).unwrap();
        }
        (socket, Instant::now())
    }
}

/// The processor time that a daemon has used, to the nanosecond. It must be asleep.
pub fn busy(daemon: &Daemon) -> Duration {
    let stat = daemon.proc("schedstat");
    Duration::from_nanos(stat.split_whitespace().next().unwrap().parse().unwrap())
}
