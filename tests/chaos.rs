//! The daemon with random environments, descriptors, logs and senders.
//!
//! A number determines each case. `FOO_CHAOS_SEED` is the first; the next case has the next number.
//! `FOO_CHAOS_SECONDS` is how long to go on; with 0 seconds only the first case runs.

mod common;

use common::daemon::Daemon;
use common::setup::Setup;
use common::shown::{self, is_printable, line, shown};
use common::{TempDir, caught, eventually, journal_is_here, patient, persist, sys};
use nix::sys::signal::Signal::{SIGHUP, SIGTERM};
use nix::sys::socket::{getsockopt, sockopt::PassCred};
use nix::unistd::{getuid, pipe};
use proptest::prelude::RngCore;
use proptest::test_runner::{RngAlgorithm, TestRng};
use std::env;
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What foo does with the descriptors and the environment of a case.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Outcome {
    /// Serves until it is stopped.
    Serves,
    /// Exits because a socket has failed.
    GivesUp,
    /// Exits without becoming ready.
    Refuses,
}
use Outcome::{GivesUp, Refuses, Serves};

/// Makes a descriptor, which may have this path.
type Make = fn(PathBuf) -> OwnedFd;

const SERVED: &[Make] = &[
    |path| bind(path, |_| {}),
    |path| bind(path, |socket| socket.set_nonblocking(true).unwrap()),
    |path| bind(path, |socket| sys::ask_for_credentials(socket).unwrap()),
    |path| bind(path, |socket| socket.set_read_timeout(Some(Duration::from_micros(1))).unwrap()),
    |path| {
        let address = SocketAddr::from_abstract_name(path.as_os_str().as_bytes()).unwrap();
        UnixDatagram::bind_addr(&address).unwrap().into()
    },
];

const OTHERS: &[(Outcome, Make)] = &[
    (GivesUp, |path| bind(path, |socket| socket.shutdown(Shutdown::Read).unwrap())),
    (Refuses, |path| UnixListener::bind(path).unwrap().into()),
    (Refuses, |_| UnixStream::pair().unwrap().0.into()),
    (Refuses, |path| open(path, File::options().read(true).append(true).create(true))),
    (Refuses, |path| open(path.parent().unwrap().into(), File::options().read(true))),
    (Refuses, |_| open("/".into(), File::options().read(true).custom_flags(libc::O_PATH))),
    (Refuses, |_| open("/dev/null".into(), File::options().read(true))),
    (Refuses, |_| open("/dev/full".into(), File::options().write(true))),
    (Refuses, |_| pipe().unwrap().0),
    (Refuses, |_| pipe().unwrap().1),
];

fn bind(path: PathBuf, set: fn(&UnixDatagram)) -> OwnedFd {
    let socket = UnixDatagram::bind(path).unwrap();
    set(&socket);
    socket.into()
}

fn open(path: PathBuf, options: &OpenOptions) -> OwnedFd {
    options.open(path).unwrap().into()
}

/// Values with which foo has nothing to serve.
const FAULTS: &[(&str, &[&str])] = &[
    ("LISTEN_PID", &["1", "abc", "-1", "", "99999999999", "0x", "self "]),
    ("LISTEN_FDS", &["0", "-1", "", "1x", "3", "7", "99999999999", "2147483647", "1 2", "\n<0>"]),
    ("LISTEN_FDNAMES", &["a:b:c", "a:b:c:d", "::::"]),
];

const NO_NOTIFY_SOCKETS: [&str; 7] =
    ["", "relative", "/", "/nonexistent/notify", "@", "vsock:1:2", "/dev/null"];

const WATCHDOGS: [&str; 9] =
    ["1", "self", "0", "-1", "", "abc", "1000", "18446744073709551615", "99999999999999999999"];

/// Gives the daemon a log.
type SetLog = fn(Setup) -> Setup;

