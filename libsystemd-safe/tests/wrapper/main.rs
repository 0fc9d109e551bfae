//! Each function of the safe wrapper against the real libsystemd.
//!
//! A test that needs an environment or descriptors of its own starts this program again, in the
//! role that
//! `WRAPPER_ROLE` names. So no test changes the environment of a running process.

#[path = "../../../tests/common/mod.rs"]
mod common;

mod convert;
mod damaged;
mod data;
mod follow;
mod id128;
mod is;
mod journal;
mod listen;
#[cfg(any(feature = "log", feature = "tracing"))]
mod logging;
mod manager;
mod notify;
mod open;
mod position;
mod receive;
mod role;
mod state;
mod written;

use libtest_mimic::{Arguments, Trial};
use std::env;
use std::process::ExitCode;

/// Functions with their names.
macro_rules! named {
    ($($(#[$when:meta])? $module:ident::$function:ident;)*) => {
        &[$($(#[$when])? (concat!(stringify!($module), "::", stringify!($function)), $module::$function)),*]
    };
}

const TESTS: &[(&str, fn())] = named! {
    is::each_kind_of_descriptor;
    is::a_unix_address;
    is::an_internet_address;
    is::a_message_queue;
    is::invalid_arguments;
    listen::each_environment;
    listen::a_descriptor_that_the_program_opened;
    listen::only_one_thread_takes_them;
    manager::the_watchdog;
    manager::booted_where_systemd_runs;
    manager::the_library_is_the_one_loaded;
    manager::a_pidfd_has_its_number;
    state::each_assignment;
    state::invalid_assignments;
    state::any_text_is_one_assignment_or_refused;
    state::a_reload_has_a_timestamp;
    notify::each_message_as_it_arrives;
    notify::no_notify_socket;
    notify::an_invalid_address;
    notify::invalid_arguments;
    notify::a_full_queue_is_an_error;
    notify::descriptors_and_their_process;
    notify::a_barrier_waits_for_the_reader;
    notify::a_barrier_times_out;
    journal::each_entry_as_it_arrives;
    journal::each_stream_as_it_arrives;
    journal::without_a_journal;
    journal::invalid_fields;
    journal::priorities;
    journal::an_entry_as_debug_shows_it;
    journal::the_stream_of_the_service;
    #[cfg(feature = "log")]
    logging::each_record_of_a_logger;
    #[cfg(feature = "tracing")]
    logging::each_event_of_a_layer;
    id128::each_text;
    id128::of_the_machine_and_the_boot;
    id128::of_an_invocation;
    open::each_way_to_open;
    open::what_cannot_be_opened;
    position::matches;
    position::positions;
    position::cursors;
    position::without_a_current_entry;
    data::fields_of_any_bytes;
    data::files_of_each_format;
    data::values_of_one_field;
    data::the_catalog;
    data::the_whole_journal;
    follow::each_change;
    follow::a_vacuumed_place;
    follow::only_new_entries;
    follow::rotations_lose_and_double_nothing;
    follow::a_forked_child;
    damaged::truncated_and_foreign_files;
};

const ROLES: &[(&str, fn())] = named! {
    is::has_a_message_queue;
    listen::takes;
    listen::takes_after_a_file;
    listen::takes_after_a_pipe;
    listen::takes_in_threads;
    manager::asks_for_the_watchdog;
    manager::is_booted;
    notify::sends_each;
    notify::sends_descriptors;
    notify::waits;
    notify::tries;
    notify::waits_a_moment;
    journal::sends_each;
    journal::streams;
    journal::has_none;
    journal::asks_for_its_stream;
    #[cfg(feature = "log")]
    logging::logs;
    #[cfg(feature = "tracing")]
    logging::traces;
    id128::prints;
    open::opens;
    follow::forks;
};

fn main() -> ExitCode {
    let Some(wanted) = env::var_os("WRAPPER_ROLE") else {
        let trial = |&(name, test): &(&str, fn())| {
            Trial::test(name, move || {
                test();
                Ok(())
            })
        };
        return libtest_mimic::run(&Arguments::from_args(), TESTS.iter().map(trial).collect())
            .exit_code();
    };
    let (_, role) = ROLES.iter().find(|(name, _)| *name == wanted).expect("a role of ours");
    let environment: Vec<_> = env::vars_os().collect();
    role();
    assert_eq!(env::vars_os().collect::<Vec<_>>(), environment, "the environment has changed");
    ExitCode::SUCCESS
}
