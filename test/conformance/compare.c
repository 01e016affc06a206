/* compare.c: what a case expects beside what its run gave; the first difference of each part. */
#include <inttypes.h>

#include "test/conformance/conformance.h"

struct comparison {
    struct conf_case       *c;
    const struct conf_run  *run;
    struct conf_difference *ret;
    size_t                  parts; /* that differ */
};

/* A part differs: its first difference goes to the line, or only its name after another part's. */
static void differ(struct comparison *at, const char *part, struct weir__buf *what)
{
    if (at->parts++ == 0) {
        weir__buf_printf(&at->ret->line, "%s: ", part);
        weir__buf_add(&at->ret->line, what->data, what->size);
    } else {
        weir__buf_printf(&at->ret->line, "%s%s", at->parts == 2 ? "; also " : ", ", part);
    }
    weir__buf_printf(&at->ret->full, "  %s: ", part);
    weir__buf_add(&at->ret->full, what->data, what->size);
    weir__buf_putc(&at->ret->full, '\n');
    weir__buf_fini(what);
}

static void differ_numbers(struct comparison *at, const char *part, int64_t expected, int64_t got)
{
    struct weir__buf what = { 0 };

    if (expected == got)
        return;
    weir__buf_printf(&what, "expected %" PRId64 ", got %" PRId64, expected, got);
    differ(at, part, &what);
}

/* ---- describe ---- */

static size_t occurrences(const char *text, const char *word)
{
    size_t count = 0;

    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        count++;
    return count;
}

static void line_of(const char *text, size_t n, struct weir__buf *buf)
{
    const char *end;

    while (n-- > 0 && text) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    if (!text) {
        weir__buf_puts(buf, "nothing");
        return;
    }
    end = strchr(text, '\n');
    weir__buf_putc(buf, '`');
    weir__buf_add(buf, text, end ? (size_t)(end - text) : strlen(text));
    weir__buf_putc(buf, '`');
}

static void compare_describe(struct comparison *at)
{
    const char      *expected = conf_string(at->c->expect, "describe", NULL), *got = at->run->describe;
    struct weir__buf what = { 0 };
    size_t           line = 0, globals;

    if (!expected || !got)
        return;
    for (size_t i = 0; expected[i] && expected[i] == got[i]; i++)
        line += expected[i] == '\n';
    if (strcmp(expected, got) != 0) {
        weir__buf_printf(&what, "line %zu: expected ", line + 1);
        line_of(expected, line, &what);
        weir__buf_puts(&what, ", got ");
        line_of(got, line, &what);
        differ(at, "describe", &what);
        weir__buf_printf(&at->ret->full, "--- expected\n%s--- got\n%s", expected, got);
    }
    globals = occurrences(got, " for global store (");
    differ_numbers(at, "subtopologies", conf_number(at->c->expect, "subtopologies", -1),
                   (int64_t)(occurrences(got, "Sub-topology: ") - globals));
    differ_numbers(at, "global_stores", conf_number(at->c->expect, "global_stores", -1), (int64_t)globals);
}

/* ---- records ---- */

static void show_record(struct weir__buf *buf, struct conf_case *c, const struct conf_record *record)
{
    const struct weir_codec *key = NULL, *value = NULL;

    if (!record) {
        weir__buf_puts(buf, "nothing");
        return;
    }
    conf_topic_types(c, record->topic, &key, &value);
    weir__buf_printf(buf, "%s ", record->topic);
    conf_show(buf, key, record->key);
    weir__buf_puts(buf, "=");
    conf_show(buf, value, record->value);
    if (record->timestamp >= 0)
        weir__buf_printf(buf, " at %" PRId64, record->timestamp);
    if (*record->headers)
        weir__buf_printf(buf, " [%s]", record->headers);
}

static bool same_bytes(struct weir_bytes a, struct weir_bytes b)
{
    if (!a.data || !b.data)
        return !a.data && !b.data;
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

static bool same_record(const struct conf_record *a, const struct conf_record *b)
{
    return a->step == b->step && strcmp(a->topic, b->topic) == 0 && same_bytes(a->key, b->key) &&
           same_bytes(a->value, b->value) && strcmp(a->headers, b->headers) == 0 &&
           (a->timestamp == b->timestamp || (a->timestamp < 0 && b->timestamp < 0));
}

static const char *expected_headers(struct conf_case *c, const json_t *list)
{
    char *text = weir__arena_printf(&c->arena, "%s", "");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *pair = json_array_get(list, i);
        const char   *hex = json_string_value(json_array_get(pair, 1));

        text = weir__arena_printf(&c->arena, "%s%s=%s,", text, json_string_value(json_array_get(pair, 0)),
                                  hex ? hex : "null");
    }
    return text;
}

