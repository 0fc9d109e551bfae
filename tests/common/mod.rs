//! Shared by the tests that drive built programs: ours, or those that `FOO_UNDER_TEST` and
//! `FOOCL_UNDER_TEST` name, such
//! as the original.
#![allow(dead_code, reason = "each test program uses a part of this")]

pub mod activate;
pub mod client;
pub mod daemon;
pub mod journald;
pub mod setup;
pub mod shown;
pub mod sys;

use nix::unistd::geteuid;
use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixDatagram;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long an event may take before the test fails, on a machine that does ten other things.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// The daemon under test.
pub fn foo() -> OsString {
    env::var_os("FOO_UNDER_TEST").unwrap_or_else(|| built("foo", option_env!("CARGO_BIN_EXE_foo")))
}

/// The client under test.
pub fn foocl() -> OsString {
    env::var_os("FOOCL_UNDER_TEST")
        .unwrap_or_else(|| built("foocl", option_env!("CARGO_BIN_EXE_foocl")))
}

/// A program that cargo has built for these tests.
fn built(name: &str, path: Option<&str>) -> OsString {
    path.unwrap_or_else(|| panic!("{name} is not built for the tests of this package")).into()
}

/// An example of the wrapper, built now: cargo builds examples before all tests, but not before those of one file.
pub fn example(name: &str) -> PathBuf {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--locked", "--quiet", "--package", "libsystemd-safe", "--example", name]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    assert!(cargo.status().unwrap().success(), "{name} does not build");
    // This program is in deps/ beside examples/.
    let this = env::current_exe().unwrap();
    this.parent().unwrap().with_file_name("examples").join(name)
}

/// Polls until there is an answer: for events that nothing can wait on.
#[track_caller]
pub fn eventually<T>(wanted: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    eventually_or(wanted, || answer().ok_or(String::new()))
}

/// The same for an answer that, while it is missing, says what was seen instead.
#[track_caller]
pub fn eventually_or<T>(wanted: &str, mut answer: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match answer() {
            Ok(found) => return found,
            Err(seen) => {
                assert!(start.elapsed() < DEADLINE, "{wanted}: not in {DEADLINE:?}; {seen}")
            }
        }
        // An answer may be expensive, such as a program in a container.
        thread::sleep(
            (start.elapsed() / 10).clamp(Duration::from_millis(2), Duration::from_millis(20)),
        );
    }
}

/// Polls until a value is as it should be. Returns it.
#[track_caller]
pub fn until<T: Display>(
    wanted: &str,
    mut value: impl FnMut() -> T,
    is_wanted: impl Fn(&T) -> bool,
) -> T {
    eventually_or(wanted, || {
        let value = value();
        if is_wanted(&value) { Ok(value) } else { Err(value.to_string()) }
    })
}

/// Running, sleeping, stopped: the letter that follows a process's name in brackets.
pub fn state(pid: u32) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat[stat.rfind(')').unwrap()..].chars().nth(2).unwrap()
}

/// Returns the result of a check, or the message of its panic.
pub fn caught<T>(check: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(check)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
    })
}

/// Reports that a test can't run here, and why. With `CI` set that is a failure. Not `eprintln!`,
/// which the test harness captures.
pub fn skip(test: &str, reason: &str) {
    let must_run = env::var_os("CI").is_some_and(|value| !value.is_empty());
    assert!(!must_run, "{test} can't run: {reason}");
    let mut stderr = io::stderr();
    writeln!(stderr, "skipped: {test}: {reason}").unwrap();
}

/// Returns whether a program is installed, and reports the test as skipped if not.
pub fn have(program: &str, package: &str, test: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        skip(test, &format!("no {program}: apt install {package}"));
    }
    found
}

/// The command that runs another one in a mount namespace, after this script. It takes root or user
/// namespaces.
pub fn in_namespace(options: &[&str], script: &str) -> Vec<String> {
    let user: &[_] = if geteuid().is_root() { &[] } else { &["--map-root-user"] };
    let script = format!("{script} && exec \"$0\" \"$@\"");
    let command = [&["unshare", "--mount"], user, options, &["sh", "-c", &script]].concat();
    command.into_iter().map(String::from).collect()
}

