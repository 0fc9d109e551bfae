//! A stand-in for the journal that keeps each line and each entry.

use crate::common::eventually;
use std::io::{BufRead, BufReader};
use std::net::Shutdown;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Kept>>);

#[derive(Default)]
pub struct Kept {
    pub lines: Vec<String>,
    streams: Vec<UnixStream>,
    /// Streams that are not at their end yet.
    pub open: usize,
}

impl Journal {
    /// Listens in this directory, as the real journal does in its own.
    pub fn listen(directory: &Path) -> Self {
        let journal = Self::default();
        let listener = UnixListener::bind(directory.join("stdout")).unwrap();
        let socket = UnixDatagram::bind(directory.join("socket")).unwrap();
        let streams = journal.clone();
        // Both threads end with the process.
        thread::spawn(move || {
            listener.incoming().map_while(Result::ok).for_each(|stream| streams.read(stream))
        });
        let entries = journal.clone();
        thread::spawn(move || {
            let mut buffer = vec![0; 300_000];
            while let Ok(size) = socket.recv(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..size]);
                let message = text.lines().find_map(|line| line.strip_prefix("MESSAGE="));
                entries.kept().lines.extend(message.map(String::from));
            }
        });
        journal
    }

    pub fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap()
    }

    /// Keeps the lines of a stream.
    pub fn read(&self, stream: UnixStream) {
        let mut kept = self.kept();
        kept.streams.push(stream.try_clone().unwrap());
        kept.open += 1;
        drop(kept);
        let journal = self.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let lines = &mut journal.kept().lines;
                // An entry that can't be sent becomes several lines.
                match (line.strip_prefix("<5>continued: "), lines.last_mut()) {
                    (Some(rest), Some(first)) => first.push_str(rest),
                    _ => lines.push(line),
                }
            }
            journal.kept().open -= 1;
        });
    }

    /// Waits until it has read all streams to their end, and all entries. It listens in this
    /// directory.
    pub fn read_all(&self, directory: &Path) {
        const END: &str = "the last entry";
        let sender = UnixDatagram::unbound().unwrap();
        sender.send_to(format!("MESSAGE={END}").as_bytes(), directory.join("socket")).unwrap();
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
