//! The buffer of lines that wait to be written.
//!
//! A line is to become an entry of its own if journald would split it, read a priority in it, or
//! strip what is at its end, or if it has further fields. The buffer has two states:
//!
//! - Empty: everything was written.
//! - Pending: what begins at `written` waits, in order. Adding a line begins this state.
//!
//! A caller adds lines only after everything was written, until `is_full`. So the buffer never holds
//! more than [`FULL`] and one line.

#![forbid(unsafe_code)]

use super::{
    catalog::MessageId,
    datagram::MAX_LENGTH,
    journal::{
        facts::{LINE_MAX, has_prefix},
        machine::Pending,
    },
    memory::{free_unused, reserve},
    record::{Record, fields},
};
use libsystemd_safe::journal::Priority;
use std::{collections::VecDeque, io, mem};

/// Bytes of lines from which on the buffer is full. Many short lines share the cost of a write.
const FULL: usize = 64 * 1024;

/// The longest line: each byte of a datagram and of its sender's name becomes an escape of four.
/// Further fields follow, and one of them is the datagram.
const LONGEST: usize = 5 * MAX_LENGTH + 4096;

/// Begins a line that is to become an entry, in place of its prefix. The line is then a field.
const MESSAGE_FIELD: &[u8] = b"MESSAGE=";

/// Begins each line after the first that an entry becomes, so that none can pass for an entry.
const CONTINUED: &[u8] = b"continued: ";

/// The length of the lines that an entry becomes, so that journald does not split them, with room
/// for what begins them and for a character that is not to be divided.
const PART: usize = LINE_MAX - 64;

/// The lines that wait to be written.
pub struct Lines {
    /// The buffer. Its capacity is reserved, so that it never grows.
    bytes: Vec<u8>,
    /// How many bytes of it are written. It can move back to the start of a line.
    written: usize,
    /// The lines that are to become entries.
    entries: VecDeque<Entry>,
    /// Whether the buffer grew beyond [`FULL`] since its memory was last given back.
    has_grown: bool,
}

/// A line of the buffer that is to become an entry.
struct Entry {
    /// Where it starts.
    start: usize,
    /// How many bytes of the buffer it takes: `MESSAGE=`, a newline, and the further fields, if it
    /// has any, with another newline.
    length: usize,
    priority: Priority,
    /// The field `MESSAGE_ID=`.
    id: Option<MessageId>,
}

/// When a line is to become an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Entries {
    /// Never: the log is no journal.
    Never,
    /// If journald would split the line, or read a priority in it.
    Split,
    /// Also if journald would strip blanks from its end.
    Changed,
    /// Always, with this field.
    Always(MessageId),
}

impl Lines {
    /// Returns an empty buffer.
    ///
    /// # Errors
    ///
    /// Fails with `OutOfMemory` if there is not enough address space.
    pub fn new() -> io::Result<Self> {
        let bytes = reserve(FULL + LONGEST)?;
        Ok(Self { bytes, written: 0, entries: VecDeque::new(), has_grown: false })
    }

    /// Adds a line. Returns its length in bytes.
    pub fn add(
        &mut self,
        priority: Priority,
        entries: Entries,
        render: impl FnOnce(&mut Vec<u8>),
    ) -> usize {
        let (start, prefix) = (self.bytes.len(), priority.prefix());
        self.bytes.extend_from_slice(prefix.as_bytes());
        render(&mut self.bytes);
        self.bytes.push(b'\n');
        let text = &self.bytes[start + prefix.len()..];
        let is_changed = entries == Entries::Changed && matches!(text, [.., b' ' | b'\t', b'\n']);
        let id = if let Entries::Always(id) = entries { Some(id) } else { None };
        let is_entry = id.is_some() || is_changed || text.len() > LINE_MAX || has_prefix(text);
        if entries != Entries::Never && is_entry {
            self.bytes.splice(start..start + prefix.len(), MESSAGE_FIELD.iter().copied());
            let length = self.bytes.len() - start;
            self.entries.push_back(Entry { start, length, priority, id });
        }
        self.has_grown |= self.bytes.len() >= FULL;
        self.bytes.len() - start
    }

    /// Adds a record that is to become an entry with fields. Returns its length in bytes.
    pub fn add_with_fields(&mut self, priority: Priority, record: &Record<'_>) -> usize {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(MESSAGE_FIELD);
        record.render(&mut self.bytes);
        self.bytes.push(b'\n');
        record.render_fields(&mut self.bytes);
        self.bytes.push(b'\n');
        let length = self.bytes.len() - start;
        self.entries.push_back(Entry { start, length, priority, id: None });
        self.has_grown |= self.bytes.len() >= FULL;
        length
    }

