//! What foo does next at the journal, decided from its state and from what it has observed. This
//! module makes no system call: `Journal` carries out each [`Action`] and reports its [`Outcome`].
//! So tests/simulation.rs can try every order of events.
//!
//! journald reads the stream of lines and the queue of entries in no defined order. [`Way`] is the
//! one that messages take now, and what may be unconfirmed on the other. Only `observe` changes it.
//! The facts about journald on which this relies stand at the head of the module `journal`.

#![forbid(unsafe_code)]

use super::unread::Unread;
use crate::daemon::blocked::{Blocked, UNREAD_MAX, UNREAD_MIN};
use std::{
    mem,
    time::{Duration, Instant},
};

/// Longest time that an entry waits for a missing queue. It covers a restart of journald. After
/// that it becomes lines.
const MISSING_TIMEOUT: Duration = Duration::from_secs(2);

/// Most entries without a confirmation. Without a bound, a journald that is stopped would make foo
/// report all entries since the last confirmation as lost.
const ENTRIES_MAX: usize = 1000;

/// Most lines in a row that are sent as entries. An entry costs ten times as much as a line, so after
/// that foo waits once until journald has read the queue.
const LINES_MAX: usize = 4;

/// Written lines from which on the stream is asked what journald has read. Fewer cost more to ask
/// about than to report as lost.
const UNREAD_LINES: usize = 8;

/// What is to be written next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pending {
    /// Lines, which may go either way.
    Lines,
    /// The rest of a line that the stream took in part.
    RestOfLine,
    /// An entry, which may not go to the stream.
    Entry,
    /// Nothing now.
    Nothing,
    /// Nothing any more: all that was written is to be confirmed.
    End,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Write lines to the stream, up to the next entry.
    WriteLines,
    /// Write an empty line to the stream. Once it is read, journald reads again.
    WriteEmptyLine,
    /// Write a line to the stream that reports this number of lost lines.
    Report(usize),
    /// Send an entry to the queue that reports this number of lost lines. It can carry a
    /// `MESSAGE_ID=`.
    SendReport(usize),
    /// Replace the stream, which journald has dropped.
    Reopen,
    /// Ask how many bytes of the stream are unread, and whether journald has dropped it.
    AskStream,
    /// Connect to the queue.
    Connect,
    /// Send the next line or entry to the queue as an entry.
    Send { is_line: bool },
    /// Make lines of the next entry.
    Split,
    /// Send a mark to the queue. Once it is read, all entries before it are.
    Mark,
    /// Ask whether the mark is unread.
    AskMark,
    /// Ask whether the queue is still the one to which entries were sent.
    AskOpen,
    /// Ask whether the queue exists.
    AskQueue,
    /// Wait for this, and try again.
    Wait(Blocked),
    /// There is nothing left to do.
    Done,
}

/// What came of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded. For a write, this number of bytes and of lines were written.
    Done { bytes: usize, lines: usize },
    /// This number of bytes is unread.
    Unread(usize),
    /// There is no room now.
    Full,
    /// There is no queue.
    Missing,
    /// journald has closed the stream or the queue, and what was in it is lost.
    Closed,
    /// It failed, and would fail again.
    Failed,
}

impl Outcome {
    /// The success of an action that writes no lines.
    pub const OK: Self = Self::Done { bytes: 0, lines: 0 };
}

/// The way that messages take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Way {
    /// Lines go to the stream. No entry is unconfirmed.
    Lines,
    /// Everything goes to the queue, so that nothing waits: the queue may hold `unmarked` entries,
    /// and `marked` ones before a mark. `read` others are as in [`Way::Read`]. A report counts as the
    /// lines that it reports, since they are lost with it.
    Entries { unmarked: usize, marked: usize, read: usize },
    /// Lines go to the stream. `0` entries were read, by journald or by the service manager, which
    /// empties the queue before it stops it. An empty line follows them on the stream. They are
    /// confirmed if the queue is still open when that line is read.
    Read(usize),
}

/// What was asked since the last `begin`. Nothing is asked twice without a wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Asked {
    stream: bool,
    mark: bool,
    marking: bool,
    queue: bool,
    report: bool,
    report_entry: bool,
    reopened: bool,
    /// Whether the queue refused an entry or a report.
    refused: bool,
    /// Why no more can be written before the next `begin`.
    blocked: Option<Blocked>,
}

