/* serving.c: curves, spreads and statistics, each entry by tenant and id, as they were last said.
 *
 * (1) Of several records of one entry the greatest by (epoch, event time, revision) stays, whatever order they come in.
 * (2) One that withdraws its window stays too, and is not served: whatever was served goes, in all places.
 * (3) An entry that is asked for goes, or is served once more, in all places; nothing else does.
 */
#include "topologies/serving.h"

/* ---- curves: a part for each horizon ---- */

static size_t curve_parts(const void *entry) { return ((const struct market_curve_update *)entry)->horizons.count; }

static void curve_part(const void *entry, size_t n, void *ret)
{
    *(struct market_curve_snapshot *)ret = market_curve_snapshot_of(entry, n);
}

static int64_t curve_time(const void *entry) { return ((const struct market_curve_update *)entry)->window_start; }

static bool is_curve_withdrawn(const void *entry)
{
    return ((const struct market_curve_update *)entry)->state == MARKET_BAR_WITHDRAWN;
}

static int64_t snapshot_time(const void *part) { return ((const struct market_curve_snapshot *)part)->window_start; }

static int enter_curve(struct weir_context *ctx, const void *entry, const void *record, const void **ret,
                       size_t *ret_n)
{
    (void)ctx;
    *ret = entry == NULL || market_curve_update_compare(record, entry) > 0 ? record : NULL;
    *ret_n = MARKET_ALL_PARTS;
    return WEIR_OK;
}

const struct market_shelf_kind market_shelf_curve[1] = { { .projection = MARKET_CURVE_SNAPSHOT,
                                                           .record = sizeof(struct market_curve_snapshot),
                                                           .parts = curve_parts,
                                                           .part = curve_part,
                                                           .time = curve_time,
                                                           .part_time = snapshot_time,
                                                           .record_time = curve_time,
                                                           .withdrawn = is_curve_withdrawn,
                                                           .enter = enter_curve } };

/* ---- spreads: one part ---- */

static size_t one_part(const void *entry)
{
    (void)entry;
    return 1;
}

static void spread_part(const void *entry, size_t n, void *ret)
{
    (void)n;
    *(struct market_spread *)ret = *(const struct market_spread *)entry;
}

static int64_t spread_time(const void *entry) { return ((const struct market_spread *)entry)->window_start; }

static bool is_spread_withdrawn(const void *entry)
{
    return ((const struct market_spread *)entry)->state == MARKET_BAR_WITHDRAWN;
}

static int enter_spread(struct weir_context *ctx, const void *entry, const void *record, const void **ret,
                        size_t *ret_n)
{
    (void)ctx;
    *ret = entry == NULL || market_spread_compare(record, entry) > 0 ? record : NULL;
    *ret_n = 0;
    return WEIR_OK;
}

const struct market_shelf_kind market_shelf_spread[1] = { { .projection = MARKET_CUSTOM,
                                                            .record = sizeof(struct market_spread),
                                                            .parts = one_part,
                                                            .part = spread_part,
                                                            .time = spread_time,
                                                            .part_time = spread_time,
                                                            .record_time = spread_time,
                                                            .withdrawn = is_spread_withdrawn,
                                                            .enter = enter_spread } };

/* ---- statistics: a part for each window ---- */

static const struct market_stats *window_at(const void *entry, size_t n)
{
    return (const struct market_stats *)((const struct market_rolling_stats *)entry)->windows.rows + n;
}

static size_t stats_parts(const void *entry) { return ((const struct market_rolling_stats *)entry)->windows.count; }

static void stats_part(const void *entry, size_t n, void *ret) { *(struct market_stats *)ret = *window_at(entry, n); }

static int64_t window_time(const void *part) { return ((const struct market_stats *)part)->window_end; }

static int64_t stats_time(const void *entry)
{
    int64_t time = 0;

    for (size_t i = 0; i < stats_parts(entry); i++)
        time = MAX(time, window_at(entry, i)->window_end);
    return time;
}

