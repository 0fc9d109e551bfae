#!/bin/sh
# nix reports no flags at all if poll(2) sets one that nix has no name for, even if the program asked for it.
#
# Version    nix 0.31.3
# Behaviour  PollFlags can hold any bit, by from_bits_retain, and poll(2) gets it. PollFd::revents() returns None if the
#            result has a bit without a name, and so hides POLLIN and POLLHUP as well.
# Seen       poll 1, revents None
# Guess      revents() keeps the bits that it was given, or at least those that have names.
. "$(dirname "$0")/lib.sh"

"$needs" rust >&2
mkdir "$temp/src"
cat >"$temp/Cargo.toml" <<'END'
[package]
name = "finding"
version = "0.0.0"
edition = "2024"
[dependencies]
nix = { version = "=0.31.3", features = ["poll"] }
END
cat >"$temp/src/main.rs" <<'END'
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::{net::Shutdown, os::fd::AsFd, os::unix::net::UnixStream};

const POLLRDHUP: i16 = 0x2000;

fn main() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.shutdown(Shutdown::Write).unwrap();
    for extra in [0, POLLRDHUP] {
        let flags = PollFlags::POLLIN | PollFlags::from_bits_retain(extra);
        let mut fds = [PollFd::new(ours.as_fd(), flags)];
        let count = poll(&mut fds, PollTimeout::ZERO).unwrap();
        println!("poll {count}, revents {:?}", fds[0].revents());
    }
}
END
cargo run --quiet --manifest-path "$temp/Cargo.toml" >"$temp/seen"
holds "$temp/seen" <<'END'
poll 1, revents Some(PollFlags(POLLIN))
poll 1, revents None
END
