/* serving.c: curves, spreads and statistics, each entry by tenant and id, as they were last said.
 *
 * (1) Of several records of one entry the greatest by (rebuild of projection, epoch, event time, revision) stays, whatever order they
 *     come in.
 * (2) An entry that is asked for goes, or is served once more under the rebuild of now, in all places; nothing else does.
 * (3) What was taken away stays as a row that says so: what is not greater does not come back. So does an entry that withdraws its
 *     window: it goes on to the same places, which have nothing then.
 */
#include <strings.h>

#include "topologies/redis/redis.h"
#include "topologies/serving.h"

static void *copy(struct weir_context *ctx, const void *from, size_t size)
{
    void *to = weir_alloc(ctx, size);

    if (to != NULL)
        memcpy(to, from, size);
    return to;
}

/* ---- curves: a part for each horizon ---- */

static size_t curve_parts(const void *entry) { return ((const struct market_curve_update *)entry)->horizons.count; }

static void curve_part(const void *entry, size_t n, struct market_part *ret)
{
    ret->snapshot = market_curve_snapshot_of(entry, n);
    ret->time = ret->snapshot.window_start;
    ret->deleted = ret->snapshot.deleted;
}

static int64_t curve_time(const void *record) { return ((const struct market_curve_update *)record)->window_start; }

static bool is_curve_withdrawn(const void *entry)
{
    return ((const struct market_curve_update *)entry)->state == MARKET_BAR_WITHDRAWN;
}

static void stamp_curve(void *record, int64_t rebuild, bool deleted)
{
    struct market_curve_update *update = record;

    update->rebuild = rebuild;
    update->deleted = deleted;
}

static bool has_curve(const void *entry, enum market_custom_type asked, int64_t *ret_time)
{
    (void)asked;
    *ret_time = curve_time(entry);
    return !((const struct market_curve_update *)entry)->deleted;
}

static int enter_curve(struct weir_context *ctx, const void *entry, const void *record, const void **ret,
                       size_t *ret_n)
{
    (void)ctx;
    *ret = entry == NULL || market_curve_update_compare(record, entry) > 0 ? record : NULL;
    *ret_n = MARKET_ALL_PARTS;
    return WEIR_OK;
}

static const void *mark_curve(struct weir_context *ctx, const void *entry, int64_t rebuild, bool deleted)
{
    struct market_curve_update *marked = copy(ctx, entry, sizeof(*marked));

    if (marked != NULL)
        stamp_curve(marked, MAX(rebuild, marked->rebuild), deleted);
    return marked;
}

const struct market_shelf_kind market_shelf_curve[1] = { { .projection = MARKET_CURVE_SNAPSHOT,
                                                           .record = sizeof(struct market_curve_update),
                                                           .time = curve_time,
                                                           .stamp = stamp_curve,
                                                           .parts = curve_parts,
                                                           .part = curve_part,
                                                           .has = has_curve,
                                                           .withdrawn = is_curve_withdrawn,
                                                           .enter = enter_curve,
                                                           .mark = mark_curve } };

/* ---- spreads: one part ---- */

static size_t one_part(const void *entry)
{
    (void)entry;
    return 1;
}

static void spread_part(const void *entry, size_t n, struct market_part *ret)
{
    (void)n;
    ret->spread = *(const struct market_spread *)entry;
    ret->time = ret->spread.window_start;
    ret->deleted = ret->spread.deleted;
}

static int64_t spread_time(const void *record) { return ((const struct market_spread *)record)->window_start; }

static bool is_spread_withdrawn(const void *entry)
{
    return ((const struct market_spread *)entry)->state == MARKET_BAR_WITHDRAWN;
}

static void stamp_spread(void *record, int64_t rebuild, bool deleted)
{
    struct market_spread *spread = record;

    spread->rebuild = rebuild;
    spread->deleted = deleted;
}

static bool has_spread(const void *entry, enum market_custom_type asked, int64_t *ret_time)
{
    const struct market_spread *spread = entry;

    *ret_time = spread->window_start;
    return !spread->deleted && (asked == MARKET_CUSTOM_ANY || asked == market_custom_type_of(spread->kind));
}

