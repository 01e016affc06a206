#!/bin/bash
# PostgreSQL for tests, on a free port of 127.0.0.1. Prints a connection string: user weir, who may do all, database weir.
#   test/servers/postgres.sh start DIR [KIND]  a new server, what it writes below DIR; tls: others than by TLS are refused; mutual: clients
#                                              without a certificate too
#   test/servers/postgres.sh again DIR         the same server and port, after stop or kill
#   test/servers/postgres.sh sql DIR TEXT...   runs statements, prints rows as a|b; TEXT - reads standard input
#   test/servers/postgres.sh aside DIR TEXT    a statement while it is stopped, seen by nobody before it is started again
#   test/servers/postgres.sh shows DIR NAME    of tls: its certificate is DIR/NAME.crt from now on, its key DIR/NAME.key
#   test/servers/postgres.sh stop DIR          ends all sessions and the server
#   test/servers/postgres.sh kill DIR          at once, without a last word: the next start recovers
#   test/servers/postgres.sh remove DIR        kill, and nothing is left of it
# Needs postgresql; tls: openssl. The server will not run as root: then it runs as the user postgres, who may not look into
# DIR, and its files are in a folder beside.
. "$(dirname "$0")/server.inc"

need() {
    local initdb
    for initdb in $(command -v initdb) /usr/lib/postgresql/*/bin/initdb; do
        [ ! -x "${initdb%/*}/psql" ] || [ ! -x "$initdb" ] || bin=${initdb%/*}
    done
    [ -n "${bin:-}" ] || die "there is no PostgreSQL: install postgresql"
    [ "$(id -u)" != 0 ] || id postgres >/dev/null 2>&1 || die "there is no user postgres, and the server will not run as root"
}

# as COMMAND...: as the user whose server it is.
as() { if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi; }

dsn() {
    printf "host=127.0.0.1 port=%s user=weir password=secret dbname=weir%s%s\n" "$(cat "$dir/port")" \
        "$([ ! -e "$dir/ca.pem" ] || echo " sslmode=verify-full sslrootcert=$dir/ca.pem")" \
        "$([ ! -e "$dir/mutual" ] || echo " sslcert=$dir/weir.crt sslkey=$dir/weir.key")"
}

make_folder() {
    mkdir -p "$dir"
    if [ "$(id -u)" = 0 ]; then
        data=$(mktemp -d "${TMPDIR:-/tmp}/weir-postgres.XXXXXX")
        chown postgres "$data"
    else
        data=$dir/files
        mkdir -m 700 "$data"
    fi
    ln -sfn "$data" "$dir/data"
}

# place FILE: into the server's folder, for the server's eyes alone.
place() {
    as tee "$data/pg/$1" <"$dir/$1" >/dev/null
    as chmod 600 "$data/pg/$1"
}

configure() {
    local access=host method=scram-sha-256
    echo secret | as tee "$data/password" >/dev/null
    as "$bin/initdb" -D "$data/pg" -A scram-sha-256 -U weir --pwfile="$data/password" --no-sync -E UTF8 --locale=C.UTF-8 >"$dir/log"
    printf "%s\n" "listen_addresses='127.0.0.1'" "port=$(cat "$dir/port")" "unix_socket_directories='$data'" fsync=off \
        synchronous_commit=off full_page_writes=off max_connections=50 shared_buffers=32MB |
        as tee -a "$data/pg/postgresql.conf" >/dev/null
    case ${1:-} in tls | mutual)
        certificates "$dir"
        place server.crt
        place server.key
        place ca.pem
        printf "%s\n" ssl=on "ssl_cert_file='server.crt'" "ssl_key_file='server.key'" "ssl_ca_file='ca.pem'" |
            as tee -a "$data/pg/postgresql.conf" >/dev/null
        access=hostssl
        ;;
    esac
    [ "${1:-}" != mutual ] || { touch "$dir/mutual"; method+=" clientcert=verify-ca"; }
    printf "%s all all 127.0.0.1/32 %s\n" $access "$method" | as tee "$data/pg/pg_hba.conf" >/dev/null
}

launch() {
    as "$bin/pg_ctl" -D "$data/pg" -l "$data/log" -w start >>"$dir/log" 2>&1 </dev/null || {
        as tail -n 20 "$data/log" >&2
        die "the server does not come up"
    }
}

# runs: the process of the pid file is this server: a pid may be another's by now.
runs() {
    local pid
    pid=$(as head -n 1 "$data/pg/postmaster.pid" 2>/dev/null) && grep -qF "$data/pg" "/proc/$pid/cmdline" 2>/dev/null
}

end() { ! runs || as "$bin/pg_ctl" -D "$data/pg" -m "$1" -w stop >>"$dir/log" 2>&1 || :; }

sql() { "$bin/psql" -XAtq -v ON_ERROR_STOP=1 "$(dsn)" "$@"; }

[ $# -ge 2 ] || usage
dir=$(realpath -m "$2")
need
[ ! -e "$dir/data" ] || data=$(readlink "$dir/data")
case $1 in
start)
    make_folder
    free_ports 1 >"$dir/port"
    configure "${3:-}"
    launch
    "$bin/psql" -XAtq "$(dsn | sed 's/dbname=weir/dbname=postgres/')" -c "create database weir"
    dsn
    ;;
again)
    launch
    dsn
    ;;
sql)
    if [ "$3" = - ]; then sql; else for text in "${@:3}"; do sql -c "$text"; done; fi
    ;;
aside) as "$bin/postgres" --single -D "$data/pg" weir <<<"$3" >>"$dir/log" 2>&1 ;;
shows)
    place "$3.crt"
    place "$3.key"
    for kind in crt:cert key:key; do
        "$bin/psql" -XAtq "$(dsn | sed 's/ sslmode=.*/ sslmode=require/')" -c "alter system set ssl_${kind#*:}_file = '$3.${kind%:*}'"
    done
    as "$bin/pg_ctl" -D "$data/pg" reload >>"$dir/log"
    shown() { openssl s_client -connect "127.0.0.1:$(cat "$dir/port")" -starttls postgres </dev/null 2>/dev/null | openssl x509 -noout -subject; }
    for ((try = 0; try < 200; try++)); do
        [ "$(shown)" != "subject=CN = $3" ] || exit 0
        sleep 0.05
    done
    die "it goes on with $(shown)"
    ;;
stop) end fast ;;
kill) end immediate ;;
remove)
    if [ -n "${data:-}" ]; then
        end immediate
        rm -rf "$data" "$dir"
    fi
    ;;
*) usage ;;
esac
