/* test_market_records.c: every record in both forms: there and back, what is missing, wrong, too long, cut off, unknown. */
#include <check.h>
#include <inttypes.h>
#include <msgpack.h>
#include <stdlib.h>

#include "framework/driver.h"
#include "statestores/engines.h"
#include "test/fuzz/record_check.h"
#include "test/run.h"

static struct weir_arena arena;

static void make_samples(void);

static void begin(void)
{
    weir__arena_init(&arena, 0);
    make_samples();
}

static void finish(void) { weir__arena_fini(&arena); }

static struct weir_text text_of(const char *text) { return (struct weir_text){ text, strlen(text) }; }

static char *copy_text(struct weir_bytes bytes)
{
    char *text = weir__arena_take(&arena, bytes.size + 1);

    memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    return text;
}

/* ---- records ---- */

static const struct market_entry pairs[] = { { { "node", 4 }, { "51288", 5 } },
                                             { { "", 0 }, { "\xc3\xa9\"\n", 4 } } };
static const struct weir_text    texts[] = { { "a", 1 }, { "", 0 }, { "b c", 3 } };

static struct market_tick full_tick(void)
{
    struct market_tick tick = { .tenant_id = text_of("acme"),
                                .instrument_id = text_of("PJM.WESTERN.HUB.RT1H"),
                                .market = text_of("PJM"),
                                .kind = MARKET_KIND_TRADE,
                                .event_time = INT64_C(1746072000000000),
                                .sequence = -3,
                                .interval = MARKET_HOURS(1),
                                .revision = 2,
                                .ingested_at = INT64_MIN,
                                .normalized_at = INT64_MAX,
                                .price = MARKET_DECIMAL(-1),
                                .volume = MARKET_DECIMAL(0),
                                .bid_price = MARKET_DECIMAL(INT64_MIN),
                                .ask_price = MARKET_DECIMAL(INT64_MAX),
                                .currency = text_of("USD"),
                                .unit = text_of("MWh"),
                                .symbol = text_of("WESTERN HUB"),
                                .source = text_of(""),
                                .source_system = text_of("pjm"),
                                .source_event_id = text_of("e-1"),
                                .quality_flags = MARKET_VALID | MARKET_NO_REFERENCE,
                                .metadata = { pairs, ARRAY_SIZE(pairs) },
                                .tags = { texts, ARRAY_SIZE(texts) } };

    for (int i = 0; i < MARKET_TICK_ID_BYTES; i++)
        tick.tick_id[i] = (uint8_t)(i * 9);
    return tick;
}

static struct market_tick least_tick(void)
{
    return (struct market_tick){ .tenant_id = text_of("t"),
                                 .instrument_id = text_of("A"),
                                 .market = text_of("A"),
                                 .price = MARKET_DECIMAL(0),
                                 .revision = 1 };
}

static struct market_enriched full_enriched(void)
{
    return (struct market_enriched){
        .tick = full_tick(),
        .taxonomy = { text_of("electricity"), text_of("northeast"), text_of("standard"), MARKET_DECIMAL(95000000),
                      text_of("database") },
        .contract_size = MARKET_DECIMAL(100000000),
        .tick_size = MARKET_DECIMAL(1000000),
        .reference_version = 7,
    };
}

static struct market_bar full_bar(void)
{
    return (struct market_bar){ .tenant_id = text_of("default"),
                                .instrument_id = text_of("GC.201312"),
                                .interval = text_of("1m"),
                                .window_start = INT64_C(1381190400000000),
                                .window_end = INT64_C(1381190460000000),
                                .open = INT64_C(132470000000),
                                .high = INT64_C(132480000000),
                                .low = -50000000,
                                .close = 0,
                                .volume = { (market_sum_units)INT64_MAX * 1000, true },
                                .vwap = { 1324.7555555555555, true },
                                .trade_count = 41,
                                .first_event_time = INT64_C(1381190400374000),
                                .last_event_time = INT64_C(1381190459999999),
                                .quality_flags = MARKET_PRICE_NEGATIVE | MARKET_LATE_ARRIVAL,
                                .flagged_count = 1,
                                .state = MARKET_BAR_CORRECTION,
                                .epoch = 3,
                                .revision = 2,
                                .currency = text_of("USD") };
}

static struct market_latest full_latest(void)
{
    struct market_tick tick = full_tick();

    return market_latest_of(&tick, 4);
}

static struct market_instrument full_instrument(void)
{
    return (struct market_instrument){ .tenant_id = text_of("acme"),
                                       .instrument_id = text_of("PJM.WESTERN.HUB.DA"),
                                       .commodity = text_of("electricity"),
                                       .region = text_of("northeast"),
                                       .product_tier = text_of("standard"),
                                       .unit = text_of("MWh"),
                                       .currency = text_of("USD"),
                                       .contract_size = MARKET_DECIMAL(100000000),
                                       .tick_size = MARKET_DECIMAL(1000000),
                                       .aliases = { texts, 1 },
                                       .metadata = { pairs, 1 },
                                       .active = false,
                                       .version = 12 };
}

static struct market_invalidation full_invalidation(void)
{
    return (struct market_invalidation){ .tenant_id = text_of("acme"),
                                         .instrument_id = text_of("PJM.WESTERN.HUB.DA"),
                                         .projection_type = MARKET_BARS,
                                         .action = MARKET_INVALIDATE_REFRESH,
                                         .since = 1746057600000000,
                                         .reason = text_of("a fault is mended"),
                                         .requested_by = text_of("desk"),
                                         .requested_at = 1746057600000001,
                                         .epoch = 3 };
}

static struct market_content full_content(void)
{
    struct market_tick tick = full_tick();

    return market_content_of(&tick);
}

static struct market_fold full_fold(void)
{
    struct market_tick    tick = full_tick();
    struct market_order   order = market_order_of(&tick);
    struct market_content content = market_content_of(&tick);
    struct market_fold    fold = { 0 };

