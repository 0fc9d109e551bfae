//! A Debian that is booted in a container for one test, and what a test does with it.

use libsystemd_safe::journal::Reader;
use std::cell::RefCell;
use std::fmt::Display;
use std::fs::{self, File};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::host::run;
use super::journal::{self, Entry};
use crate::common::{DEADLINE, persist};
pub use crate::common::{eventually_or as eventually, until};

/// A booted container. It ends when this is dropped, and when this process dies.
pub struct Container {
    launcher: Child,
    notify: UnixDatagram,
    console: PathBuf,
    /// What it was booted from: the root, the stage and the scratch directory.
    origin: [PathBuf; 3],
    /// The PID of the container's PID 1 on this machine.
    leader: String,
    /// What the case has reported.
    reports: RefCell<Vec<String>>,
}

impl Container {
    /// Boots a copy of `root` with the tree `stage` installed over it. The console's output goes to
    /// `scratch`. `options` are those of systemd-nspawn.
    pub fn boot(root: &Path, stage: &Path, scratch: &Path, options: &str) -> io::Result<Self> {
        static BOOTED: AtomicU32 = AtomicU32::new(0);
        let number = BOOTED.fetch_add(1, Ordering::Relaxed);
        let machine = format!("booted-{}-{number}", std::process::id());
        let notify = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&machine)?)?;
        notify.set_read_timeout(Some(Duration::from_millis(100)))?;

        let console = scratch.join(&machine);
        let output = File::create(&console)?;
        let launcher = Command::new("unshare")
            .args(["--mount", "sh", "-c", include_str!("container.sh"), "container.sh"])
            .args([root, stage])
            .args([&machine, options])
            .env("NOTIFY_SOCKET", format!("@{machine}"))
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-C must reach the test process only. It then ends the container.
            .process_group(0)
            .spawn()?;
        let origin = [root, stage, scratch].map(Path::to_owned);
        let (leader, reports) = (String::new(), RefCell::default());
        let mut container = Self { launcher, notify, console, origin, leader, reports };
        container.wait_for_boot()?;
        Ok(container)
    }

    /// Returns the tree for a pair of units, from the same stage.
    pub fn stage_of(&self, units: &str) -> PathBuf {
        self.origin[1].with_file_name(units)
    }

    /// Boots another container from the same root and stage.
    pub fn another(&self, options: &str) -> Self {
        let [root, stage, scratch] = &self.origin;
        Self::boot(root, stage, scratch, options).expect("another container")
    }

    /// Joins two containers in a network of their own. This one is 10.0.0.1, the other 10.0.0.2.
    pub fn join(&self, other: &Self) {
        let ip = |command: &str| {
            run(Command::new("ip").args(command.split(' '))).expect("ip(8) of iproute2")
        };
        ip(&format!(
            "link add host0 netns {} type veth peer name host0 netns {}",
            self.leader, other.leader
        ));
        for (container, address) in [(self, "10.0.0.1/24"), (other, "10.0.0.2/24")] {
            let inside = |command: &str| {
                let enter = ["--target", &container.leader, "--net", "ip"];
                run(Command::new("nsenter").args(enter).args(command.split(' ')))
                    .expect("ip(8) inside")
            };
            inside(&format!("address add {address} dev host0"));
            inside("link set host0 up");
        }
    }

    /// Reboots, and waits for the second boot.
    pub fn reboot(&mut self) {
        self.run("systemctl reboot");
        self.wait_for_boot().expect("the second boot");
    }

    /// Waits for the notification that systemd-nspawn sends when the container has started up.
    fn wait_for_boot(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + DEADLINE;
        self.leader.clear();
        loop {
            let mut buffer = [0; 4096];
            let length = match persist(|| self.notify.recv(&mut buffer)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                received => received?,
            };
            let state = String::from_utf8_lossy(&buffer[..length]);
            if let Some(leader) = value(&state, "X_NSPAWN_LEADER_PID=") {
                self.leader = leader.to_owned();
            }
            if !self.leader.is_empty() && value(&state, "READY=") == Some("1") {
                return Ok(());
            }
            if self.launcher.try_wait()?.is_some() || Instant::now() > deadline {
                let console = fs::read_to_string(&self.console).unwrap_or_default();
                return Err(io::Error::other(format!("the container does not boot:\n{console}")));
            }
        }
    }

    /// Runs a shell command in the container.
    pub fn output(&self, command: &str) -> Output {
        Command::new("nsenter")
            .args(["--target", &self.leader, "--all", "--root"])
            .args(["timeout", "60", "sh", "-c", &format!("cd /; {command}")])
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null())
            .output()
            .expect("nsenter")
    }

    /// Runs a shell command that must succeed. Returns its output.
    pub fn run(&self, command: &str) -> String {
        let output = self.output(command);
        assert!(output.status.success(), "`{command}` fails: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Runs a shell command until its output is as it should be. Returns the output.
    pub fn until(&self, command: &str, is_wanted: impl Fn(&String) -> bool) -> String {
        until(command, || self.run(command), is_wanted)
    }

    /// Runs a shell command that must fail.
    pub fn fails(&self, command: &str) {
        let output = self.output(command);
        assert!(!output.status.success(), "`{command}` succeeds: {output:?}");
    }

    /// Returns the release of its systemd, such as 257.
    pub fn systemd(&self) -> u32 {
        let version = self.run("systemctl --version");
        version.split(' ').nth(1).and_then(|number| number.parse().ok()).expect("systemd 257 (…)")
    }

    /// Returns a property of foo.service.
    pub fn show(&self, property: &str) -> String {
        self.run(&format!("systemctl show --property={property} --value foo.service"))
    }

    /// Starts both units from the socket, as both pairs allow. Waits until the start-up lines are
    /// in the journal.
    pub fn start(&self) {
        self.run("systemctl start foo.socket");
        self.wait_until_both("active");
        self.wait_for(" foo.socket");
    }

    /// Starts both units from the service.
    pub fn start_service(&self) {
        self.run("systemctl start foo");
        self.wait_until_both("active");
    }

    /// Waits for an entry of foo that ends with a text.
    pub fn wait_for(&self, end: &str) -> Entry {
        eventually(end, || {
            let entries = self.journal();
            let seen = entries.iter().map(Entry::message).collect::<Vec<_>>().join("\n");
            entries.into_iter().find(|entry| entry.message().ends_with(end)).ok_or(seen)
        })
    }

    /// Waits until foo.socket and foo.service are both in a state and no job is left.
    pub fn wait_until_both(&self, state: &str) {
        let wanted = format!("{state} {state} No jobs running.");
        let query = "echo $(systemctl is-active foo.socket foo.service; systemctl list-jobs)";
        self.until(query, |states| *states == wanted);
    }

    /// Fails unless both units are active and the message of an ordinary user is logged.
    pub fn assert_serves(&self, message: &str) {
        self.wait_until_both("active");
        self.run(&format!("setpriv --reuid=65534 --clear-groups foocl '{message}'"));
        self.wait_for(&format!(": {message}"));
    }

    /// Returns a path in the container as seen from this machine.
    pub fn path(&self, inside: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{inside}", self.leader))
    }

    /// Sends a datagram to foo from a socket without a name.
    pub fn send(&self, payload: &[u8]) {
        let sender = UnixDatagram::unbound().expect("a socket");
        self.send_from(&sender, payload);
    }

    /// Sends a datagram to foo from a socket.
    pub fn send_from(&self, sender: &UnixDatagram, payload: &[u8]) {
        let receiver = self.path("/run/foo.socket");
        let sent = sender.send_to(payload, receiver).expect("a datagram sent");
        assert_eq!(sent, payload.len());
    }

    /// Returns all entries of foo's unit, and all that have foo's identifier.
    pub fn journal(&self) -> Vec<Entry> {
        self.entries("_SYSTEMD_UNIT=foo.service + SYSLOG_IDENTIFIER=foo")
    }

    /// Returns the texts of all that foo has logged, one line each.
    pub fn lines(&self) -> String {
        journal::lines(&mut self.reader("SYSLOG_IDENTIFIER=foo"))
    }

    /// Returns how many lines foo has reported as lost, at most.
    pub fn reported_lost(&self) -> u64 {
        let lines = self.lines();
        let counts = lines.lines().filter_map(|line| {
            line.strip_prefix("Up to ")?
                .strip_suffix(" lines before this one were lost")?
                .parse::<u64>()
                .ok()
        });
        counts.sum()
    }

    /// Returns the inode of foo's socket. Another socket has another.
    pub fn socket(&self) -> u64 {
        fs::metadata(self.path("/run/foo.socket")).expect("foo's socket").ino()
    }

    /// Waits until foo runs in another process.
    pub fn wait_for_another_than(&self, pid: &str) {
        let up = || self.show("MainPID") + " " + &self.show("ActiveState");
        let is_another =
            |now: &String| now.strip_suffix(" active").is_some_and(|now| now != pid && now != "0");
        until("another process", up, is_another);
    }

    /// Gives a unit a drop-in with these settings, in place of the one before.
    pub fn drop_in(&self, unit: &str, settings: &str) {
        let directory = self.path(&format!("/etc/systemd/system/{unit}.d"));
        fs::create_dir_all(&directory).expect("a directory for settings");
        fs::write(directory.join("test.conf"), settings).expect("settings");
        self.run("systemctl daemon-reload");
    }

    /// Reports what the case has seen, for the table of results.
    pub fn report(&self, what: impl Display) {
        self.reports.borrow_mut().push(what.to_string());
    }

    /// Returns what the case has reported.
    pub fn reported(&self) -> String {
        self.reports.borrow().join("; ")
    }

    /// Returns the entries that match, see [`journal::open`].
    pub fn entries(&self, matches: &str) -> Vec<Entry> {
        journal::entries(&mut self.reader(matches))
    }

    /// Returns a reader of the entries that match. They include all that was sent before.
    pub fn reader(&self, matches: &str) -> Reader {
        // In the container, since journald refuses a caller whose PID it can't see. It fails if
        // journald does not run. Then there is nothing to wait for.
        self.output("journalctl --sync");
        journal::open(&self.path("/"), matches)
    }

    /// Returns the state and the last entries of a container in which a test has failed.
    pub fn state(&self) -> String {
        let command = "systemctl status --lines=0 foo.socket foo.service; \
            journalctl --no-full --no-hostname --priority=info --lines=40 --output=short-precise";
        String::from_utf8_lossy(&self.output(command).stdout).into_owned()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // The launcher ends the container at the end of its input.
        drop(self.launcher.stdin.take());
        let _ = self.launcher.wait();
        let _ = fs::remove_file(&self.console);
    }
}

/// Returns the value of an assignment in a notification.
fn value<'a>(state: &'a str, name: &str) -> Option<&'a str> {
    state.lines().find_map(|line| line.strip_prefix(name))
}
