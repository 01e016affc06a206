/* raw.c: raw events of strangers: which shape they have, and what is in it.
 *
 *     A  { envelope: { event_id, tenant_id, source, timestamp }, payload: { market, instrument_id, raw_data: {...} } }
 *     B  { event_id, tenant_id, producer, occurred_at, ingested_at, payload: { market, symbol, raw_payload, encoding } }
 *     C  { event_id, ..., payload: { market, data_type, <fields> } }, or the same without a payload around the fields
 *
 * (1) The shape is told by content, whatever topic the event came by. JSON and MessagePack are told by the first byte.
 * (2) Every way out is ticks or one code, and words that name the field.
 */
#include "framework/record/record.h"
#include "schemas/feeds/internal.h"

#define LARGEST ((size_t)1 << 20)

/* A raw event being read. */
struct event {
    struct weir_arena        *arena;
    const struct weir_json   *header, *payload;
    bool                      enveloped; /* shape A */
    struct market__source     source;
    struct market_raw_options options;
    struct market_reading    *reading;
    struct weir_error        *reterr;
};

static int fail(struct event *event, int code, const char *where, const char *what)
{
    return weir__fail(event->reterr, code, where, "%s: %s", where, what ? what : market_reason_text(code));
}

static int fail_text(struct event *event, int code, const char *where, struct weir_text text)
{
    return weir__fail(event->reterr, code, where, "%s: %s: \"%.*s\"", where, market_reason_text(code),
                      (int)MIN(text.size, 80), text.data ? text.data : "");
}

/* ---- members ---- */

static const struct weir_json *given(const struct weir_json *object, const char *name)
{
    const struct weir_json *member = weir_json_get(object, name);

    return member && member->type != WEIR_JSON_NULL ? member : NULL;
}

/* A text member, empty where there is none. */
static int read_text(struct event *event, const struct weir_json *object, const char *name, struct weir_text *ret)
{
    const struct weir_json *member = given(object, name);

    *ret = (struct weir_text){ 0 };
    if (member && weir_json_text(member, ret) < 0)
        return fail(event, MARKET_BAD_TYPE, name, "no text");
    *ret = market__trim(*ret);
    return WEIR_OK;
}

static int need_text(struct event *event, const struct weir_json *object, const char *name, struct weir_text *ret)
{
    int err = read_text(event, object, name, ret);

    return err == WEIR_OK && !ret->size ? fail(event, MARKET_MISSING, name, NULL) : err;
}

/* An epoch or a stamp, UTC where it says no zone; *ret stays where there is none. */
static int read_time(struct event *event, const struct weir_json *object, const char *name, int64_t *ret)
{
    const struct weir_json *member = given(object, name);
    struct market_stamp     stamp;

    if (!member)
        return WEIR_OK;
    if (member->type != WEIR_JSON_NUMBER && member->type != WEIR_JSON_STRING)
        return fail(event, MARKET_BAD_TYPE, name, "neither a number nor a text");
    if (market_stamp_read(market__trim(member->text), &stamp) < 0)
        return fail_text(event, MARKET_BAD_TIME, name, member->text);
    *ret = stamp.us;
    return WEIR_OK;
}

/* Where another type or sign stands, the sequence is refused; *ret stays where there is none. */
static int read_sequence(struct event *event, const struct weir_json *object, int64_t *ret)
{
    const struct weir_json *member = given(object, "sequence");

    if (!member)
        return WEIR_OK;
    if (member->type != WEIR_JSON_NUMBER && member->type != WEIR_JSON_STRING)
        return fail(event, MARKET_BAD_TYPE, "payload.sequence", "no whole number");
    if (!member->text.size)
        return WEIR_OK;
    return market__whole(member->text, ret) ? WEIR_OK
                                            : fail_text(event, MARKET_BAD_NUMBER, "payload.sequence", member->text);
}

/* ---- the header ---- */

