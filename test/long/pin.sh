#!/bin/bash
# .ci/pin on a copy of the tree, against a registry of its own that stands for all others': every image of others gets the digest that its tag has there, in the compose
# file, the Dockerfile, GitLab's pipeline and the charts; what is rendered and checked then has it; an image that is not there is named.
. test/scripts/cli.inc
. test/tools.inc

read -r port < <(bash -c '. test/servers/server.inc; free_ports 1' test/servers/x)
cat >"$work/registry.yml" <<END
version: 0.1
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: "127.0.0.1:$port"}
END
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
children+=($!)
await curl -fsS "http://127.0.0.1:$port/v2/"
mkdir -p "$work/home/.config/containers" "$work/tree"
printf '[[registry]]\nprefix = "docker.io"\nlocation = "127.0.0.1:%s"\ninsecure = true\n' "$port" >"$work/home/.config/containers/registries.conf"
git ls-files -z .ci compose charts docs/configuration.md .gitlab-ci.yml | xargs -0 cp --parents -t "$work/tree"

# An image of nothing, as a folder; each name gets one of its own.
/usr/bin/python3 - "$work/image" <<'PY'
import hashlib, json, os, sys
folder = sys.argv[1]
os.makedirs(folder + "/blobs/sha256")
def put(kind, content):
    digest = hashlib.sha256(content).hexdigest()
    with open(f"{folder}/blobs/sha256/{digest}", "wb") as file:
        file.write(content)
    return {"mediaType": "application/vnd.oci.image." + kind, "digest": "sha256:" + digest, "size": len(content)}
layer = put("layer.v1.tar", bytes(10240))
config = put("config.v1+json", json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}).encode())
manifest = put("manifest.v1+json", json.dumps({"schemaVersion": 2, "config": config, "layers": [layer]}).encode())
json.dump({"schemaVersion": 2, "manifests": [manifest]}, open(folder + "/index.json", "w"))
json.dump({"imageLayoutVersion": "1.0.0"}, open(folder + "/oci-layout", "w"))
PY
sed -i -E 's/@sha256:[0-9a-f]{64}//; s/digest: "[^"]*"/digest: ""/' "$work"/tree/compose/{Dockerfile,docker-compose.yml} "$work/tree/.gitlab-ci.yml" "$work"/tree/charts/data-processing/{,charts/*/}values.yaml
"$work/tree/.ci/pin" --list >"$work/listed"
[ "$(grep -c ' -$' "$work/listed")" = "$(wc -l <"$work/listed")" ] && [ "$(wc -l <"$work/listed")" -ge 15 ] || { cat "$work/listed"; fail "the images are not those of others"; }

put() { # put NAME:TAG: into the registry
    local name=${1#docker.io/}
    [ "$name" != "${name#*/}" ] || name=library/$name
    skopeo copy -q --dest-tls-verify=false --insecure-policy "oci:$work/image" "docker://127.0.0.1:$port/$name"
}
cut -d ' ' -f 2 "$work/listed" | sort -u >"$work/names"
grep -v '^redis:' "$work/names" | while read -r name; do put "$name"; done
manifest=sha256:$(curl -fsS -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://127.0.0.1:$port/v2/library/alpine/manifests/3.22" | sha256sum | cut -d ' ' -f 1)
HOME=$work/home expect 1 "$work/tree/.ci/pin"
says "redis:7.0.15-bookworm: its registry does not say"
put redis:7.0.15-bookworm
HOME=$work/home expect 0 "$work/tree/.ci/pin"
"$work/tree/.ci/pin" --list | cut -d ' ' -f 3 | sort -u >"$work/digests"
equal "$manifest" "$(cat "$work/digests")" "the digests"

# What reads the files takes them so.
expect 0 /usr/bin/python3 test/compose/compose.py check "$work/tree/compose/docker-compose.yml" "$(schemas)/compose-spec.json"
helm template x "$work/tree/charts/data-processing" --values charts/data-processing/values-dev.yaml | sed -nE 's/^ +image: *//p' | grep -vE '^(data-processing|[a-z]+-service):' | sort -u >"$work/images"
[ "$(wc -l <"$work/images")" = 6 ] && ! grep -v "@$manifest\$" "$work/images" || { cat "$work/images"; fail "an image of others without its digest"; }
