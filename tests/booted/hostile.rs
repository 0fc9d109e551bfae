//! What users without any privilege can do to foo, and to each other through it: fifty processes of theirs send as
//! fast as they are let.

use super::container::{Container, eventually};
use super::host::times;
use super::load::Load;
use std::os::unix::net::UnixDatagram;
use std::sync::MutexGuard;
use std::time::{Duration, Instant};

/// How long foocl waits by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// Others get through, reloads do, and so does what keeps foo's watchdog content; memory stays what it was.
///
/// Which of those who wait for a queue gets the next place is up to the kernel, which has no rule for it: so there is
/// no bound for each message, but all get through while foocl waits, and nearly all within a second.
pub fn a_flood_starves_nobody(container: &mut Container) {
    container.drop_in("foo.service", "[Service]\nWatchdogSec=2s\n");
    let flood = Flood::start(container);
    let (pid, memory) = (container.show("MainPID"), flood.memory());
    let sender = UnixDatagram::unbound().expect("a socket");
    let (begin, mut waits, mut reloads) = (Instant::now(), Vec::new(), 0);
    // Longer than the watchdog waits.
    while begin.elapsed() < Duration::from_secs(times(30)) {
        let since = Instant::now();
        container.send_from(&sender, b"one of the others");
        waits.push(since.elapsed());
        if waits.len() % 100 == 0 {
            container.run("systemctl reload foo");
            reloads += 1;
        }
    }
    let grown = flood.memory().saturating_sub(memory);
    let flooded = flood.stop();
    waits.sort();
    let (sent, longest, most) = (waits.len(), waits[waits.len() - 1], waits[waits.len() * 19 / 20]);
    container.tell(format_args!(
        "{flooded} of 50 processes, {sent} of another, {reloads} reloads; 19 of 20 in {} ms, the longest {} ms; \
         memory +{grown} KiB",
        most.as_millis(),
        longest.as_millis()
    ));
    assert!(most < Duration::from_secs(1) && longest < PATIENCE, "starved: {most:?}, {longest:?}");
    assert!(grown < 256, "{grown} KiB more");
    assert!(reloads > 0, "no reload in {sent} messages");
    assert_eq!((container.show("MainPID"), container.show("NRestarts")), (pid, "0".to_owned()));
}

/// It takes a second and what a busy machine adds to it, not the minute and a half after which systemd kills.
pub fn a_flood_does_not_keep_foo_from_stopping(container: &mut Container) {
    let flood = Flood::start(container);
    let begin = Instant::now();
    container.run("systemctl stop foo.service");
    let took = begin.elapsed();
    container.wait_until_both("inactive");
    flood.stop();
    container.tell(format_args!("stopped in {} ms", took.as_millis()));
    assert!(took < PATIENCE, "stopped after {took:?}");
    assert_eq!(container.show("Result"), "success");
}

/// Fifty processes of nobody's, in a unit of their own.
struct Flood<'a> {
    container: &'a Container,
    _turn: MutexGuard<'static, ()>,
}

impl<'a> Flood<'a> {
    /// Starts them, and waits until foo has received from them.
    fn start(container: &'a Container) -> Self {
        let turn = Load::turn();
        container.start();
        container.run(
            "systemd-run --quiet --unit=flood --uid=65534 --gid=65534 sh -c \
             'for i in $(seq 50); do yes flood | foocl --timeout infinity - >/dev/null & done; wait'",
        );
        let flood = Self { container, _turn: turn };
        eventually("the flood", || {
            let received = flood.received();
            if received > 10_000 { Ok(()) } else { Err(received.to_string()) }
        });
        flood
    }

    /// How many messages foo says that it has received.
    fn received(&self) -> u64 {
        let status = self.container.show("StatusText");
        status.split(' ').nth(1).and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    /// foo's own memory, in KiB.
    fn memory(&self) -> u64 {
        let pid = self.container.show("MainPID");
        let line = self.container.run(&format!("grep ^Private_Dirty: /proc/{pid}/smaps_rollup"));
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }

    /// Stops them, and gives how many messages foo has received.
    fn stop(self) -> u64 {
        let received = self.received();
        // It has ended where foo has, since they are refused then.
        self.container.run("systemctl kill --signal=KILL flood && systemctl stop flood || :");
        received
    }
}
