//! An echo server under tokio, with a watchdog and a reload. The first connection starts it.
//!
//! ```ini
//! # tokio_socket.socket
//! [Socket]
//! ListenStream=/run/tokio_socket
//!
//! # tokio_socket.service
//! [Service]
//! Type=notify
//! ExecReload=kill -HUP $MAINPID
//! WatchdogSec=30s
//! ExecStart=/usr/local/bin/tokio_socket
//! ```
//!
//! The loop that accepts connections also sends the keep-alives. A thread or a task of its own would
//! send them even while that loop hangs, so the watchdog would never notice.

use libsystemd_safe::daemon::{
    ListenFd, NotifyState, listen_fds_with_names, notify, try_notify, watchdog_enabled,
};
use std::{error::Error, io, os::unix::net, time::Duration};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

/// The interval if the service has no watchdog. The keep-alive then has no effect.
const NO_WATCHDOG: Duration = Duration::from_secs(3600);

// Not `#[tokio::main]`: the runtime opens descriptors before the function's first line.
fn main() -> Result<(), Box<dyn Error>> {
    let passed = listen_fds_with_names()?;
    let [socket] = <[ListenFd; 1]>::try_from(passed).map_err(|passed| {
        format!("{} sockets were passed, not one: start tokio_socket.socket", passed.len())
    })?;
    let listener = net::UnixListener::try_from(socket.nonblocking()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(serve(listener))?)
}

async fn serve(listener: net::UnixListener) -> io::Result<()> {
    let listener = UnixListener::from_std(listener)?;
    let mut beat = interval(watchdog_enabled()?.map_or(NO_WATCHDOG, |timeout| timeout / 2));
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // A reload may come right after READY=1.
    let mut hangup = signal(SignalKind::hangup())?;
    try_notify(&[NotifyState::READY])?;
    loop {
        tokio::select! {
            connection = listener.accept() => drop(tokio::spawn(echo(connection?.0))),
            _ = beat.tick() => keep_alive()?,
            _ = hangup.recv() => reload()?,
        }
    }
}

/// Sends a keep-alive. If the service manager's queue is full, the next one counts.
fn keep_alive() -> io::Result<()> {
    match try_notify(&[NotifyState::WATCHDOG]) {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
        _ => Ok(()),
    }
}

/// Reads the configuration again. The service manager waits for both notifications, so unlike a
/// keep-alive neither may be lost.
fn reload() -> io::Result<()> {
    notify(&[NotifyState::reloading()?])?;
    // The configuration would be read here.
    notify(&[NotifyState::READY]).map(drop)
}

/// Sends everything back, until the client closes the connection.
async fn echo(mut stream: UnixStream) -> io::Result<u64> {
    let (mut from, mut to) = stream.split();
    tokio::io::copy(&mut from, &mut to).await
}
