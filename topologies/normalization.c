/* normalization.c: raw events of all markets become ticks of one form, each once.
 *
 * (1) A raw event ends as ticks, as one dead letter, or in a counter under a reason.
 * (2) What needs state lies behind a hop by tenant and instrument.
 * (3) A tick that is ahead of its ingestion by more than its market allows is refused before it moves any time.
 * (4) A backfill's ticks are all sent on, the known ones too: windows may begin anew from them. They move no time.
 * (5) Of other ticks that can be corrected only what is greater than all before is sent on: the last one sent is the greatest.
 */
#include "topologies/topologies.h"

/* clang-format off */

static int          check_limits(const char *text, struct weir_error *reterr);
static weir_open    begin;
static weir_process decode, judge;
static weir_tenant  tenant_of_raw;

/* What a raw event is read with: one of the task. */
struct reading_state {
    struct market_limits      limits[MARKET_RULES_MAX];
    struct market_raw_options options;
};

/* where events come from, what is remembered, and where ticks go */
SOURCES(raw, TOPICS("ingestion.market.raw.v1", "ingestion.market.ticks.raw.v1", "ingestion.miso.raw.v1",
                    "ingestion.caiso.raw.v1", "ingestion.ercot.raw.v1", "ingestion.pjm.raw.v1",
                    "ingestion.nyiso.raw.v1", "ingestion.isone.raw.v1", "ingestion.aeso.raw.v1"),
        weir_blob, weir_blob);
/* Of what every tick writes only the last one is logged, when a commit is due. */
#define OFTEN .cache = WEIR_ON
/* Ticks seen of late, by the key's own time: retention is the horizon within which a repeated tick is known. */
#define SEEN(width, horizon) TUMBLING(width, 0, .time = WEIR_PER_KEY, .retention = horizon)
WINDOWS(prices_seen_s, market_key, weir_blob, SEEN(HOURS(1),    HOURS(48)));   /* contents */
WINDOWS(quotes_seen_s, market_key, weir_blob, SEEN(HOURS(1),    HOURS(48)));   /* of power: one may share a price's id */
WINDOWS(trades_seen_s, market_key, weir_blob, SEEN(SECONDS(1),  MINUTES(15)), OFTEN); /* marks */
KEYS   (recent_s,      market_key, market_recent, OFTEN); /* names and values of each instrument */
KEYS   (drops_s,       market_key, market_dropped);
SINK   (ticks,   "normalized.market.ticks.v1", market_key, market_tick);
SINK   (rejects, "processing.deadletter.normalization.v1", weir_blob, weir_blob);

/* what happens on the way */
STEP       (decoded, decode, .open = begin, .state = sizeof(struct reading_state), .key = market_key, .value = market_tick,
            .options = OPTIONS({ "components", WEIR_OPTION_SWITCH, "on", NULL },
                               { "fallback",   WEIR_OPTION_SWITCH, "off", NULL },
                               { "limits",     WEIR_OPTION_TEXT,   "", check_limits }));
REPARTITION(by_instrument);
STEP       (judged, judge, .key = market_key, .value = market_tick,
            .options = OPTIONS({ "fallback_age", WEIR_OPTION_DURATION, "240m", NULL }),
            .uses = STORES(prices_seen_s, quotes_seen_s, trades_seen_s, recent_s, drops_s));

TOPOLOGY(normalization, .dead_letters = rejects, .tenant = tenant_of_raw, .port = 8080, .settings = market_settings,
    .paths = PATHS(
        PATH(raw, decoded, by_instrument, judged, ticks)));

/* clang-format on */

/* A tick that comes so long after its interval's end is flagged, us. */
#define LATE (MINUTES(5) * 1000)

/* Marks kept of one window of trades: more than a market makes in 10 s. */
enum { MARKS_MOST = 100000 };

/* ---- raw event to ticks ---- */

