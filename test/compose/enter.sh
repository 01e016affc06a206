#!/bin/bash
# enter.sh ROOT COMMAND...: runs a command in an image's root file system as a container would: read-only, as SERVICE_USER, with VOLUME at /var/lib/weir and
# FILES at /files; proc, a /tmp of its own, names as on this machine. Run by root in a mount namespace of its own.
set -euo pipefail
root=$1
shift
mkdir -p "$VOLUME" "$FILES"
chown "${SERVICE_USER%:*}" "$VOLUME"
mount --bind "$root" "$root"
mount --bind "$VOLUME" "$root/var/lib/weir"
mount --bind "$FILES" "$root/files"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
for name in hosts resolv.conf; do [ ! -e "$root/etc/$name" ] || mount --bind "/etc/$name" "$root/etc/$name"; done
mount -o remount,bind,ro "$root"
exec chroot --userspec="$SERVICE_USER" "$root" "$@"
