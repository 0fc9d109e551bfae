//! The contract of the daemon, one test a row: what it logs, notifies and answers, seen from
//! outside and without a booted systemd.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

#[path = "../common/mod.rs"]
mod common;

mod calls;
mod memory;
mod receiving;
mod running;
mod starting;
