//! Assignments for notifications to the service manager: sd_notify(3).

#![forbid(unsafe_code)]

use crate::{invalid, microseconds, monotonic};
use std::{borrow::Cow, ffi::c_int, fmt, io, time::Duration};

/// The processes of a service whose notifications the service manager accepts. See `NotifyAccess=`
/// in systemd.service(5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotifyAccess {
    /// None of them.
    None,
    /// All processes in the control group of the service.
    All,
    /// The main process, and those that the service manager starts for commands of the unit.
    Exec,
    /// The main process.
    Main,
}

/// An assignment in a notification to the service manager, such as `READY=1`. See sd_notify(3).
///
/// No text can become a second assignment or swallow the next one. A text is refused with
/// `InvalidInput` if it contains a NUL, a newline or a carriage return, or ends with a backslash.
/// systemd removes a backslash anywhere else, but keeps the character after it.
///
/// "Since" in the descriptions is the release of systemd from which the service manager understands
/// an assignment. It ignores one that it does not understand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NotifyState(Cow<'static, str>);

impl NotifyState {
    /// `READY=1`: the service has started, or has finished a reload.
    pub const READY: Self = Self(Cow::Borrowed("READY=1"));
    /// `STOPPING=1`: the service is shutting down. Since 217.
    pub const STOPPING: Self = Self(Cow::Borrowed("STOPPING=1"));
    /// `WATCHDOG=1`: the service is alive. See [`watchdog_enabled`](super::watchdog_enabled).
    pub const WATCHDOG: Self = Self(Cow::Borrowed("WATCHDOG=1"));
    /// `WATCHDOG=trigger`: the service has failed. The service manager acts as if the watchdog had
    /// timed out. Since 243.
    pub const WATCHDOG_TRIGGER: Self = Self(Cow::Borrowed("WATCHDOG=trigger"));
    /// `FDSTORE=1`: keep the descriptors in this message, under the name of
    /// [`NotifyState::fd_name`]. See [`notify_with_fds`](super::notify_with_fds). Since 219.
    pub const FDSTORE: Self = Self(Cow::Borrowed("FDSTORE=1"));
    /// `FDSTOREREMOVE=1`: remove the descriptors of the name in [`NotifyState::fd_name`] from the
    /// descriptor store. Since 236.
    pub const FDSTOREREMOVE: Self = Self(Cow::Borrowed("FDSTOREREMOVE=1"));
    /// `FDPOLL=0`: keep the descriptors in this message even after a hang-up or an error of theirs.
    /// Since 246.
    pub const FDPOLL_0: Self = Self(Cow::Borrowed("FDPOLL=0"));
    /// `RESTART_RESET=1`: reset the restart counter, so that the delay before restarts is
    /// `RestartSec=` again. Since 258.
    pub const RESTART_RESET: Self = Self(Cow::Borrowed("RESTART_RESET=1"));

    /// `RELOADING=1` with `MONOTONIC_USEC=`, the current time: the service begins to reload.
    /// [`NotifyState::READY`] must follow. `Type=notify-reload` requires the time. Since 217; with
    /// the time since 253.
    ///
    /// # Errors
    ///
    /// The errors of clock_gettime(2), which does not fail in practice.
    pub fn reloading() -> io::Result<Self> {
        let now = monotonic()?;
        Ok(Self(format!("RELOADING=1\nMONOTONIC_USEC={}", microseconds(now)).into()))
    }

    /// `STATUS=`: one line of text, which `systemctl status` shows.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the text contains a NUL, a newline or a carriage return, or ends with a
    /// backslash.
    pub fn status(text: &str) -> io::Result<Self> {
        Self::assignment("STATUS", text)
    }

    /// `ERRNO=`: the errno with which the service failed. See errno(3). systemd ignores a negative
    /// one.
    pub fn errno(errno: c_int) -> Self {
        Self(format!("ERRNO={errno}").into())
    }