static int read_tenant(struct event *event)
{
    struct weir_text tenant;
    int              err = read_text(event, event->header, "tenant_id", &tenant);

    if (err < 0)
        return err;
    if (!tenant.size)
        tenant = TEXT("default");
    if (!market_tenant_legal(tenant))
        return fail_text(event, MARKET_BAD_NAME, "tenant_id", tenant);
    event->source.tenant = event->reading->tenant = tenant;
    return WEIR_OK;
}

static int read_header(struct event *event)
{
    int err = read_tenant(event);

    if (err == WEIR_OK)
        err = need_text(event, event->header, "event_id", &event->source.event_id);
    if (err == WEIR_OK)
        err = read_text(event, event->header, "source", &event->source.system);
    if (err == WEIR_OK && !event->source.system.size)
        err = read_text(event, event->header, "producer", &event->source.system);
    if (err == WEIR_OK && event->enveloped)
        err = read_time(event, event->header, "timestamp", &event->source.ingested_at);
    if (err == WEIR_OK)
        err = read_time(event, event->header, "ingested_at", &event->source.ingested_at);
    if (err == WEIR_OK)
        err = read_time(event, event->header, "occurred_at", &event->source.occurred_at);
    return err;
}

static int map(struct event *event, const struct market_feed *feed, const struct market__fields *fields)
{
    return market__map(feed, fields, &event->source, &event->options, event->arena, event->reading, event->reterr);
}

static int out_of_room(struct event *event)
{
    return weir__fail(event->reterr, WEIR_LIMIT, "value", "%s", weir_code_text(WEIR_LIMIT));
}

/* ---- shape A ---- */

static int read_nested(struct event *event, const struct weir_json *data)
{
    struct market__fields fields;
    int                   err = need_text(event, event->payload, "market", &event->source.market);

    if (err == WEIR_OK)
        err = need_text(event, event->payload, "instrument_id", &event->source.id);
    if (err < 0)
        return err;
    if (*market_rules_find(event->source.market)->name == '*')
        return fail_text(event, MARKET_UNKNOWN_MARKET, "market", event->source.market);
    if (data->type != WEIR_JSON_OBJECT)
        return fail(event, MARKET_BAD_TYPE, "raw_data", "no object");
    event->source.occurred_at = 0;
    event->source.tags = given(given(data, "tags") ? data : event->payload, "tags");
    if (market__fields_of(data, event->arena, &fields) < 0)
        return out_of_room(event);
    return map(event, market__nested, &fields);
}

/* ---- shape C ---- */

static int find_feed(struct event *event, const struct market_feed **ret)
{
    const struct market_rules *rules;
    struct weir_text           data_type;
    int                        err = need_text(event, event->payload, "market", &event->source.market);

    if (err == WEIR_OK)
        err = need_text(event, event->payload, "data_type", &data_type);
    if (err < 0)
        return err;
    rules = market_rules_find(event->source.market);
    if (!rules->power)
        return fail_text(event, MARKET_UNKNOWN_MARKET, "market", event->source.market);
    *ret = market__feed(rules, data_type);
    if (*ret)
        return WEIR_OK;
    return fail_text(event, market__no_price(rules, data_type) ? MARKET_NOT_A_PRICE : MARKET_UNKNOWN_FEED,
                     "data_type", data_type);
}

/* Adds the fields of the first of the published rows that stand beside what a connector made of them. */
static int add_row(struct event *event, const struct market_feed *feed, struct market__fields *fields)
{
    const struct weir_json *rows = feed->rows ? given(event->payload, feed->rows) : NULL, *document;
    struct weir_error       error = { 0 };
    int                     err;

    if (!rows || rows->type != WEIR_JSON_STRING)
        return WEIR_OK;
    err = weir_json_parse(event->arena, rows->text, &document, &error);
    if (err < 0)
        return err == WEIR_LIMIT ? out_of_room(event) : fail(event, MARKET_MALFORMED, feed->rows, error.text);
    if (document->type == WEIR_JSON_ARRAY && document->child)
        document = document->child;
    for (const struct weir_json *cell = document->type == WEIR_JSON_OBJECT ? document->child : NULL; cell;
         cell = cell->next)
        if (market__fields_add(fields, cell, event->arena) < 0)
            return out_of_room(event);
    return WEIR_OK;
}

