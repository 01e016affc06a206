/* cmd_diff.c: `diff A B`: the converged bars of two runs: the last bar of each window, whatever came before it.
 *
 * (1) A run is a folder that `local` ran on, a file of bars as `cat` prints them, plain or gzip, or brokers of Kafka, as
 *     HOST:PORT,HOST:PORT; what else is needed to reach them kafka.* says.
 * (2) What depends on how a run went is not compared: revisions, open updates, flags judged from state; nor flags of
 *     bars that say none: a plain computation has none.
 */
#include "topologies/commands.h"

#include <inttypes.h>
#include <sys/stat.h>

enum { SHOWN_MOST = 20 };

struct run {
    const char       *path;
    struct weir_arena arena;
    struct weir__map  bars;      /* by "tenant/instrument interval start" */
    bool              unflagged; /* a bar of it says no flags */
    struct weir_arena scratch;
};

static const char *const topics[] = { "aggregated.market.bars.1m.v1", "aggregated.market.bars.5m.v1",
                                      "aggregated.market.bars.1h.v1", "aggregated.market.bars.1d.v1" };

/* ---- reading ---- */

static struct weir_text keep_text(struct run *run, struct weir_text text)
{
    return (struct weir_text){ weir__arena_copy(&run->arena, text.data, text.size), text.size };
}

static int keep_bar(struct run *run, const struct market_bar *bar, struct weir_error *reterr)
{
    char name[256];
    int  size = snprintf(name, sizeof(name), "%.*s/%.*s %.*s %" PRId64, (int)bar->tenant_id.size, bar->tenant_id.data,
                         (int)bar->instrument_id.size, bar->instrument_id.data, (int)bar->interval.size,
                         bar->interval.data, bar->window_start);
    struct weir_bytes  key = BYTES(name, (size_t)size);
    struct market_bar *known = weir__map_get(&run->bars, key);

    /* the topics of a run are in order, files of several need not be */
    if (bar->state == MARKET_BAR_OPEN || (known != NULL && market_bar_compare(bar, known) < 0))
        return WEIR_OK;
    if (known == NULL) {
        known = weir_arena_alloc(&run->arena, sizeof(*known));
        key.data = weir__arena_copy(&run->arena, name, key.size);
        if (known == NULL || key.data == NULL || weir__map_put(&run->bars, key, known) < 0)
            return weir__fail(reterr, WEIR_NO_MEMORY, run->path, "no memory for its bars");
    }
    *known = *bar;
    known->tenant_id = known->instrument_id = known->interval = (struct weir_text){ 0 }; /* the name says them */
    known->currency = keep_text(run, bar->currency);
    known->unit = keep_text(run, bar->unit);
    return WEIR_OK;
}

static int take_record(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct run       *run = arg;
    struct market_bar bar = { 0 };
    int               err;

    if (raw->value.data == NULL)
        return WEIR_OK;
    weir__arena_reset(&run->scratch);
    err = market_explain(market_bar, &run->scratch, raw->value, &bar, reterr);
    return err < 0 ? err : keep_bar(run, &bar, reterr);
}

static int read_topic(struct run *run, const struct weir__log_engine *engine, struct weir__log *log,
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

static int read_log(struct run *run, struct weir__looked *looked, int opening, struct weir_error *reterr)
{
    int err = opening;

    for (size_t i = 0; err == WEIR_OK && i < ARRAY_SIZE(topics); i++)
        err = read_topic(run, looked->engine, looked->log, topics[i], reterr);
    weir__looked_close(looked);
    return err;
}

/* A record as `cat` prints it, or the bar alone. */
static int take_line(struct run *run, struct weir_text line, uint64_t number, struct weir_error *reterr)
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
    return keep_bar(run, &bar, reterr);
}

static int read_file(struct run *run, struct weir_error *reterr)
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

