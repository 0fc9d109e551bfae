//! Entries and streams, as a stand-in for the journal receives them.

use crate::common::patient;
use crate::receive::{Message, receive};
use crate::role::{self, assert_errno, assert_invalid};
use libsystemd_safe::daemon;
use libsystemd_safe::journal::{self, Entry, Priority, sendv, stream_fd, stream_fd_with_namespace};
use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, IoSlice, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::thread;

/// An entry, and the bytes that the journal receives, without what libsystemd adds.
type Row = (&'static str, fn() -> io::Result<Entry>, &'static [u8]);

const ENTRIES: &[Row] = &[
    ("a message", || Ok(Entry::new(Priority::Notice, "hello")), b"MESSAGE=hello\nPRIORITY=5\n"),
    ("an empty one", || Ok(Entry::new(Priority::Emerg, "")), b"MESSAGE=\nPRIORITY=0\n"),
    (
        "two lines",
        || Ok(Entry::new(Priority::Debug, "a\nb=c")),
        b"MESSAGE\n\x05\0\0\0\0\0\0\0a\nb=c\nPRIORITY=7\n",
    ),
    (
        "any bytes",
        || Entry::new(Priority::Err, [0xff, 0]).field("EXAMPLE_1", b"\n\0\xfe"),
        b"MESSAGE=\xff\0\nPRIORITY=3\nEXAMPLE_1\n\x03\0\0\0\0\0\0\0\n\0\xfe\n",
    ),
    (
        "several of a name",
        || Entry::new(Priority::Info, "m").field("A", "1")?.field("A", "2")?.field("A", "="),
        b"MESSAGE=m\nPRIORITY=6\nA=1\nA=2\nA==\n",
    ),
    (
        "an error of the system",
        || Ok(Entry::new(Priority::Err, "m").errno(&io::Error::from_raw_os_error(libc::ENOENT))),
        b"MESSAGE=m\nPRIORITY=3\nERRNO=2\n",
    ),
    (
        "another error",
        || Ok(Entry::new(Priority::Err, "m").errno(&io::Error::other("no number"))),
        b"MESSAGE=m\nPRIORITY=3\n",
    ),
    (
        "an identifier",
        || Entry::new(Priority::Info, "m").field("SYSLOG_IDENTIFIER", "another"),
        b"MESSAGE=m\nPRIORITY=6\nSYSLOG_IDENTIFIER=another\n",
    ),
];

/// Runs a role in which the test itself is the journal.
pub fn with_a_journal(test: &str, role: &str) {
    if let Some(role) = role::in_private_namespace(test, role::new(role, vec![])) {
        role::run(test, role);
    }
}

pub fn each_entry_as_it_arrives() {
    with_a_journal("each_entry_as_it_arrives", "journal::sends_each");
}

pub fn sends_each() {
    fs::create_dir_all("/run/systemd/journal").unwrap();
    let journal = patient(UnixDatagram::bind("/run/systemd/journal/socket").unwrap());
    for (case, entry, want) in ENTRIES {
        entry().unwrap().send().unwrap();
        let got = received(&journal);
        assert!(got == *want, "{case}:\n {}\n {}", got.escape_ascii(), want.escape_ascii());
    }
    sendv(&[IoSlice::new(b"A=1"), IoSlice::new(b"MESSAGE=2")]).unwrap();
    assert_eq!(received(&journal).escape_ascii().to_string(), r"A=1\nMESSAGE=2\n");

    let longest = format!("{}=1", "A".repeat(64));
    sendv(&[IoSlice::new(longest.as_bytes())]).unwrap();
    assert_eq!(received(&journal), format!("{longest}\n").as_bytes());

    let (entry, line) = (Entry::new(Priority::Info, "m").located(), line!());
    entry.send().unwrap();
    let want = format!("MESSAGE=m\nPRIORITY=6\nCODE_FILE={}\nCODE_LINE={}\n", file!(), line);
    assert_eq!(String::from_utf8(received(&journal)).unwrap(), want);

    // The larger one fits in no datagram; libsystemd sends it as a file.
    for size in [100_000, 20_000_000] {
        let large = vec![b'x'; size];
        Entry::new(Priority::Info, "m").field("LARGE", &large).unwrap().send().unwrap();
        let want = [b"MESSAGE=m\nPRIORITY=6\nLARGE=", &large[..], b"\n"].concat();
        assert!(received(&journal) == want, "{size} bytes");
    }
}

