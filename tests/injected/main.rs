//! Each system call of the daemon fails with each of its errors, once, twice in a row and, if there
//! is another way to log, from then on. The daemon loses at most the message at hand, does not spin
//! or crash, and reports what an administrator has to know.
//!
//! strace(1) injects the errors. A run without errors lists the calls; a call that is not in the
//! table fails the test.

#[path = "../common/mod.rs"]
mod common;

mod journal;
mod scene;
mod start;
mod stop;
mod table;

use common::{TempDir, can_enter, caught, in_place_of_journald, skip};
use libtest_mimic::{Arguments, Failed, Trial};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use scene::{ALWAYS, Fault, Log, Run};
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::process::ExitCode;
use table::{Outcome, TABLE};

/// Open files that all tests need. A soak needs about four times as many.
const DESCRIPTORS: u64 = 8192;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Tests mostly wait for the status, which comes after a second.
    arguments.test_threads.get_or_insert(24);
    // Each test keeps a few descriptors open to the end, and the usual limit is 1,024.
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    if hard < DESCRIPTORS {
        skip("injected", &format!("needs {DESCRIPTORS} open files: ulimit -Hn"));
        return ExitCode::SUCCESS;
    }
    setrlimit(Resource::RLIMIT_NOFILE, hard.min(8 * DESCRIPTORS), hard).unwrap();
    let trials = if arguments.list { Vec::new() } else { trials() };
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The tests that can run here. The others are reported as skipped.
fn trials() -> Vec<Trial> {
    if !common::have("strace", "strace", "injected") {
        return Vec::new();
    }
    let (mut trials, mut made) = (Vec::new(), BTreeSet::new());
    for log in [Log::Stream, Log::Journal] {
        let directory = TempDir::new();
        let namespace = in_place_of_journald(directory.path());
        if log == Log::Journal && !can_enter(&namespace, "injected::Journal") {
            continue;
        }
        let Run { calls, cut_short, .. } = scene::run(log, &[]);
        let known = |call: &&String| TABLE.iter().any(|row| row.0 == **call);
        let unknown: Vec<_> = calls.keys().filter(|call| !known(call)).cloned().collect();
        trials.push(Trial::test(format!("{log:?}::nothing_fails"), move || {
            if !unknown.is_empty() {
                return Err(format!("not in the table: {unknown:?}").into());
            }
            // Writes to the other log are blocking, so none is partial.
            if cut_short == (log == Log::Journal) {
                Ok(())
            } else {
                Err("no write was partial, or a blocking one was".into())
            }
        }));
        trials.extend(starts(log));
        trials.extend(stops(log));
        made.extend(calls.keys().cloned());
        for &(call, errors, expected) in TABLE {
            let times = calls.get(call).copied().unwrap_or(0);
            for &error in errors {
                for (when, first, last, expected) in cases(log, call, error, times, expected) {
                    let name = format!("{log:?}::{call}::{error}::{when}");
                    let calls = calls.clone();
                    trials.push(Trial::test(name, move || {
                        fails(log, &calls, &[(call, error, first, last)], expected)
                    }));
                }
            }
        }
        if log == Log::Journal {
            let is_idle = |row: &&table::Row| !row.1.is_empty() && !made.contains(row.0);
            let idle: Vec<_> = TABLE.iter().filter(is_idle).map(|row| row.0).collect();
            trials.push(Trial::test("each_row_injects_something", move || match idle[..] {
                [] => Ok(()),
                _ => Err(format!("never called: {idle:?}").into()),
            }));
            // libsystemd takes a socket that is gone since foo saw it for a missing journal.
            let vanishes = [("sendmsg", "ENOENT", 1, 1), ("statx", "ENOENT", 2, 2)];
            trials.push(Trial::test("Journal::the_queue_vanishes", move || {
                fails(log, &calls, &vanishes, Outcome::Doubles)
            }));
        }
    }
    trials
}

/// Fails each call of a start.
fn starts(log: Log) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (call, when) in start::run(log, &[]).calls() {
        let (errors, reasons) = table::at_start(&call);
        for error in errors {
            let (name, call) = (format!("{log:?}::start::{call}::{error}::{when}"), call.clone());
            trials.push(Trial::test(name, move || {
                let check = || {
                    start::run(log, &[(&call, error, when, when)]).assert_ready_or_refused(reasons)
                };
                caught(check).map_err(Failed::from)
            }));
        }
    }
    trials
}

