//! sd-daemon(3), for services: passed descriptors, notifications to the service manager, the
//! watchdog, and checks of what a descriptor refers to.
//!
//! | task | functions |
//! |---|---|
//! | take the sockets of a socket unit | [`listen_fds_with_names`], [`ListenFd`] |
//! | report readiness, status, reload or stop | [`notify`], [`NotifyState`] |
//! | report from an event loop or async code | [`try_notify`] |
//! | use passed sockets with tokio or async-io | [`ListenFd::nonblocking`] |
//! | send keep-alives to the watchdog | [`watchdog_enabled`], [`NotifyState::WATCHDOG`] |
//! | keep a descriptor through restarts | [`notify_with_fds`], [`NotifyState::FDSTORE`] |
//! | wait until notifications have been read | [`notify_barrier`] |
//! | report for another process | [`pid_notify`], [`pid_notify_with_fds`] |
//!
//! # Reload
//!
//! With `Type=notify-reload`, `systemctl reload` sends SIGHUP, and waits for
//! [`NotifyState::reloading`] and then [`NotifyState::READY`]. The handler must be installed before
//! the first [`NotifyState::READY`]. systemd 262 refuses to start a service without one then.
//!
//! systemd before 253 does not know this type. It takes the service for one of `Type=simple`, which
//! it can't reload, and ignores its notifications. These settings work with all releases:
//!
//! ```ini
//! [Service]
//! Type=notify
//! ExecReload=kill -HUP $MAINPID
//! ```
//!
//! ```no_run
//! use libsystemd_safe::daemon::{NotifyState, notify};
//! use tokio::signal::unix::{SignalKind, signal};
//!
//! # async fn work() {}
//! # fn read_configuration() -> std::io::Result<()> { Ok(()) }
//! async fn serve() -> std::io::Result<()> {
//!     let mut hangup = signal(SignalKind::hangup())?;
//!     notify(&[NotifyState::READY])?;
//!     loop {
//!         tokio::select! {
//!             _ = work() => {}
//!             _ = hangup.recv() => {
//!                 notify(&[NotifyState::reloading()?])?;
//!                 // If this fails, the service goes on with its old configuration.
//!                 if let Err(error) = read_configuration() {
//!                     eprintln!("<3>Configuration not reloaded: {error}");
//!                 }
//!                 notify(&[NotifyState::READY])?;
//!             }
//!         }
//!     }
//! }
//! ```
//!
//! # Watchdog
//!
//! With `WatchdogSec=`, the service manager kills a service that sends no
//! [`NotifyState::WATCHDOG`] for that long, and `Restart=on-failure` starts it again. Send one every
//! half of [`watchdog_enabled`], from the loop that does the work. A thread or a task of its own
//! would send them even while that loop hangs, so the service manager would never notice. The
//! example `tokio_socket` does so:
//!
//! ```no_run
//! use libsystemd_safe::daemon::{NotifyState, try_notify, watchdog_enabled};
//! use std::{io, time::Duration};
//!
//! # async fn work() {}
//! async fn serve() -> io::Result<()> {
//!     let hour = Duration::from_secs(3600);
//!     let mut beat = tokio::time::interval(watchdog_enabled()?.map_or(hour, |timeout| timeout / 2));
//!     loop {
//!         tokio::select! {
//!             _ = work() => {}
//!             // If the service manager's queue is full, the next one counts.
//!             _ = beat.tick() => match try_notify(&[NotifyState::WATCHDOG]) {
//!                 Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
//!                 _ => {}
//!             },
//!         }
//!     }
//! }
//! ```
//!
//! # Descriptor store
//!
//! With `FileDescriptorStoreMax=`, the service manager keeps duplicates of descriptors that
//! [`notify_with_fds`] sends. The next process of the service gets them from
//! [`listen_fds_with_names`], under their [`NotifyState::fd_name`]. The example `fd_store` counts
//! its starts that way.
//!
//! - The store lasts through `systemctl restart`, and through a crash with `Restart=`. It is closed
//!   when the service stops otherwise: after `systemctl stop`, or a crash without `Restart=`.
//!   `FileDescriptorStorePreserve=yes` keeps it then, since systemd 254.
//! - A process that ends right after [`notify_with_fds`], such as by SIGKILL, may lose what it has
//!   sent: the service manager ignores a message if it can't find the sender any more. After
//!   [`notify_barrier`] the service manager has the descriptors.
//! - The service manager removes a descriptor after a hang-up or an error of its own, unless
//!   [`NotifyState::FDPOLL_0`] was sent with it.