/// The next entry, without the identifier that libsystemd adds.
pub fn received(journal: &UnixDatagram) -> Vec<u8> {
    let Message { bytes: mut entry, fds, .. } = receive(journal);
    for fd in fds {
        let mut file = File::from(fd);
        file.rewind().unwrap();
        file.read_to_end(&mut entry).unwrap();
    }
    let added = [b"SYSLOG_IDENTIFIER=", identifier().as_bytes(), b"\n"].concat();
    entry.strip_suffix(&added[..]).map(<[u8]>::to_vec).unwrap_or(entry)
}

/// The name that libsystemd gives this program.
fn identifier() -> String {
    let name = std::env::args().next().unwrap();
    name.rsplit('/').next().unwrap().to_owned()
}

pub fn each_stream_as_it_arrives() {
    with_a_journal("each_stream_as_it_arrives", "journal::streams");
}

pub fn streams() {
    stream("journal", || stream_fd(c"example", Priority::Warning));
    let long = |bytes| CString::new(vec![b'x'; bytes]).unwrap();
    assert_invalid("two lines", stream_fd(c"example\nfoo.service", Priority::Info), "no newline");
    for bytes in [2049, 5_000_000] {
        assert_invalid("too long", stream_fd(&long(bytes), Priority::Info), "at most 2048 bytes");
    }
    // The journal listens no longer.
    assert_errno("not too long", stream_fd(&long(2048), Priority::Info), libc::ECONNREFUSED);
    if role::has(256) {
        stream("journal.quiet", || {
            stream_fd_with_namespace(c"quiet", c"example", Priority::Warning)
        });
        for (case, name, errno) in
            [("no such", c"other", libc::ENOENT), ("none at all", c"a/b", libc::EINVAL)]
        {
            assert_errno(case, stream_fd_with_namespace(name, c"a", Priority::Info), errno);
        }
    } else {
        let stream = stream_fd_with_namespace(c"quiet", c"example", Priority::Info);
        role::assert_unsupported(stream, 256);
    }
}

/// Opens a stream to the journal of that directory, and checks what arrives.
fn stream(journal: &str, open: fn() -> io::Result<OwnedFd>) {
    let directory = format!("/run/systemd/{journal}");
    fs::create_dir_all(&directory).unwrap();
    let listener = UnixListener::bind(format!("{directory}/stdout")).unwrap();
    let stream = open().unwrap();
    let mut reader = BufReader::new(listener.accept().unwrap().0);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line
    };
    // Identifier, unit, priority, whether lines have prefixes, and where else they go.
    let header: Vec<_> = (0..7).map(|_| line()).collect();
    assert_eq!(header.concat(), "example\n\n4\n1\n0\n0\n0\n", "{journal}");
    assert_eq!(journal::unread(&stream).unwrap(), 0, "{journal}: all is read");
    let mut stream = File::from(stream);
    stream.write_all(b"hello\n").unwrap();
    assert!(journal::unread(&stream).unwrap() >= 6, "{journal}: nothing is read");
    assert_eq!(line(), "hello\n", "{journal}");
    assert_eq!(journal::unread(&stream).unwrap(), 0, "{journal}: all is read again");
    drop(stream);
    assert_eq!(line(), "", "{journal}: not closed with its owner");
}

pub fn without_a_journal() {
    with_a_journal("without_a_journal", "journal::has_none");
}

pub fn has_none() {
    // Dropped without an error, as documented.
    sendv(&[IoSlice::new(b"A=1"); 500]).unwrap();
    on_a_small_stack();
    Entry::new(Priority::Info, "to nobody").send().unwrap();
    assert_errno("no stream", stream_fd(c"example", Priority::Info), libc::ENOENT);
    assert_errno(
        "no stream at all",
        journal::unread(File::open("/proc/self/stat").unwrap()),
        libc::ENOTTY,
    );
}

