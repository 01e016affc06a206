/* metrics.c: a list of families, each a list and a map of series; numbers in relaxed atomics.
 *
 * (1) The lock guards the lists and maps, not the numbers. A series stays where it is until its registry is freed.
 * (2) A series that only its maker asked for is updated by plain loads and stores. One that a second thread asked for,
 *     an overflow series and the scrap series are updated by compare and swap.
 * (3) A histogram's count is the sum of its buckets when printed, so that both agree.
 */
#include "framework/metrics/families.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

enum { MOST_SERIES = 1000 };

/* Upper bounds in seconds; one more bucket holds the rest. */
static const double bounds[] = { 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1,
                                 0.2,    0.5,    1,      2,     5,     10,    20,   50,   100 };

typedef _Atomic uint64_t buckets[ARRAY_SIZE(bounds) + 1];

struct weir__series {
    enum weir__metric_type type;
    pthread_t              maker;
    _Atomic bool           shared;
    _Atomic double         value;  /* histogram: the sum */
    _Atomic uint64_t      *counts; /* histogram: of the buckets */
    char                  *key;    /* label values, each ended by NUL */
    size_t                 key_size;
};

struct family {
    const struct weir__family *declared;
    struct weir__series      **series, *overflow; /* in order of making; overflow is among them */
    size_t                     count, capacity;
    struct weir__map           by_key;
};

struct weir__metrics {
    pthread_mutex_t     lock;
    struct family     **families; /* in order of first use */
    size_t              count, capacity;
    struct weir__series scrap;
    buckets             scrap_counts;
};

int weir__metrics_new(struct weir__metrics **ret)
{
    struct weir__metrics *metrics = weir__zalloc(sizeof(*metrics));

    if (!metrics)
        return WEIR_NO_MEMORY;
    pthread_mutex_init(&metrics->lock, NULL);
    metrics->scrap.counts = metrics->scrap_counts;
    metrics->scrap.shared = true;
    *ret = metrics;
    return WEIR_OK;
}

static void free_series(struct weir__series *series)
{
    if (!series)
        return;
    weir__free(series->counts);
    weir__free(series->key);
    weir__free(series);
}

static void free_family(struct family *family)
{
    for (size_t i = 0; i < family->count; i++)
        free_series(family->series[i]);
    weir__free(family->series);
    weir__map_fini(&family->by_key);
    weir__free(family);
}

void weir__metrics_free(struct weir__metrics *metrics)
{
    if (!metrics)
        return;
    for (size_t i = 0; i < metrics->count; i++)
        free_family(metrics->families[i]);
    weir__free(metrics->families);
    pthread_mutex_destroy(&metrics->lock);
    weir__free(metrics);
}

static size_t label_count(const struct weir__family *declared)
{
    size_t count = 0;

    while (count < ARRAY_SIZE(declared->labels) && declared->labels[count])
        count++;
    return count;
}

static struct family *find_family(const struct weir__metrics *metrics, const char *name)
{
    for (size_t i = 0; i < metrics->count; i++)
        if (strcmp(metrics->families[i]->declared->name, name) == 0)
            return metrics->families[i];
    return NULL;
}

/* NULL without memory. */
static struct family *need_family(struct weir__metrics *metrics, const struct weir__family *declared)
{
    struct family *family = find_family(metrics, declared->name);

    if (family) {
        CHECK(family->declared->type == declared->type && label_count(family->declared) == label_count(declared));
        return family;
    }
    if (GROW(metrics->families, metrics->capacity, metrics->count) < 0)
        return NULL;
    family = weir__zalloc(sizeof(*family));
    if (!family)
        return NULL;
    family->declared = declared;
    return metrics->families[metrics->count++] = family;
}

/* Takes key when it succeeds. NULL without memory. */
static struct weir__series *new_series(enum weir__metric_type type, struct weir__buf *key)
{
    struct weir__series *series = weir__zalloc(sizeof(*series));

