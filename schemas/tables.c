/* tables.c: the schema table of each record, and the codecs made from it. docs/schemas.md is
 * printed from these tables. */
#include "schemas/derived.h"
#include "schemas/schema.h"

enum {
    ID_TEXT_MAX = 256, /* event ids, symbols, systems */
    WORD_MAX = 64,     /* markets, currencies, units, categories */
    ENTRIES_MAX = 64,
    LEGS_MAX = 16,
    POINTS_MAX = 512,
    RULES_MAX = 1000,
    DROPS_MAX = 32,
    USES_MAX = 4096,
};

/* One row. of: the record's struct. */
#define ROW(of, kind, field, ...)                                                                                 \
    {                                                                                                             \
        .name = #field, .member = "\"" #field "\":", .name_size = sizeof(#field) - 1, .type = MARKET_TYPE_##kind, \
        .offset = offsetof(struct of, field), ##__VA_ARGS__                                                       \
    }
#define REQUIRED .required = true
#define UP_TO(n) .max = n
#define ELSE(n)  .fallback = n
#define SPARSE   .sparse = true
#define WORDS(w) .words = w, .max = ARRAY_SIZE(w)
#define TABLE(of, number, rows, ...)                                                   \
    static const struct market_schema of##_schema[1] = { { .name = #of,                \
                                                           .version = number,          \
                                                           .bytes = sizeof(struct of), \
                                                           .fields = rows,             \
                                                           .count = ARRAY_SIZE(rows),  \
                                                           ##__VA_ARGS__ } };          \
    _Static_assert(ARRAY_SIZE(rows) <= 64, "a set of fields is a word of bits")

static const char *const kinds[] = { "price", "trade", "quote" };
const char *const        market_projection_words[] = { "latest_price", "curve_snapshot", "custom", "bars" };
static const char *const actions[] = { "drop", "refresh" };
static const char *const states[] = { "open", "final", "correction", "withdrawn" };
#define WORD(name, word) word,
static const char *const spread_kinds[] = { MARKET_SPREAD_KINDS(WORD) };
const char *const        market_custom_words[] = { MARKET_CUSTOM_TYPES(WORD) };
#undef WORD
static const char *const methods[] = { "linear", "log_linear", "cubic" };
static const char *const day_counts[] = { "act_365", "act_360", "30_360" };

/* clang-format off */

/* ---- tick ---- */

#define TICK_1                                                        \
    ROW(market_tick, TICK_ID,    tick_id,         REQUIRED),          \
    ROW(market_tick, TENANT,     tenant_id,       REQUIRED, UP_TO(MARKET_TENANT_MAX)), \
    ROW(market_tick, INSTRUMENT, instrument_id,   REQUIRED, UP_TO(MARKET_INSTRUMENT_MAX)), \
    ROW(market_tick, TEXT,       market,          REQUIRED, UP_TO(WORD_MAX)), \
    ROW(market_tick, WORD,       kind,            REQUIRED, WORDS(kinds)), \
    ROW(market_tick, INT,        event_time,      REQUIRED),          \
    ROW(market_tick, INT,        sequence),                           \
    ROW(market_tick, INT,        interval),                           \
    ROW(market_tick, INT,        revision,        ELSE(1)),           \
    ROW(market_tick, INT,        ingested_at,     REQUIRED),          \
    ROW(market_tick, INT,        normalized_at),                      \
    ROW(market_tick, DECIMAL,    price),                              \
    ROW(market_tick, DECIMAL,    volume),                             \
    ROW(market_tick, DECIMAL,    bid_price),                          \
    ROW(market_tick, DECIMAL,    ask_price),                          \
    ROW(market_tick, TEXT,       currency,        UP_TO(WORD_MAX)),   \
    ROW(market_tick, TEXT,       unit,            UP_TO(WORD_MAX)),   \
    ROW(market_tick, TEXT,       symbol,          UP_TO(ID_TEXT_MAX)),\
    ROW(market_tick, TEXT,       source,          UP_TO(ID_TEXT_MAX)),\
    ROW(market_tick, TEXT,       source_system,   UP_TO(ID_TEXT_MAX)),\
    ROW(market_tick, TEXT,       source_event_id, UP_TO(ID_TEXT_MAX)),\
    ROW(market_tick, FLAGS,      quality_flags),                      \
    ROW(market_tick, MAP,        metadata,        UP_TO(ENTRIES_MAX)),\
    ROW(market_tick, LIST,       tags,            UP_TO(ENTRIES_MAX))

/* A price or trade has a price, or is to fall back on one; a quote has a side of one. */
static const char *missing_in_tick(const void *record)
{
    const struct market_tick *tick = record;

    if (tick->kind == MARKET_KIND_QUOTE)
        return tick->bid_price.given || tick->ask_price.given ? NULL : "bid_price";
    return tick->price.given || tick->quality_flags & MARKET_FALLBACK ? NULL : "price";
}

