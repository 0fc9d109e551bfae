//! foo under a real systemd: Debian 12 and 13 booted in containers, with the original's pair of units
//! and with ours, on the programs and units that `make install` installs.
//!
//! Every test boots a container of its own, which takes about a third of a second, and leaves nothing
//! behind. The two Debians are made with mmdebstrap when they are missing, and kept in `target/roots`;
//! remove them there to have them made anew. `FOO_UNDER_TEST` and `FOOCL_UNDER_TEST` name other programs
//! to put in the place of ours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is how a test fails")]

mod container;
mod faults;
mod host;
mod journal;
mod lifecycle;
mod load;
mod network;
mod privilege;
mod recipes;
mod results;
mod sending;
mod stage;
mod starting;
mod suite;

use container::Container;
use libtest_mimic::{Arguments, Failed, Trial};
use stage::Stage;
use stage::Units::{self, Original, Ours};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use suite::Suite;

/// The releases of Debian that every case runs on, and in a soak two more.
static SUITES: [Suite; 4] = [
    Suite::new("bookworm", "Debian 12", false),
    Suite::new("trixie", "Debian 13", false),
    Suite::new("sid", "Debian sid", true),
    Suite::new("bullseye", "Debian 11", true).with_build(),
];

/// A case: its name, the pairs of units it is about, and what it does in a fresh container.
type Case = (&'static str, &'static [Units], fn(&mut Container));

/// Cases named after their functions.
macro_rules! cases {
    ($($module:ident::$case:ident: $($units:ident)+;)*) => {
        &[$((stringify!($case), &[$($units),+], $module::$case)),*]
    };
}

const CASES: &[Case] = cases! {
    starting::starting_the_socket_starts_both: Original Ours;
    starting::starting_the_service_starts_both: Ours;
    starting::starting_the_service_alone_fails_as_it_did: Original;
    starting::the_start_up_lines_stand_in_the_journal: Original Ours;
    starting::stopping_the_socket_stops_both: Original Ours;
    starting::stopping_the_service_stops_both: Ours;
    starting::reloading_keeps_the_process: Original Ours;
    starting::restarting_starts_another_process: Original Ours;
    starting::restarting_keeps_the_socket: Ours;
    starting::enabled_it_is_up_after_a_boot: Ours;
    starting::systemd_analyze_finds_no_fault: Ours;
    starting::the_status_counts_messages_and_bytes: Original Ours;
    sending::foocl_is_named_by_its_socket: Original Ours;
    sending::socat_is_unnamed: Original Ours;
    sending::socat_with_a_socket_is_named_by_it: Original Ours;
    sending::a_sender_with_an_abstract_name_is_named: Original Ours;
    sending::what_logger_sends_is_text_like_any_other: Original Ours;
    sending::a_newline_makes_no_second_entry: Original Ours;
    sending::a_datagram_longer_than_a_line_is_one_entry: Original Ours;
    sending::a_long_datagram_of_binary_bytes_is_one_entry: Original Ours;
    lifecycle::restarts_lose_nothing: Ours;
    lifecycle::try_restarts_lose_nothing: Ours;
    lifecycle::reloads_lose_nothing: Ours;
    lifecycle::a_daemon_reload_loses_nothing: Ours;
    lifecycle::a_daemon_reexec_loses_nothing: Ours;
    lifecycle::a_killed_daemon_loses_a_batch_at_most: Ours;
    lifecycle::stopping_the_service_logs_what_was_accepted: Ours;
    lifecycle::stopping_the_socket_logs_what_was_accepted: Ours;
    lifecycle::a_burst_is_whole: Ours;
    faults::a_broken_program_loses_nothing: Ours;
    faults::a_stuck_daemon_is_restarted: Ours;
    faults::a_restarted_journal: Ours;
    faults::a_killed_journal: Ours;
    faults::a_frozen_journal: Ours;
    faults::a_stopped_journal: Ours;
    faults::a_full_disk: Ours;
    faults::too_few_descriptors: Ours;
    faults::too_little_address_space: Ours;
    faults::little_address_space_is_enough: Ours;
    privilege::the_exposure_is_low: Ours;
    privilege::with_a_root_of_its_own_the_exposure_is_lower: Ours;
    privilege::anybody_may_send: Ours;
    privilege::only_a_group_may_send: Ours;
    recipes::at_another_path: Ours;
    recipes::at_several_sockets: Ours;
    recipes::a_second_foo: Ours;
    recipes::in_a_journal_of_its_own: Ours;
    recipes::to_a_file: Ours;
    network::all_reach_another_machine: Ours;
};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They wait more than they compute; but in a soak nothing is to disturb another.
    let processors = thread::available_parallelism().map_or(1, usize::from);
    arguments.test_threads.get_or_insert(if host::soaks() { 1 } else { 2 * processors });
    let suites: Vec<_> = SUITES.iter().filter(|suite| host::soaks() || !suite.soak).collect();
    let list = arguments.list;
    let stage =
        if list { Err(String::new()) } else { host::can_boot().map(|()| Arc::new(Stage::new("host", None))) };
    // Whatever has to be made first is made for all releases at once.
    let trials = thread::scope(|scope| {
        let trials = suites.iter().map(|&suite| {
            let stage = stage.clone();
            scope.spawn(move || trials(suite, stage.and_then(|stage| suite.prepare(stage)), list))
        });
        let trials: Vec<_> = trials.collect();
        trials.into_iter().flat_map(|suite| suite.join().expect("the tests of a release")).collect()
    });
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !list {
        let columns: Vec<_> = suites.iter().map(|suite| (suite.name, suite.systemd())).collect();
        results::print(&columns);
        let summaries: Vec<_> = suites.iter().map(|suite| suite.summary()).collect();
        println!("booted: {}\n", summaries.join("; "));
    }
    drop(stage);
    conclusion.exit_code()
}

/// The tests on one release. Where they cannot run they are skipped, which is said, or fail for that
/// reason, where all must run.
fn trials(suite: &'static Suite, ready: Result<Arc<Stage>, String>, list: bool) -> Vec<Trial> {
    let skip = !list && ready.is_err() && !host::must_run();
    let mut trials = Vec::new();
    for &(case, pairs, run_case) in CASES {
        for &units in pairs {
            let name = format!("{}::{}::{case}", suite.name, units.name());
            let ready = ready.clone();
            let trial = Trial::test(name, move || run(suite, units, &*ready?, case, run_case));
            trials.push(trial.with_ignored_flag(skip));
        }
    }
    if let (true, Err(reason)) = (skip, &ready) {
        host::say(&format!("skipped: {} tests on {}: {reason}", trials.len(), suite.debian));
    }
    trials
}

/// Runs one case in a container of its own. If it fails, what the container looks like is told too.
fn run(
    suite: &'static Suite,
    units: Units,
    stage: &Stage,
    name: &'static str,
    case: fn(&mut Container),
) -> Result<(), Failed> {
    let mut container = suite.boot(stage, units)?;
    let result = panic::catch_unwind(AssertUnwindSafe(|| case(&mut container)));
    let told = container.told();
    if !told.is_empty() {
        results::keep(name, suite.name, told);
    }
    result.map_err(|panic| {
        let reason = panic.downcast_ref::<String>().map(String::as_str);
        let reason = reason.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
        format!("{reason}\n{}", container.report()).into()
    })
}
