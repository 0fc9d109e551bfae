#!/bin/sh
# In a native package, a CHANGELOG.md that debian/docs names replaces Debian's own changelog.
#
# Version    debhelper 14.5 of Debian sid, at compatibility levels 13 and 14
# Behaviour  dh_installdocs installs CHANGELOG.md. dh_installchangelogs takes it for upstream's changelog, and gives it
#            the name `changelog`, which debian/changelog has in a native package. There is no warning.
# Seen       13 native: changelog of the project; 14 native: changelog of the project
# Guess      Both are installed: as CHANGELOG.md and changelog, or as changelog and changelog.Debian.
. "$(dirname "$0")/lib.sh"

debian sid debhelper=14.5
cat >"$root/build" <<'END'
set -eu
for level in 13 14; do
    for case in native=1 quilt=1-1; do
        mkdir -p "/$level/$case/debian/source"
        cd "/$level/$case"
        echo "of the project" >CHANGELOG.md
        echo CHANGELOG.md >debian/docs
        echo "3.0 (${case%=*})" >debian/source/format
        printf '%s\n' Source:\ example "Build-Depends: debhelper-compat (= $level)" "" Package:\ example \
            Architecture:\ all >debian/control
        printf '%s\n' "example (${case#*=}) unstable; urgency=low" "" "  * of Debian" "" \
            " -- A <a@example.org>  Thu, 01 Jan 2026 00:00:00 +0000" >debian/changelog
        dh_installdocs
        dh_installchangelogs
        cd debian/example/usr/share/doc/example
        for file in *; do echo "$level ${case%=*}: $file $(grep -o "of .*" "$file")"; done
    done
done
END
inside sh /build >"$temp/seen"
holds "$temp/seen" <<'END'
13 native: changelog of the project
13 quilt: changelog of the project
13 quilt: changelog.Debian of Debian
14 native: changelog of the project
14 quilt: changelog of the project
14 quilt: changelog.Debian of Debian
END