/* How long it took from ingestion to here, and the flags as a status and issues: made of other fields. */
static void derive_of_tick(const void *record, struct weir_json_out *json)
{
    const struct market_tick *tick = record;
    const uint32_t            issues = tick->quality_flags & ~(uint32_t)MARKET_VALID;
    int64_t                   lag;

    if (__builtin_sub_overflow(tick->normalized_at, tick->ingested_at, &lag))
        lag = tick->normalized_at < tick->ingested_at ? 0 : INT64_MAX;
    weir_json_name(json, "processing_lag_ms");
    weir_json_put_int64(json, MAX(lag, 0) / 1000);
    weir_json_name(json, "quality");
    weir_json_begin_object(json);
    weir_json_name(json, "status");
    weir_json_put_string(json, issues & MARKET_FALLBACK ? "fallback" : "canonical");
    weir_json_name(json, "issues");
    weir_json_begin_array(json);
    for (int bit = 0; bit < MARKET_FLAG_COUNT; bit++)
        if (issues >> bit & 1)
            weir_json_put_string(json, market_flag_label((enum market_flag_bit)bit));
    weir_json_end_array(json);
    weir_json_end_object(json);
}

static const struct market_field tick_rows[] = { TICK_1 };
TABLE(market_tick, 1, tick_rows, .missing = missing_in_tick, .derive = derive_of_tick,
      .derived = "| `processing_lag_ms` | integer, made of `normalized_at` and `ingested_at` | | | from 0 on |\n"
                 "| `quality.status` | `canonical` or `fallback`, made of `quality_flags` | | | |\n"
                 "| `quality.issues` | list of labels, those of `quality_flags` but `valid` | | | |\n");

/* ---- enriched tick: what a tick's table grows by goes behind its own rows, not between ---- */

_Static_assert(offsetof(struct market_enriched, tick) == 0, "an enriched tick begins as a tick");

static const struct market_field taxonomy_rows[] = {
    ROW(market_taxonomy, TEXT,    commodity,    UP_TO(WORD_MAX)),
    ROW(market_taxonomy, TEXT,    region,       UP_TO(WORD_MAX)),
    ROW(market_taxonomy, TEXT,    product_tier, UP_TO(WORD_MAX)),
    ROW(market_taxonomy, DECIMAL, confidence),
    ROW(market_taxonomy, TEXT,    method,       UP_TO(WORD_MAX)),
};
TABLE(market_taxonomy, 0, taxonomy_rows);

static const struct market_field enriched_rows[] = {
    TICK_1,
    ROW(market_enriched, RECORD,  taxonomy,          .inner = market_taxonomy_schema),
    ROW(market_enriched, DECIMAL, contract_size),
    ROW(market_enriched, DECIMAL, tick_size),
    ROW(market_enriched, INT,     reference_version),
};
TABLE(market_enriched, 1, enriched_rows, .missing = missing_in_tick);

/* ---- bar ---- */

static const struct market_field bar_rows[] = {
    ROW(market_bar, TENANT,     tenant_id,        REQUIRED, UP_TO(MARKET_TENANT_MAX)),
    ROW(market_bar, INSTRUMENT, instrument_id,    REQUIRED, UP_TO(MARKET_INSTRUMENT_MAX)),
    ROW(market_bar, TEXT,       interval,         REQUIRED, UP_TO(WORD_MAX)),
    ROW(market_bar, INT,        window_start,     REQUIRED),
    ROW(market_bar, INT,        window_end,       REQUIRED),
    ROW(market_bar, UNITS,      open,             REQUIRED),
    ROW(market_bar, UNITS,      high,             REQUIRED),
    ROW(market_bar, UNITS,      low,              REQUIRED),
    ROW(market_bar, UNITS,      close,            REQUIRED),
    ROW(market_bar, SUM,        volume),
    ROW(market_bar, DOUBLE,     vwap),
    ROW(market_bar, INT,        trade_count,      REQUIRED),
    ROW(market_bar, INT,        first_event_time, REQUIRED),
    ROW(market_bar, INT,        last_event_time,  REQUIRED),
    ROW(market_bar, FLAGS,      quality_flags),
    ROW(market_bar, INT,        flagged_count),
    ROW(market_bar, WORD,       state,            REQUIRED, WORDS(states)),
    ROW(market_bar, INT,        epoch),
    ROW(market_bar, INT,        revision,         ELSE(1)),
    ROW(market_bar, TEXT,       currency,         UP_TO(WORD_MAX)),
    ROW(market_bar, TEXT,       unit,             UP_TO(WORD_MAX)),
};
TABLE(market_bar, 1, bar_rows);