/// The state of foo's stream and queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Machine {
    way: Way,
    /// What journald may not have read of the stream.
    unread: Unread,
    /// Whether journald has dropped the stream.
    is_closed: bool,
    /// Whether an empty line must follow entries that were read.
    needs_empty_line: bool,
    /// Whether the stream was read to its end after that line, so that the queue shows who read.
    is_line_read: bool,
    /// Whether the next lines take the stream in any case: they were an entry that can't be sent.
    is_split: bool,
    /// Lines that were sent as entries since the last entry that is none.
    lines_sent: usize,
    /// Lines and entries that may have been lost, and are not reported yet.
    lost: usize,
    /// Whether lines and entries wait for each other. Never set again once it is false.
    in_order: bool,
    /// Since when an entry has waited for a missing queue.
    missing_since: Option<Instant>,
    /// The next delay before journald is asked again what it has read.
    delay: Duration,
    asked: Asked,
}

impl Machine {
    /// Returns the state of a stream that nothing was written to. Without a stream, `is_closed`.
    pub fn new(is_closed: bool) -> Self {
        Self {
            way: Way::Lines,
            unread: Unread::default(),
            is_closed,
            needs_empty_line: false,
            is_line_read: false,
            is_split: false,
            lines_sent: 0,
            lost: 0,
            in_order: true,
            missing_since: None,
            delay: UNREAD_MIN,
            asked: Asked::default(),
        }
    }

    /// Begins another try, after a wait or with new lines.
    pub fn begin(&mut self) {
        self.asked = Asked::default();
    }

    /// Stops lines and entries from waiting for each other, and entries for a full or missing
    /// queue. Returns whether they waited until now.
    pub fn give_up_order(&mut self) -> bool {
        mem::take(&mut self.in_order)
    }

    /// Returns how many lines and entries journald may not have read.
    pub fn unconfirmed(&self) -> usize {
        let entries = match self.way {
            Way::Lines => 0,
            Way::Entries { unmarked, marked, read } => unmarked + marked + read,
            Way::Read(read) => read,
        };
        self.unread.lines() + entries
    }

    /// Returns how many lines and entries may have been lost, and are not reported yet.
    pub fn lost(&self) -> usize {
        self.lost
    }

    /// Returns what to do next.
    pub fn next(&self, pending: Pending, now: Instant) -> Action {
        if self.is_closed {
            return if self.asked.reopened { Action::Wait(Blocked::Gone) } else { Action::Reopen };
        }
        if let Some(blocked) = self.asked.blocked {
            return Action::Wait(blocked);
        }
        if pending == Pending::RestOfLine {
            return Action::WriteLines;
        }
        if self.lost > 0 && !self.asked.report {
            return self.next_report();
        }
        if self.missing_since.is_some() && !self.asked.queue {
            return Action::AskQueue;
        }
        if self.needs_empty_line {
            return Action::WriteEmptyLine;
        }
        if self.is_line_read {
            return Action::AskOpen;
        }
        if self.is_split && pending == Pending::Entry {
            return Action::Split;
        }
        match self.way {
            Way::Lines | Way::Read(_) => self.next_of_lines(pending, now),
            Way::Entries { unmarked, marked, read } => {
                self.next_of_entries(pending, now, unmarked, marked, read)
            }
        }
    }

    /// A report is an entry if the queue takes it now, and no line before it is unread.
    fn next_report(&self) -> Action {
        let is_line = self.asked.report_entry || self.missing_since.is_some();
        match self.way {
            Way::Lines if !is_line && self.unread.is_empty() => Action::Connect,
            Way::Entries { .. } if !is_line && self.unread.is_empty() => {
                Action::SendReport(self.lost)
            }
            _ => Action::Report(self.lost),
        }
    }

