# shellcheck shell=sh
# What the findings share. A finding sources this file and makes a Debian in a temporary folder with `debian`. It runs
# commands there with `inside` or, under systemd as PID 1, with `booted`. `holds` compares what they print.
set -eu
name=$(basename "$0" .sh)
needs=$(dirname "$0")/../tools/needs
temp=$(mktemp -d)
root=$temp/root
trap clean EXIT
trap 'exit 1' HUP INT TERM

clean() {
    # What somebody mounted below it must not be removed with it.
    if findmnt --noheadings --output TARGET | grep -qF "$temp"; then
        echo "$name: there are mounts below $temp" >&2
    else
        rm -r --one-file-system "$temp"
    fi
}

# Makes the root of a Debian suite with packages. Fails unless those given as NAME=VERSION have that version.
debian() {
    "$needs" finding >&2
    suite=$1
    shift
    packages=$(for package; do echo "${package%%=*}"; done | paste -sd ,)
    rm -rf --one-file-system "$root"
    # In a mount namespace of its own, so no mount outlives it. A mirror may lag, and its index be past its date.
    unshare --mount mmdebstrap --quiet --variant=minbase --include="$packages" \
        --aptopt='Acquire::Check-Valid-Until "false"' "$suite" "$root"
    for package; do
        case $package in *=*) ;; *) continue ;; esac
        # shellcheck disable=SC2016 # dpkg-query expands it
        found=$(dpkg-query --admindir="$root/var/lib/dpkg" --show --showformat='${Version}' "${package%%=*}")
        if [ "$found" != "${package#*=}" ]; then
            echo "$name: $suite has ${package%%=*} $found, and this finding is about ${package#*=}" >&2
            exit 1
        fi
    done
}

# Runs a command in the root.
inside() {
    unshare --mount --pid --fork chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# Boots the root, and runs the script on standard input there as a service. Prints what the script prints.
booted() {
    cat >"$root/finding"
    cat >"$root/etc/systemd/system/finding.service" <<'UNIT'
[Unit]
SuccessAction=exit-force
FailureAction=exit-force
FailureActionExitStatus=1
[Service]
Type=oneshot
RuntimeDirectory=finding
WorkingDirectory=/run/finding
StandardOutput=append:/output
StandardError=inherit
ExecStart=/bin/sh -eu /finding
TimeoutStartSec=2min
UNIT
    cat >"$temp/boot" <<'BOOT'
mkdir -p /run/systemd/nspawn
mount -t tmpfs finding /run/systemd/nspawn
# systemd stops everything in its control group, so it gets its own.
mount -t cgroup2 finding /sys/fs/cgroup
group=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/$2
mkdir "$group"
status=0
(
    echo 0 >"$group/cgroup.procs"
    exec timeout 180 systemd-nspawn --quiet --directory="$1" --machine="$2" --boot --register=no --keep-unit \
        --private-network --link-journal=no --console=pipe -- --unit=finding.service
) </dev/null >"$1/console" 2>&1 || status=$?
echo 1 >"$group/cgroup.kill"
until find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; do sleep 0.1; done
exit "$status"
BOOT
    if ! unshare --mount sh -eu "$temp/boot" "$root" "finding-$$"; then
        cat "$root/console" "$root/output" >&2 || :
        exit 1
    fi
    cat "$root/output"
}

# Compares a file with standard input. Prints that the finding holds, or fails with the difference.
holds() {
    if diff - "$1" >"$temp/difference"; then
        echo "holds: $name"
    else
        echo "$name does not hold any more. Expected (<) and seen (>):" >&2
        cat "$temp/difference" >&2
        exit 1
    fi
}
