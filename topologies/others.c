/* others.c: bars of intervals that configuration asks for, besides those that are always folded.
 *
 * (1) They share one store, each with a time of its own per instrument, and one topic.
 * (2) A window is folded from the longest of the ladder's windows that fit into it, when it closes and when a tick or one of those
 *     windows changes it after that: the clock may have closed it before them.
 */
#include "schemas/derived.h"
#include "topologies/aggregation.h"

/* ---- what is asked for ---- */

static int bad(const char *item, size_t size, const char *what, struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_BAD_CONFIG, "intervals", "\"%.*s\": %s", (int)MIN(size, 20), item, what);
}

static bool is(const char *item, size_t size, const char *word)
{
    return strlen(word) == size && memcmp(word, item, size) == 0;
}

/* A list's items one by one; size 0: there is none left. */
static struct weir_text next_item(struct weir_text *list)
{
    struct weir_text item;

    while (list->size > 0 && (*list->data == ',' || *list->data == ' ')) {
        list->data++;
        list->size--;
    }
    item = (struct weir_text){ list->data, 0 };
    while (item.size < list->size && item.data[item.size] != ',' && item.data[item.size] != ' ')
        item.size++;
    list->data += item.size;
    list->size -= item.size;
    return item;
}

static int add(struct market_intervals *to, struct weir_text item, struct weir_error *reterr)
{
    int64_t minutes = market_minutes_of(item);

    if (minutes == 0)
        return bad(item.data, item.size,
                   "intervals are 1d, or so many minutes (15m) or hours (4h) that a day is made of them", reterr);
    if (to->count == MARKET_OTHERS_MOST)
        return bad(item.data, item.size, "these are more intervals than there may be", reterr);
    to->others[to->count].width = MINUTES(minutes);
    snprintf(to->others[to->count].name, sizeof(to->others[0].name), "%.*s", (int)item.size, item.data);
    return (int)to->count++;
}

/* The item's bit, or a code. */
static int read_item(struct weir_text item, const struct market_ladder *ladder, struct market_intervals *ret,
                     struct weir_error *reterr)
{
    int other;

    for (size_t i = 0; i < ladder->count; i++)
        if (is(item.data, item.size, ladder->levels[i].interval))
            return (int)i;
    for (size_t i = 0; i < ret->count; i++)
        if (is(item.data, item.size, ret->others[i].name))
            return (int)(ladder->count + i);
    other = add(ret, item, reterr);
    return other < 0 ? other : (int)ladder->count + other;
}

static int read_list(struct weir_text list, const struct market_ladder *ladder, struct market_intervals *ret,
                     unsigned *ret_sent, struct weir_error *reterr)
{
    struct weir_text item;

    *ret_sent = 0;
    while ((item = next_item(&list)).size > 0) {
        int bit = read_item(item, ladder, ret, reterr);

        if (bit < 0)
            return bit;
        *ret_sent |= 1u << bit;
    }
    return WEIR_OK;
}

/* ---- of which products ---- */

/* As suffixes of ids are called; what has none is RT. */
static const char *const products[MARKET_PRODUCTS] = {
#define WORD(name, suffix, meaning) [name] = suffix,
    MARKET_BASES(WORD)
#undef WORD
        [MARKET_TRADE] = "TRADE"
};

static const char *product_name(size_t n) { return n == MARKET_REAL_TIME ? "RT" : products[n]; }

static int read_products(struct weir_text list, unsigned sent, struct market_intervals *ret,
                         struct weir_error *reterr)
{
    struct weir_text item;

    while ((item = next_item(&list)).size > 0) {
        size_t n = 0;

        while (n < MARKET_PRODUCTS && !is(item.data, item.size, product_name(n)))
            n++;
        if (n == MARKET_PRODUCTS)
            return bad(item.data, item.size, "products are RT, RT15M, RT1H, DA, RTC, HASP, EW and TRADE", reterr);
        ret->sent[n] = sent;
        ret->differ = true;
    }
    return WEIR_OK;
}

/* One of what stands between semicolons: of all products, or of those before the equals sign. */
static int read_group(struct weir_text group, bool named, const struct market_ladder *ladder,
                      struct market_intervals *ret, struct weir_error *reterr)
{
    const char      *equals = group.size > 0 ? memchr(group.data, '=', group.size) : NULL;
    struct weir_text list = group;
    unsigned         sent;
    int              err;

    if ((equals != NULL) != named)
        return WEIR_OK;
    if (named)
        list = (struct weir_text){ equals + 1, group.size - (size_t)(equals + 1 - group.data) };
    err = read_list(list, ladder, ret, &sent, reterr);
    if (err == WEIR_OK && named)
        return read_products((struct weir_text){ group.data, (size_t)(equals - group.data) }, sent, ret, reterr);
    for (size_t i = 0; err == WEIR_OK && i < MARKET_PRODUCTS; i++)
        ret->sent[i] |= sent;
    return err;
}

static int read_groups(const char *text, bool named, const struct market_ladder *ladder, struct market_intervals *ret,
                       struct weir_error *reterr)
{
    int err = WEIR_OK;

    while (err == WEIR_OK && *text != '\0') {
        size_t size = strcspn(text, ";");

        err = read_group((struct weir_text){ text, size }, named, ladder, ret, reterr);
        text += size + (text[size] == ';');
    }
    return err;
}

int market_intervals_read(const char *text, const struct market_ladder *ladder, struct market_intervals *ret,
                          struct weir_error *reterr)
{
    int err;

    *ret = (struct market_intervals){ 0 };
    err = read_groups(text, false, ladder, ret, reterr);
    return err == WEIR_OK ? read_groups(text, true, ladder, ret, reterr) : err;
}

