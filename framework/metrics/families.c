/* families.c: the table of families, as data and as a page. */
#include "framework/metrics/families.h"

#define ROW(id, its_name, its_type, its_help, ...) \
    [WEIR__##id##                                  \
        _FAMILY] = { .name = its_name, .type = WEIR__##its_type, .help = its_help, .labels = { __VA_ARGS__ } },

const struct weir__family weir__families[WEIR__FAMILY_COUNT] = { WEIR__FAMILIES(ROW) };

void weir__families_markdown(struct weir__buf *ret)
{
    static const char *const types[] = { "counter", "gauge", "histogram" };

    weir__buf_puts(
        ret,
        "# Metrics\n\n"
        "Made from the table in `framework/metrics/families.h`: change it there.\n\n"
        "`GET /metrics` at the HTTP port gives them in Prometheus' text form. A topology has one series\n"
        "for each set of label values, at most 1000 of a family; what is beyond is counted under `other`.\n"
        "Where a process has more than 100 tasks of a sub-topology, these have one series for all: `task` is the\n"
        "sub-topology's name, `partition` is `all`, the value is the sum, of stream times the least.\n"
        "Histograms count seconds in buckets from 0.1 ms to 100 s. `docs/monitoring.md` says what to watch.\n\n"
        "| name | type | labels | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < WEIR__FAMILY_COUNT; i++) {
        const struct weir__family *family = &weir__families[i];

        weir__buf_printf(ret, "| `%s` | %s | ", family->name, types[family->type]);
        for (size_t j = 0; j < ARRAY_SIZE(family->labels) && family->labels[j] != NULL; j++)
            weir__buf_printf(ret, "%s`%s`", j > 0 ? ", " : "", family->labels[j]);
        weir__buf_printf(ret, " | %s |\n", family->help);
    }
}