    /// `BUSERROR=`: the name of the D-Bus error with which the service failed.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the text contains a NUL, a newline or a carriage return, or ends with a
    /// backslash.
    pub fn bus_error(name: &str) -> io::Result<Self> {
        Self::assignment("BUSERROR", name)
    }

    /// `EXIT_STATUS=`: the exit status of a service, or of a whole container or virtual machine.
    /// systemd sends it to a manager outside, and ignores that of a service. Since 254.
    pub fn exit_status(status: u8) -> Self {
        Self(format!("EXIT_STATUS={status}").into())
    }

    /// `MAINPID=`: another process is the main process from now on. systemd ignores a process
    /// outside the service, unless root sends this.
    pub fn main_pid(pid: u32) -> Self {
        Self(format!("MAINPID={pid}").into())
    }

    /// `WATCHDOG_USEC=`: sets the watchdog timeout, rounded down to microseconds. A timeout of 0
    /// turns the watchdog off. [`watchdog_enabled`](super::watchdog_enabled) does not see the
    /// change. Since 233.
    pub fn watchdog_usec(timeout: Duration) -> Self {
        Self(format!("WATCHDOG_USEC={}", microseconds(timeout)).into())
    }

    /// `EXTEND_TIMEOUT_USEC=`: starting, running or stopping takes longer. Within this time,
    /// rounded down to microseconds, the service must finish or extend it again. systemd ignores a
    /// time of 0. Since 236.
    pub fn extend_timeout_usec(time: Duration) -> Self {
        Self(format!("EXTEND_TIMEOUT_USEC={}", microseconds(time)).into())
    }

    /// `FDNAME=`: the name of the descriptors in this message, or of those to remove.
    /// [`listen_fds_with_names`](super::listen_fds_with_names()) returns them under this name.
    /// Since 233.
    ///
    /// # Errors
    ///
    /// `InvalidInput` unless the name is 1 to 255 ASCII characters without a colon, a backslash or
    /// a control character. systemd removes backslashes, so such a name would come back changed.
    pub fn fd_name(name: &str) -> io::Result<Self> {
        let valid = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b':' && byte != b'\\';
        if name.is_empty() || name.len() > 255 || !name.bytes().all(valid) {
            return invalid(format!(
                "{name:?} can't name a descriptor: it must be 1 to 255 ASCII characters without \
                 a colon, a backslash or a control character"
            ));
        }
        Self::assignment("FDNAME", name)
    }

    /// `NOTIFYACCESS=`: overrides `NotifyAccess=` of the unit. Since 254.
    pub fn notify_access(access: NotifyAccess) -> Self {
        Self(Cow::Borrowed(match access {
            NotifyAccess::None => "NOTIFYACCESS=none",
            NotifyAccess::All => "NOTIFYACCESS=all",
            NotifyAccess::Exec => "NOTIFYACCESS=exec",
            NotifyAccess::Main => "NOTIFYACCESS=main",
        }))
    }

    /// `name=text`: any assignment, such as one that this wrapper has no function for. Begin a name
    /// of your own with `X_`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the name is empty or contains a character other than `A` to `Z`, `0` to
    /// `9` and `_`; or if the text contains a NUL, a newline or a carriage return, or ends with a
    /// backslash.
    pub fn assignment(name: &str, text: &str) -> io::Result<Self> {
        let valid = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || !name.bytes().all(valid) {
            return invalid(format!(
                "{name:?} can't name an assignment: a name consists of A to Z, 0 to 9 and _"
            ));
        }
        if text.contains(['\0', '\n', '\r']) || text.ends_with('\\') {
            return invalid(format!(
                "{name}= can't take {text:?}: a NUL, newline or carriage return would end it, \
                 and a final backslash would join it to the next assignment"
            ));
        }
        Ok(Self(format!("{name}={text}").into()))
    }

    /// Returns the assignment as it is sent, such as `READY=1`.
    ///
    /// ```
    /// use libsystemd_safe::daemon::NotifyState;
    ///
    /// assert_eq!(NotifyState::exit_status(3).as_str(), "EXIT_STATUS=3");
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NotifyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
