#!/bin/bash
# Names of settings come from one table, the program's: the program takes every file of settings and every variable that the chart gives its containers, for
# all files of values; the schema of values has the program's names; compose gives it variables that mean something.
set -euo pipefail
. test/scripts/cli.inc
. test/tools.inc
chart=charts/data-processing
program=$PWD/$BUILD/data-processing
case $BUILD in /*) program=$BUILD/data-processing ;; esac

"$program" help --markdown >"$work/page"
python3 test/charts/settings.py "$work/page" $chart/values.schema.json >"$work/schema"
diff $chart/values.schema.json "$work/schema" || fail "values.schema.json is not what the program says: make docs"

# takes FOLDER: the program reads its settings and variables, and knows them all. `describe` compiles the topology with them and starts nothing.
takes() {
    local words variables
    mapfile -t words <"$1/arguments"
    mapfile -t variables <"$1/environment"
    case ${words[0]} in
    run) expect 0 env -i "${variables[@]}" "$program" describe "${words[@]:1}" ;;
    migrate) expect 0 env -i "${variables[@]}" "$program" describe normalization "${words[@]:2}" ;; # a database would be asked
    esac
}
count=0
for values in "" "--values $chart/values-dev.yaml" "--values $chart/values-staging.yaml" "--values $chart/values-prod.yaml" \
    "--values $chart/values-prod.yaml --values $chart/values-aws.yaml" "--values $chart/values-prod.yaml --values $chart/values-gcp.yaml" \
    "--values $chart/values-prod.yaml --values $chart/values-azure.yaml"; do
    rm -rf "$work/pods"
    # shellcheck disable=SC2086
    helm template x $chart $values --set services.normalization.environment.DATA_PROC_LOG_LEVEL=info \
        --set 'settings.commit\.interval\.ms=50ms,services.aggregation.settings.aggregation\.minute_s\.grace=7m' | python3 test/charts/environment.py "$work/pods"
    for pod in "$work"/pods/*; do
        takes "$pod"
        count=$((count + 1))
    done
done
equal 42 $count "containers of the pipeline"
# A name that is not the program's is refused by it, here too.
pod=$work/pods/x-data-processing-projection-projection
echo "redis.ur = redis://here:6379" >>"$pod/settings/weir.conf"
mapfile -t words <"$pod/arguments"
expect 2 env -i "$program" describe "${words[@]:1}"
says "redis.ur"
pod=$work/pods/x-data-processing-aggregation-aggregation
mapfile -t words <"$pod/arguments"
expect 0 env -i "$program" describe --as full "${words[@]:1}"
grep -q 'grace 7m' "$work/out" || fail "a setting of values does not arrive"

# With TLS and a token at the HTTP ports.
rm -rf "$work/pods"
helm template x $chart --values $chart/values-prod.yaml --set security.http.tlsSecret=tls,security.http.tokenSecret=token | python3 test/charts/environment.py "$work/pods"
for pod in "$work"/pods/*; do
    takes "$pod"
done

# Compose: variables that have a setting.
for name in $(grep -oE '\b(DATA_PROC|WEIR)_[A-Z_]+' compose/docker-compose.yml | sort -u); do
    grep -qE "\`$name\` \| (\`|[A-Z])" "$work/page" || fail "compose/docker-compose.yml: $name has no setting"
done
