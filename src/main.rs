//! foo(8): writes the datagrams of the sockets that systemd passes to the journal.

#![deny(clippy::print_stderr, clippy::print_stdout)]

use foo::{cli, server, systemd::daemon};
use std::{env, process::ExitCode};

// The unwinder of the C compiler's archive, in the place of libgcc_s: to load that is a tenth of foo's start.
#[cfg_attr(
    target_env = "gnu",
    link(name = "gcc_eh", kind = "static", modifiers = "-bundle")
)]
unsafe extern "C" {}

fn main() -> ExitCode {
    match cli::foo(env::args_os()) {
        // SAFETY: the program has opened no descriptor yet, and nothing else in it takes those that were passed.
        Ok(options) => server::run(&options, unsafe { daemon::listen_fds_with_names() }),
        Err(exit) => exit,
    }
}