    fn next_of_lines(&self, pending: Pending, now: Instant) -> Action {
        let ask = match pending {
            Pending::Entry | Pending::End => {
                !self.unread.is_empty() || self.missing_since.is_some()
            }
            _ => self.unread.lines() >= UNREAD_LINES,
        };
        if !self.asked.stream && (ask || self.way != Way::Lines) {
            return Action::AskStream;
        }
        match pending {
            Pending::Entry if self.in_order && !self.unread.is_empty() => self.wait_until_read(),
            Pending::Entry if self.has_waited(now) => Action::Split,
            Pending::Entry if self.missing_since.is_some() && self.asked.queue => {
                Action::Wait(Blocked::Gone)
            }
            Pending::Entry => Action::Connect,
            Pending::End if !self.unread.is_empty() => self.wait_until_read(),
            Pending::Nothing | Pending::End => Action::Done,
            Pending::Lines | Pending::RestOfLine => Action::WriteLines,
        }
    }

    fn next_of_entries(
        &self,
        pending: Pending,
        now: Instant,
        unmarked: usize,
        marked: usize,
        read: usize,
    ) -> Action {
        if marked > 0 && !self.asked.mark {
            return Action::AskMark;
        }
        let wants_stream = read > 0 || pending == Pending::End || self.missing_since.is_some();
        if wants_stream && !self.asked.stream {
            return Action::AskStream;
        }
        // Entries are confirmed in turns, so a mark is sent behind those of the last turn.
        let may_mark = marked == 0 && unmarked > 0 && !self.asked.marking;
        let is_read = unmarked + marked == 0;
        let is_line = pending == Pending::Lines;
        let has_enough = is_line && self.in_order && self.lines_sent >= LINES_MAX;
        match pending {
            Pending::Nothing | Pending::End if may_mark => Action::Mark,
            Pending::Nothing => Action::Done,
            Pending::End if is_read && self.unread.is_empty() && read == 0 => Action::Done,
            Pending::End => self.wait_until_read(),
            // Without the order, lines that found no room in the queue do not wait for it.
            _ if is_line && (is_read || (self.is_split && !self.in_order)) => Action::WriteLines,
            _ if self.is_split || has_enough || unmarked + marked + read >= ENTRIES_MAX => {
                if may_mark {
                    Action::Mark
                } else {
                    self.wait_until_read()
                }
            }
            _ if self.has_waited(now) => Action::Split,
            _ if self.missing_since.is_some() && self.asked.queue => Action::Wait(Blocked::Gone),
            _ => Action::Send { is_line },
        }
    }

    /// Returns whether an entry has waited long enough for a missing queue.
    fn has_waited(&self, now: Instant) -> bool {
        let waits =
            |since| !self.in_order || now.saturating_duration_since(since) >= MISSING_TIMEOUT;
        self.missing_since.is_some_and(waits)
    }

    fn wait_until_read(&self) -> Action {
        Action::Wait(Blocked::Unread(self.delay))
    }

