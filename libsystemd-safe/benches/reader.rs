//! What it costs to print `MESSAGE=` of every entry: with the wrapper, with a C program that makes
//! the same calls, and with journalctl.
//!
//! ```sh
//! cargo bench --package libsystemd-safe --bench reader              # a million entries
//! cargo bench --package libsystemd-safe --bench reader -- 100000    # fewer
//! ```
//!
//! It also prints how much private memory the wrapper has after a tenth of the entries, and after nine
//! tenths. The mapped files are no part of that, but they are part of the memory of each program.
//!
//! systemd-journal-remote(8) writes the entries, which takes minutes for a million. They stay in
//! the target directory for the next time.

use libsystemd_safe::journal::{OpenFlags, Reader};
use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::mem::MaybeUninit;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Runs of each program. They take turns, so that each meets the same machine. The least counts,
/// since other programs only add to the time.
const RUNS: usize = 12;

fn main() -> Result<(), Box<dyn Error>> {
    // cargo adds --bench.
    let arguments: Vec<_> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match &arguments[..] {
        [] => compare(1_000_000)?,
        [scanned, journal] if scanned == "scan" => scan(journal)?,
        [entries, ..] => compare(entries.parse()?)?,
    }
    Ok(())
}

/// Prints the messages of a directory.
fn scan(journal: &str) -> io::Result<()> {
    let mut reader = Reader::open_directory(journal, OpenFlags::default())?;
    let mut stdout = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    while reader.next()? {
        if let Some(message) = reader.data(c"MESSAGE")? {
            stdout.write_all(message)?;
            stdout.write_all(b"\n")?;
        }
    }
    stdout.flush()
}

/// Scans a directory. Returns the private memory of this process after a tenth of the entries, and
/// after nine tenths, in KiB.
fn private_memory(journal: &str, entries: u64) -> io::Result<[u64; 2]> {
    let mut reader = Reader::open_directory(journal, OpenFlags::default())?;
    let mut memory = [0; 2];
    for number in 0..entries {
        if !reader.next()? || reader.data(c"MESSAGE")?.is_none() {
            return Err(io::Error::other(format!("{number} of {entries} messages")));
        }
        if number == entries / 10 {
            memory[0] = rss_anon()?;
        } else if number == entries * 9 / 10 {
            memory[1] = rss_anon()?;
        }
    }
    Ok(memory)
}

/// Returns how much memory this process has that is no part of a file, in KiB. See proc_pid_status(5).
fn rss_anon() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.strip_suffix("kB"));
    line.and_then(|number| number.trim().parse().ok())
        .ok_or_else(|| io::Error::other("no RssAnon in /proc/self/status"))
}

/// Runs the programs in turn, and prints the least of each.
fn compare(entries: u64) -> io::Result<()> {
    let directory = env!("CARGO_TARGET_TMPDIR");
    let (journal, in_c) = (format!("{directory}/journal-{entries}"), format!("{directory}/scan"));
    if !Path::new(&journal).exists() {
        write(&journal, entries)?;
    }
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/scan.c");
    measured(Command::new("cc").args(["-O2", "-o", &in_c, source, "-lsystemd"]))?;
    let wrapper = env::current_exe()?;
    let programs: [(&str, &Path, &[&str]); 3] = [
        ("a C program", in_c.as_ref(), &[&journal]),
        ("the wrapper", &wrapper, &["scan", &journal]),
        (
            "journalctl",
            "journalctl".as_ref(),
            &["--quiet", "--output=cat", "--directory", &journal],
        ),
    ];
    let mut least = [(Duration::MAX, 0); 3];
    for run in 0..RUNS {
        // Back and forth, so that no program always follows the same one.
        for index in if run % 2 == 0 { [0, 1, 2] } else { [2, 1, 0] } {
            let (_, program, arguments) = programs[index];
            least[index] = measured(Command::new(program).args(arguments))?.min(least[index]);
        }
    }
    let [early, late] = private_memory(&journal, entries)?;
    println!(
        "private memory after a tenth of the scan: {early} KiB, after nine tenths: {late} KiB"
    );
    println!("| {entries} entries | processor time, ms | of the C program's | memory, KiB |");
    println!("|---|---|---|---|");
    for ((name, ..), (time, memory)) in programs.iter().zip(least) {
        let ratio = time.as_secs_f64() / least[0].0.as_secs_f64();
        println!("| {name} | {} | {ratio:.3} | {memory} |", time.as_millis());
    }
    Ok(())
}

/// Writes a journal that looks like one of services.
fn write(journal: &str, entries: u64) -> io::Result<()> {
    // Under another name until it is complete.
    let unfinished = format!("{journal}.new");
    let _ = fs::remove_dir_all(&unfinished);
    fs::create_dir_all(&unfinished)?;
    let mut remote = Command::new("/lib/systemd/systemd-journal-remote");
    remote.arg(format!("--output={unfinished}/system.journal")).arg("-").stdin(Stdio::piped());
    let mut remote = remote.spawn()?;
    let mut export = BufWriter::new(remote.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?);
    for number in 0..entries {
        let (unit, id) = (number % 50, "0123456789abcdef0123456789abcdef");
        writeln!(
            export,
            "__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={}\n_BOOT_ID={id}\n_MACHINE_ID={id}\n\
             MESSAGE=Received 5 bytes from /run/example.{number}: hello\nPRIORITY={}\n_PID={}\n\
             _UID=0\n_GID=0\n_COMM=example\n_EXE=/usr/bin/example\n_HOSTNAME=example\n\
             _TRANSPORT=stdout\nSYSLOG_IDENTIFIER=example\n_CMDLINE=/usr/bin/example --unit={unit}\n\
             _SYSTEMD_UNIT=example-{unit}.service\n_SYSTEMD_SLICE=system.slice\n",
            1_700_000_000_000_000 + number * 1000,
            1_000_000 + number * 1000,
            number % 8,
            1000 + number % 500,
        )?;
    }
    drop(export);
    if !remote.wait()?.success() {
        return Err(io::Error::other("systemd-journal-remote has failed"));
    }
    fs::rename(unfinished, journal)
}

/// Runs a program, and returns its processor time and the most memory that it had, in KiB.
fn measured(command: &mut Command) -> io::Result<(Duration, i64)> {
    let child = command.stdout(Stdio::null()).spawn()?;
    let (mut status, mut usage) = (0, MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: `status` and `usage` have room for the results. A usage of zeros is valid.
    let (waited, usage) = unsafe {
        (
            libc::wait4(child.id() as libc::pid_t, &mut status, 0, usage.as_mut_ptr()),
            usage.assume_init(),
        )
    };
    if waited < 0 || status != 0 {
        return Err(io::Error::other(format!("{command:?} has failed: {status}")));
    }
    let time = |time: libc::timeval| {
        Duration::from_micros((time.tv_sec * 1_000_000 + time.tv_usec) as u64)
    };
    Ok((time(usage.ru_utime) + time(usage.ru_stime), usage.ru_maxrss))
}
