//! What crates that log hand to the wrapper, as a stand-in for the journal receives it.

use crate::common::patient;
use crate::journal::{received, with_a_journal};
use std::fs;
use std::os::unix::net::UnixDatagram;

/// The stand-in.
struct Journal(UnixDatagram);

impl Journal {
    fn new() -> Self {
        fs::create_dir_all("/run/systemd/journal").unwrap();
        Self(patient(UnixDatagram::bind("/run/systemd/journal/socket").unwrap()))
    }

    /// Checks the next entry: of this priority and line, with these fields after those.
    #[track_caller]
    fn assert_has(&self, case: &str, message: &str, priority: u8, line: u32, fields: &str) {
        let want = format!(
            "MESSAGE={message}\nPRIORITY={priority}\nCODE_FILE={}\nCODE_LINE={line}\nTARGET=part\n{fields}",
            file!()
        );
        assert_eq!(String::from_utf8(received(&self.0)).unwrap(), want, "{case}");
    }
}

#[cfg(feature = "log")]
pub fn each_record_of_a_logger() {
    with_a_journal("each_record_of_a_logger", "logging::logs");
}

#[cfg(feature = "log")]
pub fn logs() {
    use log::Level;
    let journal = Journal::new();
    log::set_logger(&libsystemd_safe::journal::Logger).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let rows = [
        (Level::Error, 3),
        (Level::Warn, 4),
        (Level::Info, 6),
        (Level::Debug, 7),
        (Level::Trace, 7),
    ];
    for (level, priority) in rows {
        let ((), line) = (log::log!(target: "part", level, "a {}", "message"), line!());
        journal.assert_has(level.as_str(), "a message", priority, line, "");
    }
}

#[cfg(feature = "tracing")]
pub fn each_event_of_a_layer() {
    with_a_journal("each_event_of_a_layer", "logging::traces");
}

#[cfg(feature = "tracing")]
pub fn traces() {
    use libsystemd_safe::journal::Layer;
    use tracing::{debug, error, error_span, event, field::Empty, info, info_span, trace, warn};
    use tracing_subscriber::layer::SubscriberExt;
    let journal = Journal::new();
    let subscriber = tracing_subscriber::registry().with(Layer);
    tracing::subscriber::set_global_default(subscriber).unwrap();
    /// Sends an event, and checks the entry.
    macro_rules! check {
        ($level:ident, $priority:literal, $message:expr, $fields:expr, $($event:tt)*) => {
            let ((), line) = ($level!(target: "part", $($event)*), line!());
            journal.assert_has(stringify!($($event)*), $message, $priority, line, $fields);
        };
    }
    check!(error, 3, "a message", "", "a {}", "message");
    check!(warn, 4, "a message", "", "a message");
    check!(info, 6, "a message", "", "a message");
    check!(debug, 7, "a message", "", "a message");
    check!(trace, 7, "a message", "", "a message");

    let values = "F_STRING=a=b\nF_NUMBER=-1\nF_SHOWN=\"c\"\nF_A_B=true\n";
    check!(info, 6, "m", values, string = "a=b", number = -1, shown = ?"c", a.b = true, "m");
    check!(info, 6, "m", "F__X=1\nF___=2\n", _x = 1, __ = 2, "m");
    let longest = format!("F_{}=1\n", "A".repeat(62));
    check!(
        info,
        6,
        "m",
        &longest,
        aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = 1,
        "m"
    );

    let outer = info_span!("outer", id = 1, late = Empty, name = "o");
    let inner = error_span!(parent: &outer, "inner", id = 2);
    let within = "F_ID=1\nF_NAME=o\nF_ID=2\nSPAN=outer:inner\n";
    inner.in_scope(|| {
        check!(info, 6, "m", within, "m");
    });
    for late in ["3", "4"] {
        outer.record("late", late);
    }
    outer.in_scope(|| {
        check!(info, 6, "m", "F_B=1\nF_ID=1\nF_NAME=o\nF_LATE=4\nSPAN=outer\n", b = 1, "m");
    });
    outer.record("late", tracing::field::debug(Logs(&outer)));
    let within = "F_ID=1\nF_NAME=o\nF_LATE=4\nSPAN=outer\n";
    journal.assert_has("a value that logs", "m", 6, Logs::LINE, within);

    let message = format!("event {}:{}", file!(), line!() + 1);
    let ((), line) = (event!(target: "part", tracing::Level::INFO, only = 1), line!());
    journal.assert_has("no message", &message, 6, line, "F_ONLY=1\n");
}

/// A value that logs while it is formatted.
#[cfg(feature = "tracing")]
struct Logs<'a>(&'a tracing::Span);

#[cfg(feature = "tracing")]
impl Logs<'_> {
    /// The line of the event below.
    const LINE: u32 = line!() + 6;
}

#[cfg(feature = "tracing")]
impl std::fmt::Debug for Logs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        tracing::info!(target: "part", parent: self.0, "m");
        f.write_str("logs")
    }
}
