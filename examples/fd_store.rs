//! A service that counts its starts in a file without a name, which the service manager keeps for it: no restart,
//! not even one after a crash, loses it, and nothing lies on a disk.
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
//! After `systemctl restart fd_store`, `systemctl status fd_store` tells of one start more.

use foo::systemd::daemon::{
    Notified, NotifyState, listen_fds_with_names, notify, notify_barrier, notify_with_fds,
    watchdog_enabled,
};
use std::error::Error;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::{fd::AsFd, unix::fs::OpenOptionsExt};
use std::{thread, time::Duration};

fn main() -> Result<(), Box<dyn Error>> {
    // SAFETY: this is the first that the program does, so it has opened nothing.
    let kept = unsafe { listen_fds_with_names() }?
        .into_iter()
        .find(|passed| passed.name == "starts");
    let mut file = kept.map_or_else(store, |kept| Ok(File::from(kept.fd)))?;
    let mut starts = String::new();
    file.rewind()?;
    file.read_to_string(&mut starts)?;
    let starts = starts.parse().unwrap_or(0) + 1;
    file.rewind()?;
    write!(file, "{starts}")?;

    notify(&[
        NotifyState::READY,
        NotifyState::status(&format!("Start {starts}"))?,
    ])?;
    let period = watchdog_enabled()?;
    loop {
        // Here the service does its work.
        thread::sleep(period.map_or(Duration::MAX, |period| period / 2));
        notify(&[NotifyState::WATCHDOG])?;
    }
}

/// Makes the file and has it kept; it comes back with the next start.
fn store() -> Result<File, Box<dyn Error>> {
    let mut options = File::options();
    let file = options
        .read(true)
        .write(true)
        .custom_flags(libc::O_TMPFILE)
        .open("/dev/shm")?;
    let state = [NotifyState::FDSTORE, NotifyState::fd_name("starts")?];
    if notify_with_fds(&state, &[file.as_fd()])? == Notified::Nobody {
        return Err("there is no service manager: start fd_store.service".into());
    }
    // Once this returns the service manager has it, whatever becomes of this process.
    notify_barrier(Some(Duration::from_secs(5)))?;
    Ok(file)
}
