# Boots one container and keeps it until standard input ends: that is until the test process lets go
# of it, or dies. Run in a mount namespace of its own, so whatever is mounted goes with it.
#
#   $1  the unpacked Debian, only ever read
#   $2  the tree to install over it
#   $3  a name no other container has
#   $4  options of systemd-nspawn, if any
set -eu
lower=$1 stage=$2 machine=$3 options=$4
exec 3<&0 </dev/null

# The place where systemd-nspawn keeps its own files also serves as ours.
mkdir -p /run/systemd/nspawn
mount -t tmpfs booted /run/systemd/nspawn
cd /run/systemd/nspawn
mkdir upper work root
mount -t overlay -o "lowerdir=$lower,upperdir=upper,workdir=work" booted root
tar -C "$stage" -c . | tar -C root -x --keep-directory-symlink --no-overwrite-dir
# systemd-sysusers of Debian 11 needs /proc.
mount -t proc proc root/proc
chroot root systemd-sysusers
umount root/proc

# With --keep-unit the payload's cgroup is a child of the one systemd-nspawn was started in. Two
# containers must not share it: either's systemd would stop the other's services.
mount -t cgroup2 booted /sys/fs/cgroup
cgroup=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/$machine
mkdir "$cgroup"
(
    cat <&3 >/dev/null
    echo 1 >"$cgroup/cgroup.kill"
) &

# 133 is how systemd-nspawn asks to be started again after a reboot.
(
    echo 0 >"$cgroup/cgroup.procs"
    # shellcheck disable=SC2086 # several words, or none
    while
        systemd-nspawn --directory=root --boot --machine="$machine" --register=no --keep-unit \
            --private-network --link-journal=no --notify-ready=yes --console=pipe $options
        [ $? -eq 133 ]
    do :; done
) || :

# What died with the container's PID 1 may take a moment to be gone.
for _ in $(seq 500); do
    if find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null; then exit; fi
    sleep 0.01
done
