//! foo, which writes the datagrams of a systemd socket to the journal.

pub mod datagram;
pub mod record;
pub mod systemd;
