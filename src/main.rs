//! foo(8): writes the datagrams of the sockets that systemd passes to the journal.

#![deny(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![deny(clippy::print_stderr, clippy::print_stdout)]

use foo::{
    cli::{self, Parsed},
    server,
    systemd::daemon,
};
use std::{env, process::ExitCode};

// Links the C compiler's static unwinder instead of libgcc_s, whose loading takes a tenth of foo's
// start.
#[cfg_attr(target_env = "gnu", link(name = "gcc_eh", kind = "static", modifiers = "-bundle"))]
unsafe extern "C" {}

fn main() -> ExitCode {
    match cli::parse_foo(env::args_os()) {
        // SAFETY: the program has opened no descriptor yet, and nothing else in it takes the
        // descriptors that were passed.
        Parsed::Run(options) => server::run(&options, unsafe { daemon::listen_fds_with_names() }),
        Parsed::Exit(status) => status,
    }
}
