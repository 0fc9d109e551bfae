//! What journald may not have read of the stream: each write with its lines, from the first that may
//! be unread.

#![forbid(unsafe_code)]

use std::collections::VecDeque;

/// The least memory that the kernel counts for a write, in bytes, on any machine. On most it is
/// three times as much.
const LEAST_COUNTED: usize = 256;

/// Most parts that the unread writes are kept in, so that a stream of 8 MiB takes up little memory.
const PARTS: usize = 64;

/// A write to the stream, or several that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Write {
    /// The bytes of each, at least [`LEAST_COUNTED`].
    counted: usize,
    lines: usize,
}

/// The writes that journald may not have read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Unread {
    writes: VecDeque<Write>,
    /// The sums of all.
    counted: usize,
    lines: usize,
}

impl Unread {
    /// Adds a write.
    pub fn push(&mut self, bytes: usize, lines: usize) {
        let counted = bytes.max(LEAST_COUNTED);
        self.counted += counted;
        self.lines += lines;
        match self.writes.back_mut() {
            Some(last) if last.counted + counted <= self.counted / PARTS => {
                last.counted += counted;
                last.lines += lines;
            }
            _ => self.writes.push_back(Write { counted, lines }),
        }
    }

    /// Removes the writes that are read, if the kernel holds this much memory for unread ones.
    pub fn trim(&mut self, memory: usize) {
        while let Some(first) = self.writes.front() {
            let rest = self.counted - first.counted;
            if rest < memory {
                return;
            }
            (self.counted, self.lines) = (rest, self.lines - first.lines);
            self.writes.pop_front();
        }
    }

    /// Removes all writes. Returns how many lines they had.
    pub fn clear(&mut self) -> usize {
        let lines = self.lines;
        *self = Self::default();
        lines
    }

    /// Returns the number of lines.
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// Returns whether everything is read.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}
