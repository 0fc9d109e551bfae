//! A thin safe wrapper over libsystemd, for a service of your own: [`systemd`].
//!
//! This is all of a service that answers at a socket which systemd has made for it:
//!
//! ```no_run
//! use foo::systemd::daemon::{NotifyState, listen_fds_with_names, notify};
//! use std::{io::Write, os::unix::net::UnixListener};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // SAFETY: this is the first that the program does, so it has opened nothing.
//!     let passed = unsafe { listen_fds_with_names() }?.into_iter().next();
//!     let listener = UnixListener::try_from(passed.ok_or("start hello.socket")?)?;
//!     notify(&[NotifyState::READY, NotifyState::status("Saying hello")?])?;
//!     loop {
//!         // A client may be gone already, which is no reason to end.
//!         if let Err(error) = listener.accept().and_then(|(mut client, _)| client.write_all(b"Hello\n")) {
//!             eprintln!("<4>a client: {error}");
//!         }
//!     }
//! }
//! ```
//!
//! Its `Cargo.toml` names this package by its path, or by where its repository is:
//!
//! ```toml
//! [dependencies]
//! foo = { path = "../foo" }       # or { git = "…" }
//! ```
//!
//! It is built where `libsystemd-dev`, `libclang-dev` and `pkg-config` are, or what they are called elsewhere, and
//! installed as `/usr/local/bin/hello`. These two files in `/etc/systemd/system` make it a service, which
//! `systemctl start hello.socket` starts as soon as somebody calls, for example with `socat - /run/hello.socket`:
//!
//! ```ini
//! # hello.socket
//! [Socket]
//! ListenStream=/run/hello.socket
//! ```
//!
//! ```ini
//! # hello.service
//! [Service]
//! Type=notify
//! ExecStart=/usr/local/bin/hello
//! ```
//!
//! [`systemd::daemon`] has the rest of sd-daemon(3): watchdog, reload, a store for descriptors. A line on standard
//! error is an entry of the journal, with a [priority](systemd::journal::Priority::prefix) if it begins with one;
//! [`systemd::journal`] makes those with fields of their own. The directory `examples` has longer services, built by
//! `cargo build --examples`.

#![deny(clippy::print_stderr, clippy::print_stdout)]

pub mod systemd;

// foo itself, in the order in which a datagram passes. What its programs, tests and fuzzers need is public, and hidden.
mod activation;
mod blocked;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod datagram;
mod limit;
mod log;
mod memory;
mod notifier;
mod queue;
#[doc(hidden)]
pub mod record;
#[doc(hidden)]
pub mod server;
mod sink;
mod source;
mod wait;
