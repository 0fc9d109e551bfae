//! What is installed over a Debian: the programs and a pair of units.

use super::deb;
use super::host::{project, run};
use crate::common::example;
use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

/// The pair of units that is installed.
#[derive(Clone, Copy)]
pub enum Units {
    /// The original's, which people have installed.
    Original,
    /// The project's, as `make install` installs them.
    Ours,
    /// None. The package is there to be installed.
    Packaged,
    /// The original's. The package is there to be installed.
    Replaced,
}

impl Units {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Ours => "ours",
            Self::Packaged => "packaged",
            Self::Replaced => "replaced",
        }
    }

    /// Returns whether the package is needed.
    pub const fn with_package(self) -> bool {
        matches!(self, Self::Packaged | Self::Replaced)
    }
}

/// The examples that are installed too.
pub const EXAMPLES: [&str; 4] = ["fd_store", "journal", "notify", "read_journal"];

/// A directory of this process. It holds one tree to install for each pair of units.
pub struct Stage {
    directory: PathBuf,
    /// Whether the package is there. The error says why it is not.
    package: Result<(), String>,
}

impl Stage {
    /// Stages what `make install` installs for a release of systemd, in the directory `name`.
    /// Programs come from `programs` if it is given. `FOO_UNDER_TEST` and `FOOCL_UNDER_TEST` name
    /// programs to use instead.
    pub fn new(
        name: &str,
        systemd_version: u32,
        programs: Option<&Path>,
        package: Result<(), String>,
    ) -> Self {
        let all = project().join("target/booted");
        remove_stale(&all);
        let stage = Self { directory: all.join(process::id().to_string()).join(name), package };
        let mut install = Command::new("make");
        install.arg("-C").arg(project()).args(["install", "PREFIX=/usr/local"]);
        install.arg(format!("DESTDIR={}", stage.tree(Units::Ours).display()));
        install.arg(format!("systemd_version={systemd_version}"));
        run(&mut install).unwrap_or_else(|error| panic!("{error}"));
        for (binary, variable) in [("foo", "FOO_UNDER_TEST"), ("foocl", "FOOCL_UNDER_TEST")] {
            let other = programs.map(|programs| programs.join(binary));
            if let Some(other) = env::var_os(variable).map(PathBuf::from).or(other) {
                fs::copy(other, stage.binary(binary)).expect(variable);
            }
        }
        for name in EXAMPLES {
            let other = programs.map(|programs| programs.join("examples").join(name));
            fs::copy(other.unwrap_or_else(|| example(name)), stage.binary(name)).expect(name);
        }
        stage.add_original(Units::Original).expect("the original's units");
        if stage.package.is_ok() {
            stage.add_original(Units::Replaced).expect("the original's units");
            for units in [Units::Packaged, Units::Replaced] {
                stage.add_package(units).expect("the package");
            }
        }
        stage
    }

    /// Adds the package, its earlier version and its autopkgtest, in /root.
    fn add_package(&self, units: Units) -> io::Result<()> {
        let home = self.tree(units).join("root");
        fs::create_dir_all(&home)?;
        for package in ["new.deb", "old.deb"] {
            fs::copy(deb::directory().join(package), home.join(package))?;
        }
        let source = home.join("source");
        fs::create_dir_all(&source)?;
        run(Command::new("cp").arg("-R").args([project().join("debian"), source]))
            .map_err(io::Error::other)?;
        Ok(())
    }

    /// Adds our programs, the original's units, and the `/bin/kill` that these units need and a
    /// minimal Debian lacks.
    fn add_original(&self, tree: Units) -> io::Result<()> {
        let units = "usr/lib/systemd/system";
        for (path, content, mode) in [
            (format!("{units}/foo.service"), include_str!("../original/foo.service"), 0o644),
            (format!("{units}/foo.socket"), include_str!("../original/foo.socket"), 0o644),
            ("bin/kill".to_owned(), "#!/bin/sh\nkill \"$@\"\n", 0o755),
        ] {
            let path = self.tree(tree).join(path);
            fs::create_dir_all(path.parent().unwrap())?;
            fs::write(&path, content)?;
            fs::set_permissions(path, PermissionsExt::from_mode(mode))?;
        }
        let programs = self.tree(tree).join("usr/local/bin");
        fs::create_dir_all(&programs)?;
        for binary in ["foo", "foocl"] {
            fs::copy(self.binary(binary), programs.join(binary))?;
        }
        Ok(())
    }

    /// Checks that there is a tree for a pair of units. The error says why there is none.
    pub fn has(&self, units: Units) -> Result<(), String> {
        if units.with_package() { self.package.clone() } else { Ok(()) }
    }

    /// Returns the directory itself, which also takes the consoles' output.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the tree for a pair of units.
    pub fn tree(&self, units: Units) -> PathBuf {
        self.directory.join(units.name())
    }

    /// Returns the path of a staged program.
    pub fn binary(&self, name: &str) -> PathBuf {
        self.tree(Units::Ours).join("usr/local/bin").join(name)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
        // Succeeds once the last of them is gone.
        let _ = self.directory.parent().map(fs::remove_dir);
    }
}

/// Removes the stages of processes that were killed.
fn remove_stale(all: &Path) {
    for stage in fs::read_dir(all).into_iter().flatten().flatten() {
        if !Path::new("/proc").join(stage.file_name()).exists() {
            let _ = fs::remove_dir_all(stage.path());
        }
    }
}
