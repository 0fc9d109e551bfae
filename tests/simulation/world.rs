//! foo's log, the kernel, journald and the service manager, as far as they matter to each other.

use crate::daemon::blocked::Blocked;
use crate::daemon::journal::machine::{Action, Machine, Outcome, Pending};
use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// What can happen to foo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message arrives that is a line, or must be an entry.
    Line,
    Entry,
    /// journald reads half a line, or a datagram.
    ReadStream,
    ReadQueue,
    /// journald ends, and its sockets stay.
    Kill,
    /// journald is stopped, and its sockets are to be stopped.
    Stop,
    /// The service manager empties the queue of a journald that is stopped.
    Empty,
    /// The service manager closes the sockets of a journald that is stopped.
    Close,
    /// journald starts.
    Start,
    /// The file of the queue's socket is gone, or there again.
    Hide,
    Show,
    /// It is gone just after the next entry was sent.
    HideInSend,
    /// More time passes than an entry waits for a queue.
    Wait,
    /// foo is stopped. Once journald makes no progress, it gives up the order.
    StopFoo,
    /// The next entry can't be sent, or the call is interrupted.
    FailSend,
    InterruptSend,
}

/// Most messages that arrive in a search.
const MESSAGES: usize = 4;

/// The room of the stream in writes, and of the queue in datagrams.
const STREAM_ROOM: usize = 2;
const QUEUE_ROOM: usize = 2;

/// What the kernel counts for a write, besides its bytes.
const OVERHEAD: usize = 768;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A message in foo's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Message {
    number: usize,
    is_entry: bool,
    /// Whether the stream has taken its first half.
    is_begun: bool,
}

/// A part of the stream. A line is two halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    FirstHalf,
    SecondHalf(usize),
    EmptyLine,
    Report(usize),
}

/// A datagram of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Datagram {
    Entry(usize),
    Report(usize),
    Mark,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Journald {
    Runs,
    /// It was killed. Its sockets are open.
    Ended,
    /// It was stopped, and its sockets will be. `was_emptied`: its queue was.
    Stopping {
        was_emptied: bool,
    },
    /// Its sockets are closed too.
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Foo {
    /// It may take a step.
    Ready,
    /// It waits for this.
    Waits(Blocked),
    /// Everything is written.
    Rests,
    /// It was stopped, and has ended.
    Ended,
}

/// A fault that the next entry meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Fault {
    None,
    Hide,
    Fail,
    Interrupt,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    machine: Machine,
    foo: Foo,
    /// Whether a flush has begun and not ended.
    in_flush: bool,
    is_stopping: bool,
    gave_up: bool,
    buffer: VecDeque<Message>,
    inbox: VecDeque<Message>,
    arrived: usize,
    /// How many may arrive.
    most: usize,
    /// Writes to the stream that are not read to their end. `None` if journald has dropped it.
    stream: Option<VecDeque<Vec<Part>>>,
    queue: VecDeque<Datagram>,
    /// The queue that there is now, and the one that foo is connected to.
    queue_number: usize,
    connected: Option<usize>,
    is_hidden: bool,
    fault: Fault,
    journald: Journald,
    streams_survive: bool,
    logged: Vec<usize>,
    reported: usize,
    may_double: bool,
    has_failed: bool,
    is_early_split: bool,
    is_late_split: bool,
    /// Whether a stream or a queue was dropped.
    was_dropped: bool,
    waited: u32,
    /// Since when foo has seen that the queue is missing.
    missing_since: Option<u32>,
}

impl World {
    pub fn new(streams_survive: bool) -> Self {
        Self {
            machine: Machine::new(false),
            foo: Foo::Rests,
            in_flush: false,
            is_stopping: false,
            gave_up: false,
            buffer: VecDeque::new(),
            inbox: VecDeque::new(),
            arrived: 0,
            most: MESSAGES,
            stream: Some(VecDeque::new()),
            queue: VecDeque::new(),
            queue_number: 0,
            connected: None,
            is_hidden: false,
            fault: Fault::None,
            journald: Journald::Runs,
            streams_survive,
            logged: Vec::new(),
            reported: 0,
            may_double: false,
            has_failed: false,
            is_early_split: false,
            is_late_split: false,
            was_dropped: false,
            waited: 0,
            missing_since: None,
        }
    }

    /// Returns the world after these events, each with all that foo does then. As many messages as at
    /// the start may follow.
    pub fn after(mut self, events: &[Event]) -> Self {
        self.most = events.len();
        for &event in events {
            assert!(self.happens(event), "{event:?} can't happen");
            while self.can_step() {
                self.step();
            }
        }
        self.most = self.arrived + MESSAGES;
        self
    }

