//! Every order of events around the log, tried on the daemon's own state machine: a simulated
//! kernel, journald and service manager carry out what it decides.
//!
//! A state is foo, its stream and queue, and journald. From each state, either foo takes one step,
//! which is one system call, or one of the events happens. The search visits each state once and
//! counts the orders of events that lead through it. [`World::check_end`] states the promises; a
//! broken one prints the events that lead to it.

#[path = "../../src"]
mod daemon {
    #[path = "daemon/blocked.rs"]
    #[allow(dead_code, reason = "the daemon uses all of it")]
    pub mod blocked;
    #[path = "daemon/journal"]
    pub mod journal {
        pub mod machine;
        pub mod unread;
    }
}
mod search;
mod world;

use daemon::blocked::Blocked;
use daemon::journal::machine::{Action, Machine, Outcome, Pending};
use daemon::journal::unread::Unread;
use libtest_mimic::{Arguments, Failed, Trial};
use search::search;
use std::env;
use std::panic;
use std::process::ExitCode;
use std::time::Instant;
use world::{Event, Event::*, World};

/// Events that each search has: messages come, and journald reads.
const TRAFFIC: [Event; 4] = [Line, Entry, ReadStream, ReadQueue];

/// Whether a stream survives a stop of journald, as it does from systemd 253 on.
#[derive(Clone, Copy)]
enum Streams {
    Survive,
    Die,
}

/// A search: its name, the events besides [`TRAFFIC`], and what becomes of streams.
type Search = (&'static str, &'static [Event], Streams);

const SEARCHES: [Search; 9] = [
    ("journald_is_stopped_up_to_252", &[Stop, Empty, Close, Start], Streams::Die),
    ("journald_is_stopped_from_253_on", &[Stop, Empty, Close, Start], Streams::Survive),
    ("journald_is_killed", &[Kill, Start, Wait], Streams::Die),
    ("the_queue_is_missing", &[Hide, Show, Wait], Streams::Survive),
    ("the_queue_is_missing_after_an_entry", &[HideInSend, Show, Wait], Streams::Survive),
    ("the_queue_is_missing_and_journald_stops", &[Hide, Show, Stop, Start, Wait], Streams::Survive),
    ("foo_is_stopped", &[StopFoo, Wait, Kill, Start], Streams::Die),
    ("foo_and_journald_are_stopped", &[StopFoo, Stop, Empty, Close, Start, Wait], Streams::Survive),
    ("an_entry_fails", &[FailSend, InterruptSend, Kill, Start], Streams::Die),
];

/// An entry, and as many lines behind it in the queue as an entry can have; and the search from there.
const FLOW: &[Event] = &[Entry, Line, ReadQueue, Line, ReadQueue, Line, ReadQueue, Line, ReadQueue];
const AFTER_FLOW: Search = ("lines_follow_an_entry", &[Kill, Start, StopFoo], Streams::Die);

/// How many events happen in each search. A soak tries longer orders, which takes minutes.
fn length() -> usize {
    if env::var_os("FOO_SOAK").is_some_and(|value| !value.is_empty()) { 10 } else { 7 }
}

fn main() -> ExitCode {
    let trial = |&(name, events, streams): &Search, begin: &'static [Event]| {
        Trial::test(name, move || {
            let events = [&TRAFFIC, events].concat();
            let world = World::new(matches!(streams, Streams::Survive)).after(begin);
            let found = panic::catch_unwind(|| search(world, &events, length()));
            let found = found.map_err(|_| Failed::without_message())?;
            println!("{name}: {} orders of {} events", found.orders, length());
            println!("{name}: {} different states", found.states);
            Ok(())
        })
    };
    let case = |name, case: fn()| {
        Trial::test(name, move || {
            case();
            Ok(())
        })
    };
    let cases = [
        case("a_thousand_entries", a_thousand_entries),
        case("a_queue_that_refuses", a_queue_that_refuses),
        case("what_is_unread", what_is_unread),
    ];
    let searches = SEARCHES.iter().map(|search| trial(search, &[]));
    let trials = searches.chain([trial(&AFTER_FLOW, FLOW)]).chain(cases).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Lets a machine decide what to do with entries, without an end, until it waits or makes lines of one.
/// Returns that action; `None` if it goes on and on. `outcome` says what comes of an action.
fn with_entries(
    machine: &mut Machine,
    now: Instant,
    mut outcome: impl FnMut(Action) -> Outcome,
) -> Option<Action> {
    machine.begin();
    (0..10_000).find_map(|_| {
        let action = machine.next(Pending::Entry, now);
        machine.observe(action, outcome(action), now);
        matches!(action, Action::Wait(_) | Action::Split).then_some(action)
    })
}

/// After a thousand entries foo waits until they are confirmed, and then goes on.
fn a_thousand_entries() {
    let (mut machine, now) = (Machine::new(false), Instant::now());
    let sent = [false, true, false].map(|is_read| {
        let mut sent = 0;
        with_entries(&mut machine, now, |action| match action {
            Action::AskMark | Action::AskStream => Outcome::Unread(usize::from(!is_read)),
            action => {
                sent += usize::from(matches!(action, Action::Send { .. }));
                Outcome::OK
            }
        });
        sent
    });
    assert_eq!(sent, [1000, 1000, 0]);
}

/// A queue that can be connected to, but takes no more entries, does not make foo spin. At the end the
/// next entry becomes lines.
fn a_queue_that_refuses() {
    let (mut machine, now, mut sent) = (Machine::new(false), Instant::now(), 0);
    let mut ends_with = |machine: &mut Machine| {
        with_entries(machine, now, |action| match action {
            Action::Send { .. } | Action::SendReport(_) => {
                sent += 1;
                if sent > 1 { Outcome::Closed } else { Outcome::OK }
            }
            Action::AskMark | Action::AskStream => Outcome::Unread(0),
            _ => Outcome::OK,
        })
    };
    let waits = Some(Action::Wait(Blocked::Gone));
    assert_eq!([(); 3].map(|()| ends_with(&mut machine)), [waits; 3]);
    machine.give_up_order();
    assert_eq!(ends_with(&mut machine), Some(Action::Split));
}

/// What journald may not have read is never too little, little more than it is, and takes up little
/// memory.
fn what_is_unread() {
    const WRITES: usize = 20_000;
    // Bytes that the kernel counts, and lines.
    let writes: Vec<_> =
        (0..WRITES).map(|number| (256 + number * 7919 % 3000, number % 5)).collect();
    let mut unread = Unread::default();
    writes.iter().for_each(|&(bytes, lines)| unread.push(bytes, lines));
    let parts = format!("{unread:?}").matches("Write").count();
    assert!(parts < WRITES / 10, "{parts} parts");
    let (mut memory, mut lines) =
        writes.iter().fold((0, 0), |sum, write| (sum.0 + write.0, sum.1 + write.1));
    assert_eq!(unread.lines(), lines);
    let slack = WRITES * 4 / 50;
    for read in writes.chunks(7) {
        for (bytes, count) in read {
            (memory, lines) = (memory - bytes, lines - count);
        }
        unread.trim(memory);
        let known = unread.lines();
        assert!((lines..lines + slack).contains(&known), "{known} lines, {lines} are unread");
    }
    assert!(unread.is_empty());
}
