//! The contract of the daemon: what it logs, notifies and returns, seen from outside, without a
//! booted systemd.
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
