#!/bin/bash
# Rules and dashboards without a service: promtool takes them, each alert is seen to fire and not to fire and has its runbook, each query asks
# for what docs/metrics.md lists, and the dashboards are what their generator makes and what Grafana's own types take. Broken copies are refused.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
monitoring=charts/data-processing/monitoring

quietly() { "$@" >"$work/said" 2>&1 || { cat "$work/said"; echo "failed: $*"; exit 1; }; }
quietly promtool check rules $monitoring/rules/*.yml
quietly promtool test rules test/monitoring/alerts.yml
quietly promtool check config --syntax-only compose/prometheus.yml
quietly python3 test/monitoring/queries.py names
python3 test/monitoring/queries.py rules >"$work/panels.yml"
quietly promtool check rules "$work/panels.yml"
. test/tools.inc
quietly grafana_types $monitoring/dashboards/*.json
mkdir "$work/dashboards"
quietly $monitoring/dashboards.py "$work/dashboards"
diff -r $monitoring/dashboards "$work/dashboards" || { echo "run $monitoring/dashboards.py"; exit 1; }

# refused SAID FILE SED: a tree whose FILE is changed by SED.
refused() {
    rm -rf "$work/tree"
    mkdir -p "$work/tree/charts/data-processing" "$work/tree/docs" "$work/tree/test"
    cp -r $monitoring "$work/tree/charts/data-processing/"
    cp docs/metrics.md docs/runbooks.md "$work/tree/docs/"
    cp -r test/monitoring "$work/tree/test/"
    sed -i -E "$3" "$work/tree/$2"
    ! python3 test/monitoring/queries.py names "$work/tree" >"$work/said" && grep -qF "$1" "$work/said" || { cat "$work/said"; echo "not refused: $1"; exit 1; }
}
refused 'no service exports weir_topic_lag' $monitoring/rules/recording.yml 's/weir_topic_lag_records\)/weir_topic_lag)/'
refused 'no service exports service:weir_lag' $monitoring/dashboards/data-processing-overview.json 's/service:weir_topic_lag_records:sum/service:weir_lag/'
refused 'no service exports weir_outlet_up' docs/metrics.md '/`weir_outlet_up`/d'
refused 'has the label reason' docs/metrics.md 's/`weir_records_dropped_total` \| counter \| `topology`, `reason`/`weir_records_dropped_total` | counter | `topology`/'
refused 'nothing says what it shows' $monitoring/dashboards/data-processing-overview.json '0,/"description": "/s/"description": ".*"/"description": ""/'
refused 'lies over' $monitoring/dashboards/data-processing-overview.json '0,/"y": 8/s//"y": 7/'
refused 'a variable asks another data source' $monitoring/dashboards/data-processing-overview.json '0,/"uid": "\$\{datasource\}"/s//"uid": "prometheus"/'
refused 'Instances that are up: another data source' $monitoring/dashboards/data-processing-overview.json '/"panels"/,$s/"uid": "\$\{datasource\}"/"uid": "prometheus"/'
refused 'no such unit' $monitoring/dashboards/aggregation-service.json '0,/"unit": "s"/s//"unit": "seconds"/'
refused 'LagHigh: test/monitoring/alerts.yml' test/monitoring/alerts.yml 's/alertname: LagHigh/alertname: LagGrows/'
refused 'LagHigh: no section' docs/runbooks.md 's/^## LagHigh/## LagLow/'

# not_grafanas SAID SED: nor what Grafana's types do not know.
not_grafanas() {
    sed -E "$2" $monitoring/dashboards/data-processing-overview.json >"$work/dashboard.json"
    ! grafana_types "$work/dashboard.json" >"$work/said" && grep -qF "$1" "$work/said" || { cat "$work/said"; echo "not refused: $1"; exit 1; }
}
not_grafanas "unexpected field 'displayModes'" '0,/"displayMode"/s//"displayModes"/'
not_grafanas 'tooltip.mode' '0,/"mode": "multi"/s//"mode": 1/'
not_grafanas 'asDropdown: required field is missing' '/"asDropdown": true,/d'
