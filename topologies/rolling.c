/* rolling.c: statistics of an instrument's last ticks, and of windows that hop by a minute.
 *
 * (1) The last ticks are the greatest of all that were accepted, whatever order they came in: a tick that has been pushed out by
 *     100 greater ones never comes back. A corrected tick takes its own place.
 * (2) What is said of them changes with each tick; it is sent when a minute has closed, and whenever one that has closed changes,
 *     at the commit: of many minutes that close before it the last one says all. Until then they are in memory as they are.
 * (3) A window by time has no ticks of its own: it is folded from its minutes. It has a row once it holds enough ticks.
 */
#include "schemas/derived.h"
#include "topologies/aggregation.h"

enum {
    LAST_MOST = 100,
    TEXT_MOST = 64,
    LATELY_MOST = 512, /* instruments whose ticks are in memory: 6 KB each */
    AT_ONCE = 32,
    ID_BYTES = 8,
    ENTRY_ROOM = 5 * 10 + ID_BYTES + 1,
    HEAD_ROOM = 1 + 2 * 10 + 2 * (1 + 64),
    MINUTES_MOST = 9
};

static const struct by_count {
    size_t      count;
    const char *window;
} by_count[] = { { 10, "last_10" }, { 50, "last_50" }, { LAST_MOST, "last_100" } };

/* ---- the last ticks, as they are kept ---- */

struct last_tick {
    int64_t               time, sequence; /* us */
    uint8_t               id[ID_BYTES];
    struct market_decimal volume;
    int64_t               price;
    uint32_t              flags;
};

struct last {
    bool             unsaid; /* something has changed since it was said */
    int64_t          epoch, revision;
    struct weir_text currency, unit; /* of the greatest tick */
    size_t           count;
    struct last_tick ticks[LAST_MOST]; /* the least first */
};

/* An instrument's, between its first tick after a commit and the next commit. */
struct lately {
    struct lately *next;
    struct last    last;
    bool           changed, due;                         /* due: something is to be said */
    char           currency[TEXT_MOST], unit[TEXT_MOST]; /* of last */
    size_t         key_size;
    char           key[];
};

static char *put_number(char *at, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        *at++ = (char)(number | 0x80);
    *at++ = (char)number;
    return at;
}

/* Small numbers of either sign are short. */
static uint64_t folded(int64_t number) { return (uint64_t)number << 1 ^ (uint64_t)(number >> 63); }

static int64_t unfolded(uint64_t number) { return (int64_t)(number >> 1) ^ -(int64_t)(number & 1); }

static char *put_text(char *at, struct weir_text text)
{
    *at++ = (char)text.size; /* of at most 64 bytes; empty = not known */
    if (text.size > 0)
        memcpy(at, text.data, text.size);
    return at + text.size;
}

/* Time, sequence and price as they differ from those of the tick before. */
static char *put_tick(char *at, const struct last_tick *tick, const struct last_tick *before)
{
    at = put_number(at, (uint64_t)(tick->time - before->time) << 1 | tick->volume.given);
    at = put_number(at, folded((int64_t)((uint64_t)tick->sequence - (uint64_t)before->sequence)));
    at = put_number(at, folded((int64_t)((uint64_t)tick->price - (uint64_t)before->price)));
    if (tick->volume.given)
        at = put_number(at, folded(tick->volume.units));
    at = put_number(at, tick->flags);
    memcpy(at, tick->id, ID_BYTES);
    return at + ID_BYTES;
}

static int write_last(struct weir_context *ctx, const struct weir_store *store, const struct market_key *key,
                      const struct last *last)
{
    char             bytes[HEAD_ROOM + ENTRY_ROOM * LAST_MOST], *at = bytes;
    struct last_tick none = { 0 };
    struct weir_text value;

    *at++ = (char)last->unsaid;
    at = put_number(at, (uint64_t)last->epoch);
    at = put_number(at, (uint64_t)last->revision);
    at = put_text(at, last->currency);
    at = put_text(at, last->unit);
    for (size_t i = 0; i < last->count; i++)
        at = put_tick(at, &last->ticks[i], i > 0 ? &last->ticks[i - 1] : &none);
    value = (struct weir_text){ bytes, (size_t)(at - bytes) };
    return weir_put(ctx, store, key, &value);
}

