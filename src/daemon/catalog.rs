//! The kinds of foo's own reports that `journalctl -x` explains. units/foo.catalog has the texts.

#![forbid(unsafe_code)]

/// The field `MESSAGE_ID=` of an entry.
pub type MessageId = &'static str;

/// Lines may have been lost.
pub const LOST: MessageId = "MESSAGE_ID=75e88855b91c4e57931ab6282c7c1e80";

/// systemd passed no socket that foo can serve.
pub const NO_SOCKET: MessageId = "MESSAGE_ID=62c9597408e7415c9e31291c2ae52f50";

/// A socket has an error.
pub const SOCKET_FAILED: MessageId = "MESSAGE_ID=3cdb1f0f0b934a54abd027e7e15797d8";

/// A stop has not logged all messages.
pub const NOT_LOGGED: MessageId = "MESSAGE_ID=48e534cb723a4a59b90c7cf4b1211542";

/// The limit of `--max-rate=` is reached.
pub const LIMIT_REACHED: MessageId = "MESSAGE_ID=aa2ac4c397a343e9840ca5902375f4e1";
