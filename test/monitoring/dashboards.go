// The dashboards by Grafana's own types: a field that Grafana does not know, a value of another kind, one that it would refuse, is told with its place. Panels and queries
// too, by the types of their plugins. dashboards FILE...: exit 1 where something is told.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

func check(path string) error {
	var read dashboard.Dashboard

	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := told(read.UnmarshalJSONStrict(text)); err != nil {
		return err
	}
	return told(read.Validate())
}

// An empty list of errors is an error by its type.
func told(err error) error {
	if err != nil && err.Error() != "" {
		return err
	}
	return nil
}

func main() {
	bad := 0
	cog.NewRuntime().RegisterPanelcfgVariant(timeseries.VariantConfig())
	cog.NewRuntime().RegisterDataqueryVariant(prometheus.VariantConfig())
	for _, path := range os.Args[1:] {
		if err := check(path); err != nil {
			fmt.Printf("%s: %v\n", path, err)
			bad = 1
		}
	}
	os.Exit(bad)
}
