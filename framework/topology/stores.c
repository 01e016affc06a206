/* stores.c: declared and generated stores, and what the runtime needs to know to open them.
 *
 * (1) A store has at most one node whose rows it holds; any number of others may read it, steps may write it.
 * (2) Stores of tables and folds are cached unless told otherwise, those of steps only when told so.
 * (3) A window store's topic keeps rows until their tombstones are written at expiry, or as upstream's by age.
 */
#include "framework/topology/internal.h"

static struct weir__kept *find_kept(const struct weir__compiler *compiler, const struct weir_store *spec)
{
    for (size_t i = 0; i < compiler->kept_count; i++)
        if (compiler->kept[i]->spec == spec)
            return compiler->kept[i];
    return NULL;
}

static struct weir__kept *new_kept(struct weir__compiler *compiler, const char *name, const struct weir__made *owner)
{
    struct weir__kept *kept = weir__take(compiler, sizeof(*kept));

    kept->plan = weir__take(compiler, sizeof(*kept->plan));
    kept->plan->name = name;
    kept->owner = owner;
    kept->eff.kind = WEIR_KEYS;
    ADD(compiler, compiler->kept, compiler->kept_count, kept);
    return kept;
}

static const char *given_name(const struct weir__compiler *compiler, const struct weir_store *spec)
{
    if (spec->called != NULL || compiler->kafka)
        return spec->called;
    return spec->name;
}

struct weir__kept *weir__kept_of(struct weir__compiler *compiler, const struct weir_store *spec)
{
    struct weir__kept *kept = find_kept(compiler, spec);

    if (kept != NULL)
        return kept;
    kept = new_kept(compiler, given_name(compiler, spec), NULL);
    kept->spec = kept->plan->spec = spec;
    kept->eff = *spec;
    if (spec->windows != NULL) {
        kept->windows = *spec->windows;
        kept->eff.windows = &kept->windows;
    }
    if (kept->plan->name == NULL)
        kept->plan->name = spec->name != NULL ? spec->name : "store";
    weir__override_store(compiler, kept, spec->name);
    return kept;
}

bool weir__store_named(const struct weir__compiler *compiler, const struct weir__made *made)
{
    return made->eff.into != NULL && given_name(compiler, made->eff.into) != NULL;
}

static struct weir__kept *keep_declared(struct weir__compiler *compiler, struct weir__made *made)
{
    struct weir__kept *kept = weir__kept_of(compiler, made->eff.into);

    if (kept->owner != NULL)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, made->eff.name,
                    "its store \"%s\" holds the rows of %s: declare another", kept->plan->name,
                    kept->owner->eff.name);
    else
        weir__override_store(compiler, kept, made->eff.name);
    kept->owner = made;
    return kept;
}

struct weir__kept *weir__keep(struct weir__compiler *compiler, struct weir__made *made, const char *prefix)
{
    bool        named = weir__store_named(compiler, made);
    const char *name = NULL;

    if (!named)
        name = compiler->kafka ? weir__generate(compiler, weir__phrase(compiler, "%sSTATE-STORE-", prefix))
                               : weir__phrase(compiler, "%s-store", weir__called(compiler, made));
    if (made->eff.into != NULL) {
        made->store = keep_declared(compiler, made);
    } else {
        made->store = new_kept(compiler, name, made);
        weir__override_store(compiler, made->store, made->eff.name);
    }
    if (!named) {
        made->store->plan->name = name;
        made->store->generated = compiler->kafka;
    }
    return made->store;
}

struct weir__kept *weir__keep_own(struct weir__compiler *compiler, const struct weir__made *made, const char *name,
                                  bool generated)
{
    struct weir__kept *kept = new_kept(compiler, name, made);

    kept->generated = generated && compiler->kafka;
    kept->eff.log = made->eff.log;
    kept->eff.in_memory = made->eff.in_memory;
    kept->eff.cache = WEIR_OFF;
    kept->plan->type = "opaque";
    return kept;
}

void weir__rows_are(struct weir__compiler *compiler, const struct weir__made *made, struct weir__kept *kept,
                    const struct weir_codec *key, const struct weir_codec *value)
{
    weir__same_type(compiler, made, weir__phrase(compiler, "the key of its store \"%s\"", kept->plan->name), key,
                    kept->eff.key);
    weir__same_type(compiler, made, weir__phrase(compiler, "the value of its store \"%s\"", kept->plan->name), value,
                    kept->eff.value);
    if (kept->spec == NULL) {
        kept->eff.key = key;
        kept->eff.value = value;
    }
}

void weir__connect(struct weir__compiler *compiler, struct weir__node *node, struct weir__kept *kept)
{
    for (size_t i = 0; i < node->store_count; i++)
        if (node->stores[i] == kept->plan)
            return;
    ADD(compiler, node->stores, node->store_count, kept->plan);
    kept->attached = true;
}

/* ---- what the runtime opens ---- */

