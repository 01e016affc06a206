/* loader.c: a STEP that holds its task until reference data is there, and in the task of partition 0 loads it. */
#include "topologies/loader.h"

#include "framework/json/json.h"
#include "framework/logging/logging.h"
#include "framework/outlet.h"

/* How often it looks what there is to do, and how much it does at once. */
#define LOOK_MS    100
#define ROWS_MOST  5000
#define BYTES_MOST ((size_t)4 << 20)

static const struct weir_text source = { "postgres", 8 };

/* What comes next of a load, and of a task that holds its ticks back. */
enum step { LEARN, REST, COMPARE, VANISH, MARK };
enum gate { UNMARKED, BEHIND, OPEN };

struct counts {
    int64_t rows, added, changed, removed;
};

struct market_loader {
    struct market_postgres *postgres; /* NULL: another task loads */
    struct market_held     *held[MARKET_REFERENCES];
    struct market_snapshot *snapshot; /* being compared */
    enum step               step;
    size_t                  kind, at; /* the table, and its row */
    struct weir_arena       from;     /* LEARN: of the key to go on from */
    const void             *from_key;
    struct counts           counts; /* of the load */
    int64_t                 loads;  /* done in this task */
    int64_t                 marked; /* the number in the record that ended the last one */

    enum gate gate;
    int64_t   schedule;
    int64_t   give_up; /* wall ms */
    char      said[300];
};

/* The node's state. */
static struct market_loader *loader_of(struct weir_context *ctx) { return *(struct market_loader **)weir_state(ctx); }

/* Whether a look has done enough. */
static bool is_enough(struct weir_context *ctx, size_t rows)
{
    return rows >= ROWS_MOST || weir_record_arena(ctx)->used > BYTES_MOST;
}

static const struct market_loading *nodes_of(struct weir_context *ctx) { return weir_arg(ctx); }

/* ---- the record of a load ---- */

/* The number of the last load whose record is read; 0 = none. */
static int read_mark(struct weir_context *ctx, int64_t *ret)
{
    const struct weir_text *value;
    const struct weir_json *json, *number;
    int                     err = weir_lookup(ctx, nodes_of(ctx)->loads, &source, (const void **)&value);

    *ret = 0;
    if (err == WEIR_NOTFOUND)
        return WEIR_OK;
    if (err == WEIR_OK)
        err = weir_json_parse(weir_record_arena(ctx), *value, &json, NULL);
    number = err == WEIR_OK ? weir_json_get(json, "load") : NULL;
    if (err == WEIR_OK && (number == NULL || weir_json_int64(number, ret) < 0))
        *ret = 1; /* there was one, whoever wrote it */
    return err;
}

static void put_count(struct weir_json_out *json, const char *name, int64_t value)
{
    weir__json_member_int(json, name, value);
}

static int send(struct weir_context *ctx, const struct weir_node *sink, struct weir_bytes key,
                struct weir_bytes value)
{
    const struct weir_text   texts[2] = { { key.data, key.size }, { value.data, value.size } };
    const struct weir_record rec = { .key = &texts[0],
                                     .value = value.data != NULL ? &texts[1] : NULL,
                                     .timestamp = weir_wall_time(ctx) };

    return weir_forward_to(ctx, sink, &rec);
}

static int send_mark(struct weir_context *ctx, struct market_loader *loader)
{
    struct weir_json_out json = { 0 };
    int                  err;

    weir_json_begin_object(&json);
    put_count(&json, "load", loader->marked);
    put_count(&json, "rows", loader->counts.rows);
    put_count(&json, "added", loader->counts.added);
    put_count(&json, "changed", loader->counts.changed);
    put_count(&json, "removed", loader->counts.removed);
    weir_json_end_object(&json);
    err = weir__buf_ok(&json.buf) ? send(ctx, nodes_of(ctx)->loads_sink, BYTES(source.data, source.size),
                                         BYTES(json.buf.data, json.buf.size))
                                  : WEIR_NO_MEMORY;
    weir__json_out_fini(&json);
    return err;
}