/// Logs that the test reads.
const READ_LOGS: &[SetLog] = &[
    |setup| setup,
    |setup| with_file(setup, Setup::log_to),
    // The journal of this machine would take what is longer than a line.
    |setup| if journal_is_here() { setup } else { with_file(setup, Setup::log_to_journal) },
];

/// Logs that take everything, and that the test can't read.
const SILENT_LOGS: &[SetLog] = &[
    |setup| setup.log_closed(),
    |setup| setup.log_to(open("/dev/null".into(), File::options().write(true))),
];

/// Logs that take nothing. A stop gives up.
const FAILING_LOGS: &[SetLog] = &[
    |setup| setup.log_to(open("/dev/null".into(), File::options().read(true))),
    |setup| setup.log_to(open("/dev/full".into(), File::options().write(true))),
    |setup| setup.log_to(UnixStream::pair().unwrap().0),
];

fn with_file(setup: Setup, set: fn(Setup, OwnedFd) -> Setup) -> Setup {
    let file = open(setup.dir().join("log"), File::options().append(true).create(true));
    set(setup, file)
}

/// Draws the parts of a case.
struct Dice(TestRng);

impl Dice {
    fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
    }

    fn below(&mut self, end: usize) -> usize {
        self.0.next_u64() as usize % end
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Any bytes, in which characters of all lengths are as likely as invalid UTF-8.
    fn bytes(&mut self, parts: usize) -> Vec<u8> {
        let of = |number| char::from_u32(number).unwrap_or_default().to_string().into_bytes();
        let mut bytes = Vec::new();
        for _ in 0..self.below(parts) {
            bytes.extend(match self.below(4) {
                0 => of(self.below(0x11_0000) as u32),
                1 => of(self.below(0xa1) as u32),
                2 => vec![self.below(256) as u8],
                _ => self.pick(&[&b"\n<0>"[..], b"\n", b"\0", b"%s%n"]).to_vec(),
            });
        }
        bytes
    }

    /// The same without what an environment can't hold.
    fn value(&mut self, parts: usize) -> Vec<u8> {
        let mut bytes = self.bytes(parts);
        bytes.retain(|&byte| byte != 0);
        bytes
    }

    /// A descriptor's name, which systemd does not split or unquote.
    fn name(&mut self) -> String {
        let mut name = String::from_utf8(self.value(12)).unwrap_or_default();
        name.retain(|character| !":\\\"'".contains(character));
        if name.is_empty() { "name".into() } else { name }
    }

    fn payload(&mut self) -> Vec<u8> {
        match self.below(20) {
            0 => vec![self.below(256) as u8; 50_000 + self.below(150_000)],
            1 | 2 => self.bytes(4).repeat(self.below(3000)),
            _ => self.bytes(40),
        }
    }

    /// A descriptor, and what foo does with it.
    fn descriptor(&mut self, path: PathBuf) -> (OwnedFd, Outcome) {
        if !self.one_in(6) {
            return (self.pick(SERVED)(path), Serves);
        }
        // Every family, and every type from SOCK_STREAM to SOCK_PACKET.
        let (family, kind) = (self.below(46) as i32, 1 + self.below(10) as i32);
        // The kernel makes a datagram socket of SOCK_RAW.
        let serves = family == libc::AF_UNIX && [libc::SOCK_DGRAM, libc::SOCK_RAW].contains(&kind);
        match sys::socket(family, kind) {
            Ok(socket) if !serves && self.one_in(2) => (socket, Refuses),
            _ => {
                let (outcome, make) = self.pick(OTHERS);
                (make(path), outcome)
            }
        }
    }

    /// A sender, and its name as the log shows it.
    fn sender(&mut self, path: PathBuf) -> (UnixDatagram, String) {
        let mut name = [path.as_os_str().as_bytes(), &self.bytes(12)].concat();
        name.truncate(107);
        if self.one_in(3) {
            return (UnixDatagram::unbound().unwrap(), shown::name(b""));
        }
        if self.one_in(2) {
            let address = SocketAddr::from_abstract_name(&name).unwrap();
            return (
                UnixDatagram::bind_addr(&address).unwrap(),
                shown::name(&[b"\0", &name[..]].concat()),
            );
        }
        let own = &mut name[path.as_os_str().len()..];
        own.iter_mut().filter(|byte| [b'/', 0].contains(byte)).for_each(|byte| *byte = b'_');
        (UnixDatagram::bind(OsStr::from_bytes(&name)).unwrap(), shown(&name))
    }
}

