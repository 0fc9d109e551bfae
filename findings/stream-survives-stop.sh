#!/bin/sh
# What a service prints while journald and all its sockets are stopped is in the journal once journald starts again.
#
# Version    systemd 262.1-1 of Debian sid; not 252.39-1~deb12u2 of Debian 12
# Behaviour  PID 1 keeps journald's streams across a stop (FileDescriptorStorePreserve=yes), so writers get no error.
#            On 252 a stop closes them: the write fails with EPIPE, and so do all later ones.
# Seen       252: before. 262: before, while, after.
# Guess      A stop closes the streams, since FileDescriptorStoreMax= keeps descriptors for restarts only.
. "$(dirname "$0")/lib.sh"

for system in bookworm=252.39-1~deb12u2 sid=262.1-1; do
    debian "${system%%=*}" "systemd=${system#*=}"
    booted <<'END'
cat >/run/systemd/system/repeats.service <<'UNIT'
[Service]
ExecStart=sh -c "while read -r line <&3; do echo $$line; echo >/run/finding/written; done 3<>/run/finding/lines"
UNIT
mkfifo lines written
repeat() { echo "$1" >lines && read -r _ <written; }
systemctl start repeats
repeat before
journalctl --sync
systemctl stop 'systemd-journald*.socket' systemd-journald.service 2>/dev/null
repeat while
systemctl start systemd-journald.service
repeat after
journalctl --sync
echo "$(systemctl --version | sed -n '1s/.*(\(.*\)).*/\1/p'):" \
    $(journalctl _SYSTEMD_UNIT=repeats.service --output=cat | grep -x 'before\|while\|after')
END
done >"$temp/seen"
holds "$temp/seen" <<'END'
252.39-1~deb12u2: before
262.1-1: before while after
END