    if (!series)
        return NULL;
    series->type = type;
    series->maker = pthread_self();
    series->key = key->data;
    series->key_size = key->size;
    *key = (struct weir__buf){ 0 };
    if (type == WEIR__HISTOGRAM)
        series->counts = weir__zalloc(sizeof(buckets));
    if (type == WEIR__HISTOGRAM && !series->counts) {
        free_series(series);
        return NULL;
    }
    return series;
}

static struct weir__series *add_series(struct family *family, struct weir__buf *key)
{
    struct weir__series *series;

    if (GROW(family->series, family->capacity, family->count) < 0)
        return NULL;
    series = new_series(family->declared->type, key);
    if (!series)
        return NULL;
    if (weir__map_put(&family->by_key, BYTES(series->key, series->key_size), series) < 0) {
        free_series(series);
        return NULL;
    }
    return family->series[family->count++] = series;
}

static struct weir__series *overflow_series(struct family *family)
{
    AUTO(weir__buf_fini) struct weir__buf key = { 0 };

    if (family->overflow)
        return family->overflow;
    for (size_t i = 0; i < label_count(family->declared); i++)
        weir__buf_add(&key, "other", sizeof("other"));
    if (!weir__buf_ok(&key))
        return NULL;
    family->overflow = weir__map_get(&family->by_key, BYTES(key.data, key.size));
    if (!family->overflow)
        family->overflow = add_series(family, &key);
    if (family->overflow)
        atomic_store(&family->overflow->shared, true);
    return family->overflow;
}

/* NULL without memory. */
static struct weir__series *need_series(struct family *family, const char *const *values)
{
    AUTO(weir__buf_fini) struct weir__buf key = { 0 };
    struct weir__series                  *series;

    for (size_t i = 0; i < label_count(family->declared); i++) {
        const char *value = values[i] ? values[i] : "";

        weir__buf_add(&key, value, strlen(value) + 1);
    }
    if (!weir__buf_ok(&key))
        return NULL;
    series = weir__map_get(&family->by_key, BYTES(key.data, key.size));
    if (!series)
        return family->count < MOST_SERIES ? add_series(family, &key) : overflow_series(family);
    if (!pthread_equal(series->maker, pthread_self()))
        atomic_store(&series->shared, true);
    return series;
}

struct weir__series *weir__metric(struct weir__metrics *metrics, const struct weir__family *family,
                                  const char *const *values)
{
    struct weir__series *series = NULL;
    struct family       *found;

    pthread_mutex_lock(&metrics->lock);
    found = need_family(metrics, family);
    if (found)
        series = need_series(found, values);
    pthread_mutex_unlock(&metrics->lock);
    return series ? series : &metrics->scrap;
}

/* ---- numbers ---- */

static void add_double(struct weir__series *series, double value)
{
    double old = atomic_load_explicit(&series->value, memory_order_relaxed);

    if (!atomic_load_explicit(&series->shared, memory_order_relaxed)) {
        atomic_store_explicit(&series->value, old + value, memory_order_relaxed);
        return;
    }
    while (!atomic_compare_exchange_weak_explicit(&series->value, &old, old + value, memory_order_relaxed,
                                                  memory_order_relaxed))
        ;
}

static void add_count(struct weir__series *series, _Atomic uint64_t *count, uint64_t more)
{
    if (atomic_load_explicit(&series->shared, memory_order_relaxed))
        atomic_fetch_add_explicit(count, more, memory_order_relaxed);
    else
        atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + more, memory_order_relaxed);
}

void weir__metric_add(struct weir__series *series, double value)
{
    CHECK(series->type != WEIR__HISTOGRAM);
    add_double(series, value);
}

void weir__metric_set(struct weir__series *series, double value)
{
    CHECK(series->type != WEIR__HISTOGRAM);
    atomic_store_explicit(&series->value, value, memory_order_relaxed);
}

