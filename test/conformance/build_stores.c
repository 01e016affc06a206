/* build_stores.c: stores and windows of a case as declare.h's structs. */
#include "test/conformance/conformance.h"

struct weir_windows *conf_windows(struct conf_build *build, const json_t *window)
{
    static const struct {
        const char *type;
        int         kind;
    } kinds[] = { { "tumbling", WEIR_TUMBLING },
                  { "hopping", WEIR_HOPPING },
                  { "sliding", WEIR_SLIDING },
                  { "session", WEIR_SESSION },
                  { "unlimited", WEIR_UNLIMITED } };
    struct weir_windows *windows = conf_new(&build->c->arena, sizeof(*windows));
    const char          *type = conf_string(window, "type", "");

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(kinds[i].type, type) == 0)
            windows->kind = kinds[i].kind;
    windows->size = conf_number(window, "size", conf_number(window, "diff", conf_number(window, "gap", 0)));
    windows->advance = conf_number(window, "advance", 0);
    windows->grace = conf_number(window, "grace", 0);
    windows->start = conf_number(window, "start", 0);
    return windows;
}

static enum weir_tri tri(const json_t *spec, const char *name)
{
    const json_t *json = json_object_get(spec, name);

    return json_is_true(json) ? WEIR_ON : json_is_false(json) ? WEIR_OFF : WEIR_DEFAULT;
}

/* 0 is upstream's mistake and weir's word for "the usual": given as one that is refused too. */
static int64_t given_retention(const json_t *spec)
{
    int64_t retention = conf_number(spec, "retention", 0);

    return conf_has(spec, "retention") && retention == 0 ? -1 : retention;
}

static struct weir_store *new_store(struct conf_build *build, const char *name, int kind)
{
    struct weir_arena *arena = &build->c->arena;
    struct weir_store *store = conf_new(arena, sizeof(*store));

    store->name = weir__arena_printf(arena, "store_%zu", build->stores.count + 1);
    store->called = name;
    store->kind = kind;
    conf_add(&build->stores, store);
    return store;
}

/* The stores that replace the default one. */
static void supply(const json_t *supplier, struct weir_store *store, struct weir_windows *windows)
{
    const char *kind = conf_string(supplier, "kind", "");

    if (strcmp(kind, "plain_kv") == 0)
        store->plain = true;
    if (strcmp(kind, "lru") == 0) {
        store->kind = WEIR_LRU;
        store->max = conf_number(supplier, "max", 0);
    }
    if (strcmp(kind, "window") == 0 && windows) {
        store->plain = true;
        windows->retention = conf_number(supplier, "retention", 0);
    }
}

const struct weir_store *conf_materialized(struct conf_build *build, const json_t *op, const struct weir_codec *key,
                                           const struct weir_codec *value, const json_t *window)
{
    const json_t        *spec = json_object_get(op, "store");
    struct weir_windows *windows = window ? conf_windows(build, window) : NULL;
    struct weir_store   *store = new_store(build, conf_string(spec, "name", NULL), window ? WEIR_WINDOWS : WEIR_KEYS);

    store->key = key;
    store->value = value;
    store->windows = windows;
    store->cache = tri(spec, "cache");
    store->log = tri(spec, "log");
    if (strcmp(conf_string(spec, "kind", ""), "in_memory") == 0)
        store->in_memory = WEIR_ON;
    if (windows)
        windows->retention = given_retention(spec);
    if (conf_has(spec, "versioned")) {
        conf_need(build, "versioned stores");
        store->kind = WEIR_VERSIONED;
        store->history = conf_number(spec, "versioned", 0);
    }
    supply(json_object_get(spec, "supplier"), store, windows);
    return store;
}

enum { IN_MEMORY = 1, PLAIN = 2, SESSIONS = 4 };

static const struct {
    const char *word;
    int         kind, flags;
} store_kinds[] = {
    { "kv", WEIR_KEYS, PLAIN },
    { "in_memory_kv", WEIR_KEYS, PLAIN | IN_MEMORY },
    { "lru", WEIR_LRU, PLAIN },
    { "timestamped_kv", WEIR_KEYS, 0 },
    { "window", WEIR_WINDOWS, PLAIN },
    { "in_memory_window", WEIR_WINDOWS, PLAIN | IN_MEMORY },
    { "timestamped_window", WEIR_WINDOWS, 0 },
    { "session", WEIR_WINDOWS, SESSIONS },
    { "in_memory_session", WEIR_WINDOWS, SESSIONS | IN_MEMORY },
    { "versioned", WEIR_VERSIONED, 0 },
};

static void describe_kind(struct conf_build *build, const json_t *spec, struct weir_store *store, int flags)
{
    struct weir_windows *windows;

    store->plain = flags & PLAIN;
    if (flags & IN_MEMORY)
        store->in_memory = WEIR_ON;
    if (flags & SESSIONS)
        conf_need(build, "session stores of processors");
    if (store->kind == WEIR_VERSIONED)
        conf_need(build, "versioned stores");
    if (store->kind != WEIR_WINDOWS)
        return;
    windows = conf_new(&build->c->arena, sizeof(*windows));
    windows->kind = flags & SESSIONS ? WEIR_SESSION : WEIR_TUMBLING;
    windows->size = conf_number(spec, "window_size", 0);
    windows->retention = flags & SESSIONS ? conf_number(spec, "retention", 0) : given_retention(spec);
    store->windows = windows;
}

struct weir_store *conf_declared(struct conf_build *build, const json_t *spec)
{
    struct weir_store *store = new_store(build, conf_string(spec, "name", NULL), WEIR_KEYS);
    const char        *word = conf_string(spec, "kind", "");

    store->key = conf_codec(&build->c->arena, conf_string(spec, "key", "string"));
    store->value = conf_codec(&build->c->arena, conf_string(spec, "value", "string"));
    store->cache = json_is_true(json_object_get(spec, "cache")) ? WEIR_ON : WEIR_OFF;
    store->log = tri(spec, "log");
    store->duplicates = json_is_true(json_object_get(spec, "retain_duplicates"));
    store->history = conf_number(spec, "history", 0);
    store->segment = conf_number(spec, "segment_interval", 0);
    store->max = conf_number(spec, "max", 0);
    for (size_t i = 0; i < ARRAY_SIZE(store_kinds); i++) {
        if (strcmp(store_kinds[i].word, word) != 0)
            continue;
        store->kind = store_kinds[i].kind;
        describe_kind(build, spec, store, store_kinds[i].flags);
    }
    return store;
}

const struct weir_store *conf_join_store(struct conf_build *build, const json_t *spec, const struct weir_codec *key,
                                         const struct weir_codec *value)
{
    struct weir_store   *store = new_store(build, conf_string(spec, "name", NULL), WEIR_WINDOWS);
    struct weir_windows *windows = conf_new(&build->c->arena, sizeof(*windows));

    windows->kind = WEIR_TUMBLING;
    windows->size = conf_number(spec, "window_size", 0);
    windows->retention = conf_number(spec, "retention", 0);
    store->key = key;
    store->value = value;
    store->windows = windows;
    store->plain = true;
    store->duplicates = json_is_true(json_object_get(spec, "retain_duplicates"));
    return store;
}

const struct weir_store *conf_store_named(const struct conf_build *build, const char *name)
{
    for (size_t i = 0; i < build->stores.count; i++) {
        const struct weir_store *store = build->stores.items[i];

        if (name && store->called && strcmp(store->called, name) == 0)
            return store;
    }
    return NULL;
}
