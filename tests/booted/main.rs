//! foo under a real systemd: Debian 12 and 13 in booted containers. The cases run on what `make
//! install` installs, on the original's units, and on the package.
//!
//! Each test boots a container of its own, and leaves nothing behind. mmdebstrap makes the Debians
//! in `target/roots` if they are missing; remove them to update them. `FOO_UNDER_TEST` and
//! `FOOCL_UNDER_TEST` name programs to test in place of ours.

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod frame;
mod hostile;
mod lifecycle;
mod network;
mod package;
mod privilege;
mod readme;
mod recipes;
mod sending;
mod slow;
mod starting;
mod wrapper;

use common::caught;
use frame::container::Container;
use frame::stage::Stage;
use frame::stage::Units::{self, Original, Ours, Packaged, Replaced};
use frame::suite::Suite;
use frame::{deb, host, results};
use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

/// The releases that every case runs on. Two of them are for a soak only.
static SUITES: [Suite; 4] = [
    Suite::new("bookworm", "Debian 12", 252, false),
    Suite::new("trixie", "Debian 13", 257, false),
    Suite::new("sid", "Debian sid", 262, true),
    Suite::new("bullseye", "Debian 11", 247, true).with_build(),
];

/// A case: its name, the pairs of units that it runs with, and what it does in a fresh container.
type Case = (&'static str, &'static [Units], fn(&mut Container));

/// Names each case after its function.
macro_rules! cases {
    ($($module:ident::$case:ident: $($units:ident)+;)*) => {
        &[$((stringify!($case), &[$($units),+], $module::$case)),*]
    };
}

const CASES: &[Case] = cases! {
    starting::starting_the_service_starts_both: Ours;
    starting::starting_the_service_alone_fails_as_it_did: Original;
    starting::the_start_up_lines_stand_in_the_journal: Original Ours;
    starting::stopping_the_socket_stops_both: Original Ours;
    starting::stopping_the_service_stops_both: Ours;
    starting::reloading_keeps_the_process: Original Ours;
    starting::restarting_starts_another_process: Original Ours;
    starting::enabled_it_is_up_after_a_boot: Ours;
    starting::systemd_analyze_finds_no_fault: Ours;
    starting::stopping_both_stops_a_socket_that_is_wanted: Ours;
    starting::what_is_sent_at_a_shutdown_is_logged: Ours;
    starting::many_stops_and_starts_fail_neither: Ours;
    sending::a_datagram_of_any_sender_is_one_entry: Original Ours;
    sending::a_datagram_longer_than_a_line_is_one_entry: Original Ours;
    sending::what_clients_meet: Ours;
    lifecycle::restarts_lose_nothing: Ours;
    lifecycle::try_restarts_lose_nothing: Ours;
    lifecycle::reloads_lose_nothing: Ours;
    lifecycle::a_daemon_reload_loses_nothing: Ours;
    lifecycle::a_daemon_reexec_loses_nothing: Ours;
    lifecycle::a_killed_daemon_loses_a_batch_at_most: Ours;
    lifecycle::a_stuck_daemon_is_restarted: Ours;
    lifecycle::stopping_the_service_logs_what_was_accepted: Ours;
    lifecycle::stopping_the_socket_logs_what_was_accepted: Ours;
    lifecycle::restarted_and_stopped_a_killed_daemon_loses_nothing: Ours;
    lifecycle::a_restart_leads_back_from_each_state: Ours;
    lifecycle::a_burst_is_whole: Ours;
    slow::a_stop_with_a_slow_journal_loses_nothing: Ours;
    slow::a_stop_of_a_slow_foo_loses_nothing: Ours;
    slow::a_stop_on_a_slow_machine_loses_nothing: Ours;
    slow::a_stop_that_gives_up_counts_what_is_lost: Ours;
    faults::a_broken_program_loses_nothing: Ours;
    faults::a_restarted_journal: Ours;
    faults::a_killed_journal: Ours;
    faults::a_frozen_journal_holds_nothing_up: Ours;
    faults::a_frozen_journal_does_not_keep_foo_from_stopping: Ours;
    faults::a_stopped_journal: Ours;
    faults::a_start_without_a_journal: Ours;
    faults::a_stopped_journal_and_long_messages: Ours;
    faults::a_restarted_journal_and_long_messages: Ours;
    faults::a_killed_journal_and_long_messages: Ours;
    faults::a_journal_without_its_socket_for_entries: Ours;
    faults::reports_are_explained: Ours;
    faults::a_full_disk: Ours;
    hostile::a_flood_starves_nobody: Ours;
    hostile::a_flood_leaves_the_journal_to_others: Ours;
    hostile::no_cut_forges_a_priority: Ours;
    hostile::a_foo_that_can_not_start_is_quiet: Ours;
    privilege::the_exposure_is_low: Ours;
    privilege::with_a_root_of_its_own_the_exposure_is_lower: Ours;
    privilege::it_runs_in_a_container_without_privilege: Ours;
    privilege::only_a_group_may_send: Ours;
    recipes::at_another_path: Ours;
    recipes::an_edited_socket_is_restarted: Ours;
    recipes::under_another_name_and_facility: Ours;
    recipes::at_several_sockets: Ours;
    recipes::a_second_foo: Ours;
    recipes::in_a_journal_of_its_own: Ours;
    recipes::to_a_file: Ours;
    recipes::to_a_file_on_a_full_disk: Ours;
    recipes::from_a_chroot: Ours;
    recipes::for_a_group_that_comes_later: Ours;
    recipes::with_another_rate: Ours;
    recipes::with_credentials: Ours;
    recipes::a_socket_without_its_file: Ours;
    recipes::with_fields: Ours;
    recipes::with_units: Ours;
    recipes::with_units_of_many_short_lived_senders: Ours;
    network::all_reach_another_machine: Ours;
    package::installed_it_runs: Packaged;
    package::its_autopkgtest_passes: Packaged;
    package::an_upgrade_loses_nothing: Packaged;
    package::upgraded_a_disabled_pair_stays_down: Packaged;
    package::upgraded_a_stopped_pair_stays_down: Packaged;
    package::nothing_starts_where_policy_forbids_it: Packaged;
    package::removed_both_stop: Packaged;
    package::removed_whatever_became_of_its_units: Packaged;
    package::an_upgrade_serves_a_socket_that_was_edited: Packaged;
    package::an_upgrade_that_fails_keeps_the_queue: Packaged;
    package::an_upgrade_of_a_masked_service_says_what_to_do: Packaged;
    package::purged_nothing_is_left: Packaged;
    readme::it_installs: Packaged;
    readme::it_uninstalls: Packaged;
    readme::it_and_the_package_name_each_other: Packaged;
    readme::its_table_of_commands_works: Ours;
    readme::the_first_examples_work: Ours;
    readme::it_replaces_the_original: Original;
    readme::its_package_replaces_the_original: Replaced;
    readme::its_package_replaces_units_in_etc: Replaced;
    wrapper::the_descriptor_store_survives_restarts: Ours;
    wrapper::the_service_manager_knows_what_it_was_told: Ours;
    wrapper::a_service_has_more_time_and_triggers_its_watchdog: Ours;
    wrapper::the_journal_has_each_byte_of_an_entry: Ours;
    wrapper::a_reader_follows_rotations: Ours;
};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // The cases wait more than they compute. In a soak none may disturb another.
    let processors = thread::available_parallelism().map_or(1, usize::from);
    arguments.test_threads.get_or_insert(if host::soaks() { 1 } else { 4 * processors });
    let suites: Vec<_> = SUITES.iter().filter(|suite| host::soaks() || !suite.soak).collect();
    let list = arguments.list;
    let can_boot = if list { Err(String::new()) } else { host::can_boot() };
    let package = can_boot.map(|()| {
        if wants_package(&arguments, &suites) { deb::make() } else { Err(String::new()) }
    });
    // Roots and programs are made for all releases at the same time.
    let trials = thread::scope(|scope| {
        let trials = suites.iter().map(|&suite| {
            let package = package.clone();
            scope.spawn(move || {
                trials(suite, package.and_then(|package| suite.prepare(package)), list)
            })
        });
        let trials: Vec<_> = trials.collect();
        trials.into_iter().flat_map(|suite| suite.join().expect("the tests of a release")).collect()
    });
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !list {
        let columns: Vec<_> = suites.iter().map(|suite| (suite.name, suite.systemd())).collect();
        // A part of the cases, or a failed one, must not replace the results of all.
        let is_whole =
            !conclusion.has_failed() && conclusion.num_ignored + conclusion.num_filtered_out == 0;
        results::report(&columns, host::soaks() && is_whole);
        let summaries: Vec<_> = suites.iter().map(|suite| suite.summary()).collect();
        println!("booted: {}\n", summaries.join("; "));
    }
    conclusion.exit_code()
}