static int check_limits(const char *text, struct weir_error *reterr)
{
    struct market_limits limits[MARKET_RULES_MAX];

    return market_limits_read(text, limits, reterr);
}

static int begin(struct weir_context *ctx)
{
    struct reading_state *state = weir_state(ctx);

    state->options = (struct market_raw_options){ .components_off = !weir_option(ctx, "components"),
                                                  .fallback = weir_option(ctx, "fallback"),
                                                  .limits = state->limits };
    return market_weir_code(market_limits_read(weir_option_text(ctx, "limits"), state->limits, NULL));
}

static int read_raw(struct weir_context *ctx, const struct weir_record *rec, struct market_reading *ret,
                    struct weir_error *reterr)
{
    const struct reading_state *state = weir_state(ctx);
    const struct weir_text     *value = rec->value;
    const struct market_origin  origin = {
         .topic = rec->topic, .partition = rec->partition, .offset = rec->offset, .timestamp = rec->timestamp
    };

    return market_read_raw(weir_record_arena(ctx), BYTES(value->data, value->size), &origin, &state->options, ret,
                           reterr);
}

static bool is_backfill(const struct weir_record *rec) { return market_backfill_of(rec) > 0; }

static bool too_far_ahead(const struct weir_record *rec, const struct market_reading *reading)
{
    if (reading->ahead < 0 || market_load_of(rec) > 0 || is_backfill(rec))
        return false;
    for (size_t i = 0; i < reading->count; i++)
        if (reading->ticks[i].event_time - reading->ticks[i].ingested_at > reading->ahead)
            return true;
    return false;
}

/* What replay and backfill bring is not late: nobody waited for it. */
static bool is_late(const struct weir_record *rec, const struct market_tick *tick)
{
    return market_load_of(rec) == 0 && !is_backfill(rec) &&
           tick->ingested_at - (tick->event_time + tick->interval) > LATE;
}

static int forward_ticks(struct weir_context *ctx, const struct weir_record *rec, struct market_reading *reading)
{
    int err = WEIR_OK;

    for (size_t i = 0; i < reading->components_absent; i++)
        weir_drop(ctx, "component_absent");
    for (size_t i = 0; i < reading->prices_awaited; i++)
        weir_drop(ctx, "price_awaited");
    for (size_t i = 0; err == WEIR_OK && i < reading->count; i++) {
        struct market_tick *tick = &reading->ticks[i];
        struct market_key   key = { .tenant = tick->tenant_id, .instrument = tick->instrument_id };
        struct weir_record  out = *rec;

        if (tick->event_time < 0)
            return weir_reject(ctx, WEIR_BAD_TIME, "the event's time is before 1970");
        if (is_late(rec, tick))
            tick->quality_flags |= MARKET_LATE_ARRIVAL;
        if (tick->quality_flags == 0)
            tick->quality_flags = MARKET_VALID;
        tick->normalized_at = weir_wall_time(ctx) * 1000;
        out.key = &key;
        out.value = tick;
        out.timestamp = tick->event_time / 1000;
        err = weir_forward_record(ctx, &out);
    }
    return err;
}

static int decode(struct weir_context *ctx, const struct weir_record *rec)
{
    struct market_reading reading = { 0 };
    struct weir_error     error = { 0 };
    int                   err;

    if (rec->value == NULL)
        return weir_reject(ctx, WEIR_NULL_GIVEN, "the raw event is null");
    err = read_raw(ctx, rec, &reading, &error);
    if (err < 0 && weir_code_scope(market_weir_code(err)) != WEIR_SCOPE_RECORD)
        return err;
    if (err < 0)
        return weir_refuse(ctx, market_reason_name(err), error.text);
    if (too_far_ahead(rec, &reading))
        return weir_refuse(ctx, "too_far_ahead",
                           "the event's time lies further ahead of its ingestion than its market allows");
    return forward_ticks(ctx, rec, &reading);
}

