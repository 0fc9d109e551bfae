//! What the cases share: a Debian, what is installed over it, a container that boots both, and
//! senders.

pub mod container;
pub mod deb;
pub mod document;
pub mod host;
pub mod journal;
pub mod load;
pub mod results;
pub mod stage;
pub mod suite;
