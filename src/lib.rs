//! What foo, its client and a service of your own are made of.
//!
//! [`systemd`] is a thin safe wrapper over libsystemd. The rest is foo itself: [`activation`] takes the
//! sockets, [`server`] waits, [`datagram`] receives, [`record`] makes a line of each datagram, [`log`]
//! gathers the lines, [`sink`] writes them, and [`notifier`] tells the service manager.

pub mod activation;
pub mod cli;
pub mod datagram;
pub mod log;
pub mod notifier;
pub mod record;
pub mod server;
pub mod sink;
pub mod systemd;