static int read_flat(struct event *event)
{
    const struct market_feed *feed;
    struct market__fields     fields;
    int                       err = find_feed(event, &feed);

    if (err < 0)
        return err;
    if (market__fields_of(event->payload, event->arena, &fields) < 0)
        return out_of_room(event);
    err = add_row(event, feed, &fields);
    return err < 0 ? err : map(event, feed, &fields);
}

/* ---- shape B ---- */

/* The text of raw_payload: where the envelope is JSON, MessagePack stands in it as base64. */
static int read_packed(struct event *event, const struct weir_json *payload, const struct weir_json **ret)
{
    struct weir_bytes bytes = BYTES(payload->text.data, payload->text.size);

    if (payload->type == WEIR_JSON_STRING && weir__base64_decode(payload->text, event->arena, &bytes) < 0)
        bytes = BYTES(payload->text.data, payload->text.size);
    return market__unpack(event->arena, bytes, ret, event->reterr);
}

static int read_json(struct event *event, struct weir_text text, const struct weir_json **ret)
{
    struct weir_error err = { 0 };
    int               code = weir_json_parse(event->arena, text, ret, &err);

    if (code == WEIR_LIMIT)
        return out_of_room(event);
    return code < 0 ? fail(event, MARKET_MALFORMED, "raw_payload", err.text) : WEIR_OK;
}

/* A line has the columns of its feed, all of them. */
static int read_line(struct event *event, const struct market_feed *feed, struct weir_text line,
                     struct market__fields *ret)
{
    struct market__cells cells = { 0 };
    int                  err = market__cells_split(&cells, line);

    if (err == WEIR_OK)
        err = market__fields_of_cells(cells.items, cells.count, feed->columns, event->arena, ret);
    /* Cells that had quotes are copies, which die with the cells. */
    for (size_t i = 0; err == WEIR_OK && memchr(line.data, '"', line.size) && i < ret->count; i++) {
        ret->items[i].text.data = weir__arena_copy(event->arena, ret->items[i].text.data, ret->items[i].text.size);
        err = ret->items[i].text.data ? WEIR_OK : WEIR_LIMIT;
    }
    market__cells_fini(&cells);
    if (err == MARKET_MALFORMED)
        return weir__fail(event->reterr, err, "raw_payload", "raw_payload: a line has the columns %s", feed->columns);
    return err == WEIR_LIMIT ? out_of_room(event) : err;
}

/* The feed of a document: named by the event, or told by market and content, else ticks with common names. */
static const struct market_feed *feed_of_document(struct event *event, const struct market_rules *rules,
                                                  const struct weir_json *document)
{
    const char *type = market__same(event->source.market, TEXT("BINANCE")) ? market__binance_type(document) : NULL;

    if (type)
        return market__feed(rules, market__text(type));
    if (document->type == WEIR_JSON_ARRAY)
        return market__feed(rules, TEXT("kraken_trades"));
    return market__tick;
}

static int read_document(struct event *event, const struct market_feed *feed, const struct weir_json *document)
{
    struct market__fields fields;
    int                   err;

    document = market__unwrap(document);
    if (document->type != WEIR_JSON_OBJECT && document->type != WEIR_JSON_ARRAY)
        return fail(event, MARKET_BAD_TYPE, "raw_payload", "neither an object nor an array");
    if (!feed || !feed->columns || document->type == WEIR_JSON_OBJECT)
        feed = feed ? feed : feed_of_document(event, market_rules_find(event->source.market), document);
    if (!feed || (document->type == WEIR_JSON_ARRAY && !feed->columns))
        return fail(event, MARKET_UNKNOWN_FEED, "raw_payload", "an array, of a market whose arrays are not known");
    if (document->type == WEIR_JSON_ARRAY)
        err = market__fields_of_array(document, feed->columns, event->arena, &fields);
    else
        err = market__fields_of(document, event->arena, &fields);
    if (document->type == WEIR_JSON_OBJECT)
        event->source.tags = given(document, "tags");
    if (err == MARKET_MALFORMED)
        return weir__fail(event->reterr, err, "raw_payload", "raw_payload: an array has the elements %s",
                          feed->columns);
    return err < 0 ? out_of_room(event) : map(event, feed, &fields);
}

