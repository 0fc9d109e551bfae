//! A journald that reads at once, and keeps each line and each entry.

use crate::common::eventually;
use crate::common::journald::{Journald, message, receive};
use std::io::{BufRead, BufReader};
use std::net::Shutdown;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

pub struct Journal {
    pub journald: Journald,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
pub struct Kept {
    pub lines: Vec<String>,
    /// Whether an entry has become several lines.
    pub is_split: bool,
    streams: Vec<UnixStream>,
    /// Streams that are not at their end yet.
    open: usize,
}

/// Keeps the lines of a stream.
fn keep(kept: &Arc<Mutex<Kept>>, stream: UnixStream) {
    let mut locked = kept.lock().unwrap();
    locked.streams.push(stream.try_clone().unwrap());
    locked.open += 1;
    drop(locked);
    let kept = kept.clone();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let kept = &mut *kept.lock().unwrap();
            match (line.strip_prefix("<5>continued: "), kept.lines.last_mut()) {
                (Some(rest), Some(first)) => {
                    first.push_str(rest);
                    kept.is_split = true;
                }
                _ => kept.lines.push(line),
            }
        }
        kept.lock().unwrap().open -= 1;
    });
}

impl Journal {
    /// Listens and reads. Its threads end with the process, and its directory before.
    pub fn listen() -> Self {
        let journal = Self { journald: Journald::listen(), kept: Arc::default() };
        let (streams, kept) = (journal.journald.streams.try_clone().unwrap(), journal.kept.clone());
        thread::spawn(move || {
            streams.incoming().map_while(Result::ok).for_each(|stream| keep(&kept, stream));
        });
        let (queue, kept) = (journal.journald.queue.try_clone().unwrap(), journal.kept.clone());
        queue.set_read_timeout(None).unwrap();
        thread::spawn(move || {
            loop {
                let entry = receive(&queue);
                let entry = String::from_utf8_lossy(&entry);
                kept.lock().unwrap().lines.extend(message(&entry).map(String::from));
            }
        });
        journal
    }

    pub fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }

    /// Keeps the lines of a stream that is none to journald.
    pub fn read(&self, stream: UnixStream) {
        keep(&self.kept, stream);
    }

    /// Waits until it has read all streams to their end, and all entries.
    pub fn read_all(&self) {
        const END: &str = "the last entry";
        let sender = UnixDatagram::unbound().unwrap();
        let socket = self.journald.dir.join("socket");
        sender.send_to(format!("MESSAGE={END}").as_bytes(), socket).unwrap();
        eventually("the journal has read everything", || {
            let kept = self.kept();
            let is_end = kept.lines.iter().any(|line| line == END);
            (is_end && kept.open == 0).then_some(())
        });
        self.kept().lines.retain(|line| line != END);
    }

    /// Whether a kept line has this end.
    pub fn has(&self, end: &str) -> bool {
        self.kept().lines.iter().any(|line| line.ends_with(end))
    }

    /// Drops its streams, as a restart does.
    pub fn restart(&self) {
        for stream in self.kept().streams.drain(..) {
            // The daemon may have closed it.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
