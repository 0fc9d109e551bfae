//! foo(8): writes the datagrams of the sockets that systemd passes to the journal.
//!
//! A datagram passes through `server`, `datagram`, `record`, `lines` and `journal`, in this order.

mod activation;
mod blocked;
mod bounded;
mod catalog;
pub mod cli;
pub mod datagram;
mod escape;
mod journal;
mod limit;
mod lines;
mod log;
mod memory;
mod notifier;
mod plain;
pub mod printable;
pub mod record;
mod server;
mod socket_file;
mod source;
pub mod unit;
pub mod units;
mod wait;

use crate::cli::Parsed;
use libsystemd_safe::daemon::ListenFd;
use std::{env, io};

/// Runs foo with the descriptors that systemd passed. Returns its exit status.
pub fn main(passed: io::Result<Vec<ListenFd>>) -> u8 {
    match cli::parse(env::args_os()) {
        Parsed::Run(options) => server::run(&options, passed),
        Parsed::Exit(status) => status,
    }
}
