//! A service that counts its starts. The count is in a file without a name, and the service manager
//! keeps its descriptor. So the count survives a restart, even after a crash.
//!
//! ```ini
//! # fd_store.service
//! [Service]
//! Type=notify
//! ExecStart=/usr/local/bin/fd_store
//! FileDescriptorStoreMax=1
//! Restart=always
//! WatchdogSec=1min
//! ```
//!
//! `systemctl status fd_store` shows the count. Each `systemctl restart fd_store` adds one.

use libsystemd_safe::daemon::{
    Notified, NotifyState, listen_fds_with_names, notify, notify_barrier, notify_with_fds,
    watchdog_enabled,
};
use std::error::Error;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::{fd::AsFd, unix::fs::OpenOptionsExt};
use std::{thread, time::Duration};

fn main() -> Result<(), Box<dyn Error>> {
    let passed = listen_fds_with_names()?;
    let kept = passed.into_iter().find(|passed| passed.name == "starts");
    let mut file = kept.map_or_else(create, |kept| Ok(File::from(kept.fd)))?;
    let mut starts = String::new();
    file.rewind()?;
    file.read_to_string(&mut starts)?;
    let starts = starts.parse().unwrap_or(0) + 1;
    file.rewind()?;
    write!(file, "{starts}")?;

    notify(&[NotifyState::READY, NotifyState::status(&format!("Start {starts}"))?])?;
    let watchdog = watchdog_enabled()?;
    loop {
        // The work of the service goes here.
        thread::sleep(watchdog.map_or(Duration::MAX, |timeout| timeout / 2));
        notify(&[NotifyState::WATCHDOG])?;
    }
}

/// Creates the file, and passes it to the service manager, which passes it back at the next start.
fn create() -> Result<File, Box<dyn Error>> {
    let mut options = File::options();
    let file = options.read(true).write(true).custom_flags(libc::O_TMPFILE).open("/dev/shm")?;
    let state = [NotifyState::FDSTORE, NotifyState::fd_name("starts")?];
    if notify_with_fds(&state, &[file.as_fd()])? == Notified::Nobody {
        return Err("there is no service manager: start fd_store.service".into());
    }
    // After this, the service manager has the descriptor, even if this process crashes.
    notify_barrier(Some(Duration::from_secs(5)))?;
    Ok(file)
}
