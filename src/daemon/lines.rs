//! The buffer of lines that wait to be written.
//!
//! A line is to become an entry of its own if journald would split it, read a priority in it, or
//! strip what is at its end. The buffer has two states:
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
};
use libsystemd_safe::journal::Priority;
use std::{collections::VecDeque, io, mem};

/// Bytes of lines from which on the buffer is full. Many short lines share the cost of a write.
const FULL: usize = 64 * 1024;

/// The longest line: each byte of a datagram and of its sender's name becomes an escape of four.
const LONGEST: usize = 4 * MAX_LENGTH + 1024;

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

/// A line that is to become an entry.
struct Entry {
    start: usize,
    priority: Priority,
    id: Option<MessageId>,
}

/// The fields of the next line or entry.
pub struct Fields<'a> {
    /// The field `MESSAGE=`.
    pub message: &'a [u8],
    /// The priority, `0` to `7`.
    pub priority: u8,
    /// The field `MESSAGE_ID=`.
    pub id: Option<MessageId>,
    /// The length of the line or entry in the buffer.
    pub length: usize,
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
            self.entries.push_back(Entry { start, priority, id });
        }
        self.has_grown |= self.bytes.len() >= FULL;
        self.bytes.len() - start
    }

    /// Returns what is to be written next.
    pub fn next(&self) -> Pending {
        if self.written == self.bytes.len() {
            Pending::Nothing
        } else if self.entries.front().is_some_and(|entry| entry.start == self.written) {
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

    /// Returns the fields of the next line or entry. The message of a line is copied to `copy`.
    pub fn fields<'a>(&'a self, copy: &'a mut Vec<u8>) -> Fields<'a> {
        let rest = &self.bytes[self.written..];
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let (message, priority, id) = match (self.entries.front(), &rest[..end]) {
            (Some(entry), field) if entry.start == self.written => {
                (field, entry.priority as u8, entry.id)
            }
            (_, [b'<', digit @ b'0'..=b'7', b'>', text @ ..]) => {
                copy.clear();
                copy.extend_from_slice(MESSAGE_FIELD);
                copy.extend_from_slice(text);
                (&copy[..], digit - b'0', None)
            }
            (_, text) => (text, Priority::Notice as u8, None),
        };
        Fields { message, priority, id, length: end + 1 }
    }

    /// Counts the next line or entry as sent.
    pub fn sent(&mut self, length: usize) {
        self.take_entry();
        self.advance(length);
    }

    /// Returns the next entry, and forgets that it is one. Returns `None` if the next one is a line.
    fn take_entry(&mut self) -> Option<Entry> {
        let is_next = self.entries.front().is_some_and(|entry| entry.start == self.written);
        if is_next { self.entries.pop_front() } else { None }
    }

    /// Makes lines of the next entry, which journald does not split and in which it finds no
    /// priority. Does nothing if the next one is a line.
    pub fn split(&mut self) {
        let Some(Entry { start, priority, .. }) = self.take_entry() else { return };
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
        let (old, new) = (MESSAGE_FIELD.len() + length, lines.len());
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
