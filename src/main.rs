//! foo(8): writes the datagrams of the sockets that systemd passes to the journal.

#![deny(unsafe_code)]

use foo::{cli, server};
use std::{env, process::ExitCode};

// What std needs of the unwinder is linked from the compiler's archive, which takes less memory and a shorter start
// than libgcc_s does: the linker leaves that one out where nothing is left that needs it.
#[cfg_attr(libgcc_eh, link(name = "gcc_eh", kind = "static", modifiers = "+whole-archive,-bundle"))]
#[expect(unsafe_code, reason = "it declares nothing")]
unsafe extern "C" {}

fn main() -> ExitCode {
    match cli::foo(env::args_os()) {
        Ok(()) => server::run(),
        Err(exit) => exit,
    }
}