void weir__metric_observe_many(struct weir__series *series, double value, uint64_t count)
{
    size_t bucket = 0;

    while (bucket < ARRAY_SIZE(bounds) && !(value <= bounds[bucket]))
        bucket++;
    add_count(series, &series->counts[bucket], count);
    add_double(series, value * (double)count);
}

void weir__metric_observe(struct weir__series *series, double value) { weir__metric_observe_many(series, value, 1); }

static uint64_t read_count(const struct weir__series *series, size_t bucket)
{
    return atomic_load_explicit(&series->counts[bucket], memory_order_relaxed);
}

double weir__metric_value(const struct weir__series *series)
{
    uint64_t count = 0;

    if (series->type != WEIR__HISTOGRAM)
        return atomic_load_explicit(&series->value, memory_order_relaxed);
    for (size_t i = 0; i <= ARRAY_SIZE(bounds); i++)
        count += read_count(series, i);
    return (double)count;
}

/* The series' value of a label; NULL when the family has no such label. */
static const char *label_value(const struct family *family, const struct weir__series *series, const char *label)
{
    const char *at = series->key;

    for (size_t i = 0; i < label_count(family->declared); i++, at += strlen(at) + 1)
        if (strcmp(family->declared->labels[i], label) == 0)
            return at;
    return NULL;
}

static bool has_label(const struct family *family, const struct weir__series *series, const char *label,
                      const char *value)
{
    const char *found = label ? label_value(family, series, label) : NULL;

    return !label || (found && strcmp(found, value) == 0);
}

double weir__metrics_sum(struct weir__metrics *metrics, const char *family, const char *label, const char *value)
{
    struct family *found;
    double         sum = 0;

    pthread_mutex_lock(&metrics->lock);
    found = find_family(metrics, family);
    for (size_t i = 0; found && i < found->count; i++)
        if (has_label(found, found->series[i], label, value))
            sum += weir__metric_value(found->series[i]);
    pthread_mutex_unlock(&metrics->lock);
    return sum;
}

static void take_series(const struct family *family, const struct weir__series *series, weir__take_series *take,
                        void *arg)
{
    const char *labels[ARRAY_SIZE(family->declared->labels)] = { 0 }, *at = series->key;

    for (size_t i = 0; i < label_count(family->declared); i++, at += strlen(at) + 1)
        labels[i] = at;
    take(arg, labels, weir__metric_value(series));
}

void weir__metrics_each(struct weir__metrics *metrics, const char *family, weir__take_series *take, void *arg)
{
    struct family *found;

    pthread_mutex_lock(&metrics->lock);
    found = find_family(metrics, family);
    for (size_t i = 0; found && i < found->count; i++)
        take_series(found, found->series[i], take, arg);
    pthread_mutex_unlock(&metrics->lock);
}

/* ---- printing ---- */

static void print_number(struct weir__buf *ret, double value)
{
    char text[32];

    if (isnan(value)) {
        weir__buf_puts(ret, "NaN");
    } else if (isinf(value)) {
        weir__buf_puts(ret, value > 0 ? "+Inf" : "-Inf");
    } else {
        snprintf(text, sizeof(text), "%.15g", value);
        /* 15 digits read well, but not every number comes back from them. */
        if (strtod(text, NULL) != value)
            snprintf(text, sizeof(text), "%.17g", value);
        weir__buf_puts(ret, text);
    }
}

/* quotes: inside a label value, where they are escaped too. */
static void print_escaped(struct weir__buf *ret, const char *text, bool quotes)
{
    const char *end = text + strlen(text);
    uint32_t    c;
    size_t      size;

    for (; text < end; text += MAX(size, 1)) {
        size = weir__utf8_take(BYTES(text, (size_t)(end - text)), &c);
        if (!size)
            weir__buf_puts(ret, "\xef\xbf\xbd");
        else if (c == '\n')
            weir__buf_puts(ret, "\\n");
        else if (c == '\\' || (c == '"' && quotes))
            weir__buf_printf(ret, "\\%c", (char)c);
        else
            weir__buf_add(ret, text, size);
    }
}