struct reading {
    const char *at, *end;
    bool        broken;
};

static uint64_t take_number(struct reading *reading)
{
    uint64_t number = 0;

    for (int shift = 0; shift < 64 && reading->at < reading->end; shift += 7) {
        uint8_t byte = (uint8_t)*reading->at++;

        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return number;
    }
    reading->broken = true;
    return 0;
}

static struct weir_text take_text(struct reading *reading)
{
    size_t           size = reading->at < reading->end ? (uint8_t)*reading->at++ : 0;
    struct weir_text text = { size > 0 ? reading->at : NULL, size };

    if (size > (size_t)(reading->end - reading->at)) {
        reading->broken = true;
        return (struct weir_text){ 0 };
    }
    reading->at += size;
    return text;
}

static void take_tick(struct reading *reading, const struct last_tick *before, struct last_tick *ret)
{
    uint64_t time = take_number(reading);

    *ret = (struct last_tick){ .time = before->time + (int64_t)(time >> 1) };
    ret->sequence = (int64_t)((uint64_t)before->sequence + (uint64_t)unfolded(take_number(reading)));
    ret->price = (int64_t)((uint64_t)before->price + (uint64_t)unfolded(take_number(reading)));
    if (time & 1)
        ret->volume = MARKET_DECIMAL(unfolded(take_number(reading)));
    ret->flags = (uint32_t)take_number(reading);
    if (reading->end - reading->at < ID_BYTES) {
        reading->broken = true;
        return;
    }
    memcpy(ret->id, reading->at, ID_BYTES);
    reading->at += ID_BYTES;
}

static int read_last(struct weir_context *ctx, const struct weir_store *store, const struct market_key *key,
                     struct last *ret)
{
    const struct weir_text *bytes;
    struct reading          reading;
    struct last_tick        none = { 0 };
    int                     err = weir_get(ctx, store, key, (const void **)&bytes);

    memset(ret, 0, offsetof(struct last, ticks));
    if (err < 0)
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    reading = (struct reading){ bytes->data, bytes->data + bytes->size, bytes->size == 0 };
    ret->unsaid = !reading.broken && *reading.at++ != 0;
    ret->epoch = (int64_t)take_number(&reading);
    ret->revision = (int64_t)take_number(&reading);
    ret->currency = take_text(&reading);
    ret->unit = take_text(&reading);
    while (!reading.broken && reading.at < reading.end && ret->count < LAST_MOST) {
        take_tick(&reading, ret->count > 0 ? &ret->ticks[ret->count - 1] : &none, &ret->ticks[ret->count]);
        ret->count++;
    }
    return reading.broken || reading.at < reading.end ? WEIR_UNREADABLE : WEIR_OK;
}

/* ---- a tick comes ---- */

static struct last_tick tick_of(const struct market_arrival *arrival)
{
    struct last_tick tick = { .time = arrival->order.event_time,
                              .sequence = arrival->order.sequence,
                              .price = arrival->content.price.units,
                              .volume = arrival->content.volume,
                              .flags = arrival->content.quality_flags };

    memcpy(tick.id, arrival->order.tick_id, ID_BYTES);
    return tick;
}

static int compare(const struct last_tick *a, const struct last_tick *b)
{
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (a->sequence != b->sequence)
        return a->sequence < b->sequence ? -1 : 1;
    return memcmp(a->id, b->id, ID_BYTES);
}

/* Into its place; false = it is less than all that are kept. */
static bool insert(struct last *last, const struct last_tick *tick)
{
    size_t at = last->count;
    int    by = 1;

    while (at > 0 && (by = compare(tick, &last->ticks[at - 1])) < 0)
        at--;
    if (at > 0 && by == 0) {
        last->ticks[at - 1] = *tick;
        return true;
    }
    if (at == 0 && last->count == LAST_MOST)
        return false;
    if (last->count == LAST_MOST) { /* the least goes */
        at--;
        memmove(&last->ticks[0], &last->ticks[1], sizeof(*tick) * at);
    } else {
        memmove(&last->ticks[at + 1], &last->ticks[at], sizeof(*tick) * (last->count - at));
        last->count++;
    }
    last->ticks[at] = *tick;
    return true;
}

