/* market_codecs.c: what one tick costs in each form: decoding, encoding, its id, a fold. ns of CPU time each.
 *   market_codecs [WORD]     only the lines that hold WORD
 *
 * The tick is a PJM hour as normalization makes it. Prints a table; compare lines of one run only.
 */
#include <inttypes.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>

#include "framework/record/record.h"
#include "schemas/market.h"

#define ROUNDS 400000

static struct weir_text text_of(const char *text) { return (struct weir_text){ text, strlen(text) }; }

static struct market_tick make_tick(void)
{
    static const struct market_entry metadata[] = {
        { { "type", 4 }, { "HUB", 3 } },
        { { "pnode_id", 8 }, { "51288", 5 } },
        { { "market_run", 10 }, { "RT", 2 } },
    };
    struct market_tick          tick = { .tenant_id = text_of("default"),
                                         .instrument_id = text_of("PJM.WESTERN.HUB.RT1H"),
                                         .market = text_of("PJM"),
                                         .kind = MARKET_KIND_PRICE,
                                         .event_time = INT64_C(1746072000000000),
                                         .interval = MARKET_HOURS(1),
                                         .revision = 1,
                                         .ingested_at = INT64_C(1746072000000000),
                                         .normalized_at = INT64_C(1764111845123456),
                                         .price = MARKET_DECIMAL(2406513500),
                                         .currency = text_of("USD"),
                                         .unit = text_of("MWh"),
                                         .symbol = text_of("WESTERN HUB"),
                                         .source = text_of(""),
                                         .source_system = text_of("pjm"),
                                         .source_event_id = text_of("pjm_rtm_lmp_WESTERN HUB_2025-05-01T04:00:00Z"),
                                         .quality_flags = MARKET_VALID | MARKET_MISSING_VOLUME,
                                         .metadata = { metadata, ARRAY_SIZE(metadata) } };
    struct market_tick_identity identity = { .tenant = tick.tenant_id,
                                             .market = tick.market,
                                             .instrument = tick.instrument_id,
                                             .event_time = tick.event_time,
                                             .source = tick.source };

    CHECK(market_tick_id(&identity, tick.tick_id) == WEIR_OK);
    return tick;
}

/* ---- stages: each does its work once ---- */

struct stage {
    const char              *name;
    const struct weir_codec *codec;
    int (*run)(const struct stage *stage, struct weir_arena *arena);
    struct weir_bytes bytes;
};

static struct market_tick tick;
static struct market_fold fold;

static int run_decode(const struct stage *stage, struct weir_arena *arena)
{
    const void *value;

    return weir__decode(stage->codec, arena, stage->bytes, &value);
}

/* What msgpack-c's own unpacker takes to make its tree, of which a record would then still have to be made. */
static int run_tree(const struct stage *stage, struct weir_arena *arena)
{
    static msgpack_zone zone;
    msgpack_object      object;
    size_t              at = 0;

    (void)arena;
    if (!zone.chunk_size)
        CHECK(msgpack_zone_init(&zone, 8192));
    msgpack_zone_clear(&zone);
    return msgpack_unpack(stage->bytes.data, stage->bytes.size, &at, &zone, &object) == MSGPACK_UNPACK_SUCCESS
               ? WEIR_OK
               : WEIR_UNREADABLE;
}

static int run_encode(const struct stage *stage, struct weir_arena *arena)
{
    struct weir_bytes bytes;

    return weir__encode(stage->codec, arena, stage->codec == market_fold ? (const void *)&fold : &tick, &bytes);
}

static int run_tick_id(const struct stage *stage, struct weir_arena *arena)
{
    struct market_tick_identity identity = { tick.tenant_id,  tick.market, tick.instrument_id,
                                             tick.event_time, tick.source, tick.sequence };

    (void)stage, (void)arena;
    return market_tick_id(&identity, tick.tick_id);
}

static int run_fold(const struct stage *stage, struct weir_arena *arena)
{
    struct market_order   order = market_order_of(&tick);
    struct market_content content = market_content_of(&tick);

    (void)stage, (void)arena;
    return market_fold_add(&fold, &order, &content);
}

static int run_decimal(const struct stage *stage, struct weir_arena *arena)
{
    (void)arena;
    return market_decimal_read((struct weir_text){ stage->bytes.data, stage->bytes.size }, &tick.price.units);
}

static int run_time(const struct stage *stage, struct weir_arena *arena)
{
    struct market_stamp stamp;

    (void)arena;
    return market_stamp_read((struct weir_text){ stage->bytes.data, stage->bytes.size }, &stamp);
}

static int run_local(const struct stage *stage, struct weir_arena *arena)
{
    const struct market_zone *zone;
    int64_t                   instant;
    int                       err = market_zone_get("America/New_York", &zone, NULL);

    (void)stage, (void)arena;
    return err < 0 ? err : market_local_instant(zone, tick.event_time, MARKET_EARLIER, &instant);
}

static void measure(const struct stage *stage)
{
    struct weir_arena arena;
    int64_t           begin;

    weir__arena_init(&arena, 0);
    begin = weir__cpu_us();
    for (int i = 0; i < ROUNDS; i++) {
        weir__arena_reset(&arena);
        CHECK(stage->run(stage, &arena) == WEIR_OK);
    }
    printf("%-32s %6.0f ns  %5zu bytes\n", stage->name, (double)(weir__cpu_us() - begin) * 1000 / ROUNDS,
           stage->bytes.size);
    weir__arena_fini(&arena);
}

static struct weir_bytes encoded(const struct weir_codec *codec, const void *value, struct weir_arena *arena)
{
    struct weir_bytes bytes;

    CHECK(weir__encode(codec, arena, value, &bytes) == WEIR_OK);
    return bytes;
}

int main(int argc, char **argv)
{
    struct weir_arena arena;

    weir__arena_init(&arena, 0);
    tick = make_tick();
    CHECK(run_fold(NULL, NULL) == WEIR_OK);
    struct weir_bytes  packed = encoded(market_tick, &tick, &arena), json = encoded(market_tick_json, &tick, &arena);
    struct weir_bytes  state = encoded(market_fold, &fold, &arena);
    const struct stage stages[] = {
        { "tick, decode MessagePack", market_tick, run_decode, packed },
        { "tick, msgpack-c's tree alone", NULL, run_tree, packed },
        { "tick, decode JSON", market_tick, run_decode, json },
        { "tick, encode MessagePack", market_tick, run_encode, packed },
        { "tick, encode JSON", market_tick_json, run_encode, json },
        { "fold, decode MessagePack", market_fold, run_decode, state },
        { "fold, encode MessagePack", market_fold, run_encode, state },
        { "fold, add a tick", NULL, run_fold, NO_BYTES },
        { "tick id", NULL, run_tick_id, NO_BYTES },
        { "decimal from text", NULL, run_decimal, BYTES("24.065135", 9) },
        { "time from text", NULL, run_time, BYTES("5/1/2025 4:00:00 AM", 19) },
        { "zone and local time", NULL, run_local, NO_BYTES },
    };

    for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
        if (argc < 2 || strstr(stages[i].name, argv[1]))
            measure(&stages[i]);
    weir__arena_fini(&arena);
    return EXIT_SUCCESS;
}
