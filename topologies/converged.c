/* converged.c: the converged records of a run: the last one of each window, whatever came before it. */
#include "topologies/converged.h"

#include <inttypes.h>
#include <sys/stat.h>

/* ---- kinds ---- */

/* Spreads and curves are valid where nothing else is said: of flags that come from state, too. */
#define JUDGED      (~(uint32_t)MARKET_FLAGS_FROM_STATE)
#define JUDGED_MORE (JUDGED & ~(uint32_t)MARKET_VALID)

static const char *const how[] = { "state", "epoch", "revision", NULL };

const struct market_converged market_converged[] = {
    [MARKET_RUN_BARS] = { "bars", "bars", market_bar, how, JUDGED },
    [MARKET_RUN_STATS] = { "stats", "statistics", market_stats, how, JUDGED },
    [MARKET_RUN_SPREADS] = { "spreads", "spreads", market_spread, how, JUDGED_MORE },
    [MARKET_RUN_CURVES] = { "curves", "curves", market_curve_update, how, JUDGED_MORE },
};

/* How they are kept. */
static const struct weir_codec *const packed[] = { market_bar_msgpack, market_stats_msgpack, market_spread_msgpack,
                                                   market_curve_update_msgpack };

/* By aggregation's sinks. */
static const struct {
    const char              *node;
    enum market_outcome_kind kind;
} topics[] = {
    { "bars_1m", MARKET_RUN_BARS },    { "bars_5m", MARKET_RUN_BARS },     { "bars_1h", MARKET_RUN_BARS },
    { "bars_1d", MARKET_RUN_BARS },    { "bars_other", MARKET_RUN_BARS },  { "stats", MARKET_RUN_STATS },
    { "spreads", MARKET_RUN_SPREADS }, { "bid_asks", MARKET_RUN_SPREADS }, { "updates", MARKET_RUN_CURVES },
};

/* ---- what names a window ---- */

struct window {
    struct weir_text tenant, id, what; /* interval, window, kind of spread */
    int64_t          start;
    bool             passes; /* it has no start of its own: the last ticks, wherever they begin */
    bool             open, withdrawn;
    int64_t          epoch, revision;
};

static struct window bar_window(const struct market_bar *bar)
{
    return (struct window){ .tenant = bar->tenant_id,
                            .id = bar->instrument_id,
                            .what = bar->interval,
                            .start = bar->window_start,
                            .open = bar->state == MARKET_BAR_OPEN,
                            .epoch = bar->epoch,
                            .revision = bar->revision };
}

static struct window stats_window(const struct market_stats *stats)
{
    return (struct window){ .tenant = stats->tenant_id,
                            .id = stats->instrument_id,
                            .what = stats->window,
                            .start = stats->window_start,
                            .passes = stats->state == MARKET_BAR_OPEN,
                            .epoch = stats->epoch,
                            .revision = stats->revision };
}

static struct window spread_window(const struct market_spread *spread)
{
#define KIND(name, word) [name] = { word, sizeof(word) - 1 },
    static const struct weir_text kinds[] = { MARKET_SPREAD_KINDS(KIND) };
#undef KIND

    return (struct window){ .tenant = spread->tenant_id,
                            .id = spread->pair_id,
                            .what = kinds[spread->kind],
                            .start = spread->window_start,
                            .withdrawn = spread->state == MARKET_BAR_WITHDRAWN,
                            .epoch = spread->epoch,
                            .revision = spread->revision };
}

static struct window curve_window(const struct market_curve_update *curve)
{
    return (struct window){ .tenant = curve->tenant_id,
                            .id = curve->curve_id,
                            .what = { "curve", 5 },
                            .start = curve->window_start,
                            .withdrawn = curve->state == MARKET_BAR_WITHDRAWN,
                            .epoch = curve->epoch,
                            .revision = curve->revision };
}

static struct window window_of(enum market_outcome_kind kind, const void *record)
{
    switch (kind) {
    case MARKET_RUN_STATS: return stats_window(record);
    case MARKET_RUN_SPREADS: return spread_window(record);
    case MARKET_RUN_CURVES: return curve_window(record);
    default: return bar_window(record);
    }
}

static size_t write_name(const struct window *window, char *buf, size_t size)
{
    int written = snprintf(buf, size, "%.*s/%.*s %.*s", (int)window->tenant.size, window->tenant.data,
                           (int)window->id.size, window->id.data, (int)window->what.size, window->what.data);

    if (!window->passes)
        written += snprintf(buf + written, size - (size_t)written, " %" PRId64, window->start);
    return (size_t)written;
}

/* ---- what is kept ---- */

static void forget(struct weir__map *map)
{
    struct weir__map_slot *slot;

    for (size_t position = 0; (slot = weir__map_next(map, &position)) != NULL;)
        weir__free(slot->value);
    weir__map_fini(map);
}

void market_run_fini(struct market_run *run)
{
    for (size_t i = 0; i < MARKET_RUN_KINDS; i++)
        forget(&run->of[i]);
    weir__arena_fini(&run->scratch);
}

