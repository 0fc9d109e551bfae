//! Keeps daemons and senders on fixed processors. Otherwise the scheduler would run them on one
//! processor or on two, which changes a figure by a factor of two.

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use std::thread;

/// Returns the number of processors.
fn count() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Returns the processor that a daemon runs on, for taskset(1): the last one.
pub fn of_daemon() -> String {
    (count() - 1).to_string()
}

/// Keeps the calling thread on the processors of senders: all but the last one if they are apart
/// from the daemon, and the last one otherwise.
pub fn keep_sender(apart: bool) {
    let last = count() - 1;
    let mut set = CpuSet::new();
    let processors = if apart && last > 0 { 0..last } else { last..last + 1 };
    processors.for_each(|processor| set.set(processor).unwrap());
    sched_setaffinity(Pid::from_raw(0), &set).unwrap();
}