/* ---- latest price ---- */

static const struct market_field latest_rows[] = {
    ROW(market_latest, TENANT,     tenant_id,     REQUIRED, UP_TO(MARKET_TENANT_MAX)),
    ROW(market_latest, INSTRUMENT, instrument_id, REQUIRED, UP_TO(MARKET_INSTRUMENT_MAX)),
    ROW(market_latest, TEXT,       market,        REQUIRED, UP_TO(WORD_MAX)),
    ROW(market_latest, UNITS,      price,         REQUIRED),
    ROW(market_latest, DECIMAL,    volume),
    ROW(market_latest, DECIMAL,    bid_price),
    ROW(market_latest, DECIMAL,    ask_price),
    ROW(market_latest, TEXT,       currency,      UP_TO(WORD_MAX)),
    ROW(market_latest, TEXT,       unit,          UP_TO(WORD_MAX)),
    ROW(market_latest, INT,        epoch),
    ROW(market_latest, INT,        event_time,    REQUIRED),
    ROW(market_latest, INT,        sequence),
    ROW(market_latest, TICK_ID,    tick_id,       REQUIRED),
    ROW(market_latest, INT,        revision,      ELSE(1)),
    ROW(market_latest, INT,        ingested_at,   REQUIRED),
    ROW(market_latest, FLAGS,      quality_flags),
    ROW(market_latest, TEXT,       source_system, UP_TO(ID_TEXT_MAX)),
    ROW(market_latest, BOOL,       deleted,       SPARSE),
};
TABLE(market_latest, 2, latest_rows);

/* ---- statistics ---- */

/* What has come of a window so far, and in what. */
#define SAID(of)                                     \
    ROW(of, FLAGS, quality_flags),                   \
    ROW(of, WORD,  state,    REQUIRED, WORDS(states)), \
    ROW(of, INT,   epoch),                           \
    ROW(of, INT,   revision, ELSE(1)),               \
    ROW(of, TEXT,  currency, UP_TO(WORD_MAX)),       \
    ROW(of, TEXT,  unit,     UP_TO(WORD_MAX))
/* How it is served. */
#define SERVED(of)                \
    ROW(of, INT,  rebuild, SPARSE), \
    ROW(of, BOOL, deleted, SPARSE)

static const struct market_field stats_rows[] = {
    ROW(market_stats, TENANT,     tenant_id,          REQUIRED, UP_TO(MARKET_TENANT_MAX)),
    ROW(market_stats, INSTRUMENT, instrument_id,      REQUIRED, UP_TO(MARKET_INSTRUMENT_MAX)),
    ROW(market_stats, TEXT,       window,             REQUIRED, UP_TO(WORD_MAX)),
    ROW(market_stats, INT,        window_start,       REQUIRED),
    ROW(market_stats, INT,        window_end,         REQUIRED),
    ROW(market_stats, INT,        count,              REQUIRED),
    ROW(market_stats, DOUBLE,     mean),
    ROW(market_stats, UNITS,      min,                REQUIRED),
    ROW(market_stats, UNITS,      max,                REQUIRED),
    ROW(market_stats, SUM,        range),
    ROW(market_stats, DOUBLE,     standard_deviation),
    ROW(market_stats, SUM,        volume),
    ROW(market_stats, INT,        first_event_time,   REQUIRED),
    ROW(market_stats, INT,        last_event_time,    REQUIRED),
    SAID(market_stats),
    SERVED(market_stats),
};
TABLE(market_stats, 2, stats_rows);

static const struct market_schema stats_part[1] = {
    { .name = "market_stats", .bytes = sizeof(struct market_stats), .fields = stats_rows, .count = ARRAY_SIZE(stats_rows) }
};
static const struct market_field rolling_stats_rows[] = {
    ROW(market_rolling_stats, RECORDS, windows, UP_TO(ENTRIES_MAX), .inner = stats_part),
};
TABLE(market_rolling_stats, 2, rolling_stats_rows);

/* ---- spreads ---- */

static const struct market_field leg_price_rows[] = {
    ROW(market_leg_price, INSTRUMENT, instrument_id, REQUIRED, UP_TO(MARKET_INSTRUMENT_MAX)),
    ROW(market_leg_price, UNITS,      weight,        REQUIRED),
    ROW(market_leg_price, UNITS,      price,         REQUIRED),
    ROW(market_leg_price, INT,        window_start,  REQUIRED),
    ROW(market_leg_price, INT,        age),
    ROW(market_leg_price, BOOL,       stale),
};
TABLE(market_leg_price, 0, leg_price_rows);

