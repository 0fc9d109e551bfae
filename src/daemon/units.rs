//! Which unit a sender belongs to: its control group, looked up below `/sys/fs/cgroup`.
//!
//! The kernel reports the ID of a control group, which is the inode of its directory. Only a walk
//! through all directories finds that, which takes milliseconds. So each walk keeps all that it sees,
//! there is at most one in a batch, and [`Share`] limits them all: a user can make control groups
//! faster than foo finds them. An ID is never used again, so a unit is right or unknown: one that a
//! walk has not found is gone, or on a machine with too many control groups.

#![forbid(unsafe_code)]

use super::{datagram::control::cgroup_of, unit::Unit};
use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    os::{
        fd::AsFd,
        unix::fs::{DirEntryExt, MetadataExt},
    },
    path::PathBuf,
    time::{Duration, Instant},
};

/// Where systemd has the control groups.
const ROOT: &str = "/sys/fs/cgroup";

/// Most directories that a walk sees, which takes about ten milliseconds. It sees those of the system
/// before those that users make below theirs.
const WALK_MAX: usize = 1024;

/// The number of links to a directory that has no other in it.
const NO_DIRECTORY_IN_IT: u64 = 2;

/// Control groups from which on all are forgotten before a walk.
const KEPT_MAX: usize = 4 * WALK_MAX;

/// The time that passes for each part of it that walks take.
const TIMES: u32 = 10;

/// How far walks may be ahead of their share. So they take up to 250 ms in a row, which is enough for
/// many units that start together.
const AHEAD_MAX: Duration = Duration::from_millis(2500);

/// The share of time that walks may take: a tenth, after a burst.
pub struct Share {
    /// When the walks until now will have taken a tenth of the time, or some time before now.
    even_at: Instant,
}

impl Share {
    /// Returns a share of which nothing was taken.
    pub fn new(now: Instant) -> Self {
        Self { even_at: now }
    }

    /// Returns whether a walk may begin.
    pub fn is_left(&self, now: Instant) -> bool {
        self.even_at <= now + AHEAD_MAX
    }

    /// Takes the time of a walk.
    pub fn take(&mut self, begin: Instant, end: Instant) {
        self.even_at = self.even_at.max(begin) + TIMES * (end - begin);
    }
}

/// The units of control groups that were looked up.
pub struct Units {
    /// By the ID of the control group. `None` if it belongs to no unit, or is gone.
    kept: BTreeMap<u64, Option<Unit>>,
    /// Whether there was a walk in this batch.
    has_walked: bool,
    share: Share,
}

impl Units {
    /// Returns the units of this machine or container. Nothing is looked up before `now`.
    pub fn new(now: Instant) -> Self {
        Self { kept: BTreeMap::new(), has_walked: false, share: Share::new(now) }
    }

    /// Returns the unit of a process, `None` if it belongs to none, or if that is unknown.
    pub fn of(&mut self, pidfd: impl AsFd) -> Option<&Unit> {
        let id = cgroup_of(pidfd).ok()?;
        if !self.kept.contains_key(&id) && !self.has_walked {
            let begin = Instant::now();
            if self.share.is_left(begin) {
                self.walk();
                self.kept.entry(id).or_default();
                self.share.take(begin, Instant::now());
            }
        }
        self.kept.get(&id)?.as_ref()
    }

    /// Ends a batch: the next one may walk again.
    pub fn end_batch(&mut self) {
        self.has_walked = false;
    }

    /// Keeps the units of all control groups that there are.
    fn walk(&mut self) {
        self.has_walked = true;
        if self.kept.len() >= KEPT_MAX {
            self.kept.clear();
        }
        // Level by level, so that no directory hides those of the levels above it.
        let mut left = VecDeque::from([PathBuf::from(ROOT)]);
        let mut seen = 0;
        while let Some(directory) = left.pop_front() {
            // A control group may vanish at any time.
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    continue;
                }
                if seen == WALK_MAX {
                    return;
                }
                seen += 1;
                let path = entry.path();
                let name = path.strip_prefix(ROOT).unwrap_or(&path).to_string_lossy();
                self.kept.insert(entry.ino(), Unit::of_cgroup(&name));
                // To read a directory takes ten times as long as to see that it has none in it.
                if entry.metadata().is_ok_and(|data| data.nlink() != NO_DIRECTORY_IN_IT) {
                    left.push_back(path);
                }
            }
        }
    }
}
