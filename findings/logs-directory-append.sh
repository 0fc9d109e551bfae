#!/bin/sh
# A service can't log to a file in its own LogsDirectory=: it fails with 222/STDERR until somebody else makes that.
#
# Version    systemd 252.39-1~deb12u2 of Debian 12, 262.1-1 of Debian sid
# Behaviour  StandardError=append: opens the file before LogsDirectory= makes the directory. The failed start does not
#            make it either, so Restart= tries in vain for ever.
# Seen       222 failed, then 0 success once the directory is there
# Guess      The directories of a service are there before anything of the service is opened.
. "$(dirname "$0")/lib.sh"

for system in bookworm=252.39-1~deb12u2 sid=262.1-1; do
    debian "${system%%=*}" "systemd=${system#*=}"
    booted <<'END'
cat >/run/systemd/system/logs.service <<'UNIT'
[Service]
Type=oneshot
LogsDirectory=logs
StandardError=append:/var/log/logs/file
ExecStart=true
UNIT
started() { systemctl start logs 2>/dev/null || :; systemctl show --value --property=ExecMainStatus,Result logs; }
echo "$(systemctl --version | sed -n '1s/.*(\(.*\)).*/\1/p'):" \
    $(started; ls /var/log/logs 2>&1 | grep -o 'No such'; mkdir /var/log/logs; started; ls /var/log/logs)
END
done >"$temp/seen"
holds "$temp/seen" <<'END'
252.39-1~deb12u2: exit-code 222 No such success 0 file
262.1-1: exit-code 222 No such success 0 file
END