static int named_feed(struct event *event, const struct market_feed **ret)
{
    struct weir_text name;
    int              err = read_text(event, event->source.metadata, "feed", &name);

    *ret = NULL;
    if (err < 0 || !name.size)
        return err;
    *ret = market__feed(market_rules_find(event->source.market), name);
    return *ret ? WEIR_OK : fail_text(event, MARKET_UNKNOWN_FEED, "metadata.feed", name);
}

static int read_settings(struct event *event)
{
    const struct weir_json *metadata = given(event->payload, "metadata");
    struct market__source  *source = &event->source;
    int                     err;

    if (!metadata)
        return WEIR_OK;
    if (metadata->type != WEIR_JSON_OBJECT)
        return fail(event, MARKET_BAD_TYPE, "metadata", "no object");
    source->metadata = metadata;
    err = read_text(event, metadata, "zone", &source->setting.zone);
    if (err == WEIR_OK)
        err = read_text(event, metadata, "day", &source->setting.day);
    if (err == WEIR_OK)
        err = read_text(event, metadata, "scale", &source->setting.scale);
    if (err == WEIR_OK)
        err = read_text(event, metadata, "instrument_id", &source->id);
    return err;
}

static int read_tick_header(struct event *event)
{
    struct market__source *source = &event->source;
    int                    err = need_text(event, event->payload, "market", &source->market);

    source->sequence = -1;
    if (err == WEIR_OK)
        err = read_text(event, event->payload, "symbol", &source->symbol);
    if (err == WEIR_OK)
        err = need_text(event, event->payload, "source_system", &source->system);
    if (err == WEIR_OK)
        err = read_sequence(event, event->payload, &source->sequence);
    if (err == WEIR_OK)
        err = read_time(event, event->payload, "received_at", &source->received_at);
    return err == WEIR_OK ? read_settings(event) : err;
}

/* csv-line is also what a connector calls JSON. */
static int read_encoded(struct event *event, const struct weir_json *payload, struct weir_text encoding)
{
    const struct weir_json   *document;
    const struct market_feed *feed;
    struct weir_text          text = market__trim(payload->text);
    int                       err = named_feed(event, &feed);

    if (err < 0)
        return err;
    if (market__same(encoding, TEXT("msgpack"))) {
        err = read_packed(event, payload, &document);
        return err < 0 ? err : read_document(event, feed, document);
    }
    if (payload->type != WEIR_JSON_STRING)
        return fail(event, MARKET_BAD_TYPE, "raw_payload", "no text");
    if (market__same(encoding, TEXT("csv-line")) && !market__begins(text, "{")) {
        struct market__fields fields;

        feed = feed && feed->columns ? feed : market__tick;
        err = read_line(event, feed, text, &fields);
        return err < 0 ? err : map(event, feed, &fields);
    }
    err = read_json(event, text, &document);
    return err < 0 ? err : read_document(event, feed, document);
}

static int read_ticks(struct event *event, const struct weir_json *payload)
{
    struct weir_text encoding;
    int              err = read_tick_header(event);

    if (err == WEIR_OK)
        err = read_text(event, event->payload, "encoding", &encoding);
    if (err < 0)
        return err;
    if (!encoding.size)
        encoding = TEXT("json");
    if (market__one_of(encoding, "json|csv-line|msgpack") < 0)
        return fail_text(event, MARKET_BAD_ENCODING, "encoding", encoding);
    if (payload->type == WEIR_JSON_OBJECT || payload->type == WEIR_JSON_ARRAY)
        return fail(event, MARKET_BAD_TYPE, "raw_payload", "no text");
    if (!payload->text.size)
        return fail(event, MARKET_MISSING, "raw_payload", "it is empty");
    return read_encoded(event, payload, encoding);
}

