//! The contract of the daemon: what it logs, notifies and returns, seen from outside, without a
//! booted systemd.

#[path = "../common/mod.rs"]
mod common;

mod calls;
mod memory;
mod receiving;
mod running;
mod starting;