    content.price.units = INT64_MAX;
    content.volume = MARKET_DECIMAL(INT64_MAX);
    ck_assert_int_eq(market_fold_add(&fold, &order, &content), WEIR_OK);
    order.sequence++;
    content.price.units = -5;
    ck_assert_int_eq(market_fold_add(&fold, &order, &content), WEIR_OK);
    return fold;
}

static union {
    struct market_tick         tick;
    struct market_enriched     enriched;
    struct market_bar          bar;
    struct market_latest       latest;
    struct market_instrument   instrument;
    struct market_content      content;
    struct market_fold         fold;
    struct market_invalidation invalidation;
} full[8], least[8];

/* Each record by both its codecs; `required`: names, in order. */
static const struct sample {
    const struct weir_codec *packed, *json;
    const void              *full, *least;
    const char              *required;
} samples[] = {
    { market_tick, market_tick_json, &full[0], &least[0],
      "tick_id tenant_id instrument_id market kind event_time ingested_at price " },
    { market_enriched, market_enriched_json, &full[1], &least[1],
      "tick_id tenant_id instrument_id market kind event_time ingested_at price " },
    { market_bar_msgpack, market_bar, &full[2], &least[2],
      "tenant_id instrument_id interval window_start window_end open high low close trade_count first_event_time "
      "last_event_time state " },
    { market_latest_msgpack, market_latest, &full[3], &least[3],
      "tenant_id instrument_id market price event_time tick_id ingested_at " },
    { market_instrument_msgpack, market_instrument, &full[4], &least[4], "tenant_id instrument_id " },
    { market_content, market_content, &full[5], &least[5], "" },
    { market_fold, market_fold, &full[6], &least[6], "count open close high low notional " },
    { market_invalidation_msgpack, market_invalidation, &full[7], &least[7],
      "tenant_id instrument_id projection_type action requested_at " },
};

static void make_samples(void)
{
    full[0].tick = full_tick();
    full[1].enriched = full_enriched();
    full[2].bar = full_bar();
    full[3].latest = full_latest();
    full[4].instrument = full_instrument();
    full[5].content = full_content();
    full[6].fold = full_fold();
    full[7].invalidation = full_invalidation();
    least[0].tick = least_tick();
    least[1].enriched.tick = least_tick();
    least[2].bar = (struct market_bar){
        .tenant_id = text_of("t"), .instrument_id = text_of("A"), .interval = text_of(""), .revision = 1
    };
    least[3].latest = (struct market_latest){
        .tenant_id = text_of("t"), .instrument_id = text_of("A"), .market = text_of(""), .revision = 1
    };
    least[4].instrument = (struct market_instrument){
        .tenant_id = text_of("t"), .instrument_id = text_of("A"), .active = true, .version = 1
    };
    least[5].content.revision = 1;
    least[7].invalidation =
        (struct market_invalidation){ .tenant_id = text_of("t"), .instrument_id = text_of("A"), .epoch = 1 };
}

/* ---- helpers ---- */

static const char *json_of(const struct weir_codec *codec, const void *value)
{
    struct weir_json_out out = { 0 };
    const char          *text;

    ck_assert_int_eq(codec->print(codec, value, &out), WEIR_OK);
    text = copy_text(BYTES(out.buf.data, out.buf.size));
    weir__json_out_fini(&out);
    return text;
}

static struct weir_bytes encode(const struct weir_codec *codec, const void *value)
{
    struct weir_bytes bytes = NO_BYTES;

    ck_assert_int_eq(weir__encode(codec, &arena, value, &bytes), WEIR_OK);
    return bytes;
}

/* From a copy with nothing behind it: a look past the end is found by the address sanitizer. */
static int explain(const struct weir_codec *codec, struct weir_bytes in, const void **ret, struct weir_error *reterr)
{
    void *value = weir_arena_alloc(&arena, codec->bytes);
    char *copy = weir__memdup(in.data, in.size), *kept;
    int   err, code = codec->decode(codec, &arena, BYTES(copy, in.size), value);

    memset(value, 0, codec->bytes);
    memset(reterr, 0, sizeof(*reterr));
    err = market_explain(codec, &arena, BYTES(copy, in.size), value, reterr);
    ck_assert_int_eq(code, market_weir_code(err));
    ck_assert(err == WEIR_OK || (reterr->code == err && reterr->text[0]));
    kept = weir__arena_copy(&arena, copy, in.size);
    ck_assert_ptr_nonnull(kept);
    memset(value, 0, codec->bytes);
    if (err == WEIR_OK)
        ck_assert_int_eq(codec->decode(codec, &arena, BYTES(kept, in.size), value), WEIR_OK);
    free(copy);
    *ret = value;
    return err;
}

static int read_text(const struct weir_codec *codec, const char *text, const void **ret, struct weir_error *reterr)
{
    return explain(codec, BYTES(text, strlen(text)), ret, reterr);
}

/* The object with one member as the given JSON text, or without it (NULL). */
static const char *with(const char *object, const char *name, const char *value)
{
    const struct weir_json *json;
    struct weir__buf        buf = { 0 };
    const char             *text;

    ck_assert_int_eq(weir_json_parse(&arena, text_of(object), &json, NULL), WEIR_OK);
    weir__buf_putc(&buf, '{');
    for (const struct weir_json *member = json->child; member; member = member->next) {
        const char *from = member->name.data + member->name.size + 2;
        const char *to = member->next ? member->next->name.data - 2 : object + strlen(object) - 1;
        bool chosen = member->name.size == strlen(name) && memcmp(member->name.data, name, member->name.size) == 0;

        if (chosen && !value)
            continue;
        weir__buf_printf(&buf, "%s\"%.*s\":", buf.size > 1 ? "," : "", (int)member->name.size, member->name.data);
        if (chosen)
            weir__buf_puts(&buf, value);
        else
            weir__buf_add(&buf, from, (size_t)(to - from));
    }
    weir__buf_putc(&buf, '}');
    text = copy_text(BYTES(buf.data, buf.size));
    weir__buf_fini(&buf);
    return text;
}

/* ---- there and back ---- */