/// Fails what a stop receives with, once and from then on.
fn stops(log: Log) -> impl Iterator<Item = Trial> {
    [("1", 1, false), ("always", ALWAYS, true)].into_iter().map(move |(when, last, gives_up)| {
        Trial::test(format!("{log:?}::stop::recvmmsg::ENOMEM::{when}"), move || {
            caught(|| stop::check(log, &[("recvmmsg", "ENOMEM", 1, last)], gives_up))
                .map_err(Failed::from)
        })
    })
}

/// The cases of an error: the name, the first and the last call that fail, and the outcome.
fn cases(
    log: Log,
    call: &str,
    error: &str,
    times: u64,
    expected: Outcome,
) -> impl Iterator<Item = (String, u64, u64, Outcome)> {
    let once = occurrences(times).into_iter().map(move |at| (at.to_string(), at, at, expected));
    let twice = (times > 1).then(|| ("twice".into(), 1, 2, expected.twice()));
    let is_loss = matches!(expected, Outcome::Loses(_));
    let lasts = log == Log::Journal && times > 0 && !is_loss && table::lasts(call, error);
    once.chain(twice).chain(lasts.then(|| ("always".into(), 1, ALWAYS, expected)))
}

/// Which of the calls fail: in a soak each one, otherwise the first and the last.
fn occurrences(times: u64) -> Vec<u64> {
    let soak = env::var_os("FOO_SOAK").is_some_and(|value| !value.is_empty());
    (1..=times).filter(|&when| soak || when <= 1 || when == times).collect()
}

/// Makes calls fail. The daemon has to do what the table says of the first of them.
fn fails(
    log: Log,
    calls: &BTreeMap<String, u64>,
    faults: &[Fault<'_>],
    expected: Outcome,
) -> Result<(), Failed> {
    let (call, error, first, last) = faults[0];
    let check = || {
        let run = scene::run(log, faults);
        // The number of some calls depends on timing, and so does whether the daemon waits for the
        // journal. The first call of any other kind always happens.
        let may_be_missing = first > 1 || (call == "poll" && matches!(log, Log::Journal));
        assert!(run.injected || may_be_missing, "not injected: {run}");
        run.assert_outcome(if run.injected { expected } else { Outcome::GoesOn });
        // After these an entry is sent again. After others it becomes lines, since it may never be sent.
        let is_sent_again = call == "sendmsg" && ["EINTR", "ECONNREFUSED"].contains(&error);
        assert!(last == ALWAYS || !is_sent_again || !run.is_split, "an entry became lines: {run}");
        // One busy-poll is two calls, and their number depends on timing.
        let looks =
            |calls: &BTreeMap<String, u64>| calls.get("sched_yield").copied().unwrap_or_default();
        let total = |calls: &BTreeMap<String, u64>| calls.values().sum::<u64>() - 2 * looks(calls);
        let (made, usual) = (total(&run.calls), total(calls));
        assert!(made < 2 * usual + 200, "spins: {made} calls instead of {usual}\n{run}");
        assert!(looks(&run.calls) < 100 * usual, "busy-polls without end: {run}");
    };
    caught(check).map_err(Failed::from)
}

impl Run {
    /// Fails unless everything sent is logged, but for what the table allows.
    fn assert_outcome(&self, expected: Outcome) {
        let count = |wanted: &String| {
            self.lines.iter().filter(|line| line.ends_with(wanted.as_str())).count()
        };
        let lost = self.sent.iter().filter(|sent| count(sent) == 0).count();
        let doubled = self.sent.iter().filter(|sent| count(sent) > 1).count();
        let reported = |words: &str| self.lines.iter().any(|line| line.contains(words));
        match expected {
            Outcome::Ends(words) => {
                assert_eq!(self.code, 255, "{self}");
                assert!(reported(words), "no {words:?}: {self}");
                return;
            }
            Outcome::Reports(words) => assert!(reported(words), "no {words:?}: {self}"),
            Outcome::GoesOn | Outcome::Loses(_) | Outcome::Doubles => {}
        }
        assert_eq!(self.code, 0, "{self}");
        let most = match expected {
            Outcome::Loses(most) => most,
            _ => 0,
        };
        assert!(lost <= most, "{lost} lost: {self}");
        assert!(doubled == 0 || expected == Outcome::Doubles, "{doubled} logged twice: {self}");
    }
}