/// Returns each case with each of its pairs of units, and the name of that test.
fn tests(suite: &Suite) -> impl Iterator<Item = (String, Units, &'static Case)> {
    let all = CASES.iter().flat_map(|case| case.1.iter().map(move |&units| (units, case)));
    let all = all.filter(|(units, _)| suite.takes_package() || !units.with_package());
    all.map(|(units, case)| (format!("{}::{}::{}", suite.name, units.name(), case.0), units, case))
}

/// Returns whether any of the chosen tests needs the package, which takes long to build.
fn wants_package(arguments: &Arguments, suites: &[&Suite]) -> bool {
    let is_wanted =
        |name: &str| arguments.filter.as_ref().is_none_or(|filter| name.contains(filter));
    let mut all = suites.iter().flat_map(|suite| tests(suite));
    all.any(|(name, units, _)| units.with_package() && is_wanted(&name))
}

/// Returns the tests on one release. If they can't run, they are skipped and a line says why. If
/// `CI` is set, they fail instead.
fn trials(suite: &'static Suite, ready: Result<Arc<Stage>, String>, list: bool) -> Vec<Trial> {
    let mut skipped: BTreeMap<String, usize> = BTreeMap::new();
    let trial = |(name, units, case): (String, Units, &'static Case)| {
        let ready = ready.clone().and_then(|stage| stage.has(units).map(|()| stage));
        let reason = ready.as_ref().err().filter(|_| !list && !host::must_run());
        let skip = reason.map(|reason| *skipped.entry(reason.clone()).or_default() += 1).is_some();
        Trial::test(name, move || run(suite, units, &*ready?, case)).with_ignored_flag(skip)
    };
    let trials = tests(suite).map(trial).collect();
    // Without a reason, the test was not chosen.
    for (reason, tests) in skipped.iter().filter(|(reason, _)| !reason.is_empty()) {
        host::say(&format!("skipped: {tests} tests on {}: {reason}", suite.debian));
    }
    trials
}

/// Runs a case in a container of its own. If it fails, the error includes the container's state.
fn run(
    suite: &'static Suite,
    units: Units,
    stage: &Stage,
    case: &'static Case,
) -> Result<(), Failed> {
    let (name, _, case) = case;
    let mut container = suite.boot(stage, units)?;
    let result = caught(|| case(&mut container));
    let reported = container.reported();
    if !reported.is_empty() {
        results::keep(name, suite.name, reported);
    }
    result.map_err(|reason| format!("{reason}\n{}", container.state()).into())
}