/* ---- loading ---- */

/* The next piece of a table begins with this row. */
static int stop_at(struct market_loader *loader, struct weir_bytes key)
{
    void *from;

    weir__arena_reset(&loader->from);
    from = weir_arena_alloc(&loader->from, market_key->bytes);
    key.data = weir__arena_copy(&loader->from, key.data, key.size);
    loader->from_key = from;
    return from != NULL && key.data != NULL ? market_key->decode(market_key, &loader->from, key, from)
                                            : WEIR_NO_MEMORY;
}

static int learn_row(struct weir_context *ctx, struct market_loader *loader, const struct weir_row *row,
                     struct weir_bytes key)
{
    const struct weir_codec *codec = market_references[loader->kind]->codec;
    struct weir_bytes        value;
    int                      err = codec->encode(codec, weir_record_arena(ctx), row->value, &value);

    return err == WEIR_OK ? market_held_take(loader->held[loader->kind], key, value) : err;
}

/* A piece of what a topic holds, or all that is left of it. */
static int learn_some(struct weir_context *ctx, struct market_loader *loader)
{
    struct weir_rows *rows;
    struct weir_row   row;
    struct weir_bytes key;
    int               err = weir_scan(ctx, nodes_of(ctx)->tables[loader->kind], loader->from_key, &rows);

    for (size_t i = 0; err == WEIR_OK && (err = weir_next(rows, &row)) == WEIR_OK; i++) {
        err = market_key->encode(market_key, weir_record_arena(ctx), row.key, &key);
        if (err == WEIR_OK && i > 0 && is_enough(ctx, i))
            return stop_at(loader, key);
        if (err == WEIR_OK)
            err = learn_row(ctx, loader, &row, key);
    }
    if (err != WEIR_NOTFOUND)
        return err;
    loader->from_key = NULL;
    loader->kind++;
    return WEIR_OK;
}

/* Once the topics are read to what was their end when this task began: what the former owner wrote is decided by then. */
static int learn(struct weir_context *ctx, struct market_loader *loader)
{
    int err = WEIR_OK;

    if (!weir_fresh(ctx))
        return WEIR_OK;
    do
        err = learn_some(ctx, loader);
    while (err == WEIR_OK && loader->kind < MARKET_REFERENCES && !is_enough(ctx, 0));
    if (err == WEIR_OK && loader->kind == MARKET_REFERENCES)
        loader->step = REST;
    return err;
}

static void begin_load(struct market_loader *loader)
{
    loader->snapshot = market_postgres_take(loader->postgres);
    if (loader->snapshot == NULL)
        return;
    loader->counts = (struct counts){ 0 };
    loader->kind = loader->at = 0;
    for (size_t i = 0; i < MARKET_REFERENCES; i++) {
        const struct market_snapshot_rows *rows = &loader->snapshot->kinds[i];

        market_held_begin(loader->held[i]);
        for (size_t j = 0; j < rows->unreadable_count; j++)
            market_held_keep(loader->held[i], rows->unreadable[j]);
    }
    loader->step = COMPARE;
}

static int compare(struct weir_context *ctx, struct market_loader *loader)
{
    const struct market_snapshot_rows *rows = &loader->snapshot->kinds[loader->kind];
    struct market_held                *held = loader->held[loader->kind];
    int                                err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && !is_enough(ctx, i) && loader->at < rows->count; i++) {
        const struct market_row *row = &rows->rows[loader->at++];
        struct weir_bytes        value;
        int                      found = market_held_differ(held, weir_record_arena(ctx), row, &value);

        loader->counts.rows++;
        loader->counts.added += found == MARKET_ADDED;
        loader->counts.changed += found == MARKET_CHANGED;
        if (found == MARKET_ADDED || found == MARKET_CHANGED)
            err = send(ctx, nodes_of(ctx)->sinks[loader->kind], row->key, value);
        else
            err = found;
    }
    if (err == WEIR_OK && loader->at == rows->count)
        loader->step = VANISH;
    return err;
}

