//! Limits how long a call of libsystemd may block. libsystemd has no non-blocking variants of these
//! calls.

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

/// Longest time that a call may block. A call that need not wait takes far less, and foo's loop
/// stands still for that long.
const TIME_LIMIT: Duration = Duration::from_millis(10);

/// Makes a call that blocks for at most about [`TIME_LIMIT`].
///
/// # Errors
///
/// The call's own errors. `EINTR` if it blocked for longer than the limit; it has had no effect
/// then.
pub fn bounded<T>(call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    static HANDLER: OnceLock<nix::Result<()>> = OnceLock::new();
    // If there can be no timer, the call is made without a limit.
    let _timer = HANDLER.get_or_init(install_handler).and_then(|()| start_timer());
    call()
}

/// Makes SIGALRM interrupt system calls, and have no other effect.
fn install_handler() -> nix::Result<()> {
    extern "C" fn ignore(_: c_int) {}
    // No SA_RESTART: it would continue the interrupted call.
    let action = SigAction::new(SigHandler::Handler(ignore), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing, so it is async-signal-safe.
    unsafe { sigaction(SIGALRM, &action) }?;
    SigSet::from(SIGALRM).thread_unblock()
}

/// Starts a timer that sends SIGALRM at every [`TIME_LIMIT`], until it is dropped.
///
/// It repeats, since an alarm that comes just before the call blocks does not interrupt it.
fn start_timer() -> nix::Result<Timer> {
    let event = SigEvent::new(SigevNotify::SigevSignal { signal: SIGALRM, si_value: 0 });
    let mut timer = Timer::new(ClockId::CLOCK_MONOTONIC, event)?;
    timer.set(Expiration::Interval(TIME_LIMIT.into()), TimerSetTimeFlags::empty())?;
    Ok(timer)
}
