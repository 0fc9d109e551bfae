//! Tells the service manager what its words say, in one message, and ends when that has been read; or the journal
//! with the word `journal`. For scripts of services with `NotifyAccess=all`, and for the tests.
//!
//! `tell ready 'status=Waiting for messages'`

use foo::systemd::daemon::{
    Notified, NotifyAccess, NotifyState, booted, notify, notify_barrier, notify_with_fds,
};
use foo::systemd::journal::{Entry, Priority, stream_fd};
use std::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::{env, time::Duration};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<_> = env::args().skip(1).collect();
    if words == ["journal"] {
        return Ok(journal()?);
    }
    if !booted()? {
        return Err("there is no systemd to tell".into());
    }
    let state = words
        .iter()
        .map(|word| state(word))
        .collect::<Result<Vec<_>, _>>()?;
    let told = if state.contains(&NotifyState::FDSTORE) {
        notify_with_fds(&state, &[io::stdin().as_fd()])?
    } else {
        notify(&state)?
    };
    if told == Notified::Nobody {
        return Err("NOTIFY_SOCKET is not set".into());
    }
    notify_barrier(Some(Duration::from_secs(5)))?;
    Ok(())
}

/// An assignment, by the name of its function.
fn state(word: &str) -> Result<NotifyState, Box<dyn Error>> {
    let (name, text) = word.split_once('=').unwrap_or((word, ""));
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

/// An entry with more than text in it, and a line.
fn journal() -> io::Result<()> {
    Entry::new(Priority::Warning, "two\nlines")
        .located()
        .errno(&io::Error::from_raw_os_error(libc::ENOENT))
        .field("EXAMPLE_RAW", [0, b'\n', 0xff])?
        .field("EXAMPLE_ID", "1")?
        .field("EXAMPLE_ID", "2")?
        .send()?;
    let mut stream = File::from(stream_fd(c"told", Priority::Info)?);
    writeln!(stream, "a line\n{}an error", Priority::Err.prefix())
}
