//! foocl(1): sends messages to foo.

use std::process::ExitCode;

// Links the static unwinder, as foo does.
#[cfg_attr(target_env = "gnu", link(name = "gcc_eh", kind = "static", modifiers = "-bundle"))]
unsafe extern "C" {}

fn main() -> ExitCode {
    foo::client::main()
}