/* In the place of what is kept of the window. */
static int keep(struct weir__map *map, const struct window *window, struct weir_bytes name, struct weir_bytes bytes)
{
    struct market_kept *kept = weir__alloc(sizeof(*kept) + name.size + bytes.size), *old;
    int                 err;

    if (kept == NULL)
        return WEIR_NO_MEMORY;
    *kept = (struct market_kept){ window->epoch, window->revision, window->withdrawn, name.size, bytes.size };
    memcpy(kept->bytes, name.data, name.size);
    memcpy(kept->bytes + name.size, bytes.data, bytes.size);
    old = weir__map_get(map, name);
    err = weir__map_put(map, BYTES(kept->bytes, name.size), kept);
    weir__free(err < 0 ? kept : old);
    return err;
}

/* The topics of a run are in order, files of several need not be. */
static bool is_behind(const struct market_kept *kept, const struct window *window)
{
    return kept != NULL &&
           (kept->epoch > window->epoch || (kept->epoch == window->epoch && kept->revision > window->revision));
}

int market_run_add(struct market_run *run, enum market_outcome_kind kind, const void *record,
                   struct weir_error *reterr)
{
    const struct window window = window_of(kind, record);
    char                name[320];
    struct weir_bytes   key = BYTES(name, write_name(&window, name, sizeof(name))), bytes;
    int                 err;

    if (run->to != 0 && (window.start < run->from || window.start >= run->to))
        return WEIR_OK;
    if (window.open || is_behind(weir__map_get(&run->of[kind], key), &window))
        return WEIR_OK;
    err = packed[kind]->encode(packed[kind], &run->scratch, record, &bytes);
    if (err == WEIR_OK)
        err = keep(&run->of[kind], &window, key, bytes);
    return err < 0
               ? weir__fail(reterr, WEIR_NO_MEMORY, run->path, "no memory for its %s", market_converged[kind].words)
               : WEIR_OK;
}

int market_kept_read(const struct market_kept *kept, enum market_outcome_kind kind, struct weir_arena *arena,
                     const void **ret, struct weir_error *reterr)
{
    void *record = weir_arena_alloc(arena, packed[kind]->bytes);

    *ret = record;
    if (record == NULL ||
        packed[kind]->decode(packed[kind], arena, BYTES(kept->bytes + kept->name_size, kept->size), record) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, market_converged[kind].words, "no memory for one of them");
    return WEIR_OK;
}

static int copy_standing(const struct weir__map *map, struct weir__map *ret)
{
    struct weir__map_slot *slot;
    int                    err = WEIR_OK;

    for (size_t position = 0; err == WEIR_OK && (slot = weir__map_next(map, &position)) != NULL;)
        if (!((const struct market_kept *)slot->value)->withdrawn)
            err = weir__map_put(ret, slot->key, slot->value);
    return err;
}

static void free_withdrawn(const struct weir__map *map)
{
    struct weir__map_slot *slot;

    for (size_t position = 0; (slot = weir__map_next(map, &position)) != NULL;)
        if (((const struct market_kept *)slot->value)->withdrawn)
            weir__free(slot->value);
}

/* Once all is read: what is withdrawn has kept away what came before it. */
static int drop_withdrawn(struct market_run *run, struct weir_error *reterr)
{
    for (size_t i = 0; i < MARKET_RUN_KINDS; i++) {
        struct weir__map standing = { 0 };

        if (copy_standing(&run->of[i], &standing) < 0) {
            weir__map_fini(&standing);
            return weir__fail(reterr, WEIR_NO_MEMORY, run->path, "no memory for its %s", market_converged[i].words);
        }
        free_withdrawn(&run->of[i]);
        weir__map_fini(&run->of[i]);
        run->of[i] = standing;
    }
    return WEIR_OK;
}

/* ---- reading a log ---- */

struct reading {
    struct market_run       *run;
    enum market_outcome_kind kind;
};

static int take_record(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    const struct reading    *reading = arg;
    struct market_run       *run = reading->run;
    const struct weir_codec *codec = market_converged[reading->kind].codec;
    void                    *record;
    int                      err;

    if (raw->value.data == NULL)
        return WEIR_OK;
    weir__arena_reset(&run->scratch);
    record = weir_arena_alloc(&run->scratch, codec->bytes);
    if (record == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, run->path, "no memory for a record");
    err = market_explain(codec, &run->scratch, raw->value, record, reterr);
    return err < 0 ? err : market_run_add(run, reading->kind, record, reterr);
}

static int read_topic(struct reading *reading, const struct weir__log_engine *engine, struct weir__log *log,
                      const char *topic, struct weir_error *reterr)
{
    int32_t count = 0;
    int     err = engine->partitions(log, topic, engine->now(log) + 5000, &count);

    if (err == WEIR_NOTFOUND)
        return WEIR_OK;
    if (err < 0)
        return weir__fail(reterr, err, topic, "its partitions are not told: %s", weir_code_text(err));
    reading->run->said |= 1u << reading->kind;
    return weir__read_topic(engine, log, topic, count, take_record, reading, reterr);
}

