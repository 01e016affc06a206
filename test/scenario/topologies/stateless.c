/* stateless.c: topologies that remember nothing. */
#include "test/scenario/flow.h"
#include "test/scenario/topologies/verbs.h"

static weir_process count_seen;
static weir_test    is_power, is_gas;
static weir_process to_sides;
static weir_route   by_key;
static weir_process stamp_header;

/* clang-format off */
SOURCE(lines, "lines", weir_string, weir_string);
SINK  (out,   "out",   weir_string, weir_string);
static TOPOLOGY(copying, .paths = PATHS(PATH(lines, out)));

KEEP  (long_ones, flow_is_long);
DROP  (not_long,  flow_is_long);
SINK  (short_out, "short", weir_string, weir_string);
static TOPOLOGY(sifting, .paths = PATHS(PATH(lines, long_ones, out), PATH(lines, not_long, short_out)));

MAP_VALUES(upper,      flow_upper);
MAP       (swapped,    flow_swap, .key = weir_string, .value = weir_string);
FLAT_MAP_VALUES(words, flow_words);
SINK(upper_out, "upper", weir_string, weir_string);
SINK(swap_out,  "swapped", weir_string, weir_string);
SINK(words_out, "words", weir_string, weir_string);
static TOPOLOGY(mapping, .paths = PATHS(PATH(lines, upper, upper_out), PATH(lines, swapped, swap_out),
                                        PATH(lines, words, words_out)));

PEEK   (seen, count_seen, .state = sizeof(int64_t));
FOREACH(last, count_seen, .state = sizeof(int64_t));
static TOPOLOGY(peeking, .paths = PATHS(PATH(lines, seen, out), PATH(seen, last)));

LEG  (power, is_power);
LEG  (gas,   is_gas);
LEG  (rest,  NULL);
SPLIT(by_kind, power, gas, rest);
MERGE(all);
SINK (other, "other", weir_string, weir_string);
static TOPOLOGY(splitting, .paths = PATHS(PATH(lines, by_kind), PATH(power, upper, all, out), PATH(gas, all),
                                          PATH(rest, other)));

SPLIT(narrow, power, gas);
static TOPOLOGY(narrowing, .paths = PATHS(PATH(lines, narrow), PATH(power, all, out), PATH(gas, all)));

STEP(sides, to_sides);
static TOPOLOGY(siding, .paths = PATHS(PATH(lines, sides, out), PATH(sides, other)));

NODE(routed, .kind = WEIR_SINK, .topics = TOPICS("north", "south"), .key = weir_string, .value = weir_string,
     .route = by_key);
SINK(dead,   "dead", NULL, NULL);
static TOPOLOGY(routing, .paths = PATHS(PATH(lines, routed)), .dead_letters = dead);

STEP(stamped, stamp_header, .key = weir_string, .value = weir_string);
SINK(plain,   "plain", weir_string, weir_string);
static TOPOLOGY(stamping, .paths = PATHS(PATH(lines, stamped, out), PATH(lines, plain)));

SOURCES(both, TOPICS("left", "right"), weir_string, weir_string);
static TOPOLOGY(two_topics, .paths = PATHS(PATH(both, out)));
/* clang-format on */

FLOW(copying);
FLOW(sifting);
FLOW(mapping);
FLOW(peeking);
FLOW(splitting);
FLOW(narrowing);
FLOW(siding);
FLOW(routing);
FLOW(stamping);
FLOW(two_topics);

/* Every third record it sees, it refuses. */
static int count_seen(struct weir_context *ctx, const struct weir_record *rec)
{
    int64_t *count = weir_state(ctx);

    (void)rec;
    return ++*count % 3 == 0 ? weir_reject(ctx, WEIR_REJECTED, "every third is refused") : WEIR_OK;
}

static int is_power(struct weir_context *ctx, const struct weir_record *rec)
{
    (void)ctx;
    return flow_is(rec->key, "power");
}

static int is_gas(struct weir_context *ctx, const struct weir_record *rec)
{
    (void)ctx;
    return flow_is(rec->key, "gas");
}

/* "out": to the main output, "other": aside, "both": to both; "nowhere": to a node that is no child. */
static int to_sides(struct weir_context *ctx, const struct weir_record *rec)
{
    if (flow_is(rec->value, "both"))
        return weir_forward_record(ctx, rec);
    if (flow_is(rec->value, "nowhere"))
        return weir_forward_to(ctx, routed, rec);
    return weir_forward_to(ctx, flow_is(rec->value, "other") ? other : out, rec);
}

/* The key names the topic; "nobody" gives none. */
static int by_key(struct weir_context *ctx, const struct weir_record *rec, const char **ret_topic,
                  int32_t *ret_partition)
{
    static const char *const topics[] = { "north", "south", "west" };

    (void)ctx;
    for (size_t i = 0; i < ARRAY_SIZE(topics); i++)
        if (flow_is(rec->key, topics[i])) {
            *ret_topic = topics[i];
            *ret_partition = 0;
        }
    return WEIR_OK;
}

/* Adds a header and moves the time on by a second; "back" moves it before 1970. */
static int stamp_header(struct weir_context *ctx, const struct weir_record *rec)
{
    struct weir_record  copy = *rec;
    struct weir_header *headers = weir_alloc(ctx, sizeof(*headers) * (rec->header_count + 1));

    if (headers == NULL)
        return WEIR_LIMIT;
    for (size_t i = 0; i < rec->header_count; i++)
        headers[i] = rec->headers[i];
    headers[rec->header_count] = (struct weir_header){ .name = "stamp", .value = { .data = "1", .size = 1 } };
    copy.headers = headers;
    copy.header_count++;
    copy.timestamp = flow_is(rec->value, "back") ? -1 : rec->timestamp + 1000;
    return weir_forward_record(ctx, &copy);
}