static void goes_through(const struct weir_codec *writer, const struct weir_codec *reader, const void *value)
{
    const char       *wanted = json_of(writer, value);
    struct weir_error err;
    const void       *back;

    ck_assert_msg(explain(reader, encode(writer, value), &back, &err) == WEIR_OK, "%s: %s in %s", err.where, err.text,
                  wanted);
    ck_assert_str_eq(json_of(reader, back), wanted);
}

START_TEST(both_forms_go_there_and_back)
{
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        const struct sample *sample = &samples[i];

        ck_assert(weir__codec_same(sample->packed, sample->json));
        goes_through(sample->packed, sample->json, sample->full);
        goes_through(sample->json, sample->packed, sample->full);
        goes_through(sample->packed, sample->packed, sample->least);
        goes_through(sample->json, sample->json, sample->least);
    }
}
END_TEST

START_TEST(text_forms_go_there_and_back)
{
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        const struct weir_codec *codec = samples[i].packed;
        const char              *text = json_of(codec, samples[i].full);
        const struct weir_json  *json;
        void                    *value = weir_arena_alloc(&arena, codec->bytes);

        ck_assert_int_eq(weir_json_parse(&arena, text_of(text), &json, NULL), WEIR_OK);
        ck_assert_int_eq(codec->parse(codec, json, value), WEIR_OK);
        ck_assert_str_eq(json_of(codec, value), text);
    }
}
END_TEST

START_TEST(a_bar_in_json_is_what_others_read)
{
    ck_assert_str_eq(
        json_of(market_bar, &full[2]),
        "{\"schema_version\":1,\"tenant_id\":\"default\",\"instrument_id\":\"GC.201312\",\"interval\":\"1m\","
        "\"window_start\":1381190400000000,\"window_end\":1381190460000000,\"open\":1324.7,\"high\":1324.8,\"low\":-0.5,"
        "\"close\":0,\"volume\":92233720368547.75807,\"vwap\":1324.7555555555555,\"trade_count\":41,"
        "\"first_event_time\":1381190400374000,\"last_event_time\":1381190459999999,"
        "\"quality_flags\":[\"price_negative\",\"late_arrival\"],\"flagged_count\":1,\"state\":\"correction\","
        "\"epoch\":3,\"revision\":2,\"currency\":\"USD\",\"unit\":null}");
}
END_TEST

START_TEST(a_tick_in_json_keeps_null_zero_and_negative_apart)
{
    const char *text = json_of(market_tick, &full[0]);

    ck_assert_msg(strstr(text, "\"price\":-0.00000001,\"volume\":0,\"bid_price\":-92233720368.54775808,"), "%s",
                  text);
    ck_assert(
        strstr(text, "\"metadata\":{\"node\":\"51288\",\"\":\"\xc3\xa9\\\"\\n\"},\"tags\":[\"a\",\"\",\"b c\"],"));
    ck_assert(strstr(text, "\"tick_id\":\"0009121b242d363f48515a636c757e87"));
    ck_assert(strstr(text, "\"source\":\"\","));
    text = json_of(market_tick, &least[0]);
    ck_assert(strstr(text, "\"price\":0,\"volume\":null,"));
    ck_assert(strstr(text, "\"source\":null,"));
}
END_TEST

START_TEST(packed_bytes_are_the_fields_in_order)
{
    static const struct market_content content = { .price = MARKET_DECIMAL(-1),
                                                   .revision = 1,
                                                   .ingested_at = 300,
                                                   .quality_flags = MARKET_VALID,
                                                   .currency = { "USD", 3 } };
    static const uint8_t wanted[] = { 0x9a, 2, 0xff, 0xc0, 1, 0xcd, 1, 44, 1, 0xa3, 'U', 'S', 'D', 0xc0, 0xc0, 0xc0 };

    ck_assert(weir__bytes_equal(encode(market_content, &content), BYTES(wanted, sizeof(wanted))));
}
END_TEST

/* ---- what is missing ---- */

static void check_absence(const struct sample *sample, const char *value)
{
    const char             *object = json_of(sample->json, sample->full);
    struct weir__buf        required = { 0 };
    const struct weir_json *json;

    ck_assert_int_eq(weir_json_parse(&arena, text_of(object), &json, NULL), WEIR_OK);
    for (const struct weir_json *member = json->child; member; member = member->next) {
        const char       *name = copy_text(BYTES(member->name.data, member->name.size));
        const void       *back;
        struct weir_error err;
        int               code = read_text(sample->packed, with(object, name, value), &back, &err);

        if (code == WEIR_OK)
            continue;
        ck_assert_int_eq(code, MARKET_MISSING);
        ck_assert_msg(strstr(err.text, "missing_field") && strstr(err.text, weir__arena_printf(&arena, "'%s'", name)),
                      "%s: %s", name, err.text);
        ck_assert_str_eq(err.where, sample->json->name);
        weir__buf_printf(&required, "%s ", name);
    }
    weir__buf_putc(&required, '\0');
    ck_assert_str_eq(required.data, sample->required);
    weir__buf_fini(&required);
}

START_TEST(a_required_field_that_is_missing_is_named)
{
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        check_absence(&samples[i], NULL);
        check_absence(&samples[i], "null");
    }
}
END_TEST

START_TEST(what_is_absent_is_null_or_its_fallback)
{
    const struct market_tick       *tick;
    const struct market_instrument *row;
    struct weir_error               err;

    ck_assert_int_eq(read_text(market_tick,
                               "{\"tick_id\":\"0000000000000000000000000000000000000000000000000000000000000001\","
                               "\"tenant_id\":\"t\",\"instrument_id\":\"A\",\"market\":\"A\",\"kind\":\"quote\","
                               "\"event_time\":5,\"ingested_at\":6,\"bid_price\":0}",
                               (const void **)&tick, &err),
                     WEIR_OK);
    ck_assert(tick->revision == 1 && tick->sequence == 0 && tick->interval == 0 && tick->kind == MARKET_KIND_QUOTE);
    ck_assert(!tick->price.given && !tick->volume.given && tick->bid_price.given && !tick->ask_price.given);
    ck_assert(!tick->currency.data && !tick->source.data && !tick->metadata.count && !tick->tags.count);
    ck_assert_int_eq(
        read_text(market_instrument, "{\"tenant_id\":\"t\",\"instrument_id\":\"A\"}", (const void **)&row, &err),
        WEIR_OK);
    ck_assert(row->active && row->version == 1 && !row->product_tier.data && !row->tick_size.given);
}
END_TEST

