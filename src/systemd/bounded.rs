//! Bounds how long a call of libsystemd may block: it has no non-blocking ones.

use nix::{
    sys::{
        signal::{
            SaFlags, SigAction, SigEvent, SigHandler, SigSet, SigevNotify, Signal::SIGALRM,
            sigaction,
        },
        timer::{Expiration, Timer, TimerSetTimeFlags},
    },
    time::ClockId,
};
use std::{ffi::c_int, io, sync::OnceLock, time::Duration};

/// The longest that a call may block. A call that need not wait takes a fraction of it.
const LONGEST: Duration = Duration::from_millis(10);

/// Makes a call. If it waits for longer than [`LONGEST`], it fails with `EINTR`, and has had no effect.
pub fn bounded<T>(call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    static HANDLED: OnceLock<nix::Result<()>> = OnceLock::new();
    // Without a timer the call is made all the same.
    let _timer = HANDLED.get_or_init(handle_alarms).and_then(|()| alarms());
    call()
}

/// Lets SIGALRM interrupt system calls and do nothing else.
fn handle_alarms() -> nix::Result<()> {
    extern "C" fn ignore(_: c_int) {}
    // Without SA_RESTART.
    let action = SigAction::new(
        SigHandler::Handler(ignore),
        SaFlags::empty(),
        SigSet::empty(),
    );
    // SAFETY: the handler touches nothing.
    unsafe { sigaction(SIGALRM, &action) }?;
    SigSet::from(SIGALRM).thread_unblock()
}

/// Sends SIGALRM each time that [`LONGEST`] has passed, until it is dropped: an alarm before the call begins to wait
/// interrupts nothing.
fn alarms() -> nix::Result<Timer> {
    let event = SigEvent::new(SigevNotify::SigevSignal {
        signal: SIGALRM,
        si_value: 0,
    });
    let mut timer = Timer::new(ClockId::CLOCK_MONOTONIC, event)?;
    timer.set(
        Expiration::Interval(LONGEST.into()),
        TimerSetTimeFlags::empty(),
    )?;
    Ok(timer)
}