static size_t product_of(struct weir_text instrument)
{
    const struct market_rules *rules;
    struct market_id_parts     parts;

    if (market_id_split(instrument, &parts) < 0)
        return MARKET_TRADE;
    rules = market_rules_find(parts.market);
    return rules != NULL && rules->power ? (size_t)parts.basis : (size_t)MARKET_TRADE;
}

unsigned market_intervals_of(const struct market_intervals *intervals, struct weir_text instrument)
{
    return intervals->sent[intervals->differ ? product_of(instrument) : MARKET_TRADE];
}

/* ---- windows ---- */

static size_t child_of(const struct market_ladder *ladder, int64_t width)
{
    size_t child = 0;

    for (size_t i = 1; i < ladder->count && ladder->levels[i].width > 0; i++)
        if (ladder->levels[i].width < width && width % ladder->levels[i].width == 0)
            child = i;
    return child;
}

static struct market_wide key_of(const struct market_line *line, const struct market_other *other)
{
    return (struct market_wide){ .line = *line, .width = other->width };
}

/* Which of the other intervals an instrument's bars are sent of. */
static unsigned others_of(const struct market_intervals *intervals, const struct market_ladder *ladder,
                          const struct market_line *line)
{
    return market_intervals_of(intervals, line->key.instrument) >> ladder->count;
}

static const char *name_of(const struct market_intervals *intervals, int64_t width)
{
    for (size_t i = 0; i < intervals->count; i++)
        if (intervals->others[i].width == width)
            return intervals->others[i].name;
    return NULL; /* it was asked for before */
}

/* The next revision, where the window says something else than before. */
static int say(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_store *store,
               const struct market_wide *key, const struct weir_span *span, struct market_window *window)
{
    const struct market_intervals *intervals = &((const struct market_setup *)weir_state(ctx))->intervals;
    int64_t                        epoch = market_line_epoch(ctx, &key->line);
    const char                    *name = name_of(intervals, key->width);
    struct market_fold             fold;
    int err = market_ladder_fold(ctx, ladder, child_of(ladder, key->width), &key->line, span, &fold);

    if (err < 0 || fold.count == 0 || name == NULL ||
        (window->revision > 0 && window->epoch >= epoch && market_fold_same(&fold, &window->fold)))
        return err;
    window->fold = fold;
    window->revision = window->epoch < epoch ? 1 : window->revision + 1;
    window->epoch = MAX(window->epoch, epoch);
    err = weir_put_span(ctx, store, key, window, span);
    return err < 0 ? err : market_bar_send(ctx, ladder, ladder->others, name, &key->line, span, window);
}

static int change(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_store *store,
                  const struct market_wide *key, int64_t time)
{
    struct weir_span            span = { .start = time - time % key->width };
    const struct market_window *known;
    struct market_window        window = { .epoch = market_line_epoch(ctx, &key->line) };
    int                         standing, err;

    span.end = span.start + key->width;
    standing = weir_window_standing(ctx, store, key, span.end);
    if (standing < 0 || standing == WEIR_PAST)
        return MIN(standing, WEIR_OK);
    err = weir_get_window(ctx, store, key, span.start, (const void **)&known);
    if (err == WEIR_OK)
        window = *known;
    else if (err == WEIR_NOTFOUND && standing == WEIR_OPEN)
        err = weir_put_span(ctx, store, key, &window, &span);
    if (err < 0 && err != WEIR_NOTFOUND)
        return err;
    return standing == WEIR_CLOSED ? say(ctx, ladder, store, key, &span, &window) : WEIR_OK;
}

int market_others_changed(struct weir_context *ctx, const struct market_ladder *ladder,
                          const struct weir_store *store, const struct market_arrival *arrival)
{
    const struct market_intervals *intervals = &((const struct market_setup *)weir_state(ctx))->intervals;
    const unsigned                 sent = others_of(intervals, ladder, &arrival->line);
    int                            err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < intervals->count; i++) {
        struct market_wide key = key_of(&arrival->line, &intervals->others[i]);

        if (sent >> i & 1)
            err = change(ctx, ladder, store, &key, arrival->time);
    }
    return err;
}

int market_others_look(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_store *store,
                       const struct weir_row *row)
{
    const struct market_intervals *intervals = &((const struct market_setup *)weir_state(ctx))->intervals;
    const unsigned                 sent = others_of(intervals, ladder, row->key);
    int                            err = WEIR_OK;

    for (size_t i = 0; err >= 0 && i < intervals->count; i++) {
        struct market_wide key = key_of(row->key, &intervals->others[i]);

        if (!(sent >> i & 1) || key.width <= row->end - row->start)
            continue;
        err = weir_window_standing(ctx, store, &key, row->start - row->start % key.width + key.width);
        if (err == WEIR_CLOSED)
            err = change(ctx, ladder, store, &key, row->start);
    }
    return MIN(err, WEIR_OK);
}

int market_others_advance(struct weir_context *ctx, const struct weir_store *store,
                          const struct market_arrival *arrival)
{
    const struct market_intervals *intervals = &((const struct market_setup *)weir_state(ctx))->intervals;
    int                            err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < intervals->count; i++) {
        struct market_wide key = key_of(&arrival->line, &intervals->others[i]);

        err = weir_advance(ctx, store, &key, arrival->time);
    }
    return err;
}

int market_others_closed(struct weir_context *ctx, const struct market_ladder *ladder, const struct weir_store *store,
                         const struct weir_row *row)
{
    struct market_window window = *(const struct market_window *)row->value;
    struct weir_span     span = { .start = row->start, .end = row->end };

    return say(ctx, ladder, store, row->key, &span, &window);
}