static int read_run(struct run *run, const struct weir__program *program, struct weir_error *reterr)
{
    struct weir__looked looked;
    struct stat         about;

    if (stat(run->path, &about) == 0 && !S_ISDIR(about.st_mode))
        return read_file(run, reterr);
    if (stat(run->path, &about) == 0)
        return read_log(run, &looked, weir__looked_at_folder(program, run->path, false, &looked, reterr), reterr);
    if (is_servers(run->path))
        return read_log(run, &looked, weir__looked_at_broker(program, run->path, &looked, reterr), reterr);
    return weir__fail(reterr, WEIR_NOTFOUND, run->path,
                      "there is no such folder or file; brokers are written HOST:PORT");
}

/* ---- comparing ---- */

/* The first field that differs; NULL = none does. */
static const char *difference(const struct market_bar *a, const struct market_bar *b, uint32_t judged)
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

static void show(size_t *shown, struct weir_bytes name, const char *what, const char *where)
{
    if ((*shown)++ < SHOWN_MOST)
        printf("%.*s: %s%s\n", (int)name.size, (const char *)name.data, what, where);
}

/* Whether the runs are equal. */
static bool compare(const struct run *a, const struct run *b)
{
    const uint32_t         judged = a->unflagged || b->unflagged ? 0 : ~(uint32_t)MARKET_FLAGS_FROM_STATE;
    size_t                 shown = 0, position = 0, only_a = 0, only_b = 0, differ = 0;
    struct weir__map_slot *slot;

    while ((slot = weir__map_next(&a->bars, &position)) != NULL) {
        const struct market_bar *other = weir__map_get(&b->bars, slot->key);
        const char              *what = other != NULL ? difference(slot->value, other, judged) : NULL;

        only_a += other == NULL;
        differ += what != NULL;
        if (other == NULL)
            show(&shown, slot->key, "only in ", a->path);
        else if (what != NULL)
            show(&shown, slot->key, what, " differs");
    }
    position = 0;
    while ((slot = weir__map_next(&b->bars, &position)) != NULL)
        if (weir__map_get(&a->bars, slot->key) == NULL) {
            only_b++;
            show(&shown, slot->key, "only in ", b->path);
        }
    if (shown > SHOWN_MOST)
        printf("... and %zu more\n", shown - SHOWN_MOST);
    printf("%zu bars in %s, %zu in %s: %zu equal, %zu differ, %zu only in the first, %zu only in the second\n",
           a->bars.count, a->path, b->bars.count, b->path, a->bars.count - only_a - differ, differ, only_a, only_b);
    return shown == 0;
}

/* ---- the command ---- */

static void fini(struct run *run)
{
    weir__map_fini(&run->bars);
    weir__arena_fini(&run->arena);
    weir__arena_fini(&run->scratch);
}

static int run_diff(struct weir__program *program, const struct weir__args *args)
{
    struct run        runs[2] = { 0 };
    struct weir_error words = { 0 };
    int               err = WEIR_OK, code;

    if (args->word_count != 2)
        err = weir__fail(&words, WEIR_BAD_ARGUMENT, "command line",
                         "name two runs: folders, files of bars, or brokers as HOST:PORT");
    for (size_t i = 0; err == WEIR_OK && i < 2; i++) {
        runs[i].path = args->words[i];
        err = read_run(&runs[i], program, &words);
    }
    if (err < 0) {
        (void)weir__report(&words);
        code = WEIR__EXIT_USAGE;
    } else {
        code = compare(&runs[0], &runs[1]) ? WEIR__EXIT_OK : WEIR__EXIT_FAILED;
    }
    fini(&runs[0]);
    fini(&runs[1]);
    return code;
}

static const struct weir__flag flags[] = { { .name = NULL } };
const struct weir__command     market_command_diff = {
        .name = "diff",
        .usage = "diff A B",
        .meaning =
            "Compares the converged bars of two folders, files or clusters (HOST:PORT): exit 0 equal, 1 different, 2 error.",
        .flags = flags,
        .run = run_diff,
};
