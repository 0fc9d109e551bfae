//! Sends a notification to the service manager, and ends when it has been read: for the scripts of
//! a service with `NotifyAccess=all`.
//!
//! ```sh
//! notify ready 'status=Waiting for messages'
//! ```
//!
//! Each argument is one assignment. All of them go in one message. With `fdstore`, the service
//! manager keeps standard input.

use libsystemd_safe::daemon::{
    Notified, NotifyAccess, NotifyState, booted, notify, notify_barrier, notify_with_fds,
};
use std::error::Error;
use std::os::fd::AsFd;
use std::{env, io, time::Duration};

fn main() -> Result<(), Box<dyn Error>> {
    if !booted()? {
        return Err("this system does not run systemd".into());
    }
    let state =
        env::args().skip(1).map(|argument| parse(&argument)).collect::<Result<Vec<_>, _>>()?;
    let notified = if state.contains(&NotifyState::FDSTORE) {
        notify_with_fds(&state, &[io::stdin().as_fd()])?
    } else {
        notify(&state)?
    };
    if notified == Notified::Nobody {
        return Err("NOTIFY_SOCKET is not set".into());
    }
    // The service manager ignores a message if it can't find the process that sent it, so this
    // process waits until the message has been read.
    notify_barrier(Some(Duration::from_secs(5)))?;
    Ok(())
}

/// Parses an assignment: the name of a function of [`NotifyState`], and its argument after `=`.
/// Times are in seconds. Any other name is sent as it is.
fn parse(argument: &str) -> Result<NotifyState, Box<dyn Error>> {
    let (name, text) = argument.split_once('=').unwrap_or((argument, ""));
    let seconds = || text.parse().map(Duration::from_secs);
    Ok(match name {
        "ready" => NotifyState::READY,
        "watchdog_trigger" => NotifyState::WATCHDOG_TRIGGER,
        "fdstore" => NotifyState::FDSTORE,
        "fdstoreremove" => NotifyState::FDSTOREREMOVE,
        "reloading" => NotifyState::reloading()?,
        "status" => NotifyState::status(text)?,
        "errno" => NotifyState::errno(text.parse()?),
        "bus_error" => NotifyState::bus_error(text)?,
        "main_pid" => NotifyState::main_pid(text.parse()?),
        "watchdog_usec" => NotifyState::watchdog_usec(seconds()?),
        "extend_timeout_usec" => NotifyState::extend_timeout_usec(seconds()?),
        "fd_name" => NotifyState::fd_name(text)?,
        "notify_access_main" => NotifyState::notify_access(NotifyAccess::Main),
        name => NotifyState::assignment(name, text)?,
    })
}
