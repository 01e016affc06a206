#!/bin/bash
# `make demo` and `make test` on a machine that has nothing: a Debian 12 root made by debootstrap, with make, git and a clone.
# Needs root and debootstrap. First as a user without sudo (the apt line, exit 3), then as root, at last without a network.
set -euo pipefail
cd "$(dirname "$0")/../.."
tree=$PWD cache=$PWD/.cache/bare

[ "$(id -u)" = 0 ] || { echo "test/bare/run.sh must be run as root: it makes a root file system"; exit 1; }
# A mount namespace of our own: whatever happens, no mount of ours outlives this script.
[ "${BARE_INSIDE-}" = yes ] || exec env BARE_INSIDE=yes unshare --mount --propagation private "$0" "$@"

mkdir -p "$cache"
root=$(mktemp -d "$cache/root.XXXXXX")
trap 'for at in dev/pts dev/shm dev proc; do umount -l "$root/$at" 2>/dev/null || :; done; rm -rf --one-file-system "$root"' EXIT

# The mirror is the one that this machine uses: the first http source of bookworm's main, in either format.
mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || :; } |
    sed -nE 's,^deb (\[[^]]*\] )?(https?://[^ ]+) bookworm main.*,\2,p' | head -n 1)
[ -n "$mirror" ] || mirror=$({ cat /etc/apt/sources.list.d/*.sources 2>/dev/null || :; } |
    awk '$1 == "URIs:" { uri = $2 } $1 == "Suites:" && / bookworm( |$)/ && uri ~ /^https?:/ { print uri; exit }')
[ -n "$mirror" ] || { echo "no http source of bookworm in /etc/apt"; exit 1; }

if [ ! -e "$cache/base.tar" ]; then
    echo "--- debootstrap"
    debootstrap --variant=minbase bookworm "$root" "$mirror" >"$cache/debootstrap.log" || { tail -n 30 "$cache/debootstrap.log"; exit 1; }
    tar -C "$root" --one-file-system -cf "$cache/base.tar.part" . && mv "$cache/base.tar.part" "$cache/base.tar"
else
    tar -C "$root" -xf "$cache/base.tar"
fi
chmod 755 "$root" # mktemp made it for root alone
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t devpts devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"

# Names, the way to the mirror and its keys as on this machine; nothing else of it.
cp -L /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || :
rm -f "$root/etc/apt/sources.list"
for part in sources.list sources.list.d trusted.gpg.d keyrings preferences.d; do
    [ ! -e "/etc/apt/$part" ] || cp -a "/etc/apt/$part" "$root/etc/apt/"
done
mkdir -p "$root/usr/local/share/ca-certificates"
cp -a /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/" 2>/dev/null || :
apt-config dump | grep -E '^(Acquire::(https?|ForceIPv4|Retries)|APT::Sandbox)' >"$root/etc/apt/apt.conf.d/99host" || :

# Only what a clone and `make` need.
inside() { chroot "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} "$@"; }
echo "--- make and git"
inside sh -c 'apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends make git ca-certificates' \
    >"$cache/apt.log" 2>&1 || { tail -n 30 "$cache/apt.log"; exit 1; }
rm -rf "$root"/var/lib/apt/lists/*
git clone -q --no-hardlinks "$tree" "$root/srv/weir"

for door in demo test; do
    echo "--- make $door by a user without sudo"
    inside chroot --userspec=65534:65534 / make -C /srv/weir $door >"$root/said" 2>&1 && { echo "it went through"; exit 1; }
    if ! grep -q '^apt-get install -y --no-install-recommends gcc ' "$root/said" || ! grep -q 'Error 3$' "$root/said"; then
        cat "$root/said"
        exit 1
    fi
done

# The two commands, each from where the one before left the machine.
for door in demo test; do
    echo "--- make $door as root"
    begin=$SECONDS
    inside make -C /srv/weir $door >"$cache/$door.log" 2>&1 || { tail -n 150 "$cache/$door.log"; exit 1; }
    grep -E '^[0-9]+ passed, [0-9]+ failed$' "$cache/$door.log" || :
    took=$((SECONDS - begin))
    echo "make $door: $took s"
    [ $took -le 1200 ] || { echo "over 20 minutes"; exit 1; }
done
grep -q '^[1-9][0-9]* passed, 0 failed$' "$cache/test.log"

echo "--- again, without a network"
unshare --net chroot "$root" env -i PATH=/usr/bin:/bin:/usr/sbin sh -c 'cd /srv/weir && .ci/dependencies test' >"$root/said" 2>&1
[ ! -s "$root/said" ] || { echo "nothing is missing, yet:"; cat "$root/said"; exit 1; }
