//! Who runs where. Left to itself the scheduler puts sender and daemon now on one processor, now on two,
//! which is a factor of two in either's figures.

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use std::thread;

fn count() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The processors that a daemon runs on, as taskset(1) takes them: the last one, which the senders leave
/// to it where they are to be apart, and share otherwise.
pub fn of_daemon() -> String {
    (count() - 1).to_string()
}

/// Keeps the thread that calls this on the processors of senders.
pub fn keep_sender(apart: bool) {
    let last = count() - 1;
    let mut set = CpuSet::new();
    let processors = if apart && last > 0 {
        0..last
    } else {
        last..last + 1
    };
    processors.for_each(|processor| set.set(processor).unwrap());
    sched_setaffinity(Pid::from_raw(0), &set).unwrap();
}
