/* converged.c: the converged bars of a run: the last bar of each window, whatever came before it. */
#include "topologies/converged.h"

#include <inttypes.h>
#include <sys/stat.h>

static const char *const topics[] = { "aggregated.market.bars.1m.v1", "aggregated.market.bars.5m.v1",
                                      "aggregated.market.bars.1h.v1", "aggregated.market.bars.1d.v1",
                                      "aggregated.market.bars.other.v1" };

void market_run_fini(struct market_run *run)
{
    weir__map_fini(&run->bars);
    weir__arena_fini(&run->arena);
    weir__arena_fini(&run->scratch);
}

/* ---- reading ---- */

static struct weir_text keep_text(struct market_run *run, struct weir_text text)
{
    if (text.data == NULL)
        return text;
    return (struct weir_text){ weir__arena_copy(&run->arena, text.data, text.size), text.size };
}

static struct market_bar *keep_new(struct market_run *run, struct weir_bytes key, const struct market_bar *bar)
{
    struct market_bar *known = weir_arena_alloc(&run->arena, sizeof(*known));

    key.data = weir__arena_copy(&run->arena, key.data, key.size);
    if (known == NULL || key.data == NULL || weir__map_put(&run->bars, key, known) < 0)
        return NULL;
    known->tenant_id = keep_text(run, bar->tenant_id);
    known->instrument_id = keep_text(run, bar->instrument_id);
    known->interval = keep_text(run, bar->interval);
    return known;
}

/* The names stay: they are those of the key. */
static void replace(struct market_run *run, struct market_bar *known, const struct market_bar *bar)
{
    const struct market_bar old = *known;

    *known = *bar;
    known->tenant_id = old.tenant_id;
    known->instrument_id = old.instrument_id;
    known->interval = old.interval;
    known->currency = keep_text(run, bar->currency);
    known->unit = keep_text(run, bar->unit);
}

int market_run_add(struct market_run *run, const struct market_bar *bar, struct weir_error *reterr)
{
    char name[256];
    int  size = snprintf(name, sizeof(name), "%.*s/%.*s %.*s %" PRId64, (int)bar->tenant_id.size, bar->tenant_id.data,
                         (int)bar->instrument_id.size, bar->instrument_id.data, (int)bar->interval.size,
                         bar->interval.data, bar->window_start);
    struct weir_bytes  key = BYTES(name, (size_t)size);
    struct market_bar *known = weir__map_get(&run->bars, key);

    /* the topics of a run are in order, files of several need not be */
    if (run->to != 0 && (bar->window_start < run->from || bar->window_start >= run->to))
        return WEIR_OK;
    if (bar->state == MARKET_BAR_OPEN || (known != NULL && market_bar_compare(bar, known) < 0))
        return WEIR_OK;
    if (known == NULL)
        known = keep_new(run, key, bar);
    if (known == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, run->path, "no memory for its bars");
    replace(run, known, bar);
    return WEIR_OK;
}

static int take_record(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct market_run *run = arg;
    struct market_bar  bar = { 0 };
    int                err;

    if (raw->value.data == NULL)
        return WEIR_OK;
    weir__arena_reset(&run->scratch);
    err = market_explain(market_bar, &run->scratch, raw->value, &bar, reterr);
    return err < 0 ? err : market_run_add(run, &bar, reterr);
}

static int read_topic(struct market_run *run, const struct weir__log_engine *engine, struct weir__log *log,
                      const char *topic, struct weir_error *reterr)
{
    int32_t count = 0;
    int     err = engine->partitions(log, topic, engine->now(log) + 5000, &count);

    if (err == WEIR_NOTFOUND)
        return WEIR_OK;
    if (err < 0)
        return weir__fail(reterr, err, topic, "its partitions are not told: %s", weir_code_text(err));
    return weir__read_topic(engine, log, topic, count, take_record, run, reterr);
}

int market_run_read_log(struct market_run *run, struct weir__looked *looked, int opening, struct weir_error *reterr)
{
    int err = opening;

    for (size_t i = 0; err == WEIR_OK && i < ARRAY_SIZE(topics); i++)
        err = read_topic(run, looked->engine, looked->log, topics[i], reterr);
    weir__looked_close(looked);
    return err;
}

/* A record as `cat` prints it, or the bar alone. */
static int take_line(struct market_run *run, struct weir_text line, uint64_t number, struct weir_error *reterr)
{
    const struct weir_json *json, *value;
    struct market_bar       bar = { 0 };
    int                     err;

    weir__arena_reset(&run->scratch);
    err = weir_json_parse(&run->scratch, line, &json, NULL);
    if (err == WEIR_OK) {
        value = weir_json_get(json, "value");
        value = value != NULL ? value : json;
        err = market_bar->parse(market_bar, value, &bar);
        run->unflagged = run->unflagged || weir_json_get(value, "quality_flags") == NULL;
    }
    if (err < 0)
        return weir__fail(reterr, err, run->path, "line %" PRIu64 " is no bar as \"cat\" prints them", number);
    return market_run_add(run, &bar, reterr);
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
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

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
        return market_run_read_log(run, &looked, weir__looked_at_folder(program, run->path, false, &looked, reterr),
                                   reterr);
    if (is_servers(run->path))
        return market_run_read_log(run, &looked, weir__looked_at_broker(program, run->path, &looked, reterr), reterr);
    return weir__fail(reterr, WEIR_NOTFOUND, run->path,
                      "there is no such folder or file; brokers are written HOST:PORT");
}

/* The first field that differs; NULL = none does. */
const char *market_bar_difference(const struct market_bar *a, const struct market_bar *b, uint32_t judged)
{
    if (a->window_end != b->window_end)
        return "window_end";
    if (a->open != b->open)
        return "open";
    if (a->high != b->high)
        return "high";
    if (a->low != b->low)
        return "low";
    if (a->close != b->close)
        return "close";
    if (a->volume.given != b->volume.given || a->volume.units != b->volume.units)
        return "volume";
    if (a->vwap.given != b->vwap.given || (a->vwap.given && a->vwap.value != b->vwap.value))
        return "vwap";
    if (a->trade_count != b->trade_count)
        return "trade_count";
    if (a->first_event_time != b->first_event_time || a->last_event_time != b->last_event_time)
        return "first_event_time, last_event_time";
    if ((a->quality_flags & judged) != (b->quality_flags & judged))
        return "quality_flags";
    return market_text_same(a->currency, b->currency) && market_text_same(a->unit, b->unit) ? NULL : "currency, unit";
}
