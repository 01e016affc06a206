/* bars.c: bars as projection keeps and answers them, of each interval that aggregation makes.
 *
 * (1) Of several bars of a window the one of the greatest (epoch, revision) stays, whatever order they come in; of open ones, which
 *     are all of revision 0, the last.
 * (2) Intervals that configuration asks for share a store, each with a time of its own per instrument; of an instrument there are
 *     those that it has bars of.
 */
#include "schemas/derived.h"
#include "topologies/aggregation.h"
#include "topologies/serving.h"

/* ---- keeping ---- */

static int keep(struct weir_context *ctx, const struct weir_store *store, const void *key,
                const struct market_bar *bar)
{
    const struct market_bar *known;
    int64_t                  start = bar->window_start / 1000;
    int                      err = weir_get_window(ctx, store, key, start, (const void **)&known);

    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    if (err == WEIR_OK && market_bar_compare(bar, known) < (bar->state != MARKET_BAR_OPEN)) {
        weir_drop(ctx, "superseded");
        return WEIR_OK;
    }
    err = weir_put_window(ctx, store, key, bar, start);
    return err < 0 ? err : weir_advance(ctx, store, key, start);
}

int market_bars_keep(struct weir_context *ctx, const struct weir_record *rec)
{
    return rec->key == NULL || rec->value == NULL ? market_reject_null(ctx, rec)
                                                  : keep(ctx, weir_arg(ctx), rec->key, rec->value);
}

static struct market_wide wide_of(const struct market_key *key, int64_t minutes)
{
    return (struct market_wide){ .line = { .key = *key, .epoch = MARKET_LIVE }, .width = MINUTES(minutes) };
}

int market_bars_keep_other(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct market_bar *bar = rec->value;
    struct market_wide       wide;
    int64_t                  minutes;

    if (rec->key == NULL || bar == NULL)
        return market_reject_null(ctx, rec);
    minutes = market_minutes_of(bar->interval);
    if (minutes == 0)
        return weir_reject(ctx, WEIR_UNREADABLE, "interval: it is none that a day is made of");
    wide = wide_of(rec->key, minutes);
    return keep(ctx, weir_arg(ctx), &wide, bar);
}

/* ---- over HTTP ---- */

/* What is asked for. */
struct asked {
    const struct market_bars_shelf *shelf;
    const struct weir_store        *store;
    struct market_key               key;
    struct market_wide              wide; /* of other intervals */
    bool                            other;
    int64_t                         from, to;
};

/* A bound of time, ms: ISO 8601 or an epoch; absent: `otherwise`. */
static int read_time(const struct weir_request *request, struct weir_reply *reply, const char *name,
                     int64_t otherwise, int64_t *ret)
{
    const char         *text = weir_request_query(request, name);
    struct market_stamp stamp;

    *ret = otherwise;
    if (text == NULL)
        return WEIR_OK;
    if (market_stamp_read((struct weir_text){ text, strlen(text) }, &stamp) < 0) {
        (void)weir_reply_fail(reply, 400, "%s: \"%.60s\" is no time: give 2025-03-01T00:00:00Z or an epoch", name,
                              text);
        return WEIR_BAD_ARGUMENT;
    }
    *ret = stamp.us / 1000;
    return WEIR_OK;
}

/* Rows of one of the stores, of the task that has the instrument. */
static int fetch(struct weir_request *request, const struct asked *asked, int64_t from, int64_t to,
                 struct weir_view_rows **ret)
{
    const void       *key = asked->other ? (const void *)&asked->wide : &asked->key;
    struct weir_view *view;
    int               err = weir_request_view(request, asked->store->name, &view);

    if (err == WEIR_OK)
        err = weir_view_routed(view, weir_request_arena(request), market_key, &asked->key);
    if (err == WEIR_OK)
        err = weir_view_fetch(view, weir_request_arena(request), key, from, to, WEIR_ASCENDING, ret);
    return err;
}

/* WEIR_OK: the instrument has bars of that other interval, of whatever time, and *ret_name is what they call it; WEIR_NOTFOUND: none. */
static int find_other(struct weir_request *request, const struct asked *asked, int64_t minutes,
                      struct weir_text *ret_name)
{
    struct asked           other = { .store = asked->shelf->others, .key = asked->key, .other = true };
    struct weir_view_rows *rows;
    struct weir_row        row;
    int                    err;

