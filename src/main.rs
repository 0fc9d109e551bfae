//! foo(8): writes the datagrams of the sockets that systemd passes to the journal.

#![forbid(unsafe_code)]
#![deny(clippy::print_stderr, clippy::print_stdout)]

use foo::{cli, server};
use std::{env, process::ExitCode};

fn main() -> ExitCode {
    match cli::foo(env::args_os()) {
        Ok(()) => server::run(),
        Err(exit) => exit,
    }
}
