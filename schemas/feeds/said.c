/* said.c: what is said of a file outside its rows: tokens of its name, load.conf, options.
 *
 * (1) A token stands between characters of another kind: "rt_hrl_lmps" in "pjm_rt_hrl_lmps_hubs.csv", not in "xrt_hrl_lmps".
 * (2) A day is eight digits in a row that are a date, or YYYY-MM-DD. Two different days in a name say none.
 *
 * load.conf is lines "key = value"; behind a line "[pattern]" they hold for files whose name fits the pattern (as the
 * shell's), before the first such line for all files of the folder. The last line that fits wins.
 */
#define _GNU_SOURCE /* FNM_CASEFOLD */
#include <fnmatch.h>

#include "schemas/feeds/files.h"

static const char *const names[] = { "market", "product", "day", "instrument", "zone", "scale" };

const char *market__said_name(enum market__what what) { return names[what]; }

void market__said_add(struct market__said *said, const struct market__said *more)
{
    for (size_t i = 0; i < SAID_COUNT; i++)
        if (!said->of[i].size)
            said->of[i] = more->of[i];
}

/* ---- tokens ---- */

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Letters do not touch letters, digits not digits. */
static bool is_apart(char a, char b) { return !((is_letter(a) && is_letter(b)) || (is_digit(a) && is_digit(b))); }

static bool has_token(struct weir_text text, struct weir_text token)
{
    for (size_t at = 0; at + token.size <= text.size; at++)
        if (market__same((struct weir_text){ .data = text.data + at, .size = token.size }, token) &&
            (at == 0 || is_apart(text.data[at - 1], *token.data)) &&
            (at + token.size == text.size || is_apart(token.data[token.size - 1], text.data[at + token.size])))
            return true;
    return false;
}

struct weir_text market__product_in(const struct market_rules *rules, struct weir_text text)
{
    struct weir_text longest = { 0 };

    for (size_t i = 0; i < market__feed_count(); i++) {
        const char *types = market__feed_at(i)->rules == rules ? market__feed_at(i)->data_type : "";

        while (*types) {
            struct weir_text type = market__cut(&types);

            if (type.size > longest.size && has_token(text, type))
                longest = type;
        }
    }
    return longest;
}

static struct weir_text market_in(struct weir_text text)
{
    const struct market_rules *rules;

    for (size_t i = 0; (rules = market_rules_at(i)); i++)
        if (*rules->name != '*' && has_token(text, market__text(rules->name)))
            return market__text(rules->name);
    return (struct weir_text){ 0 };
}

static bool is_day(struct weir_text text)
{
    int64_t          y, m, d, day;
    struct weir_text year = { .data = text.data, .size = 4 };
    size_t           gap = text.size == 10;
    struct weir_text month = { .data = text.data + 4 + gap, .size = 2 };
    struct weir_text of_month = { .data = text.data + 6 + 2 * gap, .size = 2 };

    if (gap && (text.data[4] != '-' || text.data[7] != '-'))
        return false;
    return market__whole(year, &y) && market__whole(month, &m) && market__whole(of_month, &d) && y >= 1980 &&
           market_date((int)y, (int)m, (int)d, &day) == WEIR_OK;
}

static bool is_zone(struct weir_text text)
{
    const struct market_zone *zone;
    char                      name[64];

    if (text.size >= sizeof(name))
        return false;
    memcpy(name, text.data, text.size);
    name[text.size] = '\0';
    return market_zone_get(name, &zone, NULL) == WEIR_OK;
}

static bool is_scale(struct weir_text text)
{
    int64_t scale;

    return market_decimal_read(text, &scale) == WEIR_OK && scale > 0;
}

const char *market__said_wanted(enum market__what what, struct weir_text value)
{
    switch (what) {
    case SAID_DAY: return value.size == 10 && is_day(value) ? NULL : "a day such as 2025-01-31";
    case SAID_ZONE: return is_zone(value) ? NULL : "a time zone such as America/New_York";
    case SAID_SCALE: return is_scale(value) ? NULL : "a positive number such as 0.0001";
    default: return NULL;
    }
}

/* YYYY-MM-DD of the one day that is in text; size 0 = none or several. */
static struct weir_text day_in(struct weir_text text, struct weir_arena *arena)
{
    struct weir_text found = { 0 };

    for (size_t at = 0; at < text.size; at++) {
        for (size_t size = 8; size <= 10; size += 2) {
            struct weir_text part = { .data = text.data + at, .size = size };
            const char      *day;

            if (at + size > text.size || (at && is_digit(text.data[at - 1])) ||
                (at + size < text.size && is_digit(text.data[at + size])) || !is_day(part))
                continue;
            day = weir__arena_printf(arena, "%.4s-%.2s-%.2s", part.data, part.data + (size == 8 ? 4 : 5),
                                     part.data + (size == 8 ? 6 : 8));
            if (day && found.size && memcmp(day, found.data, 10) != 0)
                return (struct weir_text){ 0 };
            found = market__text(day);
        }
    }
    return found;
}

/* "trades_gc_201312_tick": GC.201312; "trades_spy_tick": SPY. */
static struct weir_text instrument_in(struct weir_text text, struct weir_arena *arena)
{
    const char *at = text.data + 7, *end = text.data + text.size, *symbol_end, *contract;
    char       *id;

