//! The programs foo(8) and foocl(1). A library for services of your own is libsystemd-safe.

#![deny(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![deny(clippy::print_stderr, clippy::print_stdout)]

pub mod cli;
pub mod client;
pub mod daemon;
