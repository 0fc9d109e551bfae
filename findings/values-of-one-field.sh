#!/bin/sh
# If a journal entry has a field several times, earlier entries decide in which order the values come back.
#
# Version    systemd 257.13-1~deb13u1 of Debian 13
# Behaviour  A journal file has each pair of field and value once. journald sorts those of an entry by their place in
#            the file. So values come back in the order in which the file first got them, and equal ones once.
# Seen       Sent b a b: returned b a. Sent a b c afterwards: returned b a c.
# Guess      They come back as they were sent.
. "$(dirname "$0")/lib.sh"

debian trixie systemd=257.13-1~deb13u1
booted >"$temp/seen" <<'END'
for values in "b a b" "a b c"; do
    printf '%s\n' MESSAGE=values "SENT=$values" "$(printf 'VALUE=%s\n' $values)" | logger --journald
    journalctl --sync
    echo "sent $values:" $(journalctl --output=export "SENT=$values" | sed -n 's/^VALUE=//p')
done
END
holds "$temp/seen" <<'END'
sent b a b: b a
sent a b c: b a c
END