/* ---- what is in memory until the commit ---- */

static void keep_text(struct weir_text *text, char room[TEXT_MOST])
{
    size_t size = MIN(text->size, (size_t)TEXT_MOST);

    if (text->data == NULL)
        return;
    memcpy(room, text->data, size);
    *text = (struct weir_text){ room, size };
}

static int load(struct weir_context *ctx, const struct market_rolling *rolling, struct market_lately *all,
                const struct market_key *key, struct weir_bytes name, struct lately **ret)
{
    struct lately *lately = weir__zalloc(sizeof(*lately) + name.size);
    int            err = lately == NULL ? WEIR_NO_MEMORY : read_last(ctx, rolling->last, key, &lately->last);

    if (err == WEIR_OK) {
        memcpy(lately->key, name.data, name.size);
        lately->key_size = name.size;
        keep_text(&lately->last.currency, lately->currency);
        keep_text(&lately->last.unit, lately->unit);
        err = weir__map_put(&all->by_key, BYTES(lately->key, name.size), lately);
    }
    if (err < 0) {
        weir__free(lately);
        return err;
    }
    *(all->first == NULL ? &all->first : &all->last->next) = lately;
    all->last = lately;
    *ret = lately;
    return WEIR_OK;
}

static int hold(struct weir_context *ctx, const struct market_rolling *rolling, struct market_lately *all,
                const struct market_key *key, struct lately **ret)
{
    struct weir_bytes name;
    int               err = market_key->encode(market_key, weir_record_arena(ctx), key, &name);

    if (err < 0)
        return err;
    *ret = weir__map_get(&all->by_key, name);
    if (*ret == NULL && all->by_key.count >= LATELY_MOST &&
        (err = market_rolling_flush(ctx, rolling, all)) == WEIR_AGAIN)
        err = WEIR_OK;
    return err < 0 || *ret != NULL ? err : load(ctx, rolling, all, key, name, ret);
}

static void forget_first(struct market_lately *all)
{
    struct lately *lately = all->first;

    (void)weir__map_remove(&all->by_key, BYTES(lately->key, lately->key_size));
    all->first = lately->next;
    weir__free(lately);
}

void market_rolling_forget(struct market_lately *all)
{
    while (all->first != NULL)
        forget_first(all);
    weir__map_fini(&all->by_key);
}

int market_rolling_enter(struct weir_context *ctx, const struct market_rolling *rolling, struct market_lately *all,
                         const struct market_arrival *arrival)
{
    struct last_tick tick = tick_of(arrival);
    struct lately   *lately;
    struct last     *last;
    int              err = hold(ctx, rolling, all, &arrival->line.key, &lately);

    if (err < 0 || !insert(&lately->last, &tick))
        return err;
    last = &lately->last;
    if (compare(&tick, &last->ticks[last->count - 1]) == 0) {
        last->currency = arrival->content.currency;
        last->unit = arrival->content.unit;
        keep_text(&last->currency, lately->currency);
        keep_text(&last->unit, lately->unit);
    }
    last->unsaid = lately->changed = true;
    return WEIR_OK;
}

int market_rolling_due(struct weir_context *ctx, const struct market_rolling *rolling, struct market_lately *all,
                       const struct market_key *key)
{
    struct lately *lately;
    int            err = hold(ctx, rolling, all, key, &lately);

    if (err == WEIR_OK)
        lately->due = true;
    return err;
}

/* ---- saying ---- */

static int send(struct weir_context *ctx, const struct market_rolling *rolling, const struct market_key *key,
                const struct market_fold *fold, struct market_stats *stats)
{
    struct weir_record rec = { .key = key, .value = stats };

    market_stats_fill(stats, fold);
    stats->tenant_id = key->tenant;
    stats->instrument_id = key->instrument;
    rec.timestamp = stats->state == MARKET_BAR_OPEN ? stats->last_event_time / 1000 : stats->window_start / 1000;
    return weir_forward_to(ctx, rolling->node, &rec);
}