    /// Returns what is to be written next.
    pub fn next(&self) -> Pending {
        if self.written == self.bytes.len() {
            Pending::Nothing
        } else if self.next_entry().is_some() {
            Pending::Entry
        } else if self.written == start_of_line(&self.bytes[..self.written]) {
            Pending::Lines
        } else {
            Pending::RestOfLine
        }
    }

    /// Returns the lines to be written, up to the next entry.
    pub fn unwritten(&self) -> &[u8] {
        let end = self.entries.front().map_or(self.bytes.len(), |entry| entry.start);
        &self.bytes[self.written..end]
    }

    /// Counts bytes of lines as written. Once all are, the buffer is empty.
    pub fn advance(&mut self, bytes: usize) {
        self.written += bytes;
        if self.written == self.bytes.len() {
            self.bytes.clear();
            self.written = 0;
        }
    }

    /// Moves back to the start of a line that a dropped stream took in part.
    pub fn rewind(&mut self) {
        self.written = start_of_line(&self.bytes[..self.written]);
    }

    /// Returns the next line or entry as fields, its priority, and its length in the buffer. The
    /// text of a line is copied to `copy`.
    pub fn fields<'a>(&'a self, copy: &'a mut Vec<u8>) -> (Vec<&'a [u8]>, u8, usize) {
        let rest = &self.bytes[self.written..];
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        match (self.next_entry(), &rest[..end]) {
            (Some(&Entry { length, priority, id, .. }), message) => {
                let further = rest[..length - 1].get(end + 1..).unwrap_or_default();
                let id = id.map(str::as_bytes);
                let all = [message].into_iter().chain(fields(further)).chain(id);
                (all.collect(), priority as u8, length)
            }
            (_, [b'<', digit @ b'0'..=b'7', b'>', text @ ..]) => {
                copy.clear();
                copy.extend_from_slice(MESSAGE_FIELD);
                copy.extend_from_slice(text);
                (vec![copy], digit - b'0', end + 1)
            }
            (_, text) => (vec![text], Priority::Notice as u8, end + 1),
        }
    }

    /// Counts the next line or entry as sent.
    pub fn sent(&mut self, length: usize) {
        self.take_entry();
        self.advance(length);
    }

    /// Returns what is to be written next, if it is an entry.
    fn next_entry(&self) -> Option<&Entry> {
        self.entries.front().filter(|entry| entry.start == self.written)
    }

    /// Returns the next entry, and forgets that it is one. Returns `None` if the next one is a line.
    fn take_entry(&mut self) -> Option<Entry> {
        self.next_entry()?;
        self.entries.pop_front()
    }

    /// Makes lines of the next entry, which journald does not split and in which it finds no
    /// priority. Further fields are left out. Does nothing if the next one is a line.
    pub fn split(&mut self) {
        let Some(Entry { start, length: old, priority, .. }) = self.take_entry() else { return };
        let prefix = priority.prefix().as_bytes();
        let rest = &self.bytes[start + MESSAGE_FIELD.len()..];
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let mut lines = prefix.to_vec();
        let mut begin = 0;
        for &byte in &rest[..length] {
            let is_character = byte & 0xc0 != 0x80;
            if lines.len() - begin >= PART && is_character {
                lines.push(b'\n');
                begin = lines.len();
                lines.extend_from_slice(prefix);
                lines.extend_from_slice(CONTINUED);
            }
            match byte {
                b'<' => lines.extend_from_slice(b"\\x3c"),
                byte => lines.push(byte),
            }
        }
        lines.push(b'\n');
        let new = lines.len();
        self.bytes.splice(start..start + old, lines);
        self.entries.iter_mut().for_each(|entry| entry.start = entry.start + new - old);
    }

    /// Returns whether lines should be written before more are added.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= FULL || !self.entries.is_empty()
    }

    /// Gives back the memory of long lines. Does nothing if lines wait.
    pub fn free_memory(&mut self) {
        if self.bytes.is_empty() && mem::take(&mut self.has_grown) {
            free_unused(&mut self.bytes);
        }
    }
}

/// Returns where the last line starts. It may be incomplete, or empty.
fn start_of_line(lines: &[u8]) -> usize {
    memchr::memrchr(b'\n', lines).map_or(0, |newline| newline + 1)
}