/// libsystemd's use of the stack for each field must not reach beyond it.
fn on_a_small_stack() {
    let mut page = vec![0_u8; 16 * 1024];
    for count in [1, 32, 33, 510] {
        let small = thread::Builder::new().stack_size(page.len());
        small
            .spawn(move || sendv(&vec![IoSlice::new(b"A=1"); count]).unwrap())
            .unwrap()
            .join()
            .unwrap();
        page.fill(0);
    }
}

pub fn invalid_fields() {
    let (longest, too_long) = ("X".repeat(64), "X".repeat(65));
    let entry = || Entry::new(Priority::Info, "m");
    for name in ["A", "EXAMPLE_1", &longest] {
        assert!(entry().field(name, "").is_ok(), "{name}");
    }
    for name in ["", "a", "1A", "_A", "A-B", "A=", "A\n", "A\0", "\u{c4}", &too_long] {
        assert_invalid(name, entry().field(name, ""), "can't name a field");
        let field = [name.trim_end_matches('='), "=b"].concat();
        if field != "A=b" {
            assert_invalid(name, sendv(&[IoSlice::new(field.as_bytes())]), "can't name a field");
        }
    }
    for (case, field) in [("no =", &b"MESSAGE"[..]), ("nothing", b""), ("a late =", &[b'A'; 100])] {
        let fields = [IoSlice::new(b"MESSAGE=m"), IoSlice::new(field)];
        assert_invalid(case, sendv(&fields), "can't name a field");
    }
    for count in [0, 511, 60_000] {
        assert_invalid(
            "fields",
            sendv(&vec![IoSlice::new(b"A=1"); count]),
            "an entry has 1 to 510 fields",
        );
    }
    for name in ["MESSAGE", "PRIORITY"] {
        assert_invalid(name, entry().field(name, "3"), "is set already");
    }
}

pub fn priorities() {
    use Priority::{Alert, Crit, Debug, Emerg, Err, Info, Notice, Warning};
    let all = [Emerg, Alert, Crit, Err, Warning, Notice, Info, Debug];
    assert!(all.is_sorted());
    for (number, priority) in all.into_iter().enumerate() {
        assert_eq!(priority.prefix(), format!("<{number}>"), "{priority:?}");
        assert_eq!(priority as usize, number, "{priority:?}");
        assert_eq!(Priority::try_from(number as u8).unwrap(), priority);
        for text in [format!("{priority:?}").to_lowercase(), number.to_string()] {
            assert_eq!(text.parse::<Priority>().unwrap(), priority, "{text}");
        }
    }
    for text in ["", "8", "-1", "04", "Err", "error", " 4"] {
        assert_invalid(text, text.parse::<Priority>(), "is not a priority");
    }
    assert_invalid("too large", Priority::try_from(8), "8 is not a priority");
}

pub fn an_entry_as_debug_shows_it() {
    let entry = Entry::new(Priority::Info, "a b").field("EXAMPLE", [0xff, b'c']).unwrap();
    let text = "Entry [\"MESSAGE=a b\", \"PRIORITY=6\", \"EXAMPLE=\u{fffd}c\"]";
    assert_eq!(format!("{entry:?}"), text);
}

pub fn the_stream_of_the_service() {
    let (here, _there) = UnixStream::pair().unwrap();
    let about = File::from(OwnedFd::from(here.try_clone().unwrap())).metadata().unwrap();
    let stream = |inode| format!("{}:{inode}", about.dev());
    let rows = [
        ("ours", stream(about.ino()), "true"),
        ("another", stream(about.ino() + 1), "false"),
        ("no stream", "socket".into(), "false"),
        ("nothing", String::new(), "false"),
    ];
    for (case, value, want) in rows {
        let role =
            role::new("journal::asks_for_its_stream", vec![here.try_clone().unwrap().into()]);
        assert_eq!(role::run(case, role.env("JOURNAL_STREAM", value)).log, [want], "{case}");
    }
}

pub fn asks_for_its_stream() {
    let passed = daemon::listen_fds_with_names().unwrap();
    println!("{}", journal::is_stream(&passed[0]).unwrap());
}