/* ---- all shapes ---- */

static int read_shape(struct event *event)
{
    const struct weir_json *data = given(event->payload, "raw_data");
    const struct weir_json *raw = given(event->payload, "raw_payload");
    const struct weir_json *large = given(event->payload, MARKET_ROW_TOO_LONG);
    const struct weir_json *broken = given(event->payload, MARKET_ROW_BROKEN);

    if (large)
        return fail_text(event, MARKET_TOO_LONG, MARKET_ROW_TOO_LONG, large->text);
    if (broken)
        return weir__fail(event->reterr, MARKET_MALFORMED, MARKET_ROW_BROKEN,
                          MARKET_ROW_BROKEN ": the row has not the columns of its table: \"%.*s\"",
                          (int)MIN(broken->text.size, 200), broken->text.data ? broken->text.data : "");
    if (data && (event->enveloped || data->type == WEIR_JSON_OBJECT))
        return read_nested(event, data);
    if (raw)
        return read_ticks(event, raw);
    if (given(event->payload, "data_type"))
        return read_flat(event);
    return fail(event, MARKET_UNKNOWN_SHAPE, "payload", "it has none of raw_data, raw_payload, data_type");
}

static int read_event(struct event *event, const struct weir_json *document)
{
    const struct weir_json *envelope = given(document, "envelope"), *payload = given(document, "payload");
    int                     err;

    if (document->type != WEIR_JSON_OBJECT)
        return fail(event, MARKET_UNKNOWN_SHAPE, "value", "no object");
    event->enveloped = envelope != NULL;
    event->header = envelope ? envelope : document;
    event->payload = payload ? payload : document;
    if (event->header->type != WEIR_JSON_OBJECT)
        return fail(event, MARKET_BAD_TYPE, "envelope", "no object");
    if (event->payload->type != WEIR_JSON_OBJECT)
        return fail(event, MARKET_BAD_TYPE, "payload", "no object");
    if (envelope && !payload)
        return fail(event, MARKET_MISSING, "payload", NULL);
    err = read_header(event);
    return err == WEIR_OK ? read_shape(event) : err;
}

static bool is_packed(struct weir_bytes value)
{
    uint8_t first = *(const uint8_t *)value.data;

    return (first >= 0x80 && first <= 0x8f) || first == 0xde || first == 0xdf;
}

static int read_document_of(struct event *event, struct weir_bytes value, const struct weir_json **ret)
{
    struct weir_error err = { 0 };
    int               code;

    if (is_packed(value))
        return market__unpack(event->arena, value, ret, event->reterr);
    code = weir_json_parse(event->arena, (struct weir_text){ .data = value.data, .size = value.size }, ret, &err);
    if (code == WEIR_LIMIT)
        return out_of_room(event);
    return code < 0 ? fail(event, MARKET_MALFORMED, "value", err.text) : WEIR_OK;
}

int market_read_raw(struct weir_arena *arena, struct weir_bytes value, const struct market_origin *origin,
                    const struct market_raw_options *options, struct market_reading *ret, struct weir_error *reterr)
{
    struct event            event = { .arena = arena, .options = *options, .reading = ret, .reterr = reterr };
    const struct weir_json *document;
    int                     err;

    *ret = (struct market_reading){ 0 };
    if (!value.data || !value.size)
        return fail(&event, MARKET_MALFORMED, "value", "it is empty");
    if (value.size > LARGEST)
        return weir__fail(reterr, WEIR_TOO_LARGE, "value", "value: %zu bytes, more than %zu", value.size, LARGEST);
    event.source =
        (struct market__source){ .ingested_at = origin->timestamp * 1000, .sequence = -1, .origin = origin };
    err = read_document_of(&event, value, &document);
    return err == WEIR_OK ? read_event(&event, document) : err;
}