static void tenant_of_raw(struct weir_arena *arena, const char *topic, struct weir_bytes key, struct weir_bytes value,
                          struct weir_text *ret)
{
    const struct market_origin      origin = { .topic = topic };
    const struct market_raw_options options = { 0 };
    struct market_reading           reading = { 0 };

    if (value.data != NULL)
        (void)market_read_raw(arena, value, &origin, &options, &reading, NULL);
    if (reading.tenant.data != NULL)
        *ret = reading.tenant;
    else
        market_tenant_of_key(arena, topic, key, value, ret);
}

/* ---- each tick once ---- */

/* Of a trade the first content counts. */
static int enter_mark(struct weir_context *ctx, struct weir_text marks, const struct market_order *order,
                      const struct market_content *content, struct weir_text *ret)
{
    char              mark[MARKET_MARK_BYTES];
    enum market_known known;
    int               err;

    market_mark(order, content, mark);
    known = market_mark_find(marks, mark);
    *ret = marks;
    if (known == MARKET_SAME)
        return known;
    err = market_mark_add(ctx, marks, mark, MARKS_MOST, ret);
    return err < 0 ? err : (int)known;
}

/* What is known of a tick: enum market_known, or a code. It is remembered. */
static int remember(struct weir_context *ctx, const struct weir_store *store, const struct market_key *key,
                    int64_t start, const struct market_tick *tick)
{
    const struct market_order   order = market_order_of(tick);
    const struct market_content content = market_content_of(tick);
    const struct weir_text     *seen;
    struct weir_text            known = { 0 }, kept;
    int                         found, err = weir_get_window(ctx, store, key, start, (const void **)&seen);

    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    if (err == WEIR_OK)
        known = *seen;
    found = store == trades_seen_s ? enter_mark(ctx, known, &order, &content, &kept)
                                   : market_contents_enter(ctx, known, &order, &content, &kept);
    if (found < 0 || kept.data == known.data)
        return found;
    err = weir_put_window(ctx, store, key, &kept, start);
    return err < 0 ? err : found;
}

/* Each flag is counted. */
static int forward_flagged(struct weir_context *ctx, const struct weir_record *rec, uint32_t flag)
{
    struct market_tick *tick = weir_alloc(ctx, sizeof(*tick));

    if (tick == NULL)
        return WEIR_LIMIT;
    for (int bit = 0; bit < MARKET_FLAG_COUNT; bit++)
        if (flag & 1u << bit)
            weir_note(ctx, market_flag_label((enum market_flag_bit)bit));
    *tick = *(const struct market_tick *)rec->value;
    tick->quality_flags = market_flagged(tick->quality_flags, flag);
    return weir_forward(ctx, rec->key, tick);
}

