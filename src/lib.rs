//! A thin safe wrapper over libsystemd, for services in Rust: see [`systemd`].
//!
//! # A complete service
//!
//! This service answers each connection to a socket that systemd listens on. `src/main.rs`:
//!
//! ```no_run
//! use foo::systemd::daemon::{NotifyState, listen_fds_with_names, notify};
//! use foo::systemd::journal::Priority;
//! use std::{io::Write, os::unix::net::UnixListener};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // SAFETY: nothing runs before this, so the program has not opened any descriptor.
//!     let passed = unsafe { listen_fds_with_names() }?.into_iter().next();
//!     let listener = UnixListener::try_from(passed.ok_or("start hello.socket")?)?;
//!     notify(&[NotifyState::READY, NotifyState::status("Saying hello")?])?;
//!     loop {
//!         let answered = listener.accept().and_then(|(mut client, _)| {
//!             client.write_all(b"Hello\n")
//!         });
//!         // The client may have closed the connection already, so the service goes on.
//!         if let Err(error) = answered {
//!             eprintln!("{}No answer to a client: {error}", Priority::Warning.prefix());
//!         }
//!     }
//! }
//! ```
//!
//! `Cargo.toml` names this package by its path or by its repository, since it is not on the public
//! registry. The name `foo` belongs to another crate there.
//!
//! ```toml
//! [package]
//! name = "hello"
//! version = "0.1.0"
//! edition = "2024"
//!
//! [dependencies]
//! foo = { path = "../foo" } # or { git = "…" }
//! ```
//!
//! The build needs the headers of libsystemd, libclang and pkg-config. On Debian these are in the
//! packages `libsystemd-dev`, `libclang-dev` and `pkg-config`. Build it with `cargo build
//! --release`, and install `target/release/hello` as `/usr/local/bin/hello`.
//!
//! Two units in `/etc/systemd/system` make it a service. `hello.socket`:
//!
//! ```ini
//! [Socket]
//! ListenStream=/run/hello.socket
//!
//! [Install]
//! WantedBy=sockets.target
//! ```
//!
//! `hello.service`:
//!
//! ```ini
//! [Service]
//! Type=notify
//! ExecStart=/usr/local/bin/hello
//! ```
//!
//! After `systemctl daemon-reload`, `systemctl enable --now hello.socket` starts the socket, now
//! and at each boot. The first connection starts the service: `socat - /run/hello.socket` shows its
//! answer, and `systemctl status hello` its state.
//!
//! # More
//!
//! - [`systemd::daemon`] has the rest of sd-daemon(3): watchdog, reload, descriptor store.
//! - A line on standard error becomes an entry of the journal. It has the priority of its
//!   [prefix](systemd::journal::Priority::prefix).
//! - [`systemd::journal`] writes entries with fields of your own.
//! - The directory `examples` has larger services; `cargo build --examples` builds them.

#![deny(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![deny(clippy::print_stderr, clippy::print_stdout)]

pub mod systemd;

// The daemon foo. What its programs, tests and fuzzers use is public, but hidden in the
// documentation.
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
#[doc(hidden)]
pub mod record;
#[doc(hidden)]
pub mod server;
mod sink;
mod source;
mod wait;
