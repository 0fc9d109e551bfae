//! What foo, its client and a service of your own are made of.
//!
//! # A service of your own
//!
//! [`systemd`] is a thin safe wrapper over libsystemd, for any program. This is all of a service that answers at
//! a socket that systemd has made for it:
//!
//! ```no_run
//! use foo::systemd::daemon::{NotifyState, listen_fds_with_names, notify};
//! use std::{io::Write, os::unix::net::UnixListener};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // First of all, before the program opens descriptors of its own.
//!     let passed = listen_fds_with_names()?.into_iter().next();
//!     let listener = UnixListener::try_from(passed.ok_or("start hello.socket")?)?;
//!     notify(&[NotifyState::READY, NotifyState::status("Saying hello")?])?;
//!     loop {
//!         listener.accept()?.0.write_all(b"Hello\n")?;
//!     }
//! }
//! ```
//!
//! With foo and, say, `libsystemd-dev` and `libclang-dev` there, that is a program; these two files in
//! `/etc/systemd/system` make it a service, which `systemctl start hello.socket` starts as soon as somebody
//! calls, for example with `socat - /run/hello.socket`:
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
//! [`systemd::journal`] makes those with fields of their own.
//!
//! # foo
//!
//! The rest is foo itself, in the order in which a datagram passes: [`activation`] takes the sockets, [`server`]
//! serves them as soon as [`wait`] tells, [`datagram`] receives, [`record`] makes a line of each datagram, [`log`]
//! gathers the lines, [`sink`] writes them. [`notifier`] tells the service manager, and [`cli`] reads the command lines.

#![deny(clippy::print_stderr, clippy::print_stdout)]

pub mod activation;
pub mod cli;
pub mod datagram;
pub mod log;
pub mod memory;
pub mod notifier;
pub mod record;
pub mod server;
pub mod sink;
pub mod systemd;
pub mod wait;