    /// Lets an event happen. Returns whether it can.
    pub fn happens(&mut self, event: Event) -> bool {
        use Event::*;
        let can = match event {
            Line | Entry => self.arrives(event == Entry),
            ReadStream => self.journald == Journald::Runs && self.read_stream(),
            ReadQueue => self.journald == Journald::Runs && self.read_queue(),
            Kill => self.journald == Journald::Runs && self.ends(Journald::Ended, false),
            Stop => {
                let stopping = Journald::Stopping { was_emptied: false };
                self.journald == Journald::Runs && self.ends(stopping, self.streams_survive)
            }
            Empty => {
                let can = self.journald == Journald::Stopping { was_emptied: false };
                if can {
                    self.queue.clear();
                    self.journald = Journald::Stopping { was_emptied: true };
                }
                can
            }
            Close => matches!(self.journald, Journald::Stopping { .. }) && self.close(),
            Start => self.starts(),
            Hide => !std::mem::replace(&mut self.is_hidden, true),
            Show => std::mem::replace(&mut self.is_hidden, false),
            HideInSend => self.sets(Fault::Hide),
            FailSend => self.sets(Fault::Fail),
            InterruptSend => self.sets(Fault::Interrupt),
            Wait => {
                self.waited += 1;
                // foo looks again long before.
                self.waited <= 2 && self.foo != Foo::Ready
            }
            StopFoo => !std::mem::replace(&mut self.is_stopping, true),
        };
        if can && self.foo != Foo::Ended && self.is_woken(event) {
            self.foo = Foo::Ready;
        }
        can
    }

    /// Whether an event lets foo take a step. A retry without one would find nothing new.
    fn is_woken(&self, event: Event) -> bool {
        match self.foo {
            Foo::Rests => matches!(event, Event::Line | Event::Entry | Event::StopFoo),
            _ => true,
        }
    }

    fn sets(&mut self, fault: Fault) -> bool {
        self.fault == Fault::None && {
            self.fault = fault;
            true
        }
    }

    fn arrives(&mut self, is_entry: bool) -> bool {
        let can = self.arrived < self.most && !self.is_stopping;
        if can {
            self.inbox.push_back(Message { number: self.arrived, is_entry, is_begun: false });
            self.arrived += 1;
        }
        can
    }

    fn read_stream(&mut self) -> bool {
        let Some(stream) = &mut self.stream else { return false };
        let Some(write) = stream.front_mut() else { return false };
        match write.remove(0) {
            Part::SecondHalf(number) => self.logged.push(number),
            Part::Report(count) => self.reported += count,
            Part::FirstHalf | Part::EmptyLine => {}
        }
        if write.is_empty() {
            stream.pop_front();
        }
        true
    }

    fn read_queue(&mut self) -> bool {
        match self.queue.pop_front() {
            Some(Datagram::Entry(number)) => self.logged.push(number),
            Some(Datagram::Report(count)) => self.reported += count,
            Some(Datagram::Mark) => {}
            None => return false,
        }
        true
    }

    fn ends(&mut self, journald: Journald, keeps_streams: bool) -> bool {
        self.journald = journald;
        if !keeps_streams {
            self.stream = None;
            self.was_dropped = true;
        }
        true
    }

    fn close(&mut self) -> bool {
        self.journald = Journald::Stopped;
        self.queue.clear();
        self.queue_number += 1;
        self.was_dropped = true;
        true
    }

    fn starts(&mut self) -> bool {
        match self.journald {
            Journald::Runs => return false,
            // A queue that was emptied is closed before.
            Journald::Stopping { was_emptied: true } => return false,
            _ => {}
        }
        self.journald = Journald::Runs;
        true
    }

    fn has_queue(&self) -> bool {
        self.journald != Journald::Stopped
    }

    /// Whether foo can take a step.
    pub fn can_step(&self) -> bool {
        self.foo == Foo::Ready
    }