static const struct market_field spread_rows[] = {
    ROW(market_spread, TENANT,     tenant_id,    REQUIRED, UP_TO(MARKET_TENANT_MAX)),
    ROW(market_spread, INSTRUMENT, pair_id,      REQUIRED, UP_TO(MARKET_INSTRUMENT_MAX)),
    ROW(market_spread, WORD,       kind,         REQUIRED, WORDS(spread_kinds)),
    ROW(market_spread, TEXT,       interval,     REQUIRED, UP_TO(WORD_MAX)),
    ROW(market_spread, INT,        window_start, REQUIRED),
    ROW(market_spread, INT,        window_end,   REQUIRED),
    ROW(market_spread, SUM,        value),
    ROW(market_spread, DECIMAL,    bid_price),
    ROW(market_spread, DECIMAL,    ask_price),
    ROW(market_spread, RECORDS,    legs,         UP_TO(LEGS_MAX), .inner = market_leg_price_schema),
    ROW(market_spread, BOOL,       stale),
    SAID(market_spread),
    SERVED(market_spread),
};
TABLE(market_spread, 2, spread_rows);

/* ---- curves ---- */

static const struct market_field point_rows[] = {
    ROW(market_point, INSTRUMENT, instrument_id,  REQUIRED, UP_TO(MARKET_INSTRUMENT_MAX)),
    ROW(market_point, TEXT,       contract_month, UP_TO(WORD_MAX)),
    ROW(market_point, TEXT,       tenor,          UP_TO(WORD_MAX)),
    ROW(market_point, INT,        delivery,       REQUIRED),
    ROW(market_point, INT,        days,           REQUIRED),
    ROW(market_point, UNITS,      price,          REQUIRED),
    ROW(market_point, SUM,        volume),
    ROW(market_point, INT,        window_start,   REQUIRED),
    ROW(market_point, INT,        age),
    ROW(market_point, BOOL,       stale),
    ROW(market_point, DOUBLE,     confidence),
};
TABLE(market_point, 0, point_rows);

static const struct market_field horizon_rows[] = {
    ROW(market_horizon, TEXT,   horizon,    REQUIRED, UP_TO(WORD_MAX)),
    ROW(market_horizon, INT,    date,       REQUIRED),
    ROW(market_horizon, INT,    days,       REQUIRED),
    ROW(market_horizon, DOUBLE, price),
    ROW(market_horizon, DOUBLE, confidence),
    ROW(market_horizon, TEXT,   reason,     UP_TO(WORD_MAX)),
};
TABLE(market_horizon, 0, horizon_rows);

static const struct market_field curve_update_rows[] = {
    ROW(market_curve_update, TENANT,     tenant_id,    REQUIRED, UP_TO(MARKET_TENANT_MAX)),
    ROW(market_curve_update, INSTRUMENT, curve_id,     REQUIRED, UP_TO(MARKET_INSTRUMENT_MAX)),
    ROW(market_curve_update, TEXT,       interval,     REQUIRED, UP_TO(WORD_MAX)),
    ROW(market_curve_update, INT,        window_start, REQUIRED),
    ROW(market_curve_update, INT,        window_end,   REQUIRED),
    ROW(market_curve_update, TEXT,       as_of,        REQUIRED, UP_TO(WORD_MAX)),
    ROW(market_curve_update, WORD,       method,       WORDS(methods)),
    ROW(market_curve_update, WORD,       day_count,    WORDS(day_counts)),
    ROW(market_curve_update, RECORDS,    points,       UP_TO(POINTS_MAX), .inner = market_point_schema),
    ROW(market_curve_update, RECORDS,    horizons,     UP_TO(ENTRIES_MAX), .inner = market_horizon_schema),
    ROW(market_curve_update, BOOL,       stale),
    SAID(market_curve_update),
    SERVED(market_curve_update),
};
TABLE(market_curve_update, 2, curve_update_rows);

static const struct market_field curve_snapshot_rows[] = {
    ROW(market_curve_snapshot, TENANT,     tenant_id,    REQUIRED, UP_TO(MARKET_TENANT_MAX)),
    ROW(market_curve_snapshot, INSTRUMENT, curve_id,     REQUIRED, UP_TO(MARKET_INSTRUMENT_MAX)),
    ROW(market_curve_snapshot, TEXT,       horizon,      REQUIRED, UP_TO(WORD_MAX)),
    ROW(market_curve_snapshot, INT,        window_start, REQUIRED),
    ROW(market_curve_snapshot, INT,        window_end,   REQUIRED),
    ROW(market_curve_snapshot, TEXT,       as_of,        REQUIRED, UP_TO(WORD_MAX)),
    ROW(market_curve_snapshot, WORD,       method,       WORDS(methods)),
    ROW(market_curve_snapshot, DOUBLE,     price),
    ROW(market_curve_snapshot, DOUBLE,     confidence),
    ROW(market_curve_snapshot, TEXT,       reason,       UP_TO(WORD_MAX)),
    ROW(market_curve_snapshot, RECORDS,    points,       UP_TO(POINTS_MAX), .inner = market_point_schema),
    ROW(market_curve_snapshot, BOOL,       stale),
    SAID(market_curve_snapshot),
    SERVED(market_curve_snapshot),
};
TABLE(market_curve_snapshot, 2, curve_snapshot_rows);

