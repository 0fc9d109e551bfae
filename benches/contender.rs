//! The daemons that are measured, built here but for foo itself.

use crate::common;
use std::env;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The columns of the table, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Foo,
    C,
    /// C where nobody asked for hardening.
    Plain,
    Floor,
    Systemd,
    SdNotify,
}

impl Column {
    pub const ALL: [Self; 6] = [
        Self::Foo,
        Self::C,
        Self::Plain,
        Self::Floor,
        Self::Systemd,
        Self::SdNotify,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Foo => "foo",
            Self::C => "C",
            Self::Plain => "C, not hardened",
            Self::Floor => "floor",
            Self::Systemd => "crate systemd",
            Self::SdNotify => "crates sd-notify, listenfd",
        }
    }
}

/// A daemon.
pub struct Contender {
    pub column: Column,
    pub program: PathBuf,
}

/// All of them.
pub struct Contenders {
    pub ours: Contender,
    /// The C daemon, with the hardening that rustc gives foo.
    pub c: Contender,
    /// What cc makes of it where nobody asks for hardening: bound lazily.
    pub c_plain: Contender,
    /// The same as the first, with room for messages of any length; not where another takes its place.
    pub c_roomy: Option<Contender>,
    pub floor: Contender,
    pub crates: [Contender; 2],
}

/// What hardens a program as rustc does.
const HARDENED: [&str; 4] = [
    "-fPIE",
    "-pie",
    "-Wl,-z,relro,-z,now",
    "-fstack-protector-strong",
];

impl Contenders {
    /// Builds them in a directory.
    pub fn build(out: &Path) -> Self {
        let floor = cc("floor", "floor", &HARDENED, out);
        let baseline = env::var_os("FOO_BASELINE").map(PathBuf::from);
        let c_roomy = baseline.is_none().then(|| {
            cc(
                "baseline",
                "roomy",
                &[&HARDENED[..], &["-DROOM=262144"]].concat(),
                out,
            )
        });
        let c = baseline
            .clone()
            .unwrap_or_else(|| cc("baseline", "hardened", &HARDENED, out));
        let c_plain = baseline.unwrap_or_else(|| cc("baseline", "plain", &[], out));
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/crates/Cargo.toml");
        let target = out.join("crates");
        run(Command::new("cargo")
            .args([
                "build",
                "--release",
                "--locked",
                "--quiet",
                "--manifest-path",
            ])
            .arg(manifest)
            .arg("--target-dir")
            .arg(&target));
        let on_crates = |column, program| Contender {
            column,
            program: target.join("release").join(program),
        };
        let new = |column, program| Contender { column, program };
        let contenders = Self {
            ours: new(Column::Foo, common::foo().into()),
            c: new(Column::C, c),
            c_plain: new(Column::Plain, c_plain),
            c_roomy: c_roomy.map(|program| new(Column::C, program)),
            floor: new(Column::Floor, floor),
            crates: [
                on_crates(Column::Systemd, "foo-systemd"),
                on_crates(Column::SdNotify, "foo-sd-notify"),
            ],
        };
        contenders.write_back();
        contenders
    }

    /// Has what was just built written to disk: until then its pages count as dirty in whatever runs it.
    fn write_back(&self) {
        for Contender { program, .. } in [&self.ours, &self.c, &self.c_plain]
            .into_iter()
            .chain(&self.crates)
        {
            File::open(program).unwrap().sync_all().unwrap();
        }
    }
}

/// Compiles a C program to a name, with these flags.
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

/// Runs a program that has to succeed, and gives what it printed.
pub fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{errors}",
        output.status
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
