//! foo(8): writes the datagrams of the sockets that systemd passes to the journal.

use libsystemd_safe::daemon::listen_fds_with_names;
use std::process::ExitCode;

// Links the C compiler's static unwinder instead of libgcc_s, whose loading takes a tenth of foo's
// start.
#[cfg_attr(target_env = "gnu", link(name = "gcc_eh", kind = "static", modifiers = "-bundle"))]
unsafe extern "C" {}

fn main() -> ExitCode {
    // SAFETY: the program has opened no descriptor yet, and nothing else in it takes the
    // descriptors that were passed.
    foo::daemon::main(unsafe { listen_fds_with_names() })
}
