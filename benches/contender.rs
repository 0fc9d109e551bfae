//! The daemons that are measured. All but foo are built here.

use crate::common;
use std::env;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The columns of the table, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Foo,
    C,
    /// C without hardening, as cc builds it by default.
    Plain,
    Floor,
    Systemd,
    SdNotify,
    /// logger(1), beside foocl.
    Logger,
}

impl Column {
    pub const ALL: [Self; 7] =
        [Self::Foo, Self::C, Self::Plain, Self::Floor, Self::Systemd, Self::SdNotify, Self::Logger];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Foo => "foo",
            Self::C => "C",
            Self::Plain => "C, not hardened",
            Self::Floor => "floor",
            Self::Systemd => "crate systemd",
            Self::SdNotify => "crates sd-notify, listenfd",
            Self::Logger => "logger(1)",
        }
    }
}

/// A daemon, and the column for its figures.
pub struct Contender {
    pub column: Column,
    pub program: PathBuf,
}

/// All daemons.
pub struct Contenders {
    pub ours: Contender,
    /// The C daemon, hardened as rustc hardens foo.
    pub c: Contender,
    /// The C daemon as cc builds it by default: without hardening, and with lazy binding.
    pub c_plain: Contender,
    /// The hardened C daemon with a buffer for messages of any length. `None` if `FOO_BASELINE`
    /// replaces the C daemon.
    pub c_roomy: Option<Contender>,
    pub floor: Contender,
    /// The C client, beside foocl.
    pub c_client: PathBuf,
    pub crates: [Contender; 2],
}

/// Flags that harden a C program as rustc hardens foo.
const HARDENED: [&str; 4] = ["-fPIE", "-pie", "-Wl,-z,relro,-z,now", "-fstack-protector-strong"];

impl Contenders {
    /// Builds the daemons in a directory.
    pub fn build(out: &Path) -> Self {
        let floor = cc("floor", "floor", &HARDENED, out);
        let baseline = env::var_os("FOO_BASELINE").map(PathBuf::from);
        let c_roomy = baseline
            .is_none()
            .then(|| cc("baseline", "roomy", &[&HARDENED[..], &["-DROOM=262144"]].concat(), out));
        let c = baseline.clone().unwrap_or_else(|| cc("baseline", "hardened", &HARDENED, out));
        let c_plain = baseline.unwrap_or_else(|| cc("baseline", "plain", &[], out));
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/crates/Cargo.toml");
        let target = out.join("crates");
        run(Command::new("cargo")
            .args(["build", "--release", "--locked", "--quiet", "--manifest-path"])
            .arg(manifest)
            .arg("--target-dir")
            .arg(&target));
        let on_crates =
            |column, program| Contender { column, program: target.join("release").join(program) };
        let new = |column, program| Contender { column, program };
        let contenders = Self {
            ours: new(Column::Foo, common::foo().into()),
            c: new(Column::C, c),
            c_plain: new(Column::Plain, c_plain),
            c_roomy: c_roomy.map(|program| new(Column::C, program)),
            floor: new(Column::Floor, floor),
            c_client: cc("client", "client", &HARDENED, out),
            crates: [
                on_crates(Column::Systemd, "foo-systemd"),
                on_crates(Column::SdNotify, "foo-sd-notify"),
            ],
        };
        contenders.write_back();
        contenders
    }

    /// Writes the new programs to disk. Until then, their pages count as dirty memory of the
    /// processes that run them.
    fn write_back(&self) {
        for Contender { program, .. } in
            [&self.ours, &self.c, &self.c_plain].into_iter().chain(&self.crates)
        {
            File::open(program).unwrap().sync_all().unwrap();
        }
    }
}

/// Compiles a C program of this directory, and returns its path.
fn cc(source: &str, name: &str, flags: &[&str], out: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("benches/{source}.c"));
    let program = out.join(name);
    let libraries = run(Command::new("pkg-config").args(["--cflags", "--libs", "libsystemd"]));
    run(Command::new("cc")
        .args(["-O2", "-Wall", "-Wextra"])
        .args(flags)
        .arg("-o")
        .args([&program, &source])
        .args(libraries.split_whitespace()));
    program
}

/// Runs a program, which must succeed, and returns its output.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{errors}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
