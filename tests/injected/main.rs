//! Each system call that the daemon makes fails, with each error that it can have, once and twice in a row: nothing is
//! lost but at most the message at hand, nothing spins, nothing crashes, and what matters is reported.
//!
//! strace(1) injects the errors. What calls there are it tells itself, in a run without any: one that is not in the
//! table fails the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

#[path = "../common/mod.rs"]
mod common;

mod journal;
mod scene;
mod start;
mod table;

use common::{caught, skip};
use libtest_mimic::{Arguments, Failed, Trial};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use scene::{Fault, Log, Run};
use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use table::{TABLE, Want};

/// Descriptors that all tests take; a soak takes some four times as many.
const DESCRIPTORS: u64 = 8192;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They wait for the status that is told after a second.
    arguments.test_threads.get_or_insert(24);
    // Each test leaves a few descriptors to the end, and a login has 1,024.
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    if hard < DESCRIPTORS {
        skip(
            "injected",
            &format!("it takes {DESCRIPTORS} open files: ulimit -Hn"),
        );
        return ExitCode::SUCCESS;
    }
    setrlimit(Resource::RLIMIT_NOFILE, hard.min(8 * DESCRIPTORS), hard).unwrap();
    let trials = if arguments.list { Vec::new() } else { trials() };
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The tests that can run here; the others are skipped, which is said.
fn trials() -> Vec<Trial> {
    if !common::have("strace", "strace", "injected") {
        return Vec::new();
    }
    let mut trials = Vec::new();
    for log in [Log::Stream, Log::Journal] {
        if log == Log::Journal && !can_mount() {
            skip(
                "injected::Journal",
                "a journal's place can be taken by root only",
            );
            continue;
        }
        let Run {
            calls, cut_short, ..
        } = scene::run(log, None);
        let known = |call: &&String| TABLE.iter().any(|row| row.0 == **call);
        let unknown: Vec<_> = calls.keys().filter(|call| !known(call)).cloned().collect();
        trials.push(Trial::test(format!("{log:?}::nothing_fails"), move || {
            if !unknown.is_empty() {
                return Err(format!("not in the table: {unknown:?}").into());
            }
            // Those to a stream that may block are short enough.
            if cut_short == (log == Log::Journal) {
                Ok(())
            } else {
                Err("no write was cut short".into())
            }
        }));
        trials.extend(starts(log));
        if log == Log::Journal {
            trials.push(Trial::test("Journal::an_error_is_forgotten", || {
                caught(scene::an_error_is_forgotten).map_err(Failed::from)
            }));
        }
        for &(call, errors, want) in TABLE {
            let times = calls.get(call).copied().unwrap_or(0);
            for &error in errors {
                for when in occurrences(times) {
                    let name = format!("{log:?}::{call}::{error}::{when}");
                    let calls = calls.clone();
                    trials.push(Trial::test(name, move || {
                        fails(log, &calls, (call, error, when, 1), want)
                    }));
                }
                if times > 1 {
                    let (name, calls) = (format!("{log:?}::{call}::{error}::twice"), calls.clone());
                    let want = want.twice(log, call, error);
                    trials.push(Trial::test(name, move || {
                        fails(log, &calls, (call, error, 1, 2), want)
                    }));
                }
            }
        }
    }
    trials
}

/// Each call of a start fails.
fn starts(log: Log) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (call, when) in start::run(log, None).calls() {
        let (errors, reasons) = table::at_start(&call);
        for error in errors {
            let (name, call) = (
                format!("{log:?}::start::{call}::{error}::{when}"),
                call.clone(),
            );
            trials.push(Trial::test(name, move || {
                let check =
                    || start::run(log, Some((&call, error, when, 1))).assert_lawful(reasons);
                caught(check).map_err(Failed::from)
            }));
        }
    }
    trials
}

fn can_mount() -> bool {
    let mounts = Command::new("unshare").args(["--mount", "true"]).output();
    mounts.is_ok_and(|output| output.status.success())
}

/// Which of so many calls fail: each in a soak, else the first and the last ones.
fn occurrences(times: u64) -> Vec<u64> {
    let soak = std::env::var_os("FOO_SOAK").is_some_and(|value| !value.is_empty());
    (1..=times)
        .filter(|&when| soak || when <= 1 || when == times)
        .collect()
}

/// One call fails, and the daemon does what the table wants.
fn fails(
    log: Log,
    calls: &BTreeMap<String, u64>,
    fault: Fault<'_>,
    want: Want,
) -> Result<(), Failed> {
    let check = || {
        let run = scene::run(log, Some(fault));
        // Time decides how often some calls are made, and whether the journal is ever waited for; of the others the
        // first is always made.
        let may_be_missing = fault.2 > 1 || (fault.0 == "poll" && matches!(log, Log::Journal));
        assert!(run.injected || may_be_missing, "not injected: {run}");
        run.assert_went_on(if run.injected { want } else { Want::Nothing });
        // A look for more before it sleeps is two calls, and time decides how often it looks.
        let looks =
            |calls: &BTreeMap<String, u64>| calls.get("sched_yield").copied().unwrap_or_default();
        let total = |calls: &BTreeMap<String, u64>| calls.values().sum::<u64>() - 2 * looks(calls);
        let (made, usual) = (total(&run.calls), total(calls));
        assert!(
            made < 2 * usual + 200,
            "spins: {made} calls instead of {usual}\n{run}"
        );
        assert!(looks(&run.calls) < 100 * usual, "looks without end: {run}");
    };
    caught(check).map_err(Failed::from)
}

impl Run {
    /// Fails unless all that was sent is logged, or what the table allows.
    fn assert_went_on(&self, want: Want) {
        let count = |wanted: &String| {
            self.lines
                .iter()
                .filter(|line| line.ends_with(wanted.as_str()))
                .count()
        };
        let lost = self.sent.iter().filter(|sent| count(sent) == 0).count();
        let doubled = self.sent.iter().filter(|sent| count(sent) > 1).count();
        let told = |words: &str| self.lines.iter().any(|line| line.contains(words));
        match want {
            Want::Ends(words) => {
                assert_eq!(self.code, 255, "{self}");
                assert!(told(words), "no {words:?}: {self}");
                return;
            }
            Want::Told(words) => assert!(told(words), "no {words:?}: {self}"),
            Want::LostAndTold => assert!(
                told("lines before this one were lost"),
                "not reported: {self}"
            ),
            Want::Nothing | Want::Lost(_) | Want::Doubled => {}
        }
        assert_eq!(self.code, 0, "{self}");
        let most = match want {
            Want::Lost(most) => most,
            Want::LostAndTold => self.sent.len(),
            _ => 0,
        };
        assert!(lost <= most, "{lost} lost: {self}");
        assert!(
            doubled == 0 || want == Want::Doubled,
            "{doubled} doubled: {self}"
        );
    }
}
