//! What can be told the service manager: the assignments of sd_notify(3).

#![forbid(unsafe_code)]

use crate::systemd::invalid;
use nix::time::{ClockId, clock_gettime};
use std::{borrow::Cow, ffi::c_int, fmt, io, time::Duration};

/// Whose notifications the service manager takes from now on: `NotifyAccess=` of systemd.service(5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifyAccess {
    /// Nobody's.
    None,
    /// All processes' of the service's control group.
    All,
    /// The main process's and those of commands that the service manager starts for the service.
    Exec,
    /// The main process's.
    Main,
}

/// An assignment, such as `READY=1`, of a notification to the service manager. sd_notify(3).
///
/// No text can become a second assignment or swallow the next one: a text with a NUL, a newline or a carriage return,
/// or with a backslash at its end, is refused with `InvalidInput`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NotifyState(Cow<'static, str>);

impl NotifyState {
    /// `READY=1`: start-up, or a reload, is finished.
    pub const READY: Self = Self(Cow::Borrowed("READY=1"));
    /// `STOPPING=1`: the service is on its way out.
    pub const STOPPING: Self = Self(Cow::Borrowed("STOPPING=1"));
    /// `WATCHDOG=1`: the service is alive.
    pub const WATCHDOG: Self = Self(Cow::Borrowed("WATCHDOG=1"));
    /// `WATCHDOG=trigger`: the service has failed, and is to be treated as by its watchdog. Since 243.
    pub const WATCHDOG_TRIGGER: Self = Self(Cow::Borrowed("WATCHDOG=trigger"));
    /// `FDSTORE=1`: the descriptors that are sent with it are to be kept, see [`NotifyState::fd_name`].
    pub const FDSTORE: Self = Self(Cow::Borrowed("FDSTORE=1"));
    /// `FDSTOREREMOVE=1`: those of the name that is sent with it are to be kept no longer. Since 236.
    pub const FDSTOREREMOVE: Self = Self(Cow::Borrowed("FDSTOREREMOVE=1"));
    /// `FDPOLL=0`: those that are sent with it are to be kept even when they hang up. Since 246.
    pub const FDPOLL_0: Self = Self(Cow::Borrowed("FDPOLL=0"));
    /// `RESTART_RESET=1`: restarts begin again at `RestartSec=`. Since 254.
    pub const RESTART_RESET: Self = Self(Cow::Borrowed("RESTART_RESET=1"));

    /// `RELOADING=1` with the time that it is now, as `MONOTONIC_USEC=`, which the service manager asks for since
    /// 253. [`NotifyState::READY`] has to follow.
    ///
    /// # Errors
    ///
    /// As clock_gettime(2): none in practice.
    pub fn reloading() -> io::Result<Self> {
        let now = Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC)?);
        Ok(Self(
            format!("RELOADING=1\nMONOTONIC_USEC={}", usec(now)).into(),
        ))
    }

    /// `STATUS=`: one line for `systemctl status`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the text contains a NUL, a newline or a carriage return, or ends with a backslash.
    pub fn status(text: &str) -> io::Result<Self> {
        Self::assignment("STATUS", text)
    }

    /// `ERRNO=`: why the service failed, as errno(3) counts.
    pub fn errno(errno: c_int) -> Self {
        Self(format!("ERRNO={errno}").into())
    }

    /// `BUSERROR=`: why the service failed, as D-Bus names it.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the text contains a NUL, a newline or a carriage return, or ends with a backslash.
    pub fn bus_error(name: &str) -> io::Result<Self> {
        Self::assignment("BUSERROR", name)
    }

    /// `EXIT_STATUS=`: with what the service, or a whole container, exits. Since 254.
    pub fn exit_status(status: u8) -> Self {
        Self(format!("EXIT_STATUS={status}").into())
    }

    /// `MAINPID=`: the service's main process from now on.
    pub fn main_pid(pid: u32) -> Self {
        Self(format!("MAINPID={pid}").into())
    }

    /// `WATCHDOG_USEC=`: the time, to the microsecond, within which each [`NotifyState::WATCHDOG`] is to be expected
    /// from now on. Since 233.
    pub fn watchdog_usec(period: Duration) -> Self {
        Self(format!("WATCHDOG_USEC={}", usec(period)).into())
    }

    /// `EXTEND_TIMEOUT_USEC=`: that starting, running or stopping takes so long yet, from now on, to the microsecond.
    /// Since 236.
    pub fn extend_timeout_usec(time: Duration) -> Self {
        Self(format!("EXTEND_TIMEOUT_USEC={}", usec(time)).into())
    }

    /// `FDNAME=`: the name of the descriptors that are stored, or removed, with it. They come back with it from
    /// [`listen_fds_with_names`](super::listen_fds_with_names()). Since 233.
    ///
    /// # Errors
    ///
    /// `InvalidInput` unless the name is 1 to 255 ASCII characters without a colon, a backslash or a control
    /// character. systemd removes backslashes, so such a name would come back as another one.
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

    /// `NOTIFYACCESS=`: whose notifications are taken from now on. Since 254.
    pub fn notify_access(access: NotifyAccess) -> Self {
        Self(Cow::Borrowed(match access {
            NotifyAccess::None => "NOTIFYACCESS=none",
            NotifyAccess::All => "NOTIFYACCESS=all",
            NotifyAccess::Exec => "NOTIFYACCESS=exec",
            NotifyAccess::Main => "NOTIFYACCESS=main",
        }))
    }

    /// Another assignment: one that is newer than this, or, with a name that begins with `X_`, one's own.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the name has characters other than `A` to `Z`, `0` to `9` and `_`, or if the text contains a
    /// NUL, a newline or a carriage return, or ends with a backslash.
    pub fn assignment(name: &str, text: &str) -> io::Result<Self> {
        let valid = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || !name.bytes().all(valid) {
            return invalid(format!(
                "{name:?} can't name an assignment: it has characters but A to Z, 0 to 9 and _"
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

    /// The assignment as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NotifyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Microseconds; those that are too many are as good as for ever, which is one more.
pub(super) fn usec(time: Duration) -> u64 {
    u64::try_from(time.as_micros())
        .unwrap_or(u64::MAX)
        .min(u64::MAX - 1)
}