/* ---- definitions ---- */

static const struct market_field leg_rows[] = {
    ROW(market_leg, INSTRUMENT, instrument_id, REQUIRED, UP_TO(MARKET_INSTRUMENT_MAX)),
    ROW(market_leg, UNITS,      weight,        REQUIRED),
};
TABLE(market_leg, 0, leg_rows);

static const char *wrong_in_pair(const void *record) { return market_pair_wrong(record); }

static const struct market_field pair_rows[] = {
    ROW(market_pair, TENANT,     tenant_id,  REQUIRED, UP_TO(MARKET_TENANT_MAX)),
    ROW(market_pair, INSTRUMENT, pair_id,    REQUIRED, UP_TO(MARKET_INSTRUMENT_MAX)),
    ROW(market_pair, WORD,       kind,       REQUIRED, WORDS(spread_kinds)),
    ROW(market_pair, RECORDS,    legs,       REQUIRED, UP_TO(LEGS_MAX), .inner = market_leg_schema),
    ROW(market_pair, TEXT,       interval,   UP_TO(WORD_MAX)),
    ROW(market_pair, INT,        max_age_ms, ELSE(3600000)),
    ROW(market_pair, TEXT,       unit,       UP_TO(WORD_MAX)),
    ROW(market_pair, BOOL,       active,     ELSE(true)),
    ROW(market_pair, INT,        version,    ELSE(1)),
};
TABLE(market_pair, 1, pair_rows, .wrong = wrong_in_pair);

static const struct market_field member_rows[] = {
    ROW(market_member, INSTRUMENT, instrument_id,  REQUIRED, UP_TO(MARKET_INSTRUMENT_MAX)),
    ROW(market_member, TEXT,       contract_month, UP_TO(WORD_MAX)),
    ROW(market_member, TEXT,       tenor,          UP_TO(WORD_MAX)),
};
TABLE(market_member, 0, member_rows);

static const char *wrong_in_curve(const void *record) { return market_curve_wrong(record); }

static const struct market_field curve_rows[] = {
    ROW(market_curve, TENANT,     tenant_id,  REQUIRED, UP_TO(MARKET_TENANT_MAX)),
    ROW(market_curve, INSTRUMENT, curve_id,   REQUIRED, UP_TO(MARKET_INSTRUMENT_MAX)),
    ROW(market_curve, RECORDS,    members,    REQUIRED, UP_TO(POINTS_MAX), .inner = market_member_schema),
    ROW(market_curve, WORD,       method,     WORDS(methods)),
    ROW(market_curve, WORD,       day_count,  WORDS(day_counts)),
    ROW(market_curve, LIST,       horizons,   UP_TO(ENTRIES_MAX)),
    ROW(market_curve, TEXT,       interval,   UP_TO(WORD_MAX)),
    ROW(market_curve, INT,        max_age_ms, ELSE(86400000)),
    ROW(market_curve, BOOL,       active,     ELSE(true)),
    ROW(market_curve, INT,        version,    ELSE(1)),
};
TABLE(market_curve, 1, curve_rows, .wrong = wrong_in_curve);

static const char *const rule_kinds[] = { "commodity", "region", "product_tier" };

static const struct market_field rule_rows[] = {
    ROW(market_taxonomy_rule, WORD, kind,     REQUIRED, WORDS(rule_kinds)),
    ROW(market_taxonomy_rule, TEXT, answer,   REQUIRED, UP_TO(WORD_MAX)),
    ROW(market_taxonomy_rule, LIST, keywords, UP_TO(ENTRIES_MAX)),
    ROW(market_taxonomy_rule, INT,  priority, ELSE(1)),
};
TABLE(market_taxonomy_rule, 0, rule_rows);

static const struct market_field rules_rows[] = {
    ROW(market_taxonomy_rules, TENANT,     tenant_id, REQUIRED, UP_TO(MARKET_TENANT_MAX)),
    ROW(market_taxonomy_rules, INSTRUMENT, rules_id,  REQUIRED, UP_TO(MARKET_INSTRUMENT_MAX)),
    ROW(market_taxonomy_rules, RECORDS,    rules,     UP_TO(RULES_MAX), .inner = market_taxonomy_rule_schema),
    ROW(market_taxonomy_rules, INT,        version,   ELSE(1)),
};

