#!/bin/sh
# LogRateLimitIntervalSec=0 in a unit does not switch journald's rate limit off.
#
# Version    systemd 262.1-1 of Debian sid
# Behaviour  journald takes 0 as not set, so the limit of journald.conf(5) holds. LogRateLimitBurst=0 does the same.
#            A short interval with a large burst switches it off.
# Seen       of 200000 lines: with each 0 fewer (37500 on a disk with much room), with the other all
# Guess      0 switches it off, as RateLimitIntervalSec=0 does in journald.conf.
. "$(dirname "$0")/lib.sh"

debian sid systemd=262.1-1
booted >"$temp/seen" <<'END'
number=0
for setting in LogRateLimitIntervalSec=0 LogRateLimitBurst=0 "LogRateLimitIntervalSec=1s LogRateLimitBurst=1000000"; do
    unit=many-$((number += 1))
    printf '%s\n' "[Service]" Type=oneshot "ExecStart=seq 200000" $setting >/run/systemd/system/$unit.service
    systemctl start $unit
    journalctl --sync
    count=$(journalctl _SYSTEMD_UNIT=$unit.service --output=cat | wc -l)
    if [ "$count" -eq 200000 ]; then echo "$setting: all"; else echo "$setting: fewer"; fi
done
END
holds "$temp/seen" <<'END'
LogRateLimitIntervalSec=0: fewer
LogRateLimitBurst=0: fewer
LogRateLimitIntervalSec=1s LogRateLimitBurst=1000000: all
END