    other.wide = wide_of(&asked->key, minutes);
    err = fetch(request, &other, 0, INT64_MAX, &rows);
    if (err == WEIR_OK)
        err = weir_view_next(rows, &row);
    if (err == WEIR_OK)
        *ret_name = ((const struct market_bar *)row.value)->interval;
    return err;
}

/* A 400 that lists what there is. */
static int refuse_interval(struct weir_request *request, struct weir_reply *reply, const struct asked *asked)
{
    struct weir__buf list = { 0 };
    struct weir_text name;
    int              err = WEIR_OK;

    for (size_t i = 0; i < MARKET_BARS_USUAL; i++)
        weir__buf_printf(&list, "%s%s", i > 0 ? ", " : "", asked->shelf->usual[i].name);
    for (int64_t minutes = 1; err == WEIR_OK && minutes <= MARKET_MINUTES_MOST; minutes++) {
        err = 1440 % minutes == 0 ? find_other(request, asked, minutes, &name) : WEIR_NOTFOUND;
        if (err == WEIR_OK)
            weir__buf_printf(&list, ", %.*s", (int)name.size, name.data);
        err = err == WEIR_NOTFOUND ? WEIR_OK : err;
    }
    weir__buf_putc(&list, '\0');
    if (err == WEIR_OK)
        err = weir__buf_ok(&list) ? weir_reply_fail(reply, 400, "interval: there are %s", list.data) : WEIR_NO_MEMORY;
    weir__buf_fini(&list);
    return err;
}

/* 1: it is one of those that there are. WEIR_OK: the reply says that it is none. */
static int find_interval(struct weir_request *request, struct weir_reply *reply, struct asked *asked)
{
    const char      *name = weir_request_query(request, "interval");
    int64_t          minutes;
    struct weir_text known;
    int              err = WEIR_NOTFOUND;

    name = name != NULL ? name : "1m";
    for (size_t i = 0; i < MARKET_BARS_USUAL; i++)
        if (strcmp(asked->shelf->usual[i].name, name) == 0) {
            asked->store = asked->shelf->usual[i].store;
            return 1;
        }
    minutes = market_minutes_of((struct weir_text){ name, strlen(name) });
    if (minutes > 0)
        err = find_other(request, asked, minutes, &known);
    if (err == WEIR_NOTFOUND)
        return refuse_interval(request, reply, asked);
    asked->store = asked->shelf->others;
    asked->other = true;
    asked->wide = wide_of(&asked->key, minutes);
    return err < 0 ? err : 1;
}

enum { BARS_MOST = 10000 };

static int put_bars(struct weir_reply *reply, struct weir_view_rows *rows)
{
    struct weir_json_out *json = weir_reply_json(reply);
    struct weir_row       row;
    size_t                count = 0;
    int                   err = WEIR_OK;

    weir_json_begin_object(json);
    weir_json_name(json, "bars");
    weir_json_begin_array(json);
    while (count < BARS_MOST && (err = weir_view_next(rows, &row)) == WEIR_OK) {
        err = market_bar->print(market_bar, row.value, json);
        if (err < 0)
            return err;
        count++;
    }
    weir_json_end_array(json);
    weir_json_name(json, "more"); /* ask again from the last one's end */
    weir_json_put_bool(json, count == BARS_MOST);
    weir_json_end_object(json);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

int market_answer_bars(struct weir_request *request, struct weir_reply *reply)
{
    struct asked           asked = { .shelf = weir_request_arg(request) };
    struct weir_view_rows *rows;
    int err = market_request_key(request, reply, "instrument_id|tenant_id|interval|from|to", &asked.key);

    if (err == WEIR_OK)
        err = read_time(request, reply, "from", 0, &asked.from);
    if (err == WEIR_OK)
        err = read_time(request, reply, "to", INT64_MAX, &asked.to);
    if (err == WEIR_OK && asked.from > asked.to)
        return weir_reply_fail(reply, 400, "from is behind to: exchange them");
    if (err == WEIR_OK)
        err = find_interval(request, reply, &asked);
    if (err <= 0)
        return err;
    err = fetch(request, &asked, asked.from, asked.to, &rows);
    return err < 0 ? err : put_bars(reply, rows);
}