/* Whether another node before it has the same topic. */
static bool is_read(const struct weir__plans *plans, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(market_topic_of(plans, topics[i].node), market_topic_of(plans, topics[n].node)) == 0)
            return true;
    return false;
}

int market_run_read_log(struct market_run *run, const struct weir__program *program, struct weir__looked *looked,
                        int opening, struct weir_error *reterr)
{
    struct weir__plans plans = { 0 };
    int                err = opening;

    if (err == WEIR_OK)
        err = market_topics_open(program, &aggregation, &plans, reterr);
    for (size_t i = 0; err == WEIR_OK && i < ARRAY_SIZE(topics); i++)
        if (run->wanted & 1u << topics[i].kind && !is_read(&plans, i))
            err = read_topic(&(struct reading){ run, topics[i].kind }, looked->engine, looked->log,
                             market_topic_of(&plans, topics[i].node), reterr);
    weir__plans_fini(&plans);
    weir__looked_close(looked);
    return err == WEIR_OK ? drop_withdrawn(run, reterr) : err;
}

/* ---- reading a file ---- */

/* By what it alone has; what has nothing of that is to be a bar. */
static enum market_outcome_kind kind_of(const struct weir_json *value)
{
    if (weir_json_get(value, "curve_id") != NULL)
        return MARKET_RUN_CURVES;
    if (weir_json_get(value, "pair_id") != NULL)
        return MARKET_RUN_SPREADS;
    if (weir_json_get(value, "window") != NULL)
        return MARKET_RUN_STATS;
    return MARKET_RUN_BARS;
}

static int take_value(struct market_run *run, const struct weir_json *value, struct weir_error *reterr)
{
    const enum market_outcome_kind kind = kind_of(value);
    const struct weir_codec       *codec = market_converged[kind].codec;
    void                          *record = weir_arena_alloc(&run->scratch, codec->bytes);
    int                            err = record == NULL ? WEIR_LIMIT : codec->parse(codec, value, record);

    if (err < 0 || !(run->wanted & 1u << kind))
        return err;
    run->said |= 1u << kind;
    if (kind == MARKET_RUN_BARS) {
        run->unflagged = run->unflagged || weir_json_get(value, "quality_flags") == NULL;
        run->uncounted = run->uncounted || weir_json_get(value, "flagged_count") == NULL;
    }
    return market_run_add(run, kind, record, reterr);
}

/* A record as `cat` prints it, or its value alone. */
static int take_line(struct market_run *run, struct weir_text line, uint64_t number, struct weir_error *reterr)
{
    const struct weir_json *json, *value;
    int                     err;

    weir__arena_reset(&run->scratch);
    err = weir_json_parse(&run->scratch, line, &json, NULL);
    if (err == WEIR_OK) {
        value = weir_json_get(json, "value"); /* of a spread alone that is a number */
        err = take_value(run, value != NULL && value->type == WEIR_JSON_OBJECT ? value : json, reterr);
    }
    return err < 0 && err != WEIR_NO_MEMORY
               ? weir__fail(reterr, err, run->path,
                            "line %" PRIu64 " is no bar, statistic, spread or curve as \"cat\" prints them", number)
               : err;
}

static int read_file(struct market_run *run, struct weir_error *reterr)
{
    struct weir__lines *lines;
    struct weir__buf    line = { 0 };
    uint64_t            number = 0;
    int                 err = weir__lines_open(run->path, &lines, reterr);

    if (err < 0)
        return err;
    while ((err = weir__lines_next(lines, &line, reterr)) == WEIR_OK) {
        number++;
        if (line.size > 0)
            err = take_line(run, (struct weir_text){ line.data, line.size }, number, reterr);
        if (err < 0)
            break;
    }
    weir__lines_close(lines);
    weir__buf_fini(&line);
    return err == WEIR_NOTFOUND ? drop_withdrawn(run, reterr) : err;
}

/* ---- reading either ---- */

/* "HOST:PORT", several with commas between. */
static bool is_servers(const char *path)
{
    size_t size = strcspn(path, ",");
    size_t host = size;

    while (host > 0 && path[host - 1] >= '0' && path[host - 1] <= '9')
        host--;
    if (host == size || host < 2 || path[host - 1] != ':' || memchr(path, '/', size) != NULL)
        return false;
    return path[size] == '\0' || is_servers(path + size + 1);
}

int market_run_read(struct market_run *run, const struct weir__program *program, struct weir_error *reterr)
{
    struct weir__looked looked;
    struct stat         about;

    if (stat(run->path, &about) == 0 && !S_ISDIR(about.st_mode))
        return read_file(run, reterr);
    if (stat(run->path, &about) == 0)
        return market_run_read_log(run, program, &looked,
                                   weir__looked_at_folder(program, run->path, false, &looked, reterr), reterr);
    if (is_servers(run->path))
        return market_run_read_log(run, program, &looked, weir__looked_at_broker(program, run->path, &looked, reterr),
                                   reterr);
    return weir__fail(reterr, WEIR_NOTFOUND, run->path,
                      "there is no such folder or file; brokers are written HOST:PORT");
}