static const char *wrong_in_rules(const void *record)
{
    const struct market_taxonomy_rules *rules = record;

    return rules->rules_id.size == 5 && memcmp(rules->rules_id.data, "RULES", 5) == 0 ? NULL : "field 'rules_id': it is RULES";
}
TABLE(market_taxonomy_rules, 1, rules_rows, .wrong = wrong_in_rules);


/* ---- reference row ---- */

static const struct market_field instrument_rows[] = {
    ROW(market_instrument, TENANT,     tenant_id,     REQUIRED, UP_TO(MARKET_TENANT_MAX)),
    ROW(market_instrument, INSTRUMENT, instrument_id, REQUIRED, UP_TO(MARKET_INSTRUMENT_MAX)),
    ROW(market_instrument, TEXT,       commodity,     UP_TO(WORD_MAX)),
    ROW(market_instrument, TEXT,       region,        UP_TO(WORD_MAX)),
    ROW(market_instrument, TEXT,       product_tier,  UP_TO(WORD_MAX)),
    ROW(market_instrument, TEXT,       unit,          UP_TO(WORD_MAX)),
    ROW(market_instrument, TEXT,       currency,      UP_TO(WORD_MAX)),
    ROW(market_instrument, DECIMAL,    contract_size),
    ROW(market_instrument, DECIMAL,    tick_size),
    ROW(market_instrument, LIST,       aliases,       UP_TO(ENTRIES_MAX)),
    ROW(market_instrument, MAP,        metadata,      UP_TO(ENTRIES_MAX)),
    ROW(market_instrument, BOOL,       active,        ELSE(true)),
    ROW(market_instrument, INT,        version,       ELSE(1)),
};
TABLE(market_instrument, 1, instrument_rows);

/* ---- invalidation ---- */

static const struct market_field invalidation_rows[] = {
    ROW(market_invalidation, TENANT,     tenant_id,       REQUIRED, UP_TO(MARKET_TENANT_MAX)),
    ROW(market_invalidation, INSTRUMENT, instrument_id,   REQUIRED, UP_TO(MARKET_INSTRUMENT_MAX)),
    ROW(market_invalidation, WORD,       projection_type, REQUIRED, WORDS(market_projection_words)),
    ROW(market_invalidation, WORD,       action,          REQUIRED, WORDS(actions)),
    ROW(market_invalidation, INT,        since),
    ROW(market_invalidation, TEXT,       reason,          UP_TO(ID_TEXT_MAX)),
    ROW(market_invalidation, TEXT,       requested_by,    UP_TO(ID_TEXT_MAX)),
    ROW(market_invalidation, INT,        requested_at,    REQUIRED),
    ROW(market_invalidation, INT,        epoch,           ELSE(1)),
    ROW(market_invalidation, WORD,       custom_type,     WORDS(market_custom_words)),
};
TABLE(market_invalidation, 3, invalidation_rows);

/* ---- state of aggregation ---- */

static const struct market_field content_rows[] = {
    ROW(market_content, DECIMAL, price),
    ROW(market_content, DECIMAL, volume),
    ROW(market_content, INT,     revision, ELSE(1)),
    ROW(market_content, INT,     ingested_at),
    ROW(market_content, FLAGS,   quality_flags),
    ROW(market_content, TEXT,    currency, UP_TO(WORD_MAX)),
    ROW(market_content, TEXT,    unit,     UP_TO(WORD_MAX)),
    ROW(market_content, DECIMAL, bid_price),
    ROW(market_content, DECIMAL, ask_price),
};
TABLE(market_content, 2, content_rows);

static const struct market_field order_rows[] = {
    ROW(market_order, INT,     event_time, REQUIRED),
    ROW(market_order, INT,     sequence,   REQUIRED),
    ROW(market_order, TICK_ID, tick_id,    REQUIRED),
};
TABLE(market_order, 0, order_rows);

static const struct market_field edge_rows[] = {
    ROW(market_edge, RECORD, order, REQUIRED, .inner = market_order_schema),
    ROW(market_edge, UNITS,  price, REQUIRED),
};
TABLE(market_edge, 0, edge_rows);