static const char *type_of(const struct weir__kept *kept)
{
    bool table = kept->owner != NULL && kept->owner->eff.process == NULL;
    bool timestamped = table || !kept->eff.plain; /* a table's plain store is shown with unknown timestamps */

    if (kept->plan->type != NULL)
        return kept->plan->type;
    switch (kept->eff.kind) {
    case WEIR_VERSIONED: return "versioned";
    case WEIR_WINDOWS:
        if (kept->windows.kind == WEIR_SESSION)
            return "session";
        return timestamped ? "timestamped_window" : "window";
    default: return timestamped ? "timestamped_key_value" : "key_value";
    }
}

static void fill_windows(const struct weir__compiler *compiler, const struct weir__kept *kept,
                         struct weir__store_spec *store)
{
    store->kind = WEIR__STORE_WINDOWS;
    store->retention = weir__windows_retention(&kept->windows);
    store->segment = weir__segment_width(store->retention);
    store->window_size = weir__windows_width(&kept->windows);
    store->duplicates = kept->eff.duplicates;
    store->ends = kept->windows.kind == WEIR_CALENDAR;
    store->keyed = kept->windows.time == WEIR_PER_KEY;
    store->tombstones = store->logged && (store->keyed || !compiler->config->upstream_cleanup);
}

static void fill_spec(const struct weir__compiler *compiler, const struct weir__kept *kept)
{
    const struct weir_store *eff = &kept->eff;
    struct weir__store_spec *store = &kept->plan->store;
    bool                     wanted = kept->owner != NULL ? eff->cache != WEIR_OFF : eff->cache == WEIR_ON;

    *store = (struct weir__store_spec){ .name = kept->plan->name,
                                        .kind = eff->kind == WEIR_LRU ? WEIR__STORE_LRU : WEIR__STORE_KEYS,
                                        .timestamped = !eff->plain,
                                        .logged = eff->log != WEIR_OFF && !kept->plan->global,
                                        .in_memory = eff->in_memory == WEIR_ON,
                                        .max = eff->max,
                                        .partings = kept->owner == NULL };
    store->cached =
        wanted && compiler->config->cache && !kept->plan->global && !eff->duplicates && eff->kind != WEIR_VERSIONED;
    if (eff->kind == WEIR_WINDOWS)
        fill_windows(compiler, kept, store);
}

/* ---- settings of its topic ---- */

static bool is_declared(const struct weir_store *store, const char *setting)
{
    size_t name = strcspn(setting, "=") + 1;

    for (size_t i = 0; store->settings != NULL && store->settings[i] != NULL; i++)
        if (strncmp(store->settings[i], setting, name) == 0)
            return true;
    return false;
}

/* Whether its rows go by age, as upstream's. */
static bool ages(const struct weir__compiler *compiler, const struct weir__kept *kept)
{
    return kept->eff.kind == WEIR_WINDOWS && compiler->config->upstream_cleanup && !kept->plan->store.keyed;
}

static const char *cleanup_of(const struct weir__compiler *compiler, const struct weir__kept *kept)
{
    return ages(compiler, kept) ? "cleanup.policy=compact,delete" : "cleanup.policy=compact";
}

/* Event time is the records' time: a broker's usual limits would refuse or delete old and future records. */
static void fill_settings(struct weir__compiler *compiler, struct weir__kept *kept)
{
    static const char *const kept_forever[] = { "retention.ms=-1", "delete.retention.ms=86400000",
                                                "message.timestamp.before.max.ms=9223372036854775807",
                                                "message.timestamp.after.max.ms=9223372036854775807" };
    const char             **settings = NULL;
    const char              *usual[8] = { cleanup_of(compiler, kept), "message.timestamp.type=CreateTime" };
    size_t                   count = 0, usual_count = 2;

    if (!compiler->config->upstream_cleanup || kept->plan->store.keyed)
        for (size_t i = 0; i < ARRAY_SIZE(kept_forever); i++)
            usual[usual_count++] = kept_forever[i];
    else if (ages(compiler, kept))
        usual[usual_count++] = weir__phrase(compiler, "retention.ms=%lld",
                                            (long long)weir__time_add(kept->plan->store.retention, DAYS(1)));
    for (size_t i = 0; i < usual_count; i++)
        if (!is_declared(&kept->eff, usual[i]))
            ADD(compiler, settings, count, usual[i]);
    for (size_t i = 0; kept->eff.settings != NULL && kept->eff.settings[i] != NULL; i++)
        ADD(compiler, settings, count, kept->eff.settings[i]);
    ADD(compiler, settings, count, NULL);
    kept->plan->settings = settings;
}

static void finish_store(struct weir__compiler *compiler, struct weir__kept *kept)
{
    struct weir__store_plan *plan = kept->plan;

    if (kept->spec != NULL)
        weir__check_store(compiler, kept);
    plan->key = kept->eff.key;
    plan->value = kept->eff.value;
    plan->windows = kept->eff.windows;
    plan->type = type_of(kept);
    plan->subtopology = -1;
    fill_spec(compiler, kept);
    if (plan->store.logged)
        plan->changelog = weir__phrase(compiler, "%s-%s-changelog", compiler->plan->application, plan->name);
    fill_settings(compiler, kept);
}

void weir__finish_stores(struct weir__compiler *compiler)
{
    for (size_t i = 0; i < compiler->kept_count; i++)
        finish_store(compiler, compiler->kept[i]);
}