/// The same with a directory in the place of journald's.
pub fn in_place_of_journald(directory: &Path) -> Vec<String> {
    let place = "/run/systemd/journal";
    let directory = directory.display();
    let script = format!(
        "mount -t tmpfs tmpfs /run && mkdir -p {place} && mount --bind {directory} {place}"
    );
    in_namespace(&[], &script)
}

/// Returns whether such a command works here, and reports the test as skipped if not.
pub fn can_enter(namespace: &[String], test: &str) -> bool {
    let tried = Command::new(&namespace[0]).args(&namespace[1..]).arg("true").output();
    let why = match tried {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => format!("{}: {error}", namespace[0]),
    };
    skip(test, &format!("needs root or user namespaces: {why}"));
    false
}

/// Whether this machine has a journal. Entries that should reach no journal would reach it.
pub fn journal_is_here() -> bool {
    Path::new("/run/systemd/journal/socket").exists()
}

/// Fails unless a text contains all words.
#[track_caller]
pub fn assert_words(case: &str, text: &str, words: &[&str]) {
    let missing: Vec<_> = words.iter().filter(|word| !text.contains(**word)).collect();
    assert!(missing.is_empty(), "{case}: no {missing:?} in {text}");
}

/// Compares two lines of any length, and shows only where they differ.
#[track_caller]
pub fn assert_line(case: &str, got: &str, want: &str) {
    if got == want {
        return;
    }
    let same = got.bytes().zip(want.bytes()).take_while(|(g, w)| g == w);
    let same = same.count();
    panic!(
        "{case}: they differ at byte {same}\n got {} bytes: {}\nwant {} bytes: {}",
        got.len(),
        around(got, same),
        want.len(),
        around(want, same),
    );
}

/// The part of a text around a byte, quoted.
fn around(text: &str, at: usize) -> String {
    let bytes = text.as_bytes();
    let part = &bytes[at.saturating_sub(100)..bytes.len().min(at + 100)];
    format!("{:?}", String::from_utf8_lossy(part))
}

/// A temporary directory with a path short enough for sockets, removed when this is dropped.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("foo-test-{}-{count}", std::process::id());
            let path = env::temp_dir().join(name);
            // For any umask: foocl refuses a directory that others can write.
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Self(path),
                // A killed test with the same pid has left it behind.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A datagram socket bound in this directory.
    pub fn socket(&self, name: &str) -> UnixDatagram {
        UnixDatagram::bind(self.join(name)).unwrap()
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // No unwrap: a second panic would hide the first.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Fills the queue of a socket, whatever its length. Returns the number of datagrams that it took.
pub fn fill(path: &Path, datagram: &[u8]) -> usize {
    // A sender for each: what waits in a long queue does not fit into the send buffer of one.
    let send = || {
        let filler = UnixDatagram::unbound().unwrap();
        filler.set_nonblocking(true).unwrap();
        filler.send_to(datagram, path)
    };
    (0..).take_while(|_| send().is_ok()).count()
}

/// How many datagrams a queue holds: one more than the kernel's setting.
pub fn queue() -> usize {
    let length = fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen").unwrap();
    length.trim().parse::<usize>().unwrap() + 1
}

/// Sets timeouts, so that a call on a socket of the test can't block for ever, and the kernel's
/// default send buffer, whatever this machine's is. Not for a socket that is passed to the daemon,
/// which would share the timeouts.
pub fn patient(socket: UnixDatagram) -> UnixDatagram {
    // The kernel doubles the value.
    sys::set_send_buffer(&socket, 212_992 / 2).unwrap();
    socket.set_write_timeout(Some(DEADLINE)).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket
}

/// Closes a socket, and waits until it is: a child of another test holds it until it is executed.
pub fn close(socket: UnixDatagram) {
    let address = socket.local_addr().unwrap();
    drop(socket);
    let probe = UnixDatagram::unbound().unwrap();
    eventually("a closed socket", || probe.connect_addr(&address).err());
}

/// Repeats an interrupted call. On a socket with a timeout, even a machine that is suspended and
/// resumed interrupts calls, see signal(7).
pub fn persist<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