START_TEST(a_quote_needs_a_side_and_all_else_a_price)
{
    struct market_tick tick = full_tick();
    struct weir_bytes  bytes;

    tick.price = MARKET_NULL_DECIMAL;
    ck_assert_int_eq(weir__encode(market_tick, &arena, &tick, &bytes), WEIR_UNREADABLE);
    ck_assert_int_eq(weir__encode(market_tick_json, &arena, &tick, &bytes), WEIR_UNREADABLE);
    tick.kind = MARKET_KIND_QUOTE;
    ck_assert_int_eq(weir__encode(market_tick, &arena, &tick, &bytes), WEIR_OK);
    tick.bid_price = MARKET_NULL_DECIMAL;
    ck_assert_int_eq(weir__encode(market_tick, &arena, &tick, &bytes), WEIR_OK);
    tick.ask_price = MARKET_NULL_DECIMAL;
    ck_assert_int_eq(weir__encode(market_tick, &arena, &tick, &bytes), WEIR_UNREADABLE);
}
END_TEST

/* ---- what is unknown ---- */

START_TEST(unknown_members_are_ignored)
{
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        const char       *object = json_of(samples[i].json, samples[i].full);
        const char       *more = weir__arena_printf(&arena, "{\"new\":{\"a\":[1,null]},%.*s,\"newer\":1e999}",
                                                    (int)strlen(object) - 2, object + 1);
        const void       *back;
        struct weir_error err;

        ck_assert_int_eq(read_text(samples[i].packed, more, &back, &err), WEIR_OK);
        ck_assert_str_eq(json_of(samples[i].json, back), object);
        ck_assert_int_eq(read_text(samples[i].packed, with(object, "schema_version", "9"), &back, &err), WEIR_OK);
    }
}
END_TEST

/* The array's head and version replaced, and `more` behind it. */
static struct weir_bytes as_version(struct weir_bytes packed, int version, unsigned added, struct weir_bytes more)
{
    const uint8_t *from = packed.data;
    unsigned head = from[0] == 0xdc ? 3 : 1, count = head == 3 ? (unsigned)from[1] << 8 | from[2] : from[0] & 15u;
    char    *to = weir__arena_take(&arena, packed.size + more.size + 2);

    to[0] = (char)0xdc;
    to[1] = (char)((count + added) >> 8);
    to[2] = (char)(count + added);
    to[3] = (char)version;
    memcpy(to + 4, from + head + 1, packed.size - head - 1);
    memcpy(to + 3 + packed.size - head, more.data, more.size);
    return BYTES(to, packed.size + 3 - head + more.size);
}

START_TEST(a_later_version_is_read_as_far_as_it_is_known)
{
    static const uint8_t more[] = { 0xc0,                                       /* nil */
                                    0x82, 0xa1, 'a', 0x91, 0xc3, 5,    0xc4, 1, /* {"a": [true], 5: bin} */
                                    0xff, 0xd6, 1,   0,    0,    0,    0,       /* ext */
                                    0xca, 0,    0,   0,    0,    0xd9, 1,    'x' };

    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        const void       *back;
        struct weir_error err;
        struct weir_bytes later =
            as_version(encode(samples[i].packed, samples[i].full), 2, 5, BYTES(more, sizeof(more)));

        ck_assert_msg(explain(samples[i].packed, later, &back, &err) == WEIR_OK, "%s", err.text);
        ck_assert_str_eq(json_of(samples[i].packed, back), json_of(samples[i].packed, samples[i].full));
    }
}
END_TEST

START_TEST(an_earlier_version_lacks_its_last_fields)
{
    struct market_content        content = full_content();
    struct weir_bytes            packed;
    const struct market_content *back;
    struct weir_error            err;
    char                        *cut;

    content.bid_price = content.ask_price = MARKET_NULL_DECIMAL;
    packed = encode(market_content, &content);
    cut = copy_text(packed);
    cut[0] = (char)0x97; /* without its unit, "MWh", and what version 2 brought: bid and ask, null here */
    ck_assert_int_eq(explain(market_content, BYTES(cut, packed.size - 6), (const void **)&back, &err), WEIR_OK);
    ck_assert(back->currency.size == 3 && !back->unit.data);
    cut[0] = (char)0x91; /* the version alone */
    ck_assert_int_eq(explain(market_content, BYTES(cut, 2), (const void **)&back, &err), WEIR_OK);
    ck_assert(!back->price.given && back->revision == 1);
    ck_assert_int_eq(explain(market_tick, BYTES(cut, 2), (const void **)&back, &err), MARKET_MISSING);
    ck_assert_ptr_nonnull(strstr(err.text, "'tick_id'"));
    cut[1] = 0;
    ck_assert_int_eq(explain(market_content, BYTES(cut, 2), (const void **)&back, &err), MARKET_MALFORMED);
}
END_TEST

/* A JSON text as MessagePack, objects as maps: what somebody else might send. */
static void pack_json(msgpack_packer *packer, const struct weir_json *json)
{
    size_t  count = 0;
    int64_t number;

    for (const struct weir_json *child = json->child; child; child = child->next)
        count++;
    switch (json->type) {
    case WEIR_JSON_NULL: msgpack_pack_nil(packer); break;
    case WEIR_JSON_FALSE: msgpack_pack_false(packer); break;
    case WEIR_JSON_TRUE: msgpack_pack_true(packer); break;
    case WEIR_JSON_STRING:
        msgpack_pack_str(packer, json->text.size);
        msgpack_pack_str_body(packer, json->text.data, json->text.size);
        break;
    case WEIR_JSON_NUMBER:
        ck_assert_int_eq(weir_json_int64(json, &number), WEIR_OK);
        msgpack_pack_int64(packer, number);
        break;
    case WEIR_JSON_ARRAY: msgpack_pack_array(packer, count); break;
    case WEIR_JSON_OBJECT: msgpack_pack_map(packer, count); break;
    }
    for (const struct weir_json *child = json->child; child; child = child->next) {
        if (json->type == WEIR_JSON_OBJECT) {
            msgpack_pack_str(packer, child->name.size);
            msgpack_pack_str_body(packer, child->name.data, child->name.size);
        }
        pack_json(packer, child);
    }
}

