//! What foocl takes for a message, beside logger(1) and a plain C client. The floor receives.

use crate::common::foocl;
use crate::contender::{Column, Contenders, run};
use crate::figure::Figure;
use crate::{PLAIN, launch, processors, scaled};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

/// How often each client is measured.
const ROUNDS: usize = 7;

/// Lines of standard input, of 32 bytes each.
const LINES: usize = 100_000;

/// Number of calls with one message each.
const CALLS: usize = 200;

/// Returns the time per line of standard input, and per call.
pub fn figures(contenders: &Contenders, out: &Path) -> [Figure; 2] {
    fs::write("/proc/sys/net/unix/max_dgram_qlen", "512").unwrap();
    let lines = out.join("lines");
    fs::write(&lines, format!("{}\n", "x".repeat(32)).repeat(scaled(LINES))).unwrap();
    let (daemon, _) = launch::start(&contenders.floor.program, 1, false, PLAIN.log(out));
    let socket = launch::socket(daemon.dir.path(), 0);
    let mut per_line = Figure::new("client's time per line of standard input", "ns");
    let mut per_call = Figure::new("client's time per call", "µs");
    let mut measure = || {
        // Clients inherit it.
        processors::keep_sender(true);
        for _ in 0..scaled(ROUNDS) {
            for column in [Column::Foo, Column::C, Column::Logger] {
                let client = || client(column, contenders, &socket);
                let mut from_input = client();
                if column == Column::Foo {
                    from_input.arg("-");
                }
                from_input.stdin(File::open(&lines).unwrap());
                let start = Instant::now();
                run(&mut from_input);
                per_line.add(column, start.elapsed().as_nanos() as f64 / scaled(LINES) as f64);
                let start = Instant::now();
                for _ in 0..scaled(CALLS) {
                    run(client().arg("hello").stdin(Stdio::null()));
                }
                per_call
                    .add(column, start.elapsed().as_nanos() as f64 / 1e3 / scaled(CALLS) as f64);
            }
        }
    };
    thread::scope(|scope| scope.spawn(&mut measure).join().unwrap());
    [per_line, per_call]
}

/// Returns the command of a client, without what it sends.
fn client(column: Column, contenders: &Contenders, socket: &Path) -> Command {
    let mut command = match column {
        Column::Foo => Command::new(foocl()),
        Column::C => Command::new(&contenders.c_client),
        _ => Command::new("logger"),
    };
    match column {
        Column::Foo => command.args(["--quiet", "--socket"]).arg(socket),
        Column::C => command.arg(socket),
        _ => command.arg("--socket").arg(socket),
    };
    command
}
