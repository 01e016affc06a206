#!/bin/bash
# The images, built without Docker: compose/Dockerfile by buildah on a Debian 12 made by debootstrap and slimmed as Docker's is. Then what compose does, inside: in
# a network of its own, at the names and ports of the compose file, each service in the image's root file system, read-only and without root. SBOM, licence
# texts, labels and health checks are what they should be; nothing was written but to the volume; sizes are printed.
# Needs root, buildah, debootstrap and ip. The images stay in .cache/images (IMAGES names another folder): layers that are good are taken again.
set -euo pipefail
cd "$(dirname "$0")/../.."
. test/bare/base.inc
[ "$(id -u)" = 0 ] || { echo "test/long/image.sh must be run as root: it makes root file systems"; exit 1; }
# Mounts of our own: whatever happens, none of them outlives this script.
[ "${IMAGE_INSIDE-}" = yes ] || exec env IMAGE_INSIDE=yes unshare --mount --propagation private "$0" "$@"
fail() { echo "FAILED: $*" >&2; exit 1; }
work=$(mktemp -d)
chmod 755 "$work"
store=$(realpath -m "${IMAGES:-.cache/images}")
trap 'buildah rm --all >/dev/null 2>&1 || :; rm -rf --one-file-system "$work"' EXIT
mkdir -p "$store" "$work/base"
printf '[storage]\ndriver = "%s"\nrunroot = "%s/run"\ngraphroot = "%s/graph"\n' "${DRIVER:-overlay}" "$store" "$store" >"$store/storage.conf"
export CONTAINERS_STORAGE_CONF=$store/storage.conf BUILDAH_ISOLATION=chroot OUT=$work/out
targets=(normalization-service enrichment-service aggregation-service projection-service data-processing)

# base_image: what debian:12-slim is: no manuals, no translations, of the documentation the licences alone.
base_image() {
    local container
    bare_base "$work/base"
    bare_apt "$work/base"
    printf '%s\n' 'path-exclude /usr/share/doc/*' 'path-include /usr/share/doc/*/copyright' 'path-exclude /usr/share/man/*' \
        'path-exclude /usr/share/locale/*' >"$work/base/etc/dpkg/dpkg.cfg.d/docker"
    find "$work/base/usr/share/doc" -type f ! -name copyright -delete
    rm -rf "$work/base"/usr/share/{man,locale,info}/* "$work/base"/var/cache/apt/* "$work/base"/var/lib/apt/lists/*
    container=$(buildah from scratch)
    buildah add -q "$container" "$work/base" / >/dev/null
    buildah commit -q "$container" localhost/debian:12-slim >/dev/null
    buildah rm "$container" >/dev/null
}

echo "--- built"
buildah inspect --type image localhost/debian:12-slim >/dev/null 2>&1 || base_image
BASE=localhost/debian:12-slim .ci/image build >"$work/built" 2>&1 || { tail -n 60 "$work/built"; fail "the images are not built"; }
buildah images --format '{{.Name}} {{.Size}}' | grep localhost

echo "--- labels, user, health check"
for target in "${targets[@]}"; do
    buildah inspect --type image "localhost/$target:local" >"$work/$target.json"
    /usr/bin/python3 - "$target" "$work/$target.json" <<'PY' || fail "$target"
import json, sys
sys.path.insert(0, "test/compose")
import compose
target, path = sys.argv[1:]
have = json.load(open(path))["Docker"]["config"]
want = compose.targets("compose/Dockerfile")[target]
labels = have["Labels"]
assert have["User"] == "65532:65532" and list(have["Volumes"]) == ["/var/lib/weir"], have
assert have["Entrypoint"] == ["data-processing"] and have["Cmd"] == want["CMD"], have
assert (have.get("Healthcheck") or {}).get("Test", [])[1:] == want.get("HEALTHCHECK", []), have
assert labels["org.opencontainers.image.title"] == target and labels["org.opencontainers.image.licenses"] == "MIT", labels
for name in ("description", "vendor", "source", "documentation", "version", "revision"):
    assert labels["org.opencontainers.image." + name], name
assert labels["org.opencontainers.image.revision"] != "unknown", labels
PY
done

container=$(buildah from --pull-never localhost/data-processing:local)
root=$(buildah mount "$container")
echo "--- SBOM and licence texts"
.ci/image sbom >/dev/null
chroot "$root" dpkg-query -W -f '${Package} ${Version}\n' | sort >"$work/installed"
/usr/bin/python3 - "$OUT/sbom.spdx.json" "$work/installed" "$root" <<'PY' || fail "the SBOM"
import hashlib, json, os, sys
sbom, installed, root = json.load(open(sys.argv[1])), open(sys.argv[2]).read().split("\n")[:-1], sys.argv[3]
packages = {p["name"]: p for p in sbom["packages"]}
ours = packages.pop("data-processing")
assert sbom["spdxVersion"] == "SPDX-2.3" and len({p["SPDXID"] for p in sbom["packages"]}) == len(sbom["packages"])
assert sorted(f"{n} {p['versionInfo']}" for n, p in packages.items()) == installed, "what is listed is not what is installed"
program = open(root + "/usr/bin/data-processing", "rb").read()
assert ours["checksums"][0]["checksumValue"] == hashlib.sha256(program).hexdigest(), "another program"
linked = [r["relatedSpdxElement"] for r in sbom["relationships"] if r["relationshipType"] == "DYNAMIC_LINK"]
page = open("docs/licences.md").read().split("## In the image")[0]
listed = {line.split("`")[1] for line in page.split("\n") if line.startswith("| `")}
assert listed == {id.removeprefix("SPDXRef-Package-").replace("libstdc--6", "libstdc++6") for id in linked}, listed
for name in packages:
    assert os.path.getsize(f"{root}/usr/share/doc/{name}/copyright") > 0, name
for name in ("LICENSE", "licences.md"):
    assert os.path.getsize(f"{root}/usr/share/doc/data-processing/{name}") > 0, name
assert os.path.exists(root + "/usr/share/zoneinfo/America/New_York") and os.path.exists(root + "/etc/ssl/certs/ca-certificates.crt")
print(len(packages), "packages,", len(linked), "of them linked")
PY

echo "--- what compose does, inside"
mkdir "$root/files" # a container engine makes the places of its mounts
find "$root" -xdev -newer "$work/installed" ! -path "$root/files" ! -path "$root" >"$work/before"
echo "127.0.0.1 localhost kafka clickhouse postgresql redis normalization-service enrichment-service aggregation-service projection-service" >"$work/hosts"
# In a network of its own; chattr would not do: root itself may not write.
IN_IMAGE=$root HOSTS=$work/hosts unshare --net --mount --propagation private bash -c '
    ip link set lo up
    mount --bind "$HOSTS" /etc/hosts
    exec test/scripts/kafka_quick_start.sh'
find "$root" -xdev -newer "$work/installed" ! -path "$root/files" ! -path "$root" >"$work/after"
diff "$work/before" "$work/after" || fail "something was written into the root file system"
(SERVICE_USER=65532:65532 VOLUME=$work/volume FILES=$work/files unshare --mount --propagation private test/compose/enter.sh "$root" \
    /bin/sh -c 'id -u && ! touch /usr/x /etc/x /x 2>/dev/null && touch /var/lib/weir/x') >"$work/said" 2>&1 || { cat "$work/said"; fail "the root file system"; }
[ "$(head -n 1 "$work/said")" = 65532 ] || fail "another user"
