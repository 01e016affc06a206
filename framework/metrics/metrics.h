/* metrics/metrics.h: counters, gauges and histograms, declared as rows, printed in Prometheus text form.
 *
 * (1) A metric family is declared once (name, type, help, label names); its series are made on first use.
 * (2) Updates are plain stores of the owning thread (relaxed atomics), no lock; printing may run on any thread.
 * (3) Series are capped per family; past the cap all further ones share the label value "other".
 */
#ifndef WEIR_METRICS_H
#define WEIR_METRICS_H

#include <stdatomic.h>

#include "framework/base/base.h"

enum weir__metric_type { WEIR__COUNTER, WEIR__GAUGE, WEIR__HISTOGRAM };

struct weir__family {
    const char            *name; /* weir_records_dropped_total */
    enum weir__metric_type type;
    const char            *help;
    const char            *labels[5]; /* names, NULL-ended */
};

struct weir__series;  /* one labelled value */
struct weir__metrics; /* a registry */

int  weir__metrics_new(struct weir__metrics **ret);
void weir__metrics_free(struct weir__metrics *metrics);
/* The series of these label values (as many as the family has labels), made when absent. Takes a lock: keep the
 * pointer. Never NULL: without memory, a shared scrap series. */
struct weir__series *weir__metric(struct weir__metrics *metrics, const struct weir__family *family,
                                  const char *const *values);
void                 weir__metric_add(struct weir__series *series, double value); /* counter, gauge */
void                 weir__metric_set(struct weir__series *series, double value); /* gauge */
void   weir__metric_observe(struct weir__series *series, double value); /* histogram: seconds, log-spaced buckets */
void   weir__metric_observe_many(struct weir__series *series, double value, uint64_t count);
double weir__metric_value(const struct weir__series *series); /* histogram: how many were observed */
/* Over the family's series, label NULL = all of them, else those with that value of the label; 0 when unknown. */
double weir__metrics_sum(struct weir__metrics *metrics, const char *family, const char *label, const char *value);
/* Calls take for each of a family's series, with its label values in the family's order; the lock is held meanwhile. */
typedef void weir__take_series(void *arg, const char *const *labels, double value);
void weir__metrics_each(struct weir__metrics *metrics, const char *family, weir__take_series *take, void *arg);
void weir__metrics_print(struct weir__metrics *metrics, struct weir__buf *ret); /* Prometheus text */

#endif