START_TEST(packed_maps_are_read_by_name)
{
    static const char text[] = "{\"x\":[{}],\"tenant_id\":\"t\",\"instrument_id\":\"A\",\"aliases\":[\"b\"],"
                               "\"metadata\":{\"k\":\"v\"},\"active\":false,\"version\":3,\"schema_version\":1}";
    const struct market_instrument *row;
    const struct weir_json         *json;
    struct weir_error               err;
    msgpack_sbuffer                 buffer;
    msgpack_packer                  packer;

    ck_assert_int_eq(weir_json_parse(&arena, text_of(text), &json, NULL), WEIR_OK);
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    pack_json(&packer, json);
    ck_assert_int_eq(explain(market_instrument, BYTES(buffer.data, buffer.size), (const void **)&row, &err), WEIR_OK);
    ck_assert(!row->active && row->version == 3 && row->aliases.count == 1 && row->metadata.count == 1);
    msgpack_sbuffer_clear(&buffer);
    msgpack_pack_map(&packer, 2);
    for (int i = 0; i < 2; i++) {
        msgpack_pack_str(&packer, 9);
        msgpack_pack_str_body(&packer, "tenant_id", 9);
        msgpack_pack_str(&packer, 1);
        msgpack_pack_str_body(&packer, "t", 1);
    }
    ck_assert_int_eq(explain(market_instrument, BYTES(buffer.data, buffer.size), (const void **)&row, &err),
                     MARKET_MALFORMED);
    ck_assert(strstr(err.text, "'tenant_id'") && strstr(err.text, "twice"));
    msgpack_sbuffer_destroy(&buffer);
}
END_TEST

/* Members of a tick's JSON that are made of its fields: for those who read the form of the system before. */
START_TEST(a_tick_in_json_says_its_lag_and_quality)
{
    static const struct {
        uint32_t    flags;
        int64_t     normalized_at;
        const char *end;
    } cases[] = {
        { MARKET_VALID, 5001999, "\"processing_lag_ms\":5,\"quality\":{\"status\":\"canonical\",\"issues\":[]}}" },
        { MARKET_PRICE_NEGATIVE | MARKET_LATE_ARRIVAL, 0,
          "\"processing_lag_ms\":0,\"quality\":{\"status\":\"canonical\",\"issues\":[\"price_negative\",\"late_arrival\"]}}" },
        { MARKET_FALLBACK, 4996000,
          "\"processing_lag_ms\":0,\"quality\":{\"status\":\"fallback\",\"issues\":[\"fallback\"]}}" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct market_tick tick = *(const struct market_tick *)&full[0];
        const char        *text;
        const void        *back;
        struct weir_error  err;

        tick.ingested_at = 4996999;
        tick.normalized_at = cases[i].normalized_at;
        tick.quality_flags = cases[i].flags;
        text = json_of(market_tick, (const void *)&tick);
        ck_assert_msg(strlen(text) > strlen(cases[i].end) &&
                          strcmp(text + strlen(text) - strlen(cases[i].end), cases[i].end) == 0,
                      "%s", text);
        ck_assert_int_eq(read_text(market_tick, text, &back, &err), WEIR_OK);
        ck_assert_int_eq(((const struct market_tick *)back)->normalized_at, tick.normalized_at);
    }
}
END_TEST

/* ---- what is wrong ---- */

/* Made of other fields: readers pass over them. */
static bool is_derived(const char *name)
{
    return strcmp(name, "processing_lag_ms") == 0 || strcmp(name, "quality") == 0;
}

START_TEST(values_of_another_type_are_refused_by_name)
{
    static const char *const values[] = { "true", "-1.5", "\"\xc3\xa9 no\"", "[17]", "{\"a\":17}", "[\"a\",null]" };

    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        const char             *object = json_of(samples[i].json, samples[i].full);
        const struct weir_json *json;

        ck_assert_int_eq(weir_json_parse(&arena, text_of(object), &json, NULL), WEIR_OK);
        for (const struct weir_json *member = json->child->next; member; member = member->next) {
            const char *name = copy_text(BYTES(member->name.data, member->name.size));
            int         taken = 0;

            for (size_t j = 0; j < ARRAY_SIZE(values) && !is_derived(name); j++) {
                const void       *back;
                struct weir_error err;
                int               code = read_text(samples[i].packed, with(object, name, values[j]), &back, &err);

                taken += code == WEIR_OK;
                if (code == WEIR_OK)
                    continue;
                ck_assert_msg(code == MARKET_BAD_TYPE || code == MARKET_BAD_NAME || code == MARKET_MISSING ||
                                  code == MARKET_PRECISION,
                              "%s as %s: %s", name, values[j], market_reason_name(code));
                ck_assert_msg(strchr(err.text, '\''), "%s", err.text);
            }
            /* At most one of the six is of the field's own type. */
            ck_assert_msg(taken <= 1, "%s.%s takes %d of the values", samples[i].json->name, name, taken);
        }
    }
}
END_TEST