static struct conf_record *expected_record(struct conf_case *c, const char *topic, size_t step, const json_t *json)
{
    struct conf_record *record = conf_new(&c->arena, sizeof(*record));

    record->topic = topic;
    record->step = step;
    record->timestamp = conf_number(json, "ts", -1);
    record->headers = expected_headers(c, json_object_get(json, "headers"));
    return record;
}

static void add_expected_outputs(struct conf_case *c, const json_t *list, size_t step, struct conf_list *ret)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t            *json = json_array_get(list, i);
        const char              *topic = conf_string(json, "topic", "?");
        struct conf_record      *record = expected_record(c, topic, step, json);
        const struct weir_codec *key = NULL, *value = NULL;

        conf_topic_types(c, topic, &key, &value);
        record->key = conf_has(json, "key_hex") ? conf_unhex(&c->arena, conf_string(json, "key_hex", ""))
                                                : conf_bytes(&c->arena, key, json_object_get(json, "key"));
        record->value = conf_bytes(&c->arena, value, json_object_get(json, "value"));
        conf_add(ret, record);
    }
}

static struct weir_bytes hex_member(struct conf_case *c, const json_t *json, const char *name)
{
    return conf_has(json, name) ? conf_unhex(&c->arena, conf_string(json, name, "")) : NO_BYTES;
}

static void add_expected_internal(struct conf_case *c, const char *topic, const json_t *list, struct conf_list *ret)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t       *json = json_array_get(list, i);
        struct conf_record *record = expected_record(c, topic, (size_t)conf_number(json, "step", 0), json);

        record->key = hex_member(c, json, "key");
        record->value = hex_member(c, json, "value");
        conf_add(ret, record);
    }
}

static void show_all(struct comparison *at, const char *title, const struct conf_list *list)
{
    struct weir__buf *buf = &at->ret->full;

    weir__buf_printf(buf, "    %s:\n", title);
    for (size_t i = 0; i < list->count; i++) {
        const struct conf_record *record = list->items[i];

        weir__buf_printf(buf, "      %zu: ", record->step);
        show_record(buf, at->c, record);
        weir__buf_putc(buf, '\n');
    }
}

static void compare_records(struct comparison *at, const char *part, const struct conf_list *expected,
                            const struct conf_list *got)
{
    size_t                    n = 0;
    const struct conf_record *want, *have;
    struct weir__buf          what = { 0 };

    while (n < expected->count && n < got->count && same_record(expected->items[n], got->items[n]))
        n++;
    if (n == expected->count && n == got->count)
        return;
    want = n < expected->count ? expected->items[n] : NULL;
    have = n < got->count ? got->items[n] : NULL;
    if (want && have && want->step != have->step) { /* what the earlier step has too much or too little */
        have = have->step < want->step ? have : NULL;
        want = have ? NULL : want;
    }
    weir__buf_printf(&what, "step %zu: expected ", want ? want->step : have->step);
    show_record(&what, at->c, want);
    weir__buf_puts(&what, ", got ");
    show_record(&what, at->c, have);
    differ(at, part, &what);
    show_all(at, "expected", expected);
    show_all(at, "got", got);
}

static void compare_outputs(struct comparison *at)
{
    const json_t    *steps = json_object_get(at->c->expect, "outputs");
    struct conf_list expected = { 0 };

    if (!steps)
        return;
    for (size_t i = 0; i < json_array_size(steps); i++)
        add_expected_outputs(at->c, json_array_get(steps, i), i, &expected);
    add_expected_outputs(at->c, json_object_get(at->c->expect, "outputs_at_close"),
                         json_array_size(json_object_get(at->c->json, "steps")), &expected);
    compare_records(at, "outputs", &expected, &at->run->outputs);
    weir__free(expected.items);
}

static void pick_topic(const struct conf_list *all, const char *topic, struct conf_list *ret)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(((const struct conf_record *)all->items[i])->topic, topic) == 0)
            conf_add(ret, all->items[i]);
}