static int delete_vanished(struct weir_context *ctx, struct market_loader *loader)
{
    struct weir_bytes key;
    int               err = WEIR_OK, found = 1;

    for (size_t i = 0; err == WEIR_OK && found > 0 && !is_enough(ctx, i); i++) {
        found = market_held_vanished(loader->held[loader->kind], weir_record_arena(ctx), &key);
        loader->counts.removed += found > 0;
        if (found > 0)
            err = send(ctx, nodes_of(ctx)->sinks[loader->kind], key, NO_BYTES);
    }
    if (err < 0 || found < 0)
        return err < 0 ? err : found;
    if (found == 0) {
        loader->at = 0;
        loader->kind++;
        loader->step = loader->kind < MARKET_REFERENCES ? COMPARE : MARK;
    }
    return WEIR_OK;
}

static int end_load(struct weir_context *ctx, struct market_loader *loader)
{
    const struct counts *counts = &loader->counts;
    int64_t              mark;
    int                  err = read_mark(ctx, &mark);

    mark = MAX(mark, loader->marked);
    if (err == WEIR_OK && (mark == 0 || counts->added + counts->changed + counts->removed > 0)) {
        loader->marked = mark + 1;
        err = send_mark(ctx, loader);
        weir__say(WEIR__INFO, "reference-loaded", "from", "s", "PostgreSQL", "rows", "i", counts->rows, "added", "i",
                  counts->added, "changed", "i", counts->changed, "removed", "i", counts->removed, NULL);
    }
    snprintf(loader->said, sizeof(loader->said), "%s", loader->snapshot->why);
    if (loader->snapshot->refused > 0)
        weir__say(WEIR__WARN, "reference-row-refused", "rows", "u", (uint64_t)loader->snapshot->refused, "why", "s",
                  loader->snapshot->why, NULL);
    market_snapshot_free(loader->snapshot);
    loader->snapshot = NULL;
    loader->loads++;
    loader->step = REST;
    return err;
}

static int load_some(struct weir_context *ctx, struct market_loader *loader)
{
    switch (loader->step) {
    case LEARN: return learn(ctx, loader);
    case COMPARE: return compare(ctx, loader);
    case VANISH: return delete_vanished(ctx, loader);
    case MARK: return end_load(ctx, loader);
    case REST: break;
    }
    return WEIR_OK;
}

static int load(struct weir_context *ctx, struct market_loader *loader)
{
    int err = WEIR_OK;

    if (loader->step == REST)
        begin_load(loader);
    do
        err = load_some(ctx, loader);
    while (err == WEIR_OK && loader->step > REST && !is_enough(ctx, 0));
    return err;
}

/* ---- what ticks wait for ---- */

/* Whether there is nothing more to wait for of this task's own load: it is done, or the database is away, and others have
 * loaded before. */
static bool load_is_done(struct market_loader *loader, int64_t mark)
{
    char words[300] = "";

    if (loader->postgres == NULL || loader->loads > 0)
        return mark >= MAX(loader->marked, 1);
    market_postgres_look(loader->postgres, words);
    return words[0] != '\0' && mark > 0;
}