static int enter_stats(struct weir_context *ctx, const void *entry, const void *record, const void **ret,
                       size_t *ret_n)
{
    const struct market_stats   *now = record;
    size_t                       count = entry != NULL ? stats_parts(entry) : 0, n = 0;
    struct market_rolling_stats *all = weir_alloc(ctx, sizeof(*all));
    struct market_stats         *windows = weir_alloc(ctx, sizeof(*windows) * (count + 1));

    if (all == NULL || windows == NULL)
        return WEIR_LIMIT;
    while (n < count && !market_text_same(window_at(entry, n)->window, now->window))
        n++;
    *ret = NULL;
    if (n < count && market_stats_compare(now, window_at(entry, n)) <= 0)
        return WEIR_OK;
    for (size_t i = 0; i < count; i++)
        windows[i] = *window_at(entry, i);
    windows[n] = *now;
    all->windows = (struct market_records){ windows, MAX(count, n + 1) };
    *ret = all;
    *ret_n = n;
    return WEIR_OK;
}

const struct market_shelf_kind market_shelf_stats[1] = { { .projection = MARKET_CUSTOM,
                                                           .record = sizeof(struct market_stats),
                                                           .parts = stats_parts,
                                                           .part = stats_part,
                                                           .time = stats_time,
                                                           .part_time = window_time,
                                                           .record_time = window_time,
                                                           .enter = enter_stats } };

/* ---- serving ---- */

static bool is_withdrawn(const struct market_shelf *shelf, const void *entry)
{
    return shelf->kind->withdrawn != NULL && shelf->kind->withdrawn(entry);
}

static int serve_part(struct weir_context *ctx, const struct market_shelf *shelf, const struct weir_node *to,
                      const void *key, const void *entry, size_t n)
{
    void              *part = weir_alloc(ctx, shelf->kind->record);
    struct weir_record rec = { .key = key, .value = part };

    if (part == NULL)
        return WEIR_LIMIT;
    shelf->kind->part(entry, n, part);
    rec.timestamp = MAX(shelf->kind->part_time(part) / 1000, 0);
    return weir_forward_to(ctx, to, &rec);
}

static int send_all(struct weir_context *ctx, const struct market_shelf *shelf, const struct weir_node *to,
                    const void *key, const void *entry)
{
    size_t parts = to != NULL ? shelf->kind->parts(entry) : 0;
    int    err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < parts; i++)
        err = serve_part(ctx, shelf, to, key, entry, i);
    return err;
}

static int serve_all(struct weir_context *ctx, const struct market_shelf *shelf, const void *key, const void *entry)
{
    return send_all(ctx, shelf, is_withdrawn(shelf, entry) ? shelf->gone : shelf->served, key, entry);
}

int market_shelf_keep(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct market_shelf *shelf = weir_arg(ctx);
    const void                *known = NULL, *now;
    size_t                     n = 0;
    int                        err;

    if (rec->key == NULL || rec->value == NULL)
        return market_reject_null(ctx, rec);
    err = weir_get(ctx, shelf->store, rec->key, &known);
    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    err = shelf->kind->enter(ctx, err == WEIR_OK ? known : NULL, rec->value, &now, &n);
    if (err < 0)
        return err;
    if (now == NULL)
        return market_drop(ctx, shelf->drops, rec->key, "not_latest", shelf->kind->record_time(rec->value));
    err = weir_put(ctx, shelf->store, rec->key, now);
    if (err < 0)
        return err;
    return n == MARKET_ALL_PARTS || is_withdrawn(shelf, now)
               ? serve_all(ctx, shelf, rec->key, now)
               : serve_part(ctx, shelf, shelf->served, rec->key, now, n);
}

/* ---- invalidation ---- */

