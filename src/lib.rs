//! What foo, its client and a service of your own are made of.
//!
//! [`systemd`] is a thin safe wrapper over libsystemd. The rest is foo itself, in the order in which a
//! datagram passes through: [`activation`] takes the sockets, [`server`] waits, [`datagram`] receives, [`record`] makes a line of it,
//! [`log`] writes that.

pub mod activation;
pub mod cli;
pub mod datagram;
pub mod log;
pub mod record;
pub mod server;
pub mod systemd;