static int look_at_gate(struct weir_context *ctx, struct market_loader *loader, int64_t now)
{
    int64_t mark;
    int     err = WEIR_OK;

    if (loader->gate == UNMARKED) {
        err = read_mark(ctx, &mark);
        if (err < 0)
            return err;
        if (load_is_done(loader, mark)) {
            weir_refresh(ctx); /* what came before the record may be in other partitions */
            loader->gate = BEHIND;
        }
    }
    if (loader->gate == BEHIND && weir_fresh(ctx))
        loader->gate = OPEN;
    if (loader->gate != OPEN && now >= loader->give_up) {
        weir__say(WEIR__WARN, "reference-not-awaited", "partition", "i", (int64_t)weir_partition(ctx), "why", "s",
                  "postgres.wait.ms is over: ticks go on without reference data that was never loaded", NULL);
        loader->gate = OPEN;
    }
    if (loader->gate == OPEN)
        weir_hold(ctx, false);
    return WEIR_OK;
}

static void tell(struct weir_context *ctx, struct market_loader *loader)
{
    char words[300] = "";

    if (loader->postgres != NULL)
        market_postgres_look(loader->postgres, words);
    if (words[0] == '\0' && loader->gate != OPEN)
        snprintf(words, sizeof(words), "ticks wait for the first load of reference data from PostgreSQL");
    if (words[0] == '\0')
        memcpy(words, loader->said, sizeof(words));
    weir_tell(ctx, "reference", words[0] != '\0' ? words : NULL);
}

static int look(struct weir_context *ctx, int64_t now)
{
    struct market_loader *loader = loader_of(ctx);
    int                   err = loader->postgres != NULL ? load(ctx, loader) : WEIR_OK;

    if (err == WEIR_OK && loader->gate != OPEN)
        err = look_at_gate(ctx, loader, now);
    if (err == WEIR_OK)
        tell(ctx, loader);
    if (err == WEIR_OK && loader->postgres == NULL && loader->gate == OPEN)
        weir_cancel(ctx, loader->schedule);
    return err;
}

/* ---- the node ---- */

int market_loading_pass(struct weir_context *ctx, const struct weir_record *rec)
{
    (void)ctx, (void)rec;
    return WEIR_OK;
}

static int open_loader(struct weir_context *ctx, struct market_loader *loader)
{
    struct weir_error words = { 0 };
    int               err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < MARKET_REFERENCES; i++)
        err = market_held_new(market_references[i], &loader->held[i]);
    if (err == WEIR_OK)
        err = market_postgres_open(weir__config_behind(weir_settings_of(ctx)), &loader->postgres, &words);
    if (err < 0 && words.text[0] != '\0')
        weir__say_error(WEIR__ERROR, "reference-unreadable", &words);
    weir_refresh(ctx);
    return err;
}

int market_loading_open(struct weir_context *ctx)
{
    const struct weir_settings *settings = weir_settings_of(ctx);
    struct market_loader       *loader;
    int                         err = WEIR_OK;

    if (weir_settings_text(settings, "postgres.dsn") == NULL)
        return WEIR_OK;
    loader = weir__zalloc(sizeof(*loader));
    if (loader == NULL)
        return WEIR_NO_MEMORY;
    *(struct market_loader **)weir_state(ctx) = loader;
    loader->give_up = weir_wall_time(ctx) + weir_settings_number(settings, "postgres.wait.ms");
    if (weir_partition(ctx) == 0)
        err = open_loader(ctx, loader);
    if (err < 0) {
        (void)market_loading_close(ctx);
        return err;
    }
    weir_hold(ctx, true);
    tell(ctx, loader);
    loader->schedule = weir_schedule(ctx, LOOK_MS, WEIR_WALL_TIME, look);
    return loader->schedule > 0 ? WEIR_OK : (int)loader->schedule;
}

int market_loading_close(struct weir_context *ctx)
{
    struct market_loader *loader = loader_of(ctx);

    if (loader == NULL)
        return WEIR_OK;
    market_postgres_close(loader->postgres);
    market_snapshot_free(loader->snapshot);
    for (size_t i = 0; i < MARKET_REFERENCES; i++)
        market_held_free(loader->held[i]);
    weir__arena_fini(&loader->from);
    weir__free(loader);
    *(struct market_loader **)weir_state(ctx) = NULL;
    return WEIR_OK;
}