    /// Lets foo make one system call. Returns which.
    pub fn step(&mut self) -> String {
        if !self.in_flush {
            self.in_flush = true;
            self.machine.begin();
            if self.buffer.is_empty() {
                self.buffer.append(&mut self.inbox);
            }
        }
        let pending = match self.buffer.front() {
            Some(Message { is_begun: true, .. }) => Pending::RestOfLine,
            Some(Message { is_entry: true, .. }) => Pending::Entry,
            Some(_) => Pending::Lines,
            None if self.is_stopping && self.inbox.is_empty() => Pending::End,
            None => Pending::Nothing,
        };
        let now = *START + self.waited * Duration::from_secs(3);
        let action = self.machine.next(pending, now);
        let outcome = self.carry_out(action);
        self.machine.observe(action, outcome, now);
        match action {
            Action::Done => {
                self.in_flush = false;
                self.foo = match (self.inbox.is_empty(), pending) {
                    (true, Pending::End) => Foo::Ended,
                    (true, _) if !self.is_stopping => Foo::Rests,
                    _ => Foo::Ready,
                };
            }
            Action::Wait(blocked) => {
                self.in_flush = false;
                self.foo = Foo::Waits(blocked);
            }
            _ => {}
        }
        if matches!(
            action,
            Action::AskQueue | Action::Connect | Action::Send { .. } | Action::SendReport(_)
        ) {
            match outcome {
                Outcome::Missing => drop(self.missing_since.get_or_insert(self.waited)),
                _ => self.missing_since = None,
            }
        }
        let is_missing_for_long = self.missing_since.is_some_and(|since| self.waited > since);
        let may_split = is_missing_for_long || self.gave_up || self.has_failed;
        self.is_early_split |= action == Action::Split && !may_split;
        self.is_late_split |=
            action == Action::Wait(Blocked::Gone) && is_missing_for_long && self.stream.is_some();
        format!("{action:?} -> {outcome:?}")
    }

    fn carry_out(&mut self, action: Action) -> Outcome {
        match action {
            Action::WriteLines => self.write_lines(),
            Action::WriteEmptyLine => self.write(vec![Part::EmptyLine], 0),
            Action::Report(count) => self.write(vec![Part::Report(count)], 0),
            Action::Reopen if self.journald == Journald::Runs => {
                self.stream = Some(VecDeque::new());
                Outcome::OK
            }
            Action::Reopen => Outcome::Missing,
            Action::AskStream => match &self.stream {
                Some(stream) => {
                    let memory = |write: &Vec<Part>| OVERHEAD + write.len();
                    Outcome::Unread(stream.iter().map(memory).sum())
                }
                None => Outcome::Closed,
            },
            Action::Connect if self.has_queue() && !self.is_hidden => {
                self.connected = Some(self.queue_number);
                Outcome::OK
            }
            Action::AskQueue if self.has_queue() && !self.is_hidden => Outcome::OK,
            Action::Connect | Action::AskQueue => Outcome::Missing,
            Action::Send { .. } => {
                let outcome = self.send(Datagram::Entry(self.buffer[0].number));
                if outcome == Outcome::OK {
                    self.buffer.pop_front();
                }
                outcome
            }
            Action::SendReport(count) => self.send(Datagram::Report(count)),
            Action::Split => {
                let first = self.buffer.front_mut().expect("a message");
                first.is_entry = false;
                Outcome::OK
            }
            Action::Mark | Action::AskOpen if !self.is_connected() => Outcome::Closed,
            Action::Mark | Action::AskOpen if self.queue.len() >= QUEUE_ROOM => Outcome::Full,
            Action::Mark | Action::AskOpen => {
                self.queue.push_back(Datagram::Mark);
                Outcome::OK
            }
            Action::AskMark if !self.is_connected() => Outcome::Closed,
            Action::AskMark => {
                let marks = self.queue.iter().filter(|&&datagram| datagram == Datagram::Mark);
                Outcome::Unread(OVERHEAD * marks.count())
            }
            Action::Wait(_) | Action::Done => Outcome::OK,
        }
    }

    fn is_connected(&self) -> bool {
        self.connected == Some(self.queue_number) && self.has_queue()
    }

    /// Writes to the stream, in one piece.
    fn write(&mut self, parts: Vec<Part>, lines: usize) -> Outcome {
        match &mut self.stream {
            None => Outcome::Closed,
            Some(stream) if stream.len() >= STREAM_ROOM => Outcome::Full,
            Some(stream) => {
                let bytes = parts.len();
                stream.push_back(parts);
                Outcome::Done { bytes, lines }
            }
        }
    }

    /// Writes lines up to the next entry. If the stream is about to be full, only a half of one.
    fn write_lines(&mut self) -> Outcome {
        let lines: Vec<_> = self.buffer.iter().take_while(|message| !message.is_entry).collect();
        let mut parts = Vec::new();
        for line in lines {
            if !line.is_begun {
                parts.push(Part::FirstHalf);
            }
            parts.push(Part::SecondHalf(line.number));
        }
        let room =
            self.stream.as_ref().map_or(0, |stream| STREAM_ROOM.saturating_sub(stream.len()));
        if room == 1 && parts.len() > 1 {
            parts.truncate(1);
        }
        let is_full_line = |part: &&Part| matches!(part, Part::SecondHalf(_));
        let count = parts.iter().filter(is_full_line).count();
        let is_begun = matches!(parts.last(), Some(Part::FirstHalf));
        let outcome = self.write(parts, count);
        match outcome {
            Outcome::Done { .. } => {
                self.buffer.drain(..count);
                if is_begun {
                    self.buffer[0].is_begun = true;
                }
            }
            // What a dropped stream took in part is written again from its start.
            Outcome::Closed => {
                if let Some(first) = self.buffer.front_mut() {
                    first.is_begun = false;
                }
            }
            _ => {}
        }
        outcome
    }