    if (!market__begins(text, "trades_") || !(symbol_end = memchr(at, '_', (size_t)(end - at))) || symbol_end == at)
        return (struct weir_text){ 0 };
    contract = symbol_end + 1;
    if (end - contract > 6 && strspn(contract, "0123456789") == 6 && contract[6] == '_')
        id = weir__arena_printf(arena, "%.*s.%.6s", (int)(symbol_end - at), at, contract);
    else
        id = weir__arena_printf(arena, "%.*s", (int)(symbol_end - at), at);
    for (char *c = id; c && *c; c++)
        *c = is_letter(*c) ? (char)(*c & ~0x20) : *c;
    return market__text(id);
}

/* Beginnings of names that say more than they spell. */
static const struct {
    const char *prefix, *market, *zone, *scale;
} known[] = {
    { "trades_spy_", "USA", "America/New_York", "0.0001" },
    { "trades_gc_", "COMEX", "UTC", "1" },
};

int market__said_by_name(struct weir_text name, struct weir_arena *arena, struct market__said *ret)
{
    *ret = (struct market__said){ .of = { [SAID_MARKET] = market_in(name),
                                          [SAID_DAY] = day_in(name, arena),
                                          [SAID_INSTRUMENT] = instrument_in(name, arena) } };
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (market__begins(name, known[i].prefix))
            market__said_add(ret, &(struct market__said){ .of = { [SAID_MARKET] = market__text(known[i].market),
                                                                  [SAID_ZONE] = market__text(known[i].zone),
                                                                  [SAID_SCALE] = market__text(known[i].scale) } });
    return WEIR_OK;
}

/* ---- load.conf ---- */

struct conf {
    const char          *path;
    struct weir_text     name; /* of the market file */
    struct weir_arena   *arena;
    struct market__said *said;
    bool                 fits; /* the present section holds for the file */
    int                  line;
    struct weir_error   *reterr;
};

static int bad_line(const struct conf *conf, const char *what, struct weir_text line)
{
    char where[160];

    snprintf(where, sizeof(where), "%.130s:%d", conf->path, conf->line);
    return weir__fail(
        conf->reterr, WEIR_UNREADABLE, where,
        "%s: \"%.*s\"; lines are \"key = value\" with market, product, day, instrument, zone or scale, or "
        "\"[file name pattern]\"",
        what, (int)MIN(line.size, 80), line.data);
}

static int bad_value(const struct conf *conf, const char *wanted, struct weir_text value)
{
    char where[160];

    snprintf(where, sizeof(where), "%.130s:%d", conf->path, conf->line);
    return weir__fail(conf->reterr, WEIR_UNREADABLE, where, "\"%.*s\" is not %s", (int)MIN(value.size, 80),
                      value.data, wanted);
}

static int read_section(struct conf *conf, struct weir_text line)
{
    char *pattern = weir__arena_printf(conf->arena, "%.*s", (int)line.size - 2, line.data + 1);
    char *name = weir__arena_printf(conf->arena, "%.*s", (int)conf->name.size, conf->name.data);

    if (line.data[line.size - 1] != ']')
        return bad_line(conf, "a section is not closed", line);
    if (!pattern || !name)
        return WEIR_NO_MEMORY;
    conf->fits = fnmatch(pattern, name, FNM_CASEFOLD) == 0;
    return WEIR_OK;
}

static int read_setting(struct conf *conf, struct weir_text line)
{
    const char      *equals = memchr(line.data, '=', line.size);
    struct weir_text key, value;

    if (!equals)
        return bad_line(conf, "there is no =", line);
    key = market__trim((struct weir_text){ .data = line.data, .size = (size_t)(equals - line.data) });
    value =
        market__trim((struct weir_text){ .data = equals + 1, .size = (size_t)(line.data + line.size - equals - 1) });
    for (size_t i = 0; i < SAID_COUNT; i++)
        if (market__same(key, market__text(names[i]))) {
            if (market__said_wanted(i, value))
                return bad_value(conf, market__said_wanted(i, value), value);
            if (conf->fits)
                conf->said->of[i] = value;
            return WEIR_OK;
        }
    return bad_line(conf, "an unknown key", line);
}

static int read_conf(struct conf *conf, struct weir_text text)
{
    const char *end = text.data + text.size;
    int         err = WEIR_OK;

    for (const char *at = text.data; at < end && err == WEIR_OK;) {
        const char      *newline = memchr(at, '\n', (size_t)(end - at));
        const char      *stop = newline ? newline : end;
        struct weir_text line = market__trim((struct weir_text){ .data = at, .size = (size_t)(stop - at) });

        conf->line++;
        if (line.size && *line.data == '[')
            err = read_section(conf, line);
        else if (line.size && *line.data != '#')
            err = read_setting(conf, line);
        at = stop + 1;
    }
    return err;
}

int market__said_by_conf(const char *path, struct weir_text name, struct weir_arena *arena, struct market__said *ret,
                         struct weir_error *reterr)
{
    const char *slash = strrchr(path, '/');
    char *conf_path = weir__arena_printf(arena, "%.*s" MARKET_LOAD_CONF, slash ? (int)(slash + 1 - path) : 0, path);
    struct conf conf = {
        .path = conf_path, .name = name, .arena = arena, .said = ret, .fits = true, .reterr = reterr
    };
    struct weir__buf file = { 0 };
    struct weir_text text = { 0 };
    int              err;

    *ret = (struct market__said){ 0 };
    if (!conf_path)
        return WEIR_NO_MEMORY;
    err = weir__read_file(conf_path, &file, reterr);
    if (err == WEIR_OK && file.size) {
        text = (struct weir_text){ .data = weir__arena_copy(arena, file.data, file.size), .size = file.size };
        err = text.data ? read_conf(&conf, text) : WEIR_NO_MEMORY;
    }
    weir__buf_fini(&file);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}