static const struct market_field fold_rows[] = {
    ROW(market_fold, INT,     count,    REQUIRED),
    ROW(market_fold, RECORD,  open,     REQUIRED, .inner = market_edge_schema),
    ROW(market_fold, RECORD,  close,    REQUIRED, .inner = market_edge_schema),
    ROW(market_fold, UNITS,   high,     REQUIRED),
    ROW(market_fold, UNITS,   low,      REQUIRED),
    ROW(market_fold, SUM,     volume),
    ROW(market_fold, RAW_SUM, notional, REQUIRED),
    ROW(market_fold, FLAGS,   quality_flags),
    ROW(market_fold, INT,     flagged_count),
    ROW(market_fold, TEXT,    currency, UP_TO(WORD_MAX)),
    ROW(market_fold, TEXT,    unit,     UP_TO(WORD_MAX)),
    ROW(market_fold, SUM,     prices),
    ROW(market_fold, RAW_SUM, squares),
    ROW(market_fold, BOOL,    vast),
};
TABLE(market_fold, 2, fold_rows);

/* Inside another record it has no version of its own. */
#define PART(of, rows)                                                                                          \
    static const struct market_schema of##_part[1] = {                                                          \
        { .name = "market_" #of, .bytes = sizeof(struct market_##of), .fields = rows, .count = ARRAY_SIZE(rows) } \
    }
PART(fold, fold_rows);
PART(content, content_rows);
PART(pair, pair_rows);
PART(curve, curve_rows);

static const struct market_field window_rows[] = {
    ROW(market_window, RECORD, fold,     REQUIRED, .inner = fold_part),
    ROW(market_window, INT,    epoch,    ELSE(1)),
    ROW(market_window, INT,    revision),
};
TABLE(market_window, 1, window_rows);

static const struct market_field backfilled_rows[] = {
    ROW(market_backfilled, INT, number),
    ROW(market_backfilled, INT, epoch),
};
TABLE(market_backfilled, 1, backfilled_rows);

static const struct market_field quote_rows[] = {
    ROW(market_quote, RECORD, order,    REQUIRED, .inner = market_order_schema),
    ROW(market_quote, RECORD, content,  REQUIRED, .inner = content_part),
    ROW(market_quote, INT,    epoch),
    ROW(market_quote, INT,    revision),
};
TABLE(market_quote, 1, quote_rows);

static const struct market_field defined_rows[] = {
    ROW(market_defined, LIST,    used_by, UP_TO(USES_MAX)),
    ROW(market_defined, RECORDS, pair,    UP_TO(1), .inner = pair_part),
    ROW(market_defined, RECORDS, curve,   UP_TO(1), .inner = curve_part),
};
TABLE(market_defined, 1, defined_rows);

static const struct market_field member_bar_rows[] = {
    ROW(market_member_bar, UNITS, close,    REQUIRED),
    ROW(market_member_bar, SUM,   volume),
    ROW(market_member_bar, FLAGS, quality_flags),
    ROW(market_member_bar, INT,   epoch),
    ROW(market_member_bar, INT,   revision),
    ROW(market_member_bar, TEXT,  currency, UP_TO(WORD_MAX)),
    ROW(market_member_bar, TEXT,  unit,     UP_TO(WORD_MAX)),
    ROW(market_member_bar, INT,   touched),
};
TABLE(market_member_bar, 1, member_bar_rows);

static const struct market_field told_rows[] = {
    ROW(market_told, INT,     window_end, REQUIRED),
    ROW(market_told, INT,     members),
    ROW(market_told, INT,     epoch),
    ROW(market_told, INT,     revision),
    ROW(market_told, RAW_SUM, digest),
    ROW(market_told, INT,     touched),
};
TABLE(market_told, 1, told_rows);

/* ---- what was counted out ---- */

static const struct market_field drop_rows[] = {
    ROW(market_drop, TEXT, reason, REQUIRED, UP_TO(WORD_MAX)),
    ROW(market_drop, INT,  count),
    ROW(market_drop, INT,  last),
};
TABLE(market_drop, 0, drop_rows);

static const struct market_field dropped_rows[] = {
    ROW(market_dropped, RECORDS, drops, UP_TO(DROPS_MAX), .inner = market_drop_schema),
};
TABLE(market_dropped, 1, dropped_rows);

/* ---- state of normalization ---- */

static const struct market_field recent_rows[] = {
    ROW(market_recent, INT,     count),
    ROW(market_recent, INT,     volume_count),
    ROW(market_recent, DOUBLE,  price_mean),
    ROW(market_recent, DOUBLE,  price_variance),
    ROW(market_recent, DOUBLE,  volume_mean),
    ROW(market_recent, DOUBLE,  volume_variance),
    ROW(market_recent, DECIMAL, last_price),
    ROW(market_recent, INT,     last_time),
    ROW(market_recent, MAP,     names,    UP_TO(ENTRIES_MAX)),
    ROW(market_recent, TEXT,    day_zone, UP_TO(WORD_MAX)),
    ROW(market_recent, TEXT,    rules,    UP_TO(WORD_MAX)),
};
TABLE(market_recent, 2, recent_rows);

/* clang-format on */