static int fold_last(const struct last *last, size_t count, struct market_fold *ret)
{
    int err = WEIR_OK;

    *ret = (struct market_fold){ 0 };
    for (size_t i = last->count - count; err == WEIR_OK && i < last->count; i++) {
        const struct last_tick *tick = &last->ticks[i];
        struct market_order     order = { .event_time = tick->time, .sequence = tick->sequence };
        struct market_content   content = { .price = MARKET_DECIMAL(tick->price),
                                            .volume = tick->volume,
                                            .quality_flags = tick->flags,
                                            .currency = last->currency,
                                            .unit = last->unit };

        memcpy(order.tick_id, tick->id, ID_BYTES);
        err = market_fold_add(ret, &order, &content);
    }
    return err;
}

static int say_last(struct weir_context *ctx, const struct market_rolling *rolling, const struct market_key *key,
                    const struct last *last, const struct by_count *of)
{
    struct market_stats stats = { .window = { of->window, strlen(of->window) },
                                  .window_start = last->ticks[last->count - of->count].time,
                                  .window_end = last->ticks[last->count - 1].time,
                                  .state = MARKET_BAR_OPEN,
                                  .epoch = last->epoch,
                                  .revision = last->revision };
    struct market_fold  fold;
    int                 err = fold_last(last, of->count, &fold);

    return err < 0 ? market_weir_code(err) : send(ctx, rolling, key, &fold, &stats);
}

static int say(struct weir_context *ctx, const struct market_rolling *rolling, const struct market_key *key,
               struct lately *lately)
{
    struct last *last = &lately->last;
    int64_t      epoch = market_first_epoch(weir_epoch(ctx));
    int          err = WEIR_OK;

    if (last->count < by_count[0].count || (!last->unsaid && last->epoch >= epoch))
        return WEIR_OK;
    last->revision = last->epoch < epoch ? 1 : last->revision + 1;
    last->epoch = MAX(last->epoch, epoch);
    last->unsaid = false;
    lately->changed = true;
    for (size_t i = 0; err == WEIR_OK && i < ARRAY_SIZE(by_count) && by_count[i].count <= last->count; i++)
        err = say_last(ctx, rolling, key, last, &by_count[i]);
    return err;
}

static int flush(struct weir_context *ctx, const struct market_rolling *rolling, struct lately *lately)
{
    struct market_key key;
    int err = market_key->decode(market_key, weir_record_arena(ctx), BYTES(lately->key, lately->key_size), &key);

    if (err == WEIR_OK && lately->due)
        err = say(ctx, rolling, &key, lately);
    return err == WEIR_OK && lately->changed ? write_last(ctx, rolling->last, &key, &lately->last) : err;
}

int market_rolling_flush(struct weir_context *ctx, const struct market_rolling *rolling, struct market_lately *all)
{
    for (int i = 0; i < AT_ONCE && all->first != NULL; i++) {
        int err = flush(ctx, rolling, all->first);

        if (err < 0)
            return err;
        forget_first(all);
    }
    return all->first != NULL ? WEIR_AGAIN : WEIR_OK;
}

/* ---- windows by time ---- */

static bool same(const struct market_fold *a, const struct market_fold *b)
{
    return market_fold_same(a, b) && a->prices.units == b->prices.units && a->squares == b->squares;
}

