//! The cost of a process apart from messages: its start, and its memory.

use crate::common::daemon::Daemon;
use crate::contender::{Column, Contender, Contenders};
use crate::figure::Figure;
use crate::load::Load;
use crate::{PLAIN, is_quick, launch, scaled};
use std::path::Path;
use std::time::{Duration, Instant};

/// How often each daemon is started.
const STARTS: usize = 51;

/// Time that foo rests after large messages, before its memory is measured again.
const REST: Duration = Duration::from_secs(60);

/// The daemons whose start and memory are compared.
fn all(contenders: &Contenders) -> impl Iterator<Item = &Contender> {
    [&contenders.ours, &contenders.c, &contenders.c_plain].into_iter().chain(&contenders.crates)
}

/// Starts each daemon in turn, and measures the time from exec to `READY=1`.
pub fn start(contenders: &Contenders, scratch: &Path) -> Figure {
    let mut figure = Figure::new("exec to `READY=1`", "µs");
    for _ in 0..scaled(STARTS) {
        for Contender { column, program } in all(contenders) {
            let (_, time) = launch::start(program, 1, false, PLAIN.log(scratch));
            figure.add(*column, time.as_nanos() as f64 / 1000.0);
        }
    }
    figure
}

/// Measures private dirty memory after a million messages, and how much more foo has after ten
/// million.
pub fn memory(contenders: &Contenders, scratch: &Path) -> [Figure; 2] {
    let million = Load { messages: 1_000_000, ..PLAIN }.scaled();
    let mut after_a_million = Figure::new("private dirty memory after 1 million messages", "KiB");
    let mut growth = Figure::new("growth from there to 10 million", "KiB");
    for Contender { column, program } in all(contenders) {
        let (daemon, _) = launch::start(program, 1, false, PLAIN.log(scratch));
        million.run(&daemon);
        let before = private_dirty(&daemon);
        after_a_million.add(*column, before);
        if *column == Column::Foo {
            for _ in 1..10 {
                million.run(&daemon);
            }
            growth.add(*column, private_dirty(&daemon) - before);
        }
    }
    [after_a_million, growth]
}

/// Returns the private dirty memory of a daemon, in KiB.
fn private_dirty(daemon: &Daemon) -> f64 {
    daemon.proc_number("smaps_rollup", "Private_Dirty") as f64
}

/// A process of foo that rests after large messages, with its memory in KiB.
pub struct Resting {
    daemon: Daemon,
    since: Instant,
    /// Memory before the large messages.
    before: f64,
    /// Memory right after them.
    large: f64,
}

impl Resting {
    /// Starts foo, and sends short messages and then large ones.
    pub fn new(ours: &Contender, scratch: &Path) -> Self {
        let (daemon, _) = launch::start(&ours.program, 1, false, PLAIN.log(scratch));
        PLAIN.scaled().run(&daemon);
        let before = private_dirty(&daemon);
        Load { size: 200_000, messages: 2000, ..PLAIN }.scaled().run(&daemon);
        let large = private_dirty(&daemon);
        Self { daemon, since: Instant::now(), before, large }
    }

    /// Waits until foo has rested for a minute, and returns the figures. Call this last, so that
    /// other measurements use that time.
    pub fn figures(&self) -> [Figure; 3] {
        if !is_quick() {
            std::thread::sleep(REST.saturating_sub(self.since.elapsed()));
        }
        let figure = |when: &str, value| {
            let mut figure = Figure::new(format!("private dirty memory {when}"), "KiB");
            figure.add(Column::Foo, value);
            figure
        };
        [
            figure("before large messages", self.before),
            figure("right after 2,000 of 200,000 bytes", self.large),
            figure("after a minute's rest", private_dirty(&self.daemon)),
        ]
    }
}