int market_shelf_invalidate(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct market_shelf        *shelf = weir_arg(ctx);
    const struct market_invalidation *asked = rec->value;
    const void                       *entry;
    int64_t                           time;
    int                               err;

    if (rec->key == NULL || asked == NULL || asked->projection_type != shelf->kind->projection)
        return WEIR_OK; /* another node's: latest prices refuse nulls */
    err = weir_get(ctx, shelf->store, rec->key, &entry);
    if (err < 0)
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    time = shelf->kind->time(entry);
    if (!market_is_meant(ctx, asked, time, time))
        return WEIR_OK;
    if (asked->action == MARKET_INVALIDATE_REFRESH)
        return serve_all(ctx, shelf, rec->key, entry);
    err = weir_delete(ctx, shelf->store, rec->key);
    return err < 0 ? err : send_all(ctx, shelf, shelf->gone, rec->key, entry);
}

static int refresh(struct weir_context *ctx, int64_t time)
{
    const struct market_shelf *shelf = weir_arg(ctx);
    struct weir_rows          *rows;
    struct weir_row            row;
    int                        err = weir_range(ctx, shelf->store, NULL, NULL, WEIR_ASCENDING, &rows);

    (void)time;
    while (err == WEIR_OK && (err = weir_next(rows, &row)) == WEIR_OK)
        err = serve_all(ctx, shelf, row.key, row.value);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

int market_refresh_every(struct weir_context *ctx, weir_punctuate *fn)
{
    int64_t every = weir_option(ctx, "refresh");

    return every <= 0 ? WEIR_OK : (int)MIN(weir_schedule(ctx, every, WEIR_WALL_TIME, fn), 0);
}

int market_shelf_open(struct weir_context *ctx) { return market_refresh_every(ctx, refresh); }

int market_shelf_serve(struct weir_context *ctx, const struct market_shelf *shelf, const void *key)
{
    const void *entry;
    int         err = weir_get(ctx, shelf->store, key, &entry);

    if (err < 0)
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    return serve_all(ctx, shelf, key, entry);
}

/* ---- over HTTP ---- */

/* The entry of a key. WEIR_NOTFOUND: none, or one that is withdrawn; and others of views. */
static int look_up(struct weir_request *request, const struct market_shelf *shelf, const struct market_key *key,
                   const void **ret)
{
    struct weir_view *view;
    struct weir_row   row;
    int               err = weir_request_view(request, shelf->store->name, &view);

    if (err == WEIR_OK)
        err = weir_view_get(view, weir_request_arena(request), key, &row);
    if (err == WEIR_OK && is_withdrawn(shelf, row.value))
        return WEIR_NOTFOUND;
    if (err == WEIR_OK)
        *ret = row.value;
    return err;
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

        if (is(snapshot.horizon, horizon))
            return market_curve_snapshot->print(market_curve_snapshot, &snapshot, weir_reply_json(reply));
    }
    return not_found(reply);
}

static int answer_spread(struct weir_request *request, struct weir_reply *reply, const struct market_shelf *shelf,
                         const struct market_key *key, const char *type)
{
    const struct market_spread *spread;
    const void                 *entry;
    int                         err = look_up(request, shelf, key, &entry);

    if (err == WEIR_NOTFOUND)
        return not_found(reply);
    if (err < 0)
        return err;
    spread = entry;
    if (spread->kind != MARKET_BID_ASK && (spread->kind == MARKET_SPOT_FUTURE) != (strcmp(type, "basis") == 0))
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
        if (is(window_at(entry, i)->window, window != NULL ? window : "5m"))
            return market_stats->print(market_stats, window_at(entry, i), weir_reply_json(reply));
    return err < 0 ? err : not_found(reply);
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
    if (strcmp(type, "rolling_stat") == 0)
        return answer_stats(request, reply, custom->stats, &key);
    if (strcmp(type, "bid_ask") == 0)
        return answer_spread(request, reply, custom->bid_asks, &key, type);
    if (strcmp(type, "spread") == 0 || strcmp(type, "basis") == 0)
        return answer_spread(request, reply, custom->pairs, &key, type);
    return weir_reply_fail(reply, 400, "projection_type: there are spread, basis, bid_ask and rolling_stat");
}
