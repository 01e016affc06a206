#!/bin/bash
# Kubernetes' API server with its controllers, on free ports of 127.0.0.1, over etcd; no node, so pods stay pending. All they write is below DIR.
#   test/servers/kube.sh start DIR      starts them and prints the kubeconfig
#   test/servers/kube.sh stop DIR       SIGTERM, and waits
#   test/servers/kube.sh build          the program alone: minutes, once, into .cache/tools
# Admission is the default one (Pod Security, quotas, limits, service accounts); the administrator's token is "admin". Needs etcd-server,
# openssl, curl and python3. The program comes as source by the Go proxy, whose sums Go checks.
. "$(dirname "$0")/server.inc"
cd "$here/../.."
. test/tools.inc
version=1.34.3
place=$tools/kube-$version

# Its own go.mod replaces the parts that are developed inside it by folders of theirs: outside they have versions.
write_module() {
    printf '%s\n' 'module kube' 'go 1.24.0' "require k8s.io/kubernetes v$version" >"$1/go.mod"
    (cd "$1" && run_go mod download -json "k8s.io/kubernetes@v$version" >"$1/said")
    run_go mod edit -json "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["GoMod"])' "$1/said")" |
        python3 -c 'import json, sys
for replaced in json.load(sys.stdin)["Replace"]:
    if replaced["New"]["Path"].startswith("./staging/"):
        print("replace", replaced["Old"]["Path"], "=>", replaced["Old"]["Path"], "v0." + sys.argv[1].split(".", 1)[1])' "$version" >>"$1/go.mod"
    cat >"$1/main.go" <<END
// API server and controllers in one program, by its first word.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

func main() {
	word := os.Args[1]
	os.Args = append(os.Args[:1], os.Args[2:]...)
	if word == "apiserver" {
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	}
	os.Exit(cli.Run(controllers.NewControllerManagerCommand()))
}
END
}

build_kube() {
    local stamp=k8s.io/component-base/version
    write_module "$1"
    (
        cd "$1"
        run_go mod tidy
        run_go build -p 2 -ldflags "-s -w -X $stamp.gitVersion=v$version -X $stamp.gitMajor=1 -X $stamp.gitMinor=34" -o kube .
    )
    rm "$1"/go.* "$1/main.go" "$1/said"
}

take_kube() { made "$place" "$here/kube.sh" into; }

# own NAME: the process of that pid file is ours.
own() { runs_with "$dir/$1.pid" "$dir/$1"; }

# launch NAME COMMAND...: its command line bears the folder, as the name it is called by.
launch() {
    local name=$1 program=$2
    shift 2
    (exec -a "$dir/$name" "$program" "$@") >>"$dir/$name.log" 2>&1 </dev/null &
    echo $! >"$dir/$name.pid"
}

write_kubeconfig() {
    cat >"$dir/kubeconfig" <<END
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://127.0.0.1:$1", certificate-authority: $dir/ca.pem}}]
users: [{name: admin, user: {token: admin}}]
contexts: [{name: test, context: {cluster: test, user: admin}}]
current-context: test
END
}

start() {
    local etcd peer port try
    read -r etcd peer port < <(free_ports 3)
    mkdir -p "$dir"
    [ -e "$dir/server.crt" ] || certificates "$dir"
    [ -e "$dir/accounts.key" ] || openssl genrsa -out "$dir/accounts.key" 2048 2>/dev/null
    echo 'admin,admin,admin,system:masters' >"$dir/tokens"
    write_kubeconfig "$port"
    launch etcd "$(command -v etcd)" --data-dir "$dir/etcd.data" --listen-client-urls "http://127.0.0.1:$etcd" --advertise-client-urls "http://127.0.0.1:$etcd" \
        --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" --initial-cluster "default=http://127.0.0.1:$peer"
    launch apiserver "$place/kube" apiserver --etcd-servers="http://127.0.0.1:$etcd" --bind-address=127.0.0.1 --secure-port="$port" \
        --tls-cert-file="$dir/server.crt" --tls-private-key-file="$dir/server.key" --service-account-issuer=https://kubernetes.default.svc \
        --service-account-key-file="$dir/accounts.key" --service-account-signing-key-file="$dir/accounts.key" --token-auth-file="$dir/tokens" \
        --authorization-mode=RBAC --service-cluster-ip-range=10.0.0.0/16
    for ((try = 0; try < 600; try++)); do
        curl -sf --cacert "$dir/ca.pem" -H 'Authorization: Bearer admin' "https://127.0.0.1:$port/readyz" >"$dir/ready" 2>/dev/null && break
        kill -0 $! 2>/dev/null || { tail -n 20 "$dir/apiserver.log" >&2; die "the API server does not come up"; }
        sleep 0.1
    done
    [ -s "$dir/ready" ] || die "the API server does not get ready: $dir/apiserver.log"
    launch controllers "$place/kube" controller-manager --kubeconfig="$dir/kubeconfig" --leader-elect=false --bind-address=127.0.0.1 --secure-port=0 \
        --service-account-private-key-file="$dir/accounts.key" --root-ca-file="$dir/ca.pem"
    echo "$dir/kubeconfig"
}

stop() {
    local name
    for name in controllers apiserver etcd; do
        own $name || continue
        kill "$(cat "$dir/$name.pid")" 2>/dev/null || :
        while own $name; do sleep 0.05; done
    done
}

case ${1:-} in
build) take_kube ;;
into) build_kube "$2" ;;
start)
    dir=$(realpath -m "$2")
    need_tools "etcd-server, openssl, curl and python3" etcd openssl curl python3
    take_kube
    start
    ;;
stop)
    dir=$(realpath -m "$2")
    stop
    ;;
*) usage ;;
esac
