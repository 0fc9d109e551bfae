# shellcheck shell=sh
# What the findings share. A finding sources this file, makes a Debian in a temporary folder with `debian`, runs commands
# there with `inside` or, if they need systemd as PID 1, with `booted`, and compares what it saw with `holds`.
#
# It needs root, mmdebstrap and systemd-nspawn. Everything it makes is gone at the end.
set -eu
name=$(basename "$0" .sh)
temp=$(mktemp -d)
root=$temp/root
trap clean EXIT
trap 'exit 1' HUP INT TERM

clean() {
    # Nothing that somebody mounted below it may be removed with it.
    if findmnt --noheadings --output TARGET | grep -qF "$temp"; then
        echo "$name: mounts are left below $temp" >&2
    else
        rm -r --one-file-system "$temp"
    fi
}

# Makes the root of a Debian suite with packages. Fails unless each that is given as NAME=VERSION has that version.
debian() {
    suite=$1
    shift
    packages=$(for package; do echo "${package%%=*}"; done | paste -sd ,)
    rm -rf --one-file-system "$root"
    # An own mount namespace: no mount outlives mmdebstrap. Mirrors may lag, so an index may be past its date.
    unshare --mount mmdebstrap --quiet --variant=minbase --include="$packages" \
        --aptopt='Acquire::Check-Valid-Until "false"' "$suite" "$root"
    for package; do
        case $package in *=*)
            found=$(dpkg-query --admindir="$root/var/lib/dpkg" --show --showformat='${Version}' "${package%%=*}")
            if [ "$found" != "${package#*=}" ]; then
                echo "$name: $suite has ${package%%=*} $found now, and this is about ${package#*=}: read it anew" >&2
                exit 1
            fi
            ;;
        esac
    done
}

# Runs a command in the root.
inside() {
    unshare --mount --pid --fork chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# Boots the root and runs the script from standard input as a service, in /run/finding. Prints what the script prints.
# Options are those of systemd-nspawn.
booted() {
    cat >"$root/finding"
    cat >"$root/etc/systemd/system/finding.service" <<'END'
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
END
    # systemd gets a control group of its own: it would stop what else is in its group.
    unshare --mount sh -eu -c '
        mkdir -p /run/systemd/nspawn
        mount -t tmpfs finding /run/systemd/nspawn
        mount -t cgroup2 finding /sys/fs/cgroup
        group=/sys/fs/cgroup$(sed -n "s/^0:://p" /proc/self/cgroup)/$2
        mkdir "$group"
        status=0
        sh -c '\''echo 0 >"$1/cgroup.procs"; shift; exec "$@"'\'' sh "$group" \
            timeout 200 systemd-nspawn --quiet --directory="$1" --machine="$2" --boot --register=no --keep-unit \
            --private-network --link-journal=no --console=pipe -- --unit=finding.service >"$1/console" 2>&1 </dev/null ||
            status=$?
        echo 1 >"$group/cgroup.kill"
        until find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; do sleep 0.1; done
        exit $status
    ' sh "$root" "finding-$$" || {
        tail -n 20 "$root/console" "$root/output" >&2 || :
        exit 1
    }
    cat "$root/output"
}

# Compares a file with standard input. Prints "holds", or fails with what differs.
holds() {
    if diff - "$1" >"$temp/difference"; then
        echo "holds: $name"
    else
        echo "$name does not hold any more. Expected (<) and seen (>):" >&2
        cat "$temp/difference" >&2
        exit 1
    fi
}