START_TEST(numbers_and_texts_out_of_bounds_are_refused_by_reason)
{
    const char       *object = json_of(market_tick, &full[0]);
    char              text[4200 + 3], many[65 * 8 + 2] = "{", list[65 * 3 + 2] = "[";
    const void       *back;
    struct weir_error err;

    memset(text, 'x', sizeof(text));
    for (int i = 0; i < 65; i++) {
        snprintf(many + strlen(many), 9, "\"%c%c\":%s", 'a' + i / 26, 'a' + i % 26, i < 64 ? "\"\"," : "\"\"}");
        snprintf(list + strlen(list), 4, "\"\"%c", i < 64 ? ',' : ']');
    }
    const struct {
        const char *name, *value;
        int         code;
    } cases[] = {
        { "price", "0.123456789", MARKET_PRECISION },
        { "price", "92233720368.54775808", MARKET_OVERFLOW },
        { "price", "1e400", MARKET_OVERFLOW },
        { "price", "\"23.71\"", MARKET_BAD_TYPE },
        { "volume", "1e-9", MARKET_PRECISION },
        { "event_time", "9223372036854775808", MARKET_OVERFLOW },
        { "event_time", "1.0", MARKET_BAD_TYPE },
        { "kind", "\"PRICE\"", MARKET_BAD_TYPE },
        { "tick_id", "\"00\"", MARKET_BAD_TYPE },
        { "tick_id", "\"00000000000000000000000000000000000000000000000000000000000000AA\"", MARKET_BAD_TYPE },
        { "tenant_id", "\"\"", MARKET_BAD_NAME },
        { "tenant_id", "\"a/b\"", MARKET_BAD_NAME },
        { "instrument_id", "\"pjm\"", MARKET_BAD_NAME },
        { "currency", weir__arena_printf(&arena, "\"%.65s\"", text), MARKET_TOO_LONG },
        { "currency", weir__arena_printf(&arena, "\"%.64s\"", text), WEIR_OK },
        { "symbol", weir__arena_printf(&arena, "\"%.257s\"", text), MARKET_TOO_LONG },
        { "symbol", weir__arena_printf(&arena, "\"%.256s\"", text), WEIR_OK },
        { "metadata", weir__arena_printf(&arena, "{\"a\":\"%.4097s\"}", text), MARKET_TOO_LONG },
        { "metadata", weir__arena_printf(&arena, "{\"a\":\"%.4096s\"}", text), WEIR_OK },
        { "metadata", weir__arena_printf(&arena, "{\"%.4097s\":\"\"}", text), MARKET_TOO_LONG },
        { "metadata", many, MARKET_TOO_LONG },
        { "tags", list, MARKET_TOO_LONG },
        { "metadata", "{\"a\":1}", MARKET_BAD_TYPE },
        { "quality_flags", "[\"valid\",\"a label of later\",\"stale\"]", WEIR_OK },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int code = read_text(market_tick, with(object, cases[i].name, cases[i].value), &back, &err);

        ck_assert_msg(code == cases[i].code, "%s as %.80s: %s", cases[i].name, cases[i].value,
                      market_reason_name(code));
        ck_assert(code == WEIR_OK || strstr(err.text, cases[i].name));
    }
    ck_assert_uint_eq(((const struct market_tick *)back)->quality_flags, MARKET_VALID | MARKET_STALE);
}
END_TEST

START_TEST(what_is_no_record_is_malformed)
{
    static const char *const inputs[] = { "",
                                          " ",
                                          "null",
                                          "[]",
                                          "{",
                                          "{}x",
                                          "nonsense",
                                          "\"text\"",
                                          "\xc1",
                                          "\xc0",
                                          "\x05",
                                          "\x90",
                                          "\x80x",
                                          "{\"a\":NaN}",
                                          "\xdd\xff\xff\xff\xff",
                                          "\xdf\xff\xff\xff\xff",
                                          "\x91\xc0",
                                          "\x91\xa1v",
                                          "{\"price\":1,\"price\":2}",
                                          "{\"price\":null,\"price\":1}" };
    const void              *back;
    struct weir_error        err;

    for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
        ck_assert_msg(read_text(market_content, inputs[i], &back, &err) == MARKET_MALFORMED, "'%s'", inputs[i]);
        ck_assert_str_eq(err.where, "market_content");
    }
}
END_TEST

START_TEST(packed_values_of_another_type_are_refused_by_name)
{
    /* Behind the version, in place of the price: */
    static const struct {
        const char *bytes;
        size_t      size;
        int         code;
    } cases[] = {
        { "\xc3", 1, MARKET_BAD_TYPE },
        { "\xcb\0\0\0\0\0\0\0\0", 9, MARKET_BAD_TYPE },
        { "\xa1x", 2, MARKET_BAD_TYPE },
        { "\xcf\x80\0\0\0\0\0\0\0", 9, MARKET_OVERFLOW },
        { "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9, WEIR_OK },
        { "\xd3\x80\0\0\0\0\0\0\0", 9, WEIR_OK },
        { "\xd0\x80", 2, WEIR_OK },
        { "\xd1\xff\xfe", 3, WEIR_OK },
        { "\xd2\xff\xff\xff\xfd", 5, WEIR_OK },
        { "\xcd\xff\xfe", 3, WEIR_OK },
        { "\xd3\x80\0\0\0\0\0\0", 8, MARKET_MALFORMED },
        { "\xc1", 1, MARKET_MALFORMED },
        { "", 0, MARKET_MALFORMED },
    };
    static const int64_t values[] = { 0, 0, 0, 0, INT64_MAX, INT64_MIN, -128, -2, -3, 65534 };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct market_content *back;
        struct weir_error            err;
        char                         bytes[16] = "\x92\x01";
        int                          code;

        memcpy(bytes + 2, cases[i].bytes, cases[i].size);
        code = explain(market_content, BYTES(bytes, 2 + cases[i].size), (const void **)&back, &err);
        ck_assert_msg(code == cases[i].code, "case %zu: %s", i, market_reason_name(code));
        if (code == WEIR_OK)
            ck_assert_int_eq(back->price.units, values[i]);
        else
            ck_assert_ptr_nonnull(strstr(err.text, "'price'"));
    }
}
END_TEST