#[test]
fn random_surroundings() {
    let number = |name| env::var(name).ok().map(|value| value.parse::<u64>().expect(name));
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() << 20;
    let first = number("FOO_CHAOS_SEED").unwrap_or_else(now);
    let end = Instant::now() + Duration::from_secs(number("FOO_CHAOS_SECONDS").unwrap_or(3));
    let mut seed = first;
    while seed == first || Instant::now() < end {
        if let Err(finding) = caught(|| run(Dice::new(seed))) {
            panic!("FOO_CHAOS_SEED={seed} FOO_CHAOS_SECONDS=0 finds it again: {finding:.4000}");
        }
        seed += 1;
    }
    // Not `eprintln!`, which the test harness captures.
    let mut stderr = io::stderr();
    writeln!(stderr, "chaos: {} cases from seed {first} on, 0 findings", seed - first).unwrap();
}

fn run(mut dice: Dice) {
    let dir = TempDir::new();
    let count = dice.below(3);
    let passed = (0..count).map(|number| dice.descriptor(dir.join(&format!("passed-{number}"))));
    let (passed, outcomes): (Vec<_>, Vec<_>) = passed.unzip();
    // Copies, so that the sockets outlive the daemon.
    let sockets: Vec<_> = passed.iter().map(|fd| fd.try_clone().unwrap()).collect();
    let mut outcome = outcomes.into_iter().max().unwrap_or(Refuses);
    let names: Vec<_> = (0..count).map(|_| dice.name()).collect();

    let mut setup = Setup::new(passed, dir).env("LISTEN_FDNAMES", names.join(":"));
    if dice.one_in(4) {
        outcome = Refuses;
        let (name, values) = dice.pick(FAULTS);
        setup = match dice.below(values.len() + 1) {
            0 if name != "LISTEN_FDNAMES" => setup.unset(name),
            _ => setup.env(name, dice.pick(values)),
        };
    }
    // Whether the test receives the notifications.
    let is_heard = !dice.one_in(5);
    if is_heard {
        setup = if dice.one_in(4) { setup.abstract_notify() } else { setup };
    } else if dice.one_in(2) {
        setup = setup.unset("NOTIFY_SOCKET");
    } else {
        let long = "/x".repeat(100 + dice.below(200));
        let wrong = if dice.one_in(4) { &long } else { dice.pick(&NO_NOTIFY_SOCKETS) };
        setup = setup.env("NOTIFY_SOCKET", wrong);
    }
    for name in ["WATCHDOG_USEC", "WATCHDOG_PID", "RANDOM_1", "RANDOM_2"] {
        let value = if name.starts_with("WATCHDOG") && dice.one_in(2) {
            dice.pick(&WATCHDOGS).into()
        } else {
            dice.value(20)
        };
        setup = if dice.one_in(2) { setup.env(name, OsStr::from_bytes(&value)) } else { setup };
    }
    let (is_read, is_silent) = (!dice.one_in(10), dice.one_in(2));
    let log = dice.pick(match is_silent {
        _ if is_read => READ_LOGS,
        true => SILENT_LOGS,
        false => FAILING_LOGS,
    });
    let daemon = log(setup).start();

    let mut expected = Vec::new();
    if outcome == Serves {
        wait_until_ready(&daemon, is_heard);
        for number in 0..dice.below(12) {
            expected.push(send(&mut dice, &daemon, number, &sockets));
        }
        if dice.one_in(2) {
            daemon.signal(SIGHUP);
        }
        daemon.signal(SIGTERM);
    }
    // The directory is removed with the daemon.
    let file = File::open(daemon.dir.join("log"));
    let end = daemon.end();
    let ends_well = outcome == Serves && (is_read || is_silent);
    assert_eq!(end.code, if ends_well { 0 } else { 255 }, "exit status: {:?}", end.log);
    if is_heard {
        assert!(outcome != Refuses || !end.notified("READY=1"), "ready: {:?}", end.log);
        assert!(end.notified("STOPPING=1"), "no STOPPING=1: {:?}", end.log);
    }
    if is_read {
        let lines = match file {
            Ok(file) => io::read_to_string(file).unwrap().lines().map(String::from).collect(),
            Err(_) => end.log,
        };
        assert_lines(&lines, outcome, &names, expected);
    }
}

