#!/bin/bash
# `make demo` and `make test` on a machine that has nothing: a Debian 12 root made by debootstrap, with make, git and a clone.
# Needs root and debootstrap. First as a user without sudo (the apt line, exit 3), then as root, at last without a network.
set -euo pipefail
cd "$(dirname "$0")/../.."
tree=$PWD
. test/bare/base.inc

[ "$(id -u)" = 0 ] || { echo "test/bare/run.sh must be run as root: it makes a root file system"; exit 1; }
# A mount namespace of our own: whatever happens, no mount of ours outlives this script.
[ "${BARE_INSIDE-}" = yes ] || exec env BARE_INSIDE=yes unshare --mount --propagation private "$0" "$@"

mkdir -p "$cache"
root=$(mktemp -d "$cache/root.XXXXXX")
trap 'for at in dev/pts dev/shm dev proc; do umount -l "$root/$at" 2>/dev/null || :; done; rm -rf --one-file-system "$root"' EXIT

bare_base "$root"
chmod 755 "$root" # mktemp made it for root alone
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t devpts devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"

bare_apt "$root"

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