static void compare_topic(struct comparison *at, const char *topic, const json_t *list)
{
    struct conf_list expected = { 0 }, got = { 0 };
    char            *part = weir__arena_printf(&at->c->arena, "internal %s", topic);

    add_expected_internal(at->c, topic, list, &expected);
    pick_topic(&at->run->internal, topic, &got);
    compare_records(at, part, &expected, &got);
    weir__free(expected.items);
    weir__free(got.items);
}

static void compare_internal(struct comparison *at)
{
    json_t     *topics = json_object_get(at->c->expect, "internal");
    const char *topic, *last = NULL;
    json_t     *list;

    if (!topics)
        return;
    json_object_foreach(topics, topic, list) compare_topic(at, topic, list);
    for (size_t i = 0; i < at->run->internal.count; i++) {
        topic = ((const struct conf_record *)at->run->internal.items[i])->topic;
        if (json_object_get(topics, topic) || (last && strcmp(last, topic) == 0))
            continue;
        last = topic;
        compare_topic(at, topic, NULL);
    }
}

/* ---- stores ---- */

static bool is_hex(const char *text)
{
    size_t size = strlen(text);

    return size % 2 == 0 && strspn(text, "0123456789abcdef") == size;
}

/* Whether bytes are the JSON value, whichever type it was written from. */
static bool same_json(struct conf_case *c, const json_t *json, struct weir_bytes bytes)
{
    struct weir_codec session = *SESSIONED(NULL);

    if (!json || json_is_null(json))
        return !bytes.data;
    if (same_bytes(conf_bytes(&c->arena, NULL, json), bytes))
        return true;
    if (json_is_string(json))
        return is_hex(json_string_value(json)) && same_bytes(conf_bytes(&c->arena, weir_blob, json), bytes);
    if (json_is_object(json))
        return same_bytes(conf_bytes(&c->arena, &session, json), bytes);
    return json_is_number(json) && same_bytes(conf_bytes(&c->arena, weir_double, json), bytes);
}

static bool same_row(struct conf_case *c, const json_t *json, const struct conf_row *row)
{
    return same_json(c, json_object_get(json, "key"), row->key) &&
           same_json(c, json_object_get(json, "value"), row->value) &&
           conf_number(json, "ts", -1) == row->timestamp && conf_number(json, "start", -1) == row->start &&
           conf_number(json, "end", -1) == row->end;
}

static void show_row(struct weir__buf *buf, const struct conf_row *row)
{
    conf_show(buf, NULL, row->key);
    if (row->start >= 0)
        weir__buf_printf(buf, "@%" PRId64 "-%" PRId64, row->start, row->end);
    weir__buf_putc(buf, '=');
    conf_show(buf, NULL, row->value);
    if (row->timestamp >= 0)
        weir__buf_printf(buf, " at %" PRId64, row->timestamp);
}

static void show_json(struct weir__buf *buf, const json_t *json)
{
    char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);

    weir__buf_puts(buf, text ? text : "nothing");
    free(text);
}

/* Rows as sets: pairs every expected row with one of its own; shows the first left over on either side. */
static bool rows_differ(struct comparison *at, const json_t *rows, const struct conf_store *store,
                        struct weir__buf *what)
{
    struct conf_list rest = { 0 };
    const json_t    *missing = NULL;
    bool             differs;

    for (size_t i = 0; i < store->rows.count; i++)
        conf_add(&rest, store->rows.items[i]);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        size_t n = 0;

        while (n < rest.count && !same_row(at->c, json_array_get(rows, i), rest.items[n]))
            n++;
        if (n < rest.count)
            rest.items[n] = rest.items[--rest.count];
        else if (!missing)
            missing = json_array_get(rows, i);
    }
    differs = missing || rest.count;
    if (differs) {
        weir__buf_printf(what, "%s: expected ", store->name);
        show_json(what, missing);
        weir__buf_puts(what, ", got ");
        if (rest.count)
            show_row(what, rest.items[0]);
        else
            weir__buf_puts(what, "nothing");
    }
    weir__free(rest.items);
    return differs;
}

static const struct conf_store *store_of(const struct conf_run *run, const char *name)
{
    for (size_t i = 0; i < run->stores.count; i++)
        if (strcmp(((const struct conf_store *)run->stores.items[i])->name, name) == 0)
            return run->stores.items[i];
    return NULL;
}