/* The next revision of a window that has closed, where it says something else than the last one. */
static int say_hop(struct weir_context *ctx, const struct market_rolling *rolling, const struct market_line *line,
                   int64_t start, const struct market_fold *fold)
{
    const struct market_window *known;
    struct market_window        window = { .fold = *fold };
    struct market_stats         stats = { .window = { rolling->window, strlen(rolling->window) },
                                          .window_start = start * 1000,
                                          .window_end = (start + rolling->width) * 1000 };
    int64_t                     epoch = market_line_epoch(ctx, line);
    int                         err = weir_get_window(ctx, rolling->hops, line, start, (const void **)&known);

    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    if (err == WEIR_OK) {
        if (known->revision > 0 && known->epoch >= epoch && same(fold, &known->fold))
            return WEIR_OK;
        window.epoch = known->epoch;
        window.revision = known->revision;
    }
    window.revision = window.epoch < epoch ? 1 : window.revision + 1;
    window.epoch = MAX(window.epoch, epoch);
    stats.state = window.revision == 1 ? MARKET_BAR_FINAL : MARKET_BAR_CORRECTION;
    stats.epoch = window.epoch;
    stats.revision = window.revision;
    err = weir_put_window(ctx, rolling->hops, line, &window, start);
    return err < 0 ? err : send(ctx, rolling, &line->key, fold, &stats);
}

static int open_hop(struct weir_context *ctx, const struct market_rolling *rolling, const struct market_line *line,
                    int64_t start)
{
    static const struct market_window none = { .epoch = MARKET_LIVE };
    const struct market_window       *known;
    int                               err = weir_get_window(ctx, rolling->hops, line, start, (const void **)&known);

    return err == WEIR_NOTFOUND ? weir_put_window(ctx, rolling->hops, line, &none, start) : err;
}

/* The minutes around one, each in its place; those that have no row are empty. */
static int read_minutes(struct weir_context *ctx, const struct market_rolling *rolling,
                        const struct market_line *line, int64_t from, int64_t to,
                        struct market_fold ret[MINUTES_MOST])
{
    struct weir_rows *rows;
    struct weir_row   row;
    int               err = weir_fetch(ctx, rolling->minutes, line, MAX(from, 0), to - 1, WEIR_ASCENDING, &rows);

    memset(ret, 0, sizeof(*ret) * MINUTES_MOST);
    while (err == WEIR_OK && (err = weir_next(rows, &row)) == WEIR_OK)
        ret[(row.start - from) / rolling->step] = ((const struct market_window *)row.value)->fold;
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int change_hop(struct weir_context *ctx, const struct market_rolling *rolling, const struct market_line *line,
                      int64_t start, const struct market_fold *minutes, int64_t least)
{
    struct market_fold fold = { 0 };
    int                standing, err = WEIR_OK;

    for (int64_t i = 0; err == WEIR_OK && i < rolling->width / rolling->step; i++)
        err = market_fold_merge(&fold, &minutes[i]);
    if (err < 0 || fold.count < least)
        return market_weir_code(err);
    standing = weir_window_standing(ctx, rolling->hops, line, start + rolling->width);
    if (standing < 0 || standing == WEIR_PAST)
        return MIN(standing, WEIR_OK);
    return standing == WEIR_OPEN ? open_hop(ctx, rolling, line, start) : say_hop(ctx, rolling, line, start, &fold);
}

int market_rolling_changed(struct weir_context *ctx, const struct market_rolling *rolling,
                           const struct market_line *line, int64_t minute, int64_t count, int64_t least)
{
    struct market_fold minutes[MINUTES_MOST];
    int64_t            first = minute - rolling->width + rolling->step;
    int                standing = weir_window_standing(ctx, rolling->hops, line, minute + rolling->step), err;

    if (standing < 0 || (standing == WEIR_OPEN && count > least)) /* all have rows since the tick that was enough */
        return MIN(standing, WEIR_OK);
    err = read_minutes(ctx, rolling, line, first, minute + rolling->width, minutes);
    for (int64_t i = 0; err == WEIR_OK && i < rolling->width / rolling->step; i++)
        if (first + i * rolling->step >= 0)
            err = change_hop(ctx, rolling, line, first + i * rolling->step, &minutes[i], least);
    return err;
}

int market_rolling_closed(struct weir_context *ctx, const struct market_rolling *rolling, const struct weir_row *row,
                          int64_t least)
{
    struct market_fold fold;
    int                err = market_windows_fold(ctx, rolling->minutes, row->key, row->start, row->end, &fold);

    return err < 0 || fold.count < least ? err : say_hop(ctx, rolling, row->key, row->start, &fold);
}
