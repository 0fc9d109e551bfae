//! The daemon with random environments, descriptors, logs and senders.
//!
//! Each case has a seed. `FOO_CHAOS_SEED` is the first, and the next case has the next number.
//! `FOO_CHAOS_SECONDS` is how long to go on; with 0 seconds only the first case runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/shown.rs"]
mod shown;

mod plan;
mod stage;

use common::daemon::{Daemon, End};
use common::setup::Setup;
use common::{TempDir, caught, eventually};
use nix::sys::signal::Signal::{SIGHUP, SIGTERM};
use plan::{Case, Log, Notify, Outcome};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use shown::{is_printable, shown};
use stage::Target;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, io};

/// A broken promise in a few words, and the details.
type Finding = (&'static str, String);

macro_rules! ensure {
    ($holds:expr, $what:literal, $($detail:tt)+) => {
        if !$holds {
            return Err(($what, format!($($detail)+)));
        }
    };
}

#[test]
fn random_surroundings() {
    let number = |name| env::var(name).ok().map(|value| value.parse::<u64>().expect(name));
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() << 20;
    let seed = number("FOO_CHAOS_SEED").unwrap_or_else(now);
    let end = Instant::now() + Duration::from_secs(number("FOO_CHAOS_SECONDS").unwrap_or(3));
    let mut findings: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut cases = 0;
    while cases == 0 || Instant::now() < end {
        let case = case_of_seed(seed + cases);
        let panicked = |text| Err(("a missing event", text));
        if let Err((what, detail)) = caught(|| run(&case)).unwrap_or_else(panicked) {
            findings.entry(what).or_default().push((seed + cases, case, detail));
        }
        cases += 1;
    }
    let _ = writeln!(
        io::stderr(),
        "chaos: {cases} cases from seed {seed} on, {} findings",
        findings.len()
    );
    let report = findings.iter().map(|(what, found)| {
        let (seed, case, detail) = &found[0];
        let case = format!("{case:?}");
        format!("{what}: {} cases, the first with FOO_CHAOS_SEED={seed} FOO_CHAOS_SECONDS=0:\n{case:.2000}\n{detail:.2000}\n", found.len())
    });
    assert!(findings.is_empty(), "{}", report.collect::<String>());
}

/// The random case that a seed gives.
fn case_of_seed(seed: u64) -> Case {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    plan::case().new_tree(&mut runner).unwrap().current()
}

fn run(case: &Case) -> Result<(), Finding> {
    let dir = TempDir::new();
    let passed =
        case.passed.iter().enumerate().map(|(number, &passed)| stage::pass(passed, number, &dir));
    let (passed, targets): (Vec<_>, Vec<_>) = passed.unzip();
    // Copies, so that the sockets outlive the daemon.
    let shared: Vec<_> = passed.iter().map(|fd| fd.try_clone().unwrap()).collect();
    let daemon = setup(case, Setup::new(passed, dir)).start();
    let outcome = case.outcome();
    let mut expected = Vec::new();
    if outcome == Outcome::Serves {
        wait_until_ready(case, &daemon)?;
        expected = served(case, &daemon, &targets)?;
        if case.reloads {
            daemon.signal(SIGHUP);
        }
        daemon.signal(SIGTERM);
    }
    drop(shared);
    let log = daemon.dir.join("log");
    let (end, written) = {
        // The directory is removed with the daemon.
        let keep = fs::File::open(&log);
        let end = daemon.end();
        (end, keep.ok().map(|mut file| io::read_to_string(&mut file).unwrap_or_default()))
    };
    check_end(case, outcome, &end)?;
    let lines = match case.log {
        Log::Read => end.log.clone(),
        Log::File | Log::Journal => written.unwrap_or_default().lines().map(String::from).collect(),
        _ => return Ok(()),
    };
    check_lines(case, &lines)?;
    // Two sockets are served in any order. Lines that were read from a pipe are checked already.
    let mut received: Vec<_> =
        lines.into_iter().filter(|line| line.starts_with("<5>Received ")).collect();
    if case.log == Log::Read {
        received.clear();
        expected.clear();
    }
    received.sort();
    expected.sort();
    ensure!(received == expected, "lines in a file", "got {received:?}, want {expected:?}");
    Ok(())
}

/// The daemon's environment.
fn setup(case: &Case, mut setup: Setup) -> Setup {
    setup = setup.env("LISTEN_FDNAMES", case.names.join(":"));
    match &case.fault {
        Some((name, Some(value))) => setup = setup.env(name, value),
        Some((name, None)) => setup = setup.unset(name),
        None => {}
    }
    match &case.notify {
        Notify::Path => {}
        Notify::Abstract => setup = setup.abstract_notify(),
        Notify::Nobody => setup = setup.unset("NOTIFY_SOCKET"),
        Notify::Wrong(value) => setup = setup.env("NOTIFY_SOCKET", value),
    }
    for (name, value) in &case.watchdog {
        setup = setup.env(name, value);
    }
    for (number, value) in case.variables.iter().enumerate() {
        let value: Vec<_> = value.iter().copied().filter(|&byte| byte != 0).collect();
        setup = setup.env(format!("RANDOM_{number}"), OsStr::from_bytes(&value));
    }
    stage::log(setup, &case.log)
}

/// Whether the test receives the daemon's notifications.
fn is_heard(case: &Case) -> bool {
    matches!(case.notify, Notify::Path | Notify::Abstract)
}

fn wait_until_ready(case: &Case, daemon: &Daemon) -> Result<(), Finding> {
    if is_heard(case) {
        let note = daemon.notified();
        ensure!(note.has("READY=1"), "not ready", "{:?}", note.text);
    } else {
        let blocks = || u64::from_str_radix(&daemon.proc_text("status", "SigBlk"), 16).unwrap();
        eventually("SIGTERM waits for the loop", || {
            (blocks() & (1 << (SIGTERM as u64 - 1)) != 0).then_some(())
        });
    }
    if case.log == Log::Read {
        while daemon.line() != "<5>File Descriptor names are:" {}
        for name in &case.names {
            let (got, want) = (daemon.line(), format!("<5> {}", shown(name.as_bytes())));
            ensure!(got == want, "a descriptor's name", "got {got:?}, want {want:?}");
        }
    }
    Ok(())
}

/// Sends the messages and returns their expected lines. The daemon may keep no descriptor of a
/// sender.
fn served(case: &Case, daemon: &Daemon, targets: &[Target]) -> Result<Vec<String>, Finding> {
    let before = daemon.descriptors();
    let mut lines = Vec::new();
    for (number, message) in case.messages.iter().enumerate() {
        let target = &targets[message.to % targets.len()];
        let want = stage::send(message, number, target, &daemon.dir);
        if case.log == Log::Read {
            let mut got = daemon.line();
            // Warnings about the environment may come at any time.
            while got.starts_with("<4>") {
                got = daemon.line();
            }
            ensure!(got == want, "a datagram's line", "got {got:?}, want {want:?}");
        }
        lines.push(want);
    }
    if case.log == Log::Read {
        // A notification opens one for a moment.
        eventually("no descriptor stays", || (daemon.descriptors() <= before).then_some(()));
    }
    Ok(lines)
}

fn check_end(case: &Case, outcome: Outcome, end: &End) -> Result<(), Finding> {
    let code = if outcome == Outcome::Serves { 0 } else { 255 };
    ensure!(end.code == code, "exit status", "got {}, want {code}: {:?}", end.code, end.log);
    if is_heard(case) {
        let ready = end.notified("READY=1");
        ensure!(
            !ready || outcome != Outcome::Refuses,
            "ready with a socket that it can't serve",
            "{:?}",
            end.log
        );
        ensure!(end.notified("STOPPING=1"), "STOPPING=1 is missing", "{:?}", end.log);
    }
    Ok(())
}

fn check_lines(case: &Case, lines: &[String]) -> Result<(), Finding> {
    for line in lines {
        let known = ["<3>", "<4>", "<5>", "<6>"].iter().any(|prefix| line.starts_with(prefix));
        ensure!(
            known && line.chars().all(is_printable),
            "a line with an unknown priority or a control character",
            "{line:?}"
        );
    }
    let errors = lines.iter().filter(|line| line.starts_with("<3>")).count();
    let wanted = usize::from(case.outcome() != Outcome::Serves);
    ensure!(errors == wanted, "error lines", "{errors} instead of {wanted}: {lines:?}");
    Ok(())
}