static bool store_differs(struct comparison *at, const char *name, const json_t *expected, struct weir__buf *what)
{
    const struct conf_store *store = store_of(at->run, name);
    const char              *type = conf_string(expected, "type", "?");

    if (!store || strcmp(store->type, type) != 0) {
        weir__buf_printf(what, "%s: expected %s, got %s", name, type, store ? store->type : "none");
        return true;
    }
    return strcmp(type, "opaque") != 0 && rows_differ(at, json_object_get(expected, "rows"), store, what);
}

static void compare_stores(struct comparison *at)
{
    json_t          *stores = json_object_get(at->c->expect, "stores"), *store;
    struct weir__buf what = { 0 };
    const char      *name;

    if (!stores)
        return;
    json_object_foreach(stores, name, store)
    {
        if (store_differs(at, name, store, &what)) {
            differ(at, "stores", &what);
            return;
        }
    }
    for (size_t i = 0; i < at->run->stores.count; i++) {
        const struct conf_store *got = at->run->stores.items[i];

        if (json_object_get(stores, got->name))
            continue;
        weir__buf_printf(&what, "%s: expected none, got %s", got->name, got->type);
        differ(at, "stores", &what);
        return;
    }
}

static void compare_dropped(struct comparison *at)
{
    json_t     *tasks = json_object_get(at->c->expect, "dropped"), *count;
    const char *task;
    int64_t     sum = 0;

    if (!tasks)
        return;
    json_object_foreach(tasks, task, count) sum += json_integer_value(count);
    differ_numbers(at, "dropped", sum, (int64_t)at->run->dropped);
}

/* ---- errors ---- */

static void show_error(struct weir__buf *buf, const char *stage, int64_t step, const char *kind)
{
    if (!stage) {
        weir__buf_puts(buf, "none");
        return;
    }
    weir__buf_printf(buf, "%s", stage);
    if (strcmp(stage, "run") == 0)
        weir__buf_printf(buf, " step %" PRId64, step);
    weir__buf_printf(buf, " (%s)", kind);
}

/* "streams" is upstream's word for what has no class of its own; weir has one code for a name, upstream two kinds. */
static bool same_kind(const char *expected, int code)
{
    if (strcmp(expected, "streams") == 0)
        return true;
    if (code == WEIR_BAD_NAME && strcmp(expected, "topology") == 0)
        return true;
    return strcmp(expected, conf_error_kind(code)) == 0;
}

static bool same_error(const json_t *expected, const struct conf_run *run)
{
    const char *stage = conf_string(expected, "stage", "");

    if (!expected)
        return run->code >= 0;
    if (run->code >= 0 || strcmp(stage, run->stage) != 0)
        return false;
    if (strcmp(stage, "run") == 0 && conf_number(expected, "step", -1) != (int64_t)run->step)
        return false;
    return same_kind(conf_string(expected, "kind", ""), run->code);
}

static bool compare_error(struct comparison *at)
{
    const json_t          *expected = json_object_get(at->c->expect, "error");
    const struct conf_run *run = at->run;
    struct weir__buf       what = { 0 };

    if (same_error(expected, run))
        return true;
    weir__buf_puts(&what, "expected ");
    show_error(&what, conf_string(expected, "stage", NULL), conf_number(expected, "step", 0),
               conf_string(expected, "kind", ""));
    weir__buf_puts(&what, ", got ");
    show_error(&what, run->code < 0 ? run->stage : NULL, (int64_t)run->step, conf_error_kind(run->code));
    if (run->code < 0)
        weir__buf_printf(&what, " %s: %s: %s", weir_code_name(run->code), run->error.where, run->error.text);
    differ(at, "error", &what);
    return false;
}

bool conf_compare(struct conf_case *c, const struct conf_build *build, const struct conf_run *run,
                  struct conf_difference *ret)
{
    struct comparison at = { .c = c, .run = run, .ret = ret };

    (void)build;
    *ret = (struct conf_difference){ 0 };
    compare_error(&at);
    compare_describe(&at);
    if (!run->stage || (strcmp(run->stage, "build") != 0 && strcmp(run->stage, "start") != 0)) {
        compare_outputs(&at);
        compare_stores(&at);
        compare_dropped(&at);
        compare_internal(&at);
    }
    return at.parts == 0;
}