mod convert;
mod inherited;
mod is;
mod listen;
mod malformed;
mod notify;
mod state;
mod try_notify;

pub use convert::WrongKind;
pub use is::{
    SocketType, is_fifo, is_mq, is_socket, is_socket_inet, is_socket_sockaddr, is_socket_unix,
    is_special,
};
pub use listen::{LISTEN_FDS_START, ListenFd, listen_fds_with_names};
pub use notify::{
    Notified, notify, notify_barrier, notify_with_fds, pid_notify, pid_notify_barrier,
    pid_notify_with_fds,
};
pub use state::{NotifyAccess, NotifyState};
pub use try_notify::try_notify;

use crate::{check, newer};
use libsystemd_sys::daemon as sys;
use std::{
    io,
    os::fd::{AsFd, AsRawFd},
    time::Duration,
};

/// Returns whether the system was booted with systemd. See sd_booted(3).
///
/// ```
/// if !libsystemd_safe::daemon::booted()? {
///     eprintln!("There is no service manager here");
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// The errors of access(2).
#[doc(alias = "sd_booted")]
pub fn booted() -> io::Result<bool> {
    // SAFETY: the call has no arguments.
    check(unsafe { sys::sd_booted() }).map(|booted| booted > 0)
}

/// Returns the watchdog timeout: the longest time that may pass between two
/// [`NotifyState::WATCHDOG`]. Send one every half of it. See sd_watchdog_enabled(3) and
/// `WatchdogSec=` in systemd.service(5); since libsystemd 209.
///
/// Returns `None` if the service manager expects none from this process.
///
/// ```
/// use libsystemd_safe::daemon::{NotifyState, notify, watchdog_enabled};
///
/// if let Some(timeout) = watchdog_enabled()? {
///     println!("One every {:?}", timeout / 2);
///     notify(&[NotifyState::WATCHDOG])?;
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// - `EINVAL`: `WATCHDOG_USEC` or `WATCHDOG_PID` is not a number, or `WATCHDOG_USEC` is 0 or the
///   largest number, which stands for no timeout.
/// - `ERANGE`: a number is negative or too large, or `WATCHDOG_PID` is 0.
#[doc(alias = "sd_watchdog_enabled")]
pub fn watchdog_enabled() -> io::Result<Option<Duration>> {
    let mut usec = 0;
    // SAFETY: `usec` has room for the result.
    let enabled = check(unsafe { sys::sd_watchdog_enabled(0, &mut usec) })?;
    Ok((enabled > 0).then(|| Duration::from_micros(usec)))
}

/// Returns the inode number of a pidfd. It identifies a process: no two processes have the same one
/// until the system is booted again. See sd_pidfd_get_inode_id(3); since libsystemd 258.
///
/// ```no_run
/// # let pidfd = std::fs::File::open("/dev/null")?;
/// // A descriptor that pidfd_open(2) returned.
/// match libsystemd_safe::daemon::pidfd_get_inode_id(&pidfd) {
///     Err(error) if error.kind() == std::io::ErrorKind::Unsupported => println!("{error}"),
///     id => println!("{}", id?),
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// `Unsupported` if libsystemd is older, or the kernel older than 6.9, which has no such numbers
/// and returns `EOPNOTSUPP`. `EBADF` if the
/// descriptor is not a pidfd.
#[doc(alias = "sd_pidfd_get_inode_id")]
pub fn pidfd_get_inode_id(pidfd: impl AsFd) -> io::Result<u64> {
    let mut id = 0;
    // SAFETY: the descriptor is open during the call, since it is borrowed. `id` has room for the
    // result.
    unsafe { newer::sd_pidfd_get_inode_id(pidfd.as_fd().as_raw_fd(), &mut id) }?;
    Ok(id)
}
