//! The releases of Debian that the tests run on, each with its own systemd.

use super::container::Container;
use super::host::{error, needs, project, run, say};
use super::stage::{Stage, Units};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// A release of Debian that the tests run on.
pub struct Suite {
    pub name: &'static str,
    pub debian: &'static str,
    /// The release of its systemd.
    systemd_version: u32,
    /// Whether the tests run on it in a soak only.
    pub soak: bool,
    /// The packages to build the programs with, if those built on this machine do not run there.
    build_packages: &'static str,
    /// The number of tests that ran on it.
    ran: AtomicUsize,
    /// The version of its systemd, known once a container has booted.
    systemd: OnceLock<String>,
}

impl Suite {
    pub const fn new(
        name: &'static str,
        debian: &'static str,
        systemd_version: u32,
        soak: bool,
    ) -> Self {
        Self {
            name,
            debian,
            systemd_version,
            build_packages: "",
            soak,
            ran: AtomicUsize::new(0),
            systemd: OnceLock::new(),
        }
    }

    /// A release that has ended, and is too old to run what this machine builds.
    pub const fn with_build(mut self) -> Self {
        self.build_packages = ",gcc,libc6-dev,libclang-dev,libsystemd-dev,pkg-config";
        self
    }

    /// Returns whether the package built on this machine can be installed on it.
    pub const fn takes_package(&self) -> bool {
        self.build_packages.is_empty()
    }

    /// Returns the packages to install, apart from those that every Debian has.
    fn packages(&self) -> String {
        format!(
            "systemd,systemd-sysv,dbus,libsystemd0,socat,bsdutils,systemd-journal-remote,autopkgtest,make{}",
            self.build_packages
        )
    }

    /// Returns the directory of the unpacked release. Its name depends on the packages.
    fn root(&self) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        self.packages().hash(&mut hasher);
        project().join("target/roots").join(format!("{}-{:016x}", self.name, hasher.finish()))
    }

    /// Makes the release unless it is there, and stages what is installed on it. `package` says
    /// whether there is a package. Checks that the staged programs run on it. The error names the
    /// remedy.
    pub fn prepare(&self, package: Result<(), String>) -> Result<Arc<Stage>, String> {
        self.make_root()?;
        let stage = |programs, package| {
            Arc::new(Stage::new(self.name, self.systemd_version, programs, package))
        };
        if !self.takes_package() {
            return Ok(stage(Some(&self.build()?), Err(String::new())));
        }
        let stage = stage(None, package);
        // In a mount namespace, so that nothing is left behind.
        let ldd = "mount --bind \"$1\" \"$0/mnt\"; chroot \"$0\" sh -c 'ldd /mnt/*' 2>&1";
        let libraries = run(Command::new("unshare")
            .args(["--mount", "sh", "-ec", ldd])
            .args([self.root(), stage.binary("")]))?;
        match libraries.lines().find(|line| line.contains("not found")) {
            None => Ok(stage),
            Some(line) => Err(format!("{}: build it on this Debian", line.trim())),
        }
    }

    /// Builds the programs in it with this machine's Rust. Returns their directory.
    fn build(&self) -> Result<PathBuf, String> {
        let sysroot = run(Command::new("rustc").args(["--print", "sysroot"]))?;
        let target = format!("target/{}", self.name);
        say(&format!("building {target}"));
        run(Command::new("unshare")
            .args(["--mount", "sh"])
            .arg(project().join("tests/booted/frame/build.sh"))
            .args([&self.root(), project(), Path::new(sysroot.trim()), Path::new(&target)]))?;
        Ok(project().join(target).join("release"))
    }

    /// Makes the directory from a tarball, and the tarball if it is missing. Another process may do
    /// the same, so both get their names only when they are complete.
    fn make_root(&self) -> Result<(), String> {
        let root = self.root();
        if root.exists() {
            return Ok(());
        }
        let tarball = root.with_extension("tar");
        let partial = |extension| root.with_extension(format!("{}.{extension}", process::id()));
        fs::create_dir_all(project().join("target/roots")).map_err(error)?;
        if !tarball.exists() {
            needs("mmdebstrap", "mmdebstrap")?;
            say(&format!("making {}, which takes about 20 seconds", tarball.display()));
            let packages = format!("--include={}", self.packages());
            let new = partial("tar");
            // The index of sid, and that of a release that has ended, may be out of date.
            let any_age = "--aptopt=Acquire::Check-Valid-Until \"false\"";
            let mut command = Command::new("mmdebstrap");
            command.args(["--variant=minbase", any_age, &packages]);
            if !self.takes_package() {
                // Once a release has ended, packages of its security updates disappear one by one.
                command.arg(
                    "--setup-hook=find \"$1/etc/apt\" -name '*.list' -exec sed -i /security/d {} +",
                );
            }
            run(command.arg(self.name).arg(&new))?;
            fs::rename(new, &tarball).map_err(error)?;
        }
        say(&format!("unpacking {}", tarball.display()));
        let new = partial("new");
        fs::create_dir(&new).map_err(error)?;
        run(Command::new("tar")
            .args(["-xp", "--numeric-owner", "-C"])
            .arg(&new)
            .arg("-f")
            .arg(tarball))?;
        match fs::rename(&new, &root) {
            Err(_) if root.exists() => fs::remove_dir_all(new).map_err(error),
            renamed => renamed.map_err(error),
        }
    }

    /// Boots it with a pair of units.
    pub fn boot(&self, stage: &Stage, units: Units) -> io::Result<Container> {
        let container = Container::boot(&self.root(), &stage.tree(units), stage.directory(), "")?;
        self.ran.fetch_add(1, Ordering::Relaxed);
        let version = || container.run("systemctl --version | head -n 1");
        self.systemd.get_or_init(version);
        Ok(container)
    }

    /// Returns the number of tests that ran, with the release and its systemd.
    pub fn summary(&self) -> String {
        let ran = self.ran.load(Ordering::Relaxed);
        format!("{ran} tests on {}, {}", self.debian, self.systemd())
    }

    /// Returns the version of its systemd.
    pub fn systemd(&self) -> String {
        self.systemd.get().cloned().unwrap_or_else(|| "systemd not seen".to_owned())
    }
}
