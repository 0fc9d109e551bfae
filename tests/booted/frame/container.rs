//! A Debian booted in a container for the length of one test, and what a test does with it.

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
use std::thread;
use std::time::{Duration, Instant};

use super::host::run;
use super::journal::{self, Entry};

/// How long anything may take that is over in a moment when all is well.
const DEADLINE: Duration = Duration::from_secs(20);

/// A booted container. It is gone when this is dropped, and when this process dies.
pub struct Container {
    launcher: Child,
    notify: UnixDatagram,
    console: PathBuf,
    /// What it was booted from.
    origin: [PathBuf; 3],
    /// The container's PID 1, as it is numbered out here.
    leader: String,
    /// What the case has to tell of what it has seen.
    told: RefCell<Vec<String>>,
}

impl Container {
    /// Boots `root`, which stays untouched, with the tree `stage` installed over it. Notes go to
    /// `scratch`. The options are those of systemd-nspawn.
    pub fn boot(root: &Path, stage: &Path, scratch: &Path, options: &str) -> io::Result<Self> {
        static BOOTED: AtomicU32 = AtomicU32::new(0);
        let number = BOOTED.fetch_add(1, Ordering::Relaxed);
        let machine = format!("booted-{}-{number}", std::process::id());
        let notify = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&machine)?)?;
        notify.set_read_timeout(Some(Duration::from_millis(100)))?;

        let console = scratch.join(&machine);
        let output = File::create(&console)?;
        let launcher = Command::new("unshare")
            .args([
                "--mount",
                "sh",
                "-c",
                include_str!("container.sh"),
                "container.sh",
            ])
            .args([root, stage])
            .args([&machine, options])
            .env("NOTIFY_SOCKET", format!("@{machine}"))
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-C is for the test process: the container then goes as it always does.
            .process_group(0)
            .spawn()?;
        let origin = [root, stage, scratch].map(Path::to_owned);
        let (leader, told) = (String::new(), RefCell::default());
        let mut container = Self {
            launcher,
            notify,
            console,
            origin,
            leader,
            told,
        };
        container.wait_for_boot()?;
        Ok(container)
    }

    /// The tree that was installed over it, or that of another pair of units.
    pub fn stage_of(&self, units: &str) -> PathBuf {
        self.origin[1].with_file_name(units)
    }

    /// Boots another one of the same kind, with these options of systemd-nspawn.
    pub fn another(&self, options: &str) -> Self {
        let [root, stage, scratch] = &self.origin;
        Self::boot(root, stage, scratch, options).expect("another container")
    }

    /// Joins this one and another in a network of their own, where they have the first and the second address
    /// of 10.0.0.0/24.
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

    /// Reboots, and waits until the container is up again.
    pub fn reboot(&mut self) {
        self.run("systemctl reboot");
        self.wait_for_boot().expect("the second boot");
    }

    /// systemd-nspawn tells its own supervisor, which is us, when the container's systemd has
    /// finished starting up.
    fn wait_for_boot(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + DEADLINE;
        self.leader.clear();
        loop {
            let mut buffer = [0; 4096];
            let length = match self.notify.recv(&mut buffer) {
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
                return Err(io::Error::other(format!(
                    "the container does not boot:\n{console}"
                )));
            }
        }
    }

    /// Runs a shell command in the container, and gives what came of it.
    pub fn output(&self, command: &str) -> Output {
        Command::new("nsenter")
            .args(["--target", &self.leader, "--all", "--root"])
            .args(["timeout", "20", "sh", "-c", &format!("cd /; {command}")])
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .stdin(Stdio::null())
            .output()
            .expect("nsenter")
    }

    /// Runs a shell command that has to succeed, and gives what it printed.
    pub fn run(&self, command: &str) -> String {
        let output = self.output(command);
        assert!(output.status.success(), "`{command}` fails: {output:?}");
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Runs a shell command that has to fail.
    pub fn fails(&self, command: &str) {
        let output = self.output(command);
        assert!(!output.status.success(), "`{command}` succeeds: {output:?}");
    }

    /// The release of its systemd.
    pub fn systemd(&self) -> u32 {
        let version = self.run("systemctl --version");
        version
            .split(' ')
            .nth(1)
            .and_then(|number| number.parse().ok())
            .expect("systemd 257 (…)")
    }

    /// One property of foo.service.
    pub fn show(&self, property: &str) -> String {
        self.run(&format!(
            "systemctl show --property={property} --value foo.service"
        ))
    }

    /// Starts both units, which both pairs do from the socket, and waits until all that is said at that
    /// stands in the journal.
    pub fn start(&self) {
        self.run("systemctl start foo.socket");
        self.wait_until_both("active");
        self.wait_for(" foo.socket");
    }

    /// Waits for an entry of foo's that ends so.
    pub fn wait_for(&self, end: &str) -> Entry {
        eventually(end, || {
            let entries = self.journal();
            let seen = entries
                .iter()
                .map(Entry::message)
                .collect::<Vec<_>>()
                .join("\n");
            entries
                .into_iter()
                .find(|entry| entry.message().ends_with(end))
                .ok_or(seen)
        })
    }

    /// Waits until foo.socket and foo.service are both in that state, with nothing left to do.
    pub fn wait_until_both(&self, state: &str) {
        let wanted = format!("{state} {state} No jobs running.");
        eventually(&wanted, || {
            let query = "echo $(systemctl is-active foo.socket foo.service; systemctl list-jobs)";
            let states = self.run(query);
            if states == wanted {
                Ok(())
            } else {
                Err(states)
            }
        });
    }

    /// A path of the container's, as it is reached from out here.
    pub fn path(&self, inside: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{inside}", self.leader))
    }

    /// Sends one datagram to foo from a socket without a name.
    pub fn send(&self, payload: &[u8]) {
        let sender = UnixDatagram::unbound().expect("a socket");
        self.send_from(&sender, payload);
    }

    /// Sends one datagram to foo from that socket.
    pub fn send_from(&self, sender: &UnixDatagram, payload: &[u8]) {
        let receiver = self.path("/run/foo.socket");
        let sent = sender.send_to(payload, receiver).expect("a datagram sent");
        assert_eq!(sent, payload.len());
    }

    /// Everything foo has logged so far, and everything that claims to be foo's.
    pub fn journal(&self) -> Vec<Entry> {
        self.entries("_SYSTEMD_UNIT=foo.service + SYSLOG_IDENTIFIER=foo")
    }

    /// The texts of everything foo has logged so far, a line each.
    pub fn lines(&self) -> String {
        let command = "journalctl --sync; journalctl --output=cat --all SYSLOG_IDENTIFIER=foo";
        String::from_utf8_lossy(&self.output(command).stdout).into_owned()
    }

    /// How many lines foo says were lost at most.
    pub fn told_lost(&self) -> u64 {
        let lines = self.lines();
        let told = lines.lines().filter_map(|line| {
            line.strip_prefix("Up to ")?
                .strip_suffix(" lines before this one were lost")?
                .parse::<u64>()
                .ok()
        });
        told.sum()
    }

    /// What tells foo's listening socket from any other.
    pub fn socket(&self) -> u64 {
        fs::metadata(self.path("/run/foo.socket"))
            .expect("foo's socket")
            .ino()
    }

    /// Waits until foo is up again in another process than that.
    pub fn wait_for_another_than(&self, pid: &str) {
        eventually("another process", || {
            let (now, state) = (self.show("MainPID"), self.show("ActiveState"));
            let is_up = now != pid && now != "0" && state == "active";
            if is_up {
                Ok(())
            } else {
                Err(format!("{now}, {state}"))
            }
        });
    }

    /// Adds settings to a unit.
    pub fn drop_in(&self, unit: &str, settings: &str) {
        let directory = self.path(&format!("/etc/systemd/system/{unit}.d"));
        fs::create_dir_all(&directory).expect("a directory for settings");
        fs::write(directory.join("test.conf"), settings).expect("settings");
        self.run("systemctl daemon-reload");
    }

    /// Keeps what a case has to tell of what it has seen.
    pub fn tell(&self, what: impl Display) {
        self.told.borrow_mut().push(what.to_string());
    }

    /// What the case had to tell.
    pub fn told(&self) -> String {
        self.told.borrow().join("; ")
    }

    /// The entries that match.
    pub fn entries(&self, matches: &str) -> Vec<Entry> {
        let command = format!("journalctl --sync; journalctl --output=export --all {matches}");
        journal::parse(&self.output(&command).stdout)
    }

    /// What to know of a container in which a test has failed.
    pub fn report(&self) -> String {
        let command = "systemctl status --lines=0 foo.socket foo.service; \
            journalctl --no-full --no-hostname --priority=info --lines=40 --output=short-precise";
        String::from_utf8_lossy(&self.output(command).stdout).into_owned()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // The launcher tears all down at the end of its input.
        drop(self.launcher.stdin.take());
        let _ = self.launcher.wait();
        let _ = fs::remove_file(&self.console);
    }
}

/// The value of one assignment among the lines of a notification.
fn value<'a>(state: &'a str, name: &str) -> Option<&'a str> {
    state.lines().find_map(|line| line.strip_prefix(name))
}

/// Asks again and again until `question` has an answer, and fails with its last excuse when it has
/// none in time.
pub fn eventually<T>(wanted: &str, mut question: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match question() {
            Ok(answer) => return answer,
            Err(excuse) if Instant::now() > deadline => {
                panic!("waited in vain for: {wanted}\nlast seen: {excuse}")
            }
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}