static int enter_spread(struct weir_context *ctx, const void *entry, const void *record, const void **ret,
                        size_t *ret_n)
{
    (void)ctx;
    *ret = entry == NULL || market_spread_compare(record, entry) > 0 ? record : NULL;
    *ret_n = 0;
    return WEIR_OK;
}

static const void *mark_spread(struct weir_context *ctx, const void *entry, int64_t rebuild, bool deleted)
{
    struct market_spread *marked = copy(ctx, entry, sizeof(*marked));

    if (marked != NULL)
        stamp_spread(marked, MAX(rebuild, marked->rebuild), deleted);
    return marked;
}

const struct market_shelf_kind market_shelf_spread[1] = { { .projection = MARKET_CUSTOM,
                                                            .record = sizeof(struct market_spread),
                                                            .time = spread_time,
                                                            .stamp = stamp_spread,
                                                            .parts = one_part,
                                                            .part = spread_part,
                                                            .has = has_spread,
                                                            .withdrawn = is_spread_withdrawn,
                                                            .enter = enter_spread,
                                                            .mark = mark_spread } };

/* ---- statistics: a part for each window ---- */

static const struct market_stats *window_at(const void *entry, size_t n)
{
    return (const struct market_stats *)((const struct market_rolling_stats *)entry)->windows.rows + n;
}

static size_t stats_parts(const void *entry) { return ((const struct market_rolling_stats *)entry)->windows.count; }

static void stats_part(const void *entry, size_t n, struct market_part *ret)
{
    ret->stats = *window_at(entry, n);
    ret->time = ret->stats.window_end;
    ret->deleted = ret->stats.deleted;
}

static int64_t window_time(const void *record) { return ((const struct market_stats *)record)->window_end; }

static void stamp_stats(void *record, int64_t rebuild, bool deleted)
{
    struct market_stats *stats = record;

    stats->rebuild = rebuild;
    stats->deleted = deleted;
}

static bool has_stats(const void *entry, enum market_custom_type asked, int64_t *ret_time)
{
    bool any = false;

    *ret_time = INT64_MIN;
    for (size_t i = 0; i < stats_parts(entry); i++) {
        if (window_at(entry, i)->deleted)
            continue;
        any = true;
        *ret_time = MAX(*ret_time, window_at(entry, i)->window_end);
    }
    return any && (asked == MARKET_CUSTOM_ANY || asked == MARKET_CUSTOM_ROLLING_STAT);
}

/* The entry's windows with room for one more; NULL = no memory. */
static struct market_rolling_stats *copy_stats(struct weir_context *ctx, const void *entry)
{
    size_t                       count = entry != NULL ? stats_parts(entry) : 0;
    struct market_rolling_stats *all = weir_alloc(ctx, sizeof(*all));
    struct market_stats         *windows = weir_alloc(ctx, sizeof(*windows) * (count + 1));

