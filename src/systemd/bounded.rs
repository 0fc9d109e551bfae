//! Bounds how long a call of libsystemd may block: it has no non-blocking ones.

use std::{ffi::c_int, io, mem, ptr, sync::OnceLock, time::Duration};

/// The longest that a call may block. A call that need not wait takes a fraction of it.
const LONGEST: Duration = Duration::from_millis(10);

/// Makes a call. If it waits for longer than [`LONGEST`], it fails with `EINTR`, and has had no effect.
pub fn bounded<T>(call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    static HANDLED: OnceLock<bool> = OnceLock::new();
    if !*HANDLED.get_or_init(handle_alarms) {
        return call();
    }
    // Again and again: an alarm before the call begins to wait interrupts nothing.
    set_timer(LONGEST);
    let result = call();
    set_timer(Duration::ZERO);
    result
}

/// Lets SIGALRM interrupt system calls and do nothing else. Returns whether that worked: it would end the process.
fn handle_alarms() -> bool {
    extern "C" fn ignore(_: c_int) {}
    // SAFETY: all zeroes is an action without flags, so without SA_RESTART; its handler touches nothing. The sets
    // and the actions live through the calls.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = ignore as extern "C" fn(c_int) as libc::sighandler_t;
        let mut alarm: libc::sigset_t = mem::zeroed();
        libc::sigaddset(&mut alarm, libc::SIGALRM);
        libc::sigaction(libc::SIGALRM, &action, ptr::null_mut()) == 0
            && libc::pthread_sigmask(libc::SIG_UNBLOCK, &alarm, ptr::null_mut()) == 0
    }
}

/// Sends SIGALRM each time that an interval has passed; never, if it is zero.
fn set_timer(interval: Duration) {
    let interval = libc::timeval { tv_sec: 0, tv_usec: interval.subsec_micros() as libc::suseconds_t };
    let timer = libc::itimerval { it_interval: interval, it_value: interval };
    // SAFETY: the timer lives through the call. Should the call fail, libsystemd's may block for longer.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, ptr::null_mut()) };
}