/* "{a="x",le="0.1"}"; bound NULL: no le. */
static void print_labels(struct weir__buf *ret, const struct family *family, const struct weir__series *series,
                         const char *bound)
{
    const char *value = series->key, *before = "{";
    size_t      count = label_count(family->declared);

    for (size_t i = 0; i < count; i++) {
        weir__buf_printf(ret, "%s%s=\"", before, family->declared->labels[i]);
        print_escaped(ret, value, true);
        weir__buf_putc(ret, '"');
        value += strlen(value) + 1;
        before = ",";
    }
    if (bound)
        weir__buf_printf(ret, "%sle=\"%s\"", before, bound);
    if (bound || count)
        weir__buf_putc(ret, '}');
    weir__buf_putc(ret, ' ');
}

static void print_histogram(struct weir__buf *ret, const struct family *family, const struct weir__series *series)
{
    const char *name = family->declared->name;
    uint64_t    count = 0;
    char        bound[32];

    for (size_t i = 0; i <= ARRAY_SIZE(bounds); i++) {
        count += read_count(series, i);
        if (i < ARRAY_SIZE(bounds))
            snprintf(bound, sizeof(bound), "%.9g", bounds[i]);
        weir__buf_printf(ret, "%s_bucket", name);
        print_labels(ret, family, series, i < ARRAY_SIZE(bounds) ? bound : "+Inf");
        weir__buf_printf(ret, "%llu\n", (unsigned long long)count);
    }
    weir__buf_printf(ret, "%s_sum", name);
    print_labels(ret, family, series, NULL);
    print_number(ret, atomic_load_explicit(&series->value, memory_order_relaxed));
    weir__buf_printf(ret, "\n%s_count", name);
    print_labels(ret, family, series, NULL);
    weir__buf_printf(ret, "%llu\n", (unsigned long long)count);
}

static void print_head(struct weir__buf *ret, const struct weir__family *declared)
{
    static const char *const types[] = { "counter", "gauge", "histogram" };

    weir__buf_printf(ret, "# HELP %s ", declared->name);
    print_escaped(ret, declared->help, false);
    weir__buf_printf(ret, "\n# TYPE %s %s\n", declared->name, types[declared->type]);
}

static void print_family(struct weir__buf *ret, const struct family *family)
{
    print_head(ret, family->declared);
    for (size_t i = 0; i < family->count; i++) {
        if (family->declared->type == WEIR__HISTOGRAM) {
            print_histogram(ret, family, family->series[i]);
            continue;
        }
        weir__buf_puts(ret, family->declared->name);
        print_labels(ret, family, family->series[i], NULL);
        print_number(ret, weir__metric_value(family->series[i]));
        weir__buf_putc(ret, '\n');
    }
}

void weir__family_print(enum weir__family_id id, struct weir__buf *ret) { print_head(ret, &weir__families[id]); }

void weir__value_print(enum weir__family_id id, const char *const *labels, double value, struct weir__buf *ret)
{
    const struct weir__family *declared = &weir__families[id];
    size_t                     count = label_count(declared);

    weir__buf_puts(ret, declared->name);
    for (size_t i = 0; i < count; i++) {
        weir__buf_printf(ret, "%s%s=\"", i > 0 ? "," : "{", declared->labels[i]);
        print_escaped(ret, labels[i], true);
        weir__buf_putc(ret, '"');
    }
    weir__buf_puts(ret, count > 0 ? "} " : " ");
    print_number(ret, value);
    weir__buf_putc(ret, '\n');
}

void weir__metrics_print(struct weir__metrics *metrics, struct weir__buf *ret)
{
    pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < metrics->count; i++)
        print_family(ret, metrics->families[i]);
    pthread_mutex_unlock(&metrics->lock);
}