START_TEST(writers_refuse_what_readers_would)
{
    struct market_tick tick;
    struct weir_bytes  bytes;
    struct market_list tags = { (const struct weir_text[65]){ { 0 } }, 65 };
#define REFUSED(field, value, code)                                                             \
    tick = full_tick();                                                                         \
    tick.field = value;                                                                         \
    ck_assert_int_eq(weir__encode(market_tick, &arena, &tick, &bytes), market_weir_code(code)); \
    ck_assert_int_eq(weir__encode(market_tick_json, &arena, &tick, &bytes), market_weir_code(code))

    REFUSED(tenant_id, text_of("a b"), MARKET_BAD_NAME);
    REFUSED(instrument_id, (struct weir_text){ 0 }, MARKET_MISSING);
    REFUSED(symbol, text_of("\xff"), MARKET_BAD_TYPE);
    REFUSED(kind, (enum market_kind)3, MARKET_BAD_TYPE);
    REFUSED(tags, tags, MARKET_TOO_LONG);
    tags.count = 1;
    REFUSED(tags, tags, MARKET_BAD_TYPE);
    REFUSED(currency, ((struct weir_text){ "x", 65 }), MARKET_TOO_LONG);
#undef REFUSED
}
END_TEST

/* ---- cut off, changed, without memory ---- */

START_TEST(bytes_that_are_cut_off_are_never_a_record)
{
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        struct weir_bytes forms[] = { encode(samples[i].packed, samples[i].full),
                                      encode(samples[i].json, samples[i].full) };

        for (size_t form = 0; form < 2; form++) {
            for (size_t size = 0; size < forms[form].size; size++) {
                const void       *back;
                struct weir_error err;
                int               code = explain(samples[i].packed, BYTES(forms[form].data, size), &back, &err);

                ck_assert_msg(code == MARKET_MALFORMED, "%s, %zu bytes: %s", samples[i].packed->name, size,
                              market_reason_name(code));
            }
        }
    }
}
END_TEST

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

START_TEST(changed_bytes_do_no_harm)
{
    uint64_t seed = 0xfeed;
    int      taken = 0;

    for (int round = 0; round < 30000; round++) {
        size_t               which = next_random(&seed) % ARRAY_SIZE(samples);
        const struct sample *sample = &samples[which];
        struct weir_bytes    bytes = encode(round % 2 ? sample->packed : sample->json, sample->full);
        char                *changed = weir__arena_copy(&arena, bytes.data, bytes.size);
        const char          *fault;
        bool                 good;

        for (uint64_t changes = next_random(&seed) % 3 + 1; changes; changes--)
            changed[next_random(&seed) % bytes.size] = (char)next_random(&seed);
        fault = record_fault(&record_forms[which], &arena, BYTES(changed, bytes.size), &good);
        ck_assert_msg(!fault, "round %d, %s: %s", round, sample->packed->name, fault);
        taken += good;
        weir__arena_reset(&arena);
    }
    ck_assert_int_gt(taken, 1000);
}
END_TEST

/* A count for which msgpack-c would ask for gigabytes. */
static bool asks_too_much(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i + 2 < size; i++)
        if ((bytes[i] == 0xdd || bytes[i] == 0xdf) && (bytes[i + 1] || bytes[i + 2]))
            return true;
    return false;
}

/* Whether the bytes are one item for msgpack-c; -1 = it cannot tell (too deep or too large for it). */
static int is_one_item(struct weir_bytes bytes)
{
    msgpack_zone          zone;
    msgpack_object        object;
    size_t                at = 0;
    msgpack_unpack_return said;

    if (asks_too_much(bytes.data, bytes.size))
        return -1;
    msgpack_zone_init(&zone, 2048);
    said = msgpack_unpack(bytes.data, bytes.size, &at, &zone, &object);
    msgpack_zone_destroy(&zone);
    if (said == MSGPACK_UNPACK_NOMEM_ERROR)
        return -1;
    return (said == MSGPACK_UNPACK_SUCCESS || said == MSGPACK_UNPACK_EXTRA_BYTES) && at == bytes.size;
}

START_TEST(what_is_skipped_is_what_msgpack_c_takes_for_one_item)
{
    static const uint8_t heads[] = { 0x00, 0x7f, 0xe0, 0x81, 0x92, 0xa3, 0xc0, 0xc1, 0xc2, 0xc4, 0xc5, 0xc6, 0xc7,
                                     0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4,
                                     0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf };
    uint64_t             seed = 0xabc;
    int                  agreed[2] = { 0 };

    for (int round = 0; round < 200000; round++) {
        char        bytes[64] = "\x9b\x02\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0"; /* nothing but nulls, then: */
        size_t      size = 11 + next_random(&seed) % 10 + 1;
        const void *back = weir_arena_alloc(&arena, market_content->bytes);
        int         theirs, ours;

        for (size_t i = 11; i < size; i++)
            bytes[i] =
                (char)(next_random(&seed) % 3 ? next_random(&seed) % 4 : heads[next_random(&seed) % sizeof(heads)]);
        bytes[11] = (char)heads[next_random(&seed) % sizeof(heads)];
        theirs = is_one_item(BYTES(bytes + 11, size - 11));
        ours = market_content->decode(market_content, &arena, BYTES(bytes, size), (void *)back) == WEIR_OK;
        ck_assert_msg(theirs < 0 || ours == theirs, "round %d: %d, not %d", round, ours, theirs);
        if (theirs >= 0)
            agreed[theirs]++;
        weir__arena_reset(&arena);
    }
    ck_assert(agreed[0] > 10000 && agreed[1] > 10000);
}
END_TEST

START_TEST(deep_nesting_is_skipped_without_a_deep_stack)
{
    size_t      size = 1 << 20;
    char       *bytes = malloc(size);
    const void *back = weir_arena_alloc(&arena, market_content->bytes);

    ck_assert_ptr_nonnull(bytes);
    memset(bytes, 0x91, size);
    memcpy(bytes, "\x9b\x02\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0", 11);
    bytes[size - 1] = 0;
    ck_assert_int_eq(market_content->decode(market_content, &arena, BYTES(bytes, size), (void *)back), WEIR_OK);
    free(bytes);
}
END_TEST