const struct market_schema *const market_schemas[] = {
    market_tick_schema,
    market_enriched_schema,
    market_bar_schema,
    market_latest_schema,
    market_stats_schema,
    market_spread_schema,
    market_curve_update_schema,
    market_curve_snapshot_schema,
    market_instrument_schema,
    market_pair_schema,
    market_curve_schema,
    market_taxonomy_rules_schema,
    market_invalidation_schema,
    market_content_schema,
    market_fold_schema,
    market_order_schema,
    NULL,
};

/* ---- codecs ---- */

static const struct market_schema *schema_of(const struct weir_codec *codec) { return codec->arg; }

static int decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret)
{
    return market_weir_code(market_read(schema_of(codec), arena, in, ret, NULL));
}

static int encode_packed(const struct weir_codec *codec, struct weir_arena *arena, const void *value,
                         struct weir_bytes *ret)
{
    struct market_reader reader = { .arena = arena };
    int                  err = market_check(&reader, schema_of(codec), value);

    return market_weir_code(err < 0 ? err : market_write_packed(schema_of(codec), arena, value, ret));
}

static int print(const struct weir_codec *codec, const void *value, struct weir_json_out *json)
{
    struct market_reader reader = { 0 };
    int                  err = market_check(&reader, schema_of(codec), value);

    return market_weir_code(err < 0 ? err : market_write_json(schema_of(codec), value, json));
}

static int encode_json(const struct weir_codec *codec, struct weir_arena *arena, const void *value,
                       struct weir_bytes *ret)
{
    struct weir_json_out json = { 0 };
    const char          *copy;
    int                  err = print(codec, value, &json);

    if (err == WEIR_OK) {
        copy = weir__arena_copy(arena, json.buf.data, json.buf.size);
        *ret = BYTES(copy, copy ? json.buf.size : 0);
        err = copy ? WEIR_OK : WEIR_LIMIT;
    }
    weir__json_out_fini(&json);
    return err;
}

static int parse(const struct weir_codec *codec, const struct weir_json *json, void *ret)
{
    struct market_reader reader = { .arena = json->arena, .utf8 = true };

    return market_weir_code(market_read_json(&reader, schema_of(codec), json, ret));
}

int market_explain(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, void *ret,
                   struct weir_error *reterr)
{
    return market_read(schema_of(codec), arena, in, ret, reterr);
}

static void explain(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in,
                    struct weir_error *ret)
{
    void *value = weir_arena_alloc(arena, codec->bytes);

    if (value)
        (void)market_explain(codec, arena, in, value, ret);
}

#define CODEC_OF(id, of, how, ...)                                  \
    const struct weir_codec id[1] = { { .name = #of,                \
                                        .bytes = sizeof(struct of), \
                                        .decode = decode,           \
                                        .encode = encode_##how,     \
                                        .print = print,             \
                                        .parse = parse,             \
                                        .explain = explain,         \
                                        .arg = of##_schema,         \
                                        ##__VA_ARGS__ } }
#define CODEC(id, of, how) CODEC_OF(id, of, how)
/* What topics hold: in either form. */
#define CODECS(as_packed, as_json, of)                                    \
    CODEC_OF(as_packed, of, packed, .form = "msgpack", .other = as_json); \
    CODEC_OF(as_json, of, json, .form = "json", .other = as_packed)

CODECS(market_tick, market_tick_json, market_tick);
CODECS(market_enriched, market_enriched_json, market_enriched);
CODECS(market_bar_msgpack, market_bar, market_bar);
CODECS(market_latest_msgpack, market_latest, market_latest);
CODECS(market_instrument_msgpack, market_instrument, market_instrument);
CODECS(market_invalidation_msgpack, market_invalidation, market_invalidation);
CODECS(market_stats_msgpack, market_stats, market_stats);
CODECS(market_spread_msgpack, market_spread, market_spread);
CODEC(market_rolling_stats, market_rolling_stats, packed);
CODECS(market_curve_update_msgpack, market_curve_update, market_curve_update);
CODECS(market_curve_snapshot_msgpack, market_curve_snapshot, market_curve_snapshot);
CODEC(market_pair, market_pair, json);
CODEC(market_curve, market_curve, json);
CODEC(market_taxonomy_rules, market_taxonomy_rules, json);
CODEC(market_defined, market_defined, packed);
CODEC(market_member_bar, market_member_bar, packed);
CODEC(market_told, market_told, packed);
CODEC(market_dropped, market_dropped, packed);
CODEC(market_quote, market_quote, packed);
CODEC(market_content, market_content, packed);
CODEC(market_order, market_order, packed);
CODEC(market_fold, market_fold, packed);
CODEC(market_window, market_window, packed);
CODEC(market_recent, market_recent, packed);
CODEC(market_backfilled, market_backfilled, packed);