    fn send(&mut self, datagram: Datagram) -> Outcome {
        let fault = std::mem::replace(&mut self.fault, Fault::None);
        match fault {
            Fault::Fail => {
                self.has_failed = true;
                return Outcome::Failed;
            }
            Fault::Interrupt => return Outcome::Full,
            _ if self.is_hidden => return Outcome::Missing,
            _ if !self.is_connected() => {
                return if self.has_queue() { Outcome::Closed } else { Outcome::Missing };
            }
            _ if self.queue.len() >= QUEUE_ROOM => return Outcome::Full,
            _ => {}
        }
        self.queue.push_back(datagram);
        if fault == Fault::Hide {
            self.is_hidden = true;
            self.may_double = true;
            return Outcome::Missing;
        }
        Outcome::OK
    }

    /// Lets things take their course, with a journald that reads, and with one that does not. Fails
    /// if a promise is broken.
    pub fn check_end(&self, path: &[String]) {
        let mut kept = self.clone();
        kept.takes_its_course(path);
        kept.check(0, path);
        let mut stuck = self.clone();
        stuck.stops(path);
        let known = stuck.buffer.len()
            + stuck.inbox.len()
            + stuck.machine.lost()
            + stuck.machine.unconfirmed();
        stuck.happens(Event::Start);
        while stuck.happens(Event::ReadStream) || stuck.happens(Event::ReadQueue) {}
        stuck.check(known, path);
    }

    fn fail(&self, promise: &str, path: &[String]) -> ! {
        panic!("{promise}\n{}\n{self:#?}", path.join("\n"));
    }

    /// journald is there again, and reads everything. foo is stopped, and ends.
    fn takes_its_course(&mut self, path: &[String]) {
        if matches!(self.journald, Journald::Stopping { was_emptied: true }) {
            self.close();
        }
        self.happens(Event::Start);
        self.happens(Event::StopFoo);
        for turn in 0..200 {
            self.happens(Event::Show);
            self.waited += u32::from(turn == 50);
            self.happens(Event::ReadStream);
            self.happens(Event::ReadQueue);
            if self.foo == Foo::Ended {
                return;
            }
            self.foo = Foo::Ready;
            for _ in 0..50 {
                if self.can_step() {
                    self.step();
                }
            }
            if self.can_step() {
                self.fail("foo takes steps without end", path);
            }
        }
        self.fail("foo does not end, although journald reads", path);
    }

    /// foo is stopped, and nothing else happens. It gives up the order, and writes what it can.
    fn stops(&mut self, path: &[String]) {
        self.happens(Event::StopFoo);
        for turn in 0..20 {
            if self.foo == Foo::Ended {
                return;
            }
            if turn == 2 {
                if [(); 2].map(|()| self.machine.give_up_order()) != [true, false] {
                    self.fail("the order is not given up once", path);
                }
                self.gave_up = true;
            }
            self.foo = Foo::Ready;
            for _ in 0..50 {
                if self.can_step() {
                    self.step();
                }
            }
            if self.can_step() {
                self.fail("a stop of foo takes steps without end", path);
            }
        }
        // The server ends the wait. What is left is counted: see contract.
        let has_room = self.stream.as_ref().is_some_and(|stream| stream.len() < STREAM_ROOM);
        if has_room && !self.buffer.is_empty() {
            self.fail("a stop of foo leaves what the stream has room for", path);
        }
    }

    /// Fails if more is lost than was reported, and than foo knows at its end.
    fn check(&self, known: usize, path: &[String]) {
        let mut first = Vec::new();
        for &number in &self.logged {
            if !first.contains(&number) {
                first.push(number);
            }
        }
        let lost = self.arrived - first.len();
        if lost > self.reported + known {
            self.fail(&format!("{lost} lost, {} reported, {known} known", self.reported), path);
        }
        if self.is_early_split {
            self.fail("split without need", path);
        }
        if self.is_late_split {
            self.fail("waited for a queue that has been missing for long", path);
        }
        if first.len() < self.logged.len() && !self.may_double {
            self.fail("logged twice", path);
        }
        if !first.is_sorted() && !self.gave_up && !self.may_double {
            self.fail(&format!("out of order: {first:?}"), path);
        }
        if self.reported > 0 && !self.was_dropped {
            self.fail("reported as lost without a reason", path);
        }
    }
}
