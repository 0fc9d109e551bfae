//! How little foo may do, and who may send to it.

use super::frame::container::Container;
use super::frame::document::example;

pub fn the_exposure_is_low(container: &mut Container) {
    assert_exposure(container, 0.2);
}

/// The drop-in of foo(8) that leaves foo only its own file and its libraries.
pub fn with_a_root_of_its_own_the_exposure_is_lower(container: &mut Container) {
    let commands = example("a root directory that contains only");
    let edit = "systemctl edit foo.service\n";
    container.run(&format!("set -e\n{}", commands.strip_suffix(edit).expect(edit)));
    container.drop_in("foo.service", &example(edit));
    assert_exposure(container, 0.1);
    container.start();
    container.assert_serves("hello");
    container.send(&[b'x'; 100_000]);
    container.wait_for("xxx");
    container.run("systemctl reload foo");
    container.assert_serves("after the reload");
}

fn assert_exposure(container: &Container, most: f64) {
    let table = container.run("systemd-analyze security --no-pager foo.service");
    let exposure =
        table.lines().find_map(|line| line.split_once("Overall exposure level for foo.service: "));
    let exposure = exposure.and_then(|(_, level)| level.split(' ').next());
    let exposure: f64 = exposure.and_then(|level| level.parse().ok()).expect("the level");
    container.report(format_args!("exposure {exposure}"));
    assert!(exposure <= most, "{table}");
}

/// If the container may not create namespaces, foo runs without them.
pub fn it_runs_in_a_container_without_privilege(container: &mut Container) {
    if container.systemd() < 257 {
        return container.report("such a container does not boot");
    }
    let container = container.another("--drop-capability=CAP_SYS_ADMIN");
    container.start();
    container.assert_serves("hello");
    assert_eq!(container.run("stat -c %U /proc/$(systemctl show --value -p MainPID foo)"), "_foo");
}

/// The drop-in of foo(8) for a group of senders.
pub fn only_a_group_may_send(container: &mut Container) {
    container.drop_in("foo.socket", &example("Let only the members of a group send"));
    container.start();
    container.fails("setpriv --reuid=65534 --clear-groups foocl no");
    container.run("setpriv --reuid=65534 --groups=users foocl hello");
    container.wait_for(": hello");
    assert!(!container.lines().contains(": no\n"));
}