START_TEST(an_arena_at_its_ceiling_is_said)
{
    struct weir_bytes forms[] = { encode(market_enriched, &full[1]), encode(market_enriched_json, &full[1]) };

    for (size_t form = 0; form < 2; form++) {
        int good = 0;

        for (size_t ceiling = 16; ceiling < 32768; ceiling += 16) {
            struct weir_arena small;
            const void       *back;
            struct weir_bytes bytes;
            int               err;

            weir__arena_init(&small, ceiling);
            err = weir__decode(market_enriched, &small, forms[form], &back);
            if (err == WEIR_OK)
                err = weir__encode(form ? market_enriched_json : market_enriched, &small, back, &bytes);
            ck_assert(err == WEIR_OK || err == WEIR_LIMIT);
            ck_assert(err == WEIR_OK || !good);
            good += err == WEIR_OK;
            weir__arena_fini(&small);
        }
        ck_assert_int_gt(good, 100);
    }
}
END_TEST

START_TEST(without_memory_nothing_is_half_written)
{
    for (uint64_t n = 1;; n++) {
        struct weir_arena small;
        struct weir_bytes bytes = NO_BYTES;
        int               err;

        weir__arena_init(&small, 0);
        weir__fail_allocation(n);
        err = weir__encode(market_bar, &small, &full[2], &bytes);
        weir__fail_allocation(0);
        if (err == WEIR_OK)
            ck_assert_str_eq(copy_text(bytes), json_of(market_bar, &full[2]));
        else
            ck_assert((err == WEIR_NO_MEMORY || err == WEIR_LIMIT) && !bytes.data && n < 20);
        weir__arena_fini(&small);
        if (err == WEIR_OK)
            break;
    }
}
END_TEST

/* ---- in a topology ---- */

SOURCE(source_of_bars, "in", market_key, market_bar);
SINK(bars, "out", market_key, market_bar_msgpack);
SINK(letters, "dead", weir_blob, weir_string);
static TOPOLOGY(copied, .dead_letters = letters, .paths = PATHS(PATH(source_of_bars, bars)));

START_TEST(a_dead_letter_names_the_field)
{
    static const struct weir_driver_config config = { .application = "app" };
    struct weir_bytes                      key = BYTES("t/A", 3);
    const char                            *text = with(json_of(market_bar, &full[2]), "close", "null");
    struct weir_driver                    *driver;
    struct weir_output                     letter;
    struct weir_error                      err;

    ck_assert_msg(weir_driver_open(&copied, &config, weir_engines, &driver, &err) == WEIR_OK, "%s", err.text);
    ck_assert_int_eq(weir_driver_pipe(driver, "in", key, BYTES(text, strlen(text)), 1, NULL, 0, &err), WEIR_OK);
    ck_assert_int_eq(weir_driver_read_topic(driver, "dead", &letter), WEIR_OK);
    text = copy_text(letter.value);
    ck_assert_msg(strstr(text,
                         "the value of a record cannot be read as market_bar: missing_field: field 'close': it is "
                         "required, and missing or null"),
                  "%s", text);
    text = json_of(market_bar, &full[2]);
    ck_assert_int_eq(weir_driver_pipe(driver, "in", key, BYTES(text, strlen(text)), 1, NULL, 0, &err), WEIR_OK);
    ck_assert_int_eq(weir_driver_read_topic(driver, "out", &letter), WEIR_OK);
    ck_assert(weir__bytes_equal(letter.value, encode(market_bar_msgpack, &full[2])));
    ck_assert_int_eq(weir_driver_close(driver, &err), WEIR_OK);
    weir_driver_free(driver);
}
END_TEST

START_TEST(flags_have_labels)
{
    for (int bit = 0; bit < MARKET_FLAG_COUNT; bit++)
        ck_assert_uint_eq(market_flag_of(text_of(market_flag_label((enum market_flag_bit)bit))), UINT32_C(1) << bit);
    ck_assert_uint_eq(market_flag_of(text_of("VALID")), 0);
    ck_assert_uint_eq(market_flag_of(text_of("")), 0);
    ck_assert_uint_eq(MARKET_PRICE_NEGATIVE, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("market_records");
    TCase *tcase = tcase_create("records");

    tcase_add_checked_fixture(tcase, begin, finish);
    tcase_add_test(tcase, both_forms_go_there_and_back);
    tcase_add_test(tcase, text_forms_go_there_and_back);
    tcase_add_test(tcase, a_bar_in_json_is_what_others_read);
    tcase_add_test(tcase, a_tick_in_json_keeps_null_zero_and_negative_apart);
    tcase_add_test(tcase, a_tick_in_json_says_its_lag_and_quality);
    tcase_add_test(tcase, packed_bytes_are_the_fields_in_order);
    tcase_add_test(tcase, a_required_field_that_is_missing_is_named);
    tcase_add_test(tcase, what_is_absent_is_null_or_its_fallback);
    tcase_add_test(tcase, a_quote_needs_a_side_and_all_else_a_price);
    tcase_add_test(tcase, unknown_members_are_ignored);
    tcase_add_test(tcase, a_later_version_is_read_as_far_as_it_is_known);
    tcase_add_test(tcase, an_earlier_version_lacks_its_last_fields);
    tcase_add_test(tcase, packed_maps_are_read_by_name);
    tcase_add_test(tcase, values_of_another_type_are_refused_by_name);
    tcase_add_test(tcase, numbers_and_texts_out_of_bounds_are_refused_by_reason);
    tcase_add_test(tcase, what_is_no_record_is_malformed);
    tcase_add_test(tcase, packed_values_of_another_type_are_refused_by_name);
    tcase_add_test(tcase, writers_refuse_what_readers_would);
    tcase_add_test(tcase, bytes_that_are_cut_off_are_never_a_record);
    tcase_add_test(tcase, changed_bytes_do_no_harm);
    tcase_add_test(tcase, what_is_skipped_is_what_msgpack_c_takes_for_one_item);
    tcase_add_test(tcase, deep_nesting_is_skipped_without_a_deep_stack);
    tcase_add_test(tcase, an_arena_at_its_ceiling_is_said);
    tcase_add_test(tcase, without_memory_nothing_is_half_written);
    tcase_add_test(tcase, a_dead_letter_names_the_field);
    tcase_add_test(tcase, flags_have_labels);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