fn wait_until_ready(daemon: &Daemon, is_heard: bool) {
    if is_heard {
        let note = daemon.notified();
        assert!(note.has("READY=1"), "not ready: {:?}", note.text);
        return;
    }
    eventually("SIGTERM waits for the loop", || {
        let blocked = u64::from_str_radix(&daemon.proc_text("status", "SigBlk"), 16).unwrap();
        (blocked & (1 << (SIGTERM as u64 - 1)) != 0).then_some(())
    });
}

/// Sends a message to one of the sockets. Returns its expected line.
fn send(dice: &mut Dice, daemon: &Daemon, number: usize, sockets: &[OwnedFd]) -> String {
    let socket = &sockets[dice.below(sockets.len())];
    let socket = UnixDatagram::from(socket.try_clone().unwrap());
    let (sender, name) = dice.sender(daemon.dir.join(&format!("{number}-")));
    let payload = dice.payload();
    let attached = if dice.one_in(4) { dice.below(8) } else { 0 };
    let attached: Vec<_> =
        (0..attached).map(|_| open("/dev/null".into(), File::options().read(true))).collect();
    let sender = patient(sender);
    sender.connect_addr(&socket.local_addr().unwrap()).unwrap();
    persist(|| sys::send_with(&sender, &payload, &attached, number % 2 == 0)).unwrap();
    let asks = getsockopt(&socket, PassCred).unwrap();
    let credentials = asks.then(|| (std::process::id(), getuid().as_raw()));
    format!("<5>{}", line(credentials, &name, 0, &payload))
}

/// Fails unless the log has each expected line, one error if foo does not serve, and nothing that
/// nobody can read.
fn assert_lines(lines: &[String], outcome: Outcome, names: &[String], expected: Vec<String>) {
    // An entry that can't be sent becomes lines without `<`.
    let unescaped = |line: &str| line.replace(r"\x3c", "<");
    let text = unescaped(&lines.join("\n").replace("\n<5>continued: ", ""));
    let lines: Vec<_> = text.lines().map(String::from).collect();
    let mut expected: Vec<_> = expected.iter().map(|line| unescaped(line)).collect();
    for line in &lines {
        let has_priority =
            ["<3>", "<4>", "<5>", "<6>"].iter().any(|prefix| line.starts_with(prefix));
        assert!(has_priority && line.chars().all(is_printable), "{line:?}");
    }
    let errors: Vec<_> = lines.iter().filter(|line| line.starts_with("<3>")).collect();
    assert_eq!(errors.len(), usize::from(outcome != Serves), "errors: {lines:?}");
    if outcome == Serves {
        let mut lines = lines.iter().skip_while(|line| *line != "<5>File Descriptor names are:");
        lines.next();
        for name in names {
            assert_eq!(lines.next(), Some(&unescaped(&format!("<5> {}", shown(name.as_bytes())))));
        }
    }
    // Two sockets are served in any order.
    let mut received: Vec<_> =
        lines.iter().filter(|line| line[3..].starts_with(shown::BEGIN)).cloned().collect();
    received.sort();
    expected.sort();
    assert_eq!(received, expected);
}