static int read_recent(struct weir_context *ctx, const void *key, struct market_recent *ret)
{
    const struct market_recent *known;
    int                         err = weir_get(ctx, recent_s, key, (const void **)&known);

    *ret = err == WEIR_OK ? *known : (struct market_recent){ 0 };
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static struct weir_text text_of(const char *text) { return (struct weir_text){ text, strlen(text) }; }

/* 1: the tick's feed calls its instrument as ever, and it is of the market that it ever was of; 0: refused. */
static int check_name(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct market_tick  *tick = rec->value;
    const struct market_rules *rules = market_rules_find(tick->market);
    struct market_recent       recent;
    struct weir_error          error;
    int                        err = read_recent(ctx, rec->key, &recent), market = 0;

    if (err == WEIR_OK)
        market = market_recent_market(&recent, text_of(rules->name), text_of(rules->day_zone), tick, &error);
    if (err == WEIR_OK)
        err = market < 0 ? market : market_recent_name(&recent, weir_record_arena(ctx), tick, &error);
    if (err == MARKET_NAME_CLASH)
        return weir_refuse(ctx, market_reason_name(err), error.text);
    if (err == 1 || (err == 0 && market == 1))
        err = weir_put(ctx, recent_s, rec->key, &recent);
    return err < 0 ? err : 1;
}

/* Flags of a tick beside its instrument's recent values, to which it is added; or a code. */
static int64_t stand_out(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct market_tick *tick = rec->value;
    struct market_recent      recent;
    uint32_t                  flags;
    int                       err = read_recent(ctx, rec->key, &recent);

    if (err < 0)
        return err;
    flags = market_recent_judge(&recent, tick);
    market_recent_add(&recent, tick);
    err = weir_put(ctx, recent_s, rec->key, &recent);
    return err < 0 ? err : (int64_t)flags;
}

/* What a backfill brings is no recent value. */
static int forward_backfill(struct weir_context *ctx, const struct weir_record *rec, enum market_known known)
{
    switch (known) {
    case MARKET_SAME: return forward_flagged(ctx, rec, MARKET_DUPLICATE);
    case MARKET_OTHERWISE: return forward_flagged(ctx, rec, MARKET_CORRECTION);
    case MARKET_SUPERSEDED:
    case MARKET_NEW: break;
    }
    return weir_forward(ctx, rec->key, rec->value);
}

static int forward_known(struct weir_context *ctx, const struct weir_record *rec, enum market_known known)
{
    const struct market_tick *tick = rec->value;
    int64_t                   flags;

    if (known == MARKET_SAME || known == MARKET_SUPERSEDED)
        return market_drop(ctx, drops_s, rec->key, known == MARKET_SAME ? "duplicate" : "superseded",
                           tick->event_time);
    flags = tick->price.given ? stand_out(ctx, rec) : 0;
    if (flags < 0)
        return (int)flags;
    if (known == MARKET_OTHERWISE)
        flags |= MARKET_CORRECTION;
    return flags != 0 ? forward_flagged(ctx, rec, (uint32_t)flags) : weir_forward(ctx, rec->key, rec->value);
}

static int judge_in(struct weir_context *ctx, const struct weir_record *rec, const struct weir_store *store)
{
    int64_t width = store->windows->size;
    int64_t start = rec->timestamp - rec->timestamp % width;
    int     standing = weir_window_standing(ctx, store, rec->key, start + width), known, err;

    if (standing < 0)
        return standing;
    if (standing == WEIR_PAST)
        return forward_flagged(ctx, rec, MARKET_UNVERIFIED);
    known = remember(ctx, store, rec->key, start, rec->value);
    if (known < 0)
        return known;
    if (is_backfill(rec))
        return forward_backfill(ctx, rec, known);
    err = weir_advance(ctx, store, rec->key, rec->timestamp);
    return err < 0 ? err : forward_known(ctx, rec, known);
}

/* A tick without a price of its own is no tick that was seen, and moves no time: its own price may come yet. */
static int fall_back(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct market_tick *tick = rec->value;
    struct market_recent      recent;
    struct market_tick       *out;
    int                       err = read_recent(ctx, rec->key, &recent);
    int64_t                   age = tick->event_time - recent.last_time;

    if (err < 0)
        return err;
    if (!recent.last_price.given || age < 0 || age > weir_option(ctx, "fallback_age") * 1000)
        return weir_refuse(ctx, market_reason_name(MARKET_NO_PRICE),
                           "the price is empty, and the instrument has none that is recent enough to fall back on");
    out = weir_alloc(ctx, sizeof(*out));
    if (out == NULL)
        return WEIR_LIMIT;
    *out = *tick;
    out->price = recent.last_price;
    return weir_forward(ctx, rec->key, out);
}

static int judge(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct market_tick *tick = rec->value;
    int                       err = check_name(ctx, rec);

    if (err <= 0)
        return err;
    if (tick->quality_flags & MARKET_FALLBACK)
        return fall_back(ctx, rec);
    if (!market_rules_find(tick->market)->corrects)
        return judge_in(ctx, rec, trades_seen_s);
    return judge_in(ctx, rec, tick->kind == MARKET_KIND_QUOTE ? quotes_seen_s : prices_seen_s);
}