    if (all == NULL || windows == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        windows[i] = *window_at(entry, i);
    all->windows = (struct market_records){ windows, count };
    return all;
}

static int enter_stats(struct weir_context *ctx, const void *entry, const void *record, const void **ret,
                       size_t *ret_n)
{
    const struct market_stats   *now = record;
    struct market_rolling_stats *all = copy_stats(ctx, entry);
    size_t                       n = 0;

    if (all == NULL)
        return WEIR_LIMIT;
    while (n < all->windows.count && !market_text_same(window_at(all, n)->window, now->window))
        n++;
    *ret = NULL;
    if (n < all->windows.count && market_stats_compare(now, window_at(all, n)) <= 0)
        return WEIR_OK;
    ((struct market_stats *)all->windows.rows)[n] = *now;
    all->windows.count = MAX(all->windows.count, n + 1);
    *ret = all;
    *ret_n = n;
    return WEIR_OK;
}

static const void *mark_stats(struct weir_context *ctx, const void *entry, int64_t rebuild, bool deleted)
{
    struct market_rolling_stats *all = copy_stats(ctx, entry);
    struct market_stats         *windows = all != NULL ? (struct market_stats *)all->windows.rows : NULL;

    for (size_t i = 0; all != NULL && i < all->windows.count; i++)
        stamp_stats(&windows[i], MAX(rebuild, windows[i].rebuild), deleted || windows[i].deleted);
    return all;
}

const struct market_shelf_kind market_shelf_stats[1] = { { .projection = MARKET_CUSTOM,
                                                           .record = sizeof(struct market_stats),
                                                           .time = window_time,
                                                           .stamp = stamp_stats,
                                                           .parts = stats_parts,
                                                           .part = stats_part,
                                                           .has = has_stats,
                                                           .enter = enter_stats,
                                                           .mark = mark_stats } };

/* ---- serving ---- */

static int serve_part(struct weir_context *ctx, const struct market_shelf *shelf, const void *key,
                      const struct market_part *part)
{
    struct weir_record rec = { .key = key, .value = part, .timestamp = MAX(part->time / 1000, 0) };

    return weir_forward_to(ctx, shelf->served, &rec);
}

/* The parts that are there, or those that are not. */
static int serve_all(struct weir_context *ctx, const struct market_shelf *shelf, const void *key, const void *entry,
                     bool deleted)
{
    struct market_part *part = weir_alloc(ctx, sizeof(*part));
    int                 err = part != NULL ? WEIR_OK : WEIR_LIMIT;

    for (size_t i = 0; err == WEIR_OK && i < shelf->kind->parts(entry); i++) {
        shelf->kind->part(entry, i, part);
        if (part->deleted == deleted)
            err = serve_part(ctx, shelf, key, part);
    }
    return err;
}

static int serve_entered(struct weir_context *ctx, const struct market_shelf *shelf, const void *key,
                         const void *entry, size_t n)
{
    struct market_part *part;

    if (n == MARKET_ALL_PARTS)
        return serve_all(ctx, shelf, key, entry, false);
    part = weir_alloc(ctx, sizeof(*part));
    if (part == NULL)
        return WEIR_LIMIT;
    shelf->kind->part(entry, n, part);
    return serve_part(ctx, shelf, key, part);
}

int market_shelf_keep(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct market_shelf *shelf = weir_arg(ctx);
    const void                *known = NULL, *now;
    void                      *record;
    size_t                     n = 0;
    int                        err;

    if (rec->key == NULL || rec->value == NULL)
        return market_reject_null(ctx, rec);
    record = copy(ctx, rec->value, shelf->kind->record);
    if (record == NULL)
        return WEIR_LIMIT;
    shelf->kind->stamp(record, market_rebuild_of(ctx), false);
    err = weir_get(ctx, shelf->store, rec->key, &known);
    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    err = shelf->kind->enter(ctx, err == WEIR_OK ? known : NULL, record, &now, &n);
    if (err < 0)
        return err;
    if (now == NULL)
        return market_drop(ctx, shelf->drops, rec->key, "behind_served", shelf->kind->time(record));
    err = weir_put(ctx, shelf->store, rec->key, now);
    return err < 0 ? err : serve_entered(ctx, shelf, rec->key, now, n);
}

/* ---- invalidation ---- */

int market_shelf_invalidate(struct weir_context *ctx, const struct market_shelf *shelf, const struct weir_record *rec,
                            bool *hit)
{
    const struct market_invalidation *asked = rec->value;
    const bool                        drop = asked->action == MARKET_INVALIDATE_DROP;
    const void                       *entry;
    int64_t                           time;
    int                               err;

    if (asked->projection_type != shelf->kind->projection)
        return WEIR_OK;
    err = weir_get(ctx, shelf->store, rec->key, &entry);
    if (err < 0)
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    if (!shelf->kind->has(entry, asked->custom_type, &time) || !market_is_meant(ctx, asked, time, time))
        return WEIR_OK;
    *hit = true;
    entry = shelf->kind->mark(ctx, entry, drop ? 0 : market_rebuild_of(ctx), drop);
    if (entry == NULL)
        return WEIR_LIMIT;
    err = weir_put(ctx, shelf->store, rec->key, entry);
    return err < 0 ? err : serve_all(ctx, shelf, rec->key, entry, drop);
}

static void remember(struct market_again *again, const struct market_key *key)
{
    memcpy(again->bytes, key->tenant.data, key->tenant.size);
    memcpy(again->bytes + key->tenant.size, key->instrument.data, key->instrument.size);
    again->behind = (struct market_key){ { again->bytes, key->tenant.size },
                                         { again->bytes + key->tenant.size, key->instrument.size } };
}

static bool is_behind(const struct market_again *again, const struct market_key *key)
{
    return again->behind.tenant.size > 0 && market_text_same(again->behind.tenant, key->tenant) &&
           market_text_same(again->behind.instrument, key->instrument);
}

int market_serve_again(struct weir_context *ctx, const struct weir_store *store, market_serve_row *serve)
{
    struct market_again *again = weir_state(ctx);
    uint64_t             losses = market_redis_losses();
    struct weir_rows    *rows;
    struct weir_row      row;
    size_t               count = 0;
    int                  err;

    if (losses != again->losses)
        *again = (struct market_again){ .losses = losses, .at_work = true };
    if (!again->at_work)
        return WEIR_OK;
    err = weir_range(ctx, store, again->behind.tenant.size > 0 ? &again->behind : NULL, NULL, WEIR_ASCENDING, &rows);
    while (err == WEIR_OK && count < MARKET_AGAIN_MOST && (err = weir_next(rows, &row)) == WEIR_OK) {
        if (is_behind(again, row.key))
            continue;
        count++;
        err = serve(ctx, &row);
        remember(again, row.key);
    }
    again->at_work = err == WEIR_OK;
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

int market_serve_rows(struct weir_context *ctx, const struct weir_store *store, market_serve_row *serve)
{
    struct market_again *again = weir_state(ctx);

    if (!again->at_work)
        *again = (struct market_again){ .losses = again->losses, .at_work = true };
    return market_serve_again(ctx, store, serve);
}

static int serve_entry(struct weir_context *ctx, const struct weir_row *row)
{
    return serve_all(ctx, weir_arg(ctx), row->key, row->value, false);
}

static int refresh(struct weir_context *ctx, int64_t time)
{
    (void)time;
    return market_serve_rows(ctx, ((const struct market_shelf *)weir_arg(ctx))->store, serve_entry);
}

static int serve_again(struct weir_context *ctx, int64_t time)
{
    (void)time;
    return market_serve_again(ctx, ((const struct market_shelf *)weir_arg(ctx))->store, serve_entry);
}

int market_refresh_every(struct weir_context *ctx, weir_punctuate *all, weir_punctuate *again)
{
    int64_t every = weir_option(ctx, "refresh");
    int     err = (int)MIN(weir_schedule(ctx, SECONDS(1), WEIR_WALL_TIME, again), 0);

    return err < 0 || every <= 0 ? err : (int)MIN(weir_schedule(ctx, every, WEIR_WALL_TIME, all), 0);
}

int market_shelf_open(struct weir_context *ctx) { return market_refresh_every(ctx, refresh, serve_again); }

int market_shelf_serve(struct weir_context *ctx, const struct market_shelf *shelf, const void *key)
{
    const void *entry;
    int         err = weir_get(ctx, shelf->store, key, &entry);

    if (err < 0)
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    return serve_all(ctx, shelf, key, entry, false);
}

/* ---- over HTTP ---- */

/* The entry of a key. WEIR_NOTFOUND: none, or one that is dropped or withdrawn; and others of views. */
static int look_up(struct weir_request *request, const struct market_shelf *shelf, const struct market_key *key,
                   const void **ret)
{
    struct weir_view *view;
    struct weir_row   row;
    int64_t           time;
    int               err = weir_request_view(request, shelf->store->name, &view);

    if (err == WEIR_OK)
        err = weir_view_get(view, weir_request_arena(request), key, &row);
    if (err < 0)
        return err;
    *ret = row.value;
    return shelf->kind->has(*ret, MARKET_CUSTOM_ANY, &time) &&
                   (shelf->kind->withdrawn == NULL || !shelf->kind->withdrawn(*ret))
               ? WEIR_OK
               : WEIR_NOTFOUND;
}

static int not_found(struct weir_reply *reply) { return weir_reply_fail(reply, 404, "Projection not found"); }

static bool is(struct weir_text text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

int market_answer_curve(struct weir_request *request, struct weir_reply *reply)
{
    const struct market_curve_update *update;
    const char                       *horizon;
    struct market_key                 key;
    const void                       *entry;
    int err = market_request_key(request, reply, "instrument_id|tenant_id|horizon", &key);

    if (err == WEIR_OK)
        err = weir_request_need(request, reply, "horizon", &horizon);
    if (err == WEIR_OK)
        err = look_up(request, weir_request_arg(request), &key, &entry);
    if (err == WEIR_NOTFOUND)
        return not_found(reply);
    if (err < 0)
        return err;
    update = entry;
    for (size_t i = 0; i < update->horizons.count; i++) {
        struct market_curve_snapshot snapshot = market_curve_snapshot_of(update, i);

        if (snapshot.horizon.size == strlen(horizon) &&
            strncasecmp(snapshot.horizon.data, horizon, snapshot.horizon.size) ==
                0) /* keys have it in small letters */
            return market_curve_snapshot->print(market_curve_snapshot, &snapshot, weir_reply_json(reply));
    }
    return not_found(reply);
}

static int answer_spread(struct weir_request *request, struct weir_reply *reply, const struct market_shelf *shelf,
                         const struct market_key *key, enum market_custom_type type)
{
    const struct market_spread *spread;
    const void                 *entry;
    int                         err = look_up(request, shelf, key, &entry);

    if (err == WEIR_NOTFOUND)
        return not_found(reply);
    if (err < 0)
        return err;
    spread = entry;
    if (market_custom_type_of(spread->kind) != type)
        return not_found(reply);
    return market_spread->print(market_spread, spread, weir_reply_json(reply));
}

static int answer_stats(struct weir_request *request, struct weir_reply *reply, const struct market_shelf *shelf,
                        const struct market_key *key)
{
    const char *window = weir_request_query(request, "window");
    const void *entry;
    int         err = look_up(request, shelf, key, &entry);

    if (err == WEIR_NOTFOUND)
        return not_found(reply);
    for (size_t i = 0; err == WEIR_OK && i < stats_parts(entry); i++)
        if (!window_at(entry, i)->deleted && is(window_at(entry, i)->window, window != NULL ? window : "5m"))
            return market_stats->print(market_stats, window_at(entry, i), weir_reply_json(reply));
    return err < 0 ? err : not_found(reply);
}

/* MARKET_CUSTOM_ANY: it is none of them. */
static enum market_custom_type find_custom_type(const char *word)
{
    for (enum market_custom_type type = MARKET_CUSTOM_SPREAD; type <= MARKET_CUSTOM_ROLLING_STAT; type++)
        if (strcmp(market_custom_words[type], word) == 0)
            return type;
    return MARKET_CUSTOM_ANY;
}

int market_answer_custom(struct weir_request *request, struct weir_reply *reply)
{
    const struct market_custom *custom = weir_request_arg(request);
    struct market_key           key;
    const char                 *type;
    int err = market_request_key(request, reply, "instrument_id|tenant_id|projection_type|window", &key);

    if (err == WEIR_OK)
        err = weir_request_need(request, reply, "projection_type", &type);
    if (err < 0)
        return err;
    switch (find_custom_type(type)) {
    case MARKET_CUSTOM_ROLLING_STAT: return answer_stats(request, reply, custom->stats, &key);
    case MARKET_CUSTOM_BID_ASK: return answer_spread(request, reply, custom->bid_asks, &key, MARKET_CUSTOM_BID_ASK);
    case MARKET_CUSTOM_SPREAD: return answer_spread(request, reply, custom->pairs, &key, MARKET_CUSTOM_SPREAD);
    case MARKET_CUSTOM_BASIS: return answer_spread(request, reply, custom->pairs, &key, MARKET_CUSTOM_BASIS);
    case MARKET_CUSTOM_ANY: break;
    }
    return weir_reply_fail(reply, 400, "projection_type: there are spread, basis, bid_ask and rolling_stat");
}