    /// Takes note of what came of an action.
    pub fn observe(&mut self, action: Action, outcome: Outcome, now: Instant) {
        use Action::*;
        match (action, outcome) {
            (WriteLines, Outcome::Done { bytes, lines }) => {
                self.unread.push(bytes, lines);
                self.has_progress();
                if let Way::Entries { unmarked: 0, marked: 0, read } = self.way {
                    self.way = if read > 0 { Way::Read(read) } else { Way::Lines };
                }
                self.is_split = false;
            }
            (WriteEmptyLine, Outcome::Done { bytes, .. }) => {
                self.unread.push(bytes, 0);
                self.needs_empty_line = false;
            }
            (Report(count), Outcome::Done { bytes, .. }) => {
                // If the report is lost too, the next one includes its count.
                self.unread.push(bytes, count);
                self.lost -= count;
            }
            (Report(_), Outcome::Full) => self.asked.report = true,
            (SendReport(count), Outcome::Done { .. }) => {
                self.count_sent(count);
                self.lost -= count;
            }
            (SendReport(_), Outcome::Full | Outcome::Failed) => self.asked.report_entry = true,
            (WriteLines | WriteEmptyLine, Outcome::Full) => {
                self.asked.blocked = Some(Blocked::Full);
            }
            (WriteLines | WriteEmptyLine | Report(_) | AskStream, Outcome::Closed) => self.close(),
            (Reopen, Outcome::Done { .. }) => (self.is_closed, self.asked.reopened) = (false, true),
            (Reopen, _) => self.asked.reopened = true,
            (AskStream, Outcome::Unread(bytes)) => {
                self.asked.stream = true;
                self.unread.trim(bytes);
                let has_read = matches!(self.way, Way::Entries { read: 1.., .. } | Way::Read(_));
                self.is_line_read = has_read && self.unread.is_empty();
            }
            (AskOpen, Outcome::Closed) => {
                self.is_line_read = false;
                self.lose_entries();
            }
            (AskOpen, _) => {
                self.is_line_read = false;
                self.way = match self.way {
                    Way::Entries { unmarked: 0, marked: 0, .. } => Way::Lines,
                    Way::Entries { unmarked, marked, .. } => {
                        Way::Entries { unmarked, marked, read: 0 }
                    }
                    Way::Lines | Way::Read(_) => Way::Lines,
                };
            }
            (Connect, Outcome::Done { .. }) => {
                let read = if let Way::Read(read) = self.way { read } else { 0 };
                self.way = Way::Entries { unmarked: 0, marked: 0, read };
            }
            (Send { is_line }, Outcome::Done { .. }) => {
                self.lines_sent = if is_line { LINES_MAX.min(self.lines_sent + 1) } else { 0 };
                self.count_sent(1);
            }
            (Send { .. }, Outcome::Full) if self.in_order => {
                self.asked.blocked = Some(Blocked::QueueFull);
            }
            (Send { .. }, Outcome::Full | Outcome::Failed) => self.is_split = true,
            (Connect | Send { .. } | SendReport(_) | AskQueue, Outcome::Missing) => {
                self.is_missing(now)
            }
            (Send { .. } | SendReport(_), Outcome::Closed) => {
                self.lose_entries();
                // A new connection that is refused as well is as good as none.
                if mem::replace(&mut self.asked.refused, true) {
                    self.is_missing(now);
                }
            }
            (Mark | AskMark, Outcome::Closed) => self.lose_entries(),
            (Split, _) => self.is_split = true,
            (Mark, outcome) => {
                self.asked.marking = true;
                if let (Way::Entries { unmarked, read, .. }, Outcome::Done { .. }) =
                    (self.way, outcome)
                {
                    self.way = Way::Entries { unmarked: 0, marked: unmarked, read };
                }
            }
            (AskMark, Outcome::Unread(bytes)) => self.mark_is_read(bytes == 0),
            (AskQueue, _) => self.missing_since = None,
            _ => {}
        }
        if let Wait(Blocked::Unread(delay)) = action {
            self.delay = (2 * delay).min(UNREAD_MAX);
        }
    }

    /// Counts an entry that stands for this number of them.
    fn count_sent(&mut self, count: usize) {
        if let Way::Entries { unmarked, marked, read } = self.way {
            self.way = Way::Entries { unmarked: unmarked + count, marked, read };
        }
        self.missing_since = None;
        self.has_progress();
    }

    fn mark_is_read(&mut self, is_read: bool) {
        self.asked.mark = true;
        if let (true, Way::Entries { unmarked, marked, read }) = (is_read, self.way) {
            self.way = Way::Entries { unmarked, marked: 0, read: read + marked };
            self.needs_empty_line = true;
            self.has_progress();
        }
    }

    fn is_missing(&mut self, now: Instant) {
        self.asked.queue = true;
        self.missing_since.get_or_insert(now);
    }

    fn has_progress(&mut self) {
        self.delay = UNREAD_MIN;
    }

    /// Counts what was in a stream that journald has dropped as lost. Nothing shows any more who
    /// has read the entries before it. Those in the queue stay there.
    fn close(&mut self) {
        self.is_closed = true;
        self.missing_since = None;
        (self.needs_empty_line, self.is_line_read) = (false, false);
        self.lost += self.unread.clear();
        self.way = match self.way {
            Way::Entries { unmarked, marked, read } => {
                self.lost += read;
                Way::Entries { unmarked, marked, read: 0 }
            }
            Way::Read(read) => {
                self.lost += read;
                Way::Lines
            }
            Way::Lines => Way::Lines,
        };
    }

    /// Counts all entries of a queue that was closed as lost.
    fn lose_entries(&mut self) {
        (self.needs_empty_line, self.is_line_read) = (false, false);
        if let Way::Entries { unmarked, marked, read } = self.way {
            self.lost += unmarked + marked + read;
        } else if let Way::Read(read) = self.way {
            self.lost += read;
        }
        self.way = Way::Lines;
    }
}
