/* instrument.c: instrument ids made from feeds' names, and read again. */
#include "schemas/instrument.h"

enum { SUFFIXES_MAX = 3 };

#define SUFFIX(name, suffix, meaning) suffix,
static const char *const bases[] = { MARKET_BASES(SUFFIX) };
static const char *const stages[] = { MARKET_STAGES(SUFFIX) };
static const char *const components[] = { MARKET_COMPONENTS(SUFFIX) };
#undef SUFFIX
static const char *const perpetuals[] = { "", MARKET_PERPETUAL };

/* ---- names ---- */

/* What stays as it is in an id. */
static const bool letters_and_digits[256] = { ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['_'] = true };

static bool is_letter_or_digit(char c) { return letters_and_digits[(unsigned char)c]; }

static char upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }

static int too_long(struct weir_text name, struct weir_error *reterr)
{
    return weir__fail(reterr, MARKET_TOO_LONG, "instrument id", "'%.*s' gives an id of more than %d bytes",
                      (int)MIN(name.size, 120), name.data, MARKET_INSTRUMENT_MAX);
}

static bool put(struct market_id *id, char c)
{
    if (id->size == MARKET_INSTRUMENT_MAX)
        return false;
    id->text[id->size++] = c;
    return true;
}

/* A run of what is no letter, digit or underscore: dashes alone stay, anything else makes it one dot. Gives its end. */
static size_t put_run(struct weir_text name, size_t at, struct market_id *id, bool *fits)
{
    size_t end = at;
    bool   dashes = true;

    for (; end < name.size && !is_letter_or_digit(upper(name.data[end])); end++)
        dashes = dashes && name.data[end] == '-';
    if (!dashes) {
        /* A dot at an end would be dropped. */
        if (id->size && end < name.size)
            *fits = put(id, '.') && *fits;
        return end;
    }
    for (; at < end; at++)
        *fits = put(id, '-') && *fits;
    return end;
}

static bool put_name(struct weir_text name, struct market_id *id)
{
    bool fits = true;

    for (size_t at = 0; at < name.size;) {
        char c = upper(name.data[at]);

        if (is_letter_or_digit(c)) {
            fits = put(id, c) && fits;
            at++;
        } else {
            at = put_run(name, at, id, &fits);
        }
    }
    return fits;
}

int market_location(struct weir_text name, struct market_id *ret, struct weir_error *reterr)
{
    struct market_id id;

    id.size = 0;
    if (!put_name(name, &id))
        return too_long(name, reterr);
    if (!id.size)
        return weir__fail(reterr, MARKET_BAD_NAME, "instrument id", "'%.*s' holds no letter or digit to name it by",
                          (int)MIN(name.size, 120), name.data);
    id.text[id.size] = '\0';
    *ret = id;
    return WEIR_OK;
}

/* ---- suffixes ---- */

/* Whether the text ends in .SUFFIX, or is it as a whole. */
static bool ends_in(struct weir_text text, const char *suffix)
{
    size_t size = strlen(suffix), before;

    if (!size || text.size < size || memcmp(text.data + text.size - size, suffix, size) != 0)
        return false;
    before = text.size - size;
    return before == 0 || text.data[before - 1] == '.';
}

static size_t find_suffix(struct weir_text text, const char *const *suffixes, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (ends_in(text, suffixes[i]))
            return i;
    return 0;
}

static const char *any_suffix(struct weir_text text)
{
    size_t i;

    if ((i = find_suffix(text, bases, ARRAY_SIZE(bases))))
        return bases[i];
    if ((i = find_suffix(text, stages, ARRAY_SIZE(stages))))
        return stages[i];
    if ((i = find_suffix(text, components, ARRAY_SIZE(components))))
        return components[i];
    return ends_in(text, MARKET_PERPETUAL) ? MARKET_PERPETUAL : NULL;
}

/* ---- making ids ---- */

static bool append(struct market_id *id, const char *part, size_t size)
{
    if (id->size + 1 + size > MARKET_INSTRUMENT_MAX)
        return false;
    if (id->size)
        id->text[id->size++] = '.';
    memcpy(id->text + id->size, part, size);
    id->size += size;
    id->text[id->size] = '\0';
    return true;
}

/* Adds a feed's name, which must not look like one with a suffix. */
static int append_name(struct market_id *id, struct weir_text name, struct weir_error *reterr)
{
    struct market_id part;
    const char      *suffix;
    int              err = market_location(name, &part, reterr);

    if (err < 0)
        return err;
    suffix = any_suffix((struct weir_text){ part.text, part.size });
    if (suffix)
        return weir__fail(reterr, MARKET_NAME_CLASH, "instrument id",
                          "the name '%.*s' ends in .%s, which is a suffix of ids: rename it in the feed's table",
                          (int)MIN(name.size, 120), name.data, suffix);
    return append(id, part.text, part.size) ? WEIR_OK : too_long(name, reterr);
}

static int append_suffixes(struct market_id *id, const char *const suffixes[SUFFIXES_MAX], struct weir_error *reterr)
{
    for (size_t i = 0; i < SUFFIXES_MAX; i++)
        if (suffixes[i][0] && !append(id, suffixes[i], strlen(suffixes[i])))
            return too_long((struct weir_text){ id->text, id->size }, reterr);
    return WEIR_OK;
}

int market_power_id(const struct market_power *power, struct market_id *ret, struct weir_error *reterr)
{
    const char *const suffixes[SUFFIXES_MAX] = { bases[power->basis], stages[power->stage],
                                                 components[power->component] };
    struct market_id  id;
    int               err;

    id.size = 0;
    err = append_name(&id, (struct weir_text){ power->market, strlen(power->market) }, reterr);
    if (err == WEIR_OK)
        err = append_name(&id, power->location, reterr);
    if (err == WEIR_OK)
        err = append_suffixes(&id, suffixes, reterr);
    if (err == WEIR_OK)
        *ret = id;
    return err;
}

int market_trade_id(struct weir_text first, struct weir_text second, bool perpetual, struct market_id *ret,
                    struct weir_error *reterr)
{
    const char *const suffixes[SUFFIXES_MAX] = { perpetuals[perpetual], "", "" };
    struct market_id  id;
    int               err;

    id.size = 0;
    err = append_name(&id, first, reterr);
    if (err == WEIR_OK && second.data)
        err = append_name(&id, second, reterr);
    if (err == WEIR_OK)
        err = append_suffixes(&id, suffixes, reterr);
    if (err == WEIR_OK)
        *ret = id;
    return err;
}

/* ---- reading ids ---- */

bool market_instrument_legal(struct weir_text instrument)
{
    bool after_dot = true; /* or at the beginning */

    if (instrument.size < 1 || instrument.size > MARKET_INSTRUMENT_MAX)
        return false;
    for (size_t i = 0; i < instrument.size; i++) {
        char c = instrument.data[i];
        bool dot = c == '.';

        if (dot ? after_dot : !is_letter_or_digit(c) && c != '-')
            return false;
        after_dot = dot;
    }
    return !after_dot;
}

/* Takes the suffix off the end. It never is the whole text: that would be the market. */
static size_t take_suffix(struct weir_text *text, const char *const *suffixes, size_t count)
{
    size_t i = find_suffix(*text, suffixes, count);

    if (!i || text->size == strlen(suffixes[i]))
        return 0;
    text->size -= strlen(suffixes[i]) + 1;
    return i;
}

int market_id_split(struct weir_text id, struct market_id_parts *ret)
{
    struct market_id_parts parts = { 0 };
    const char            *dot;

    if (!market_instrument_legal(id))
        return MARKET_BAD_NAME;
    parts.perpetual = take_suffix(&id, perpetuals, ARRAY_SIZE(perpetuals));
    parts.component = (enum market_component)take_suffix(&id, components, ARRAY_SIZE(components));
    parts.stage = (enum market_stage)take_suffix(&id, stages, ARRAY_SIZE(stages));
    parts.basis = (enum market_basis)take_suffix(&id, bases, ARRAY_SIZE(bases));
    dot = memchr(id.data, '.', id.size);
    parts.market = (struct weir_text){ id.data, dot ? (size_t)(dot - id.data) : id.size };
    if (dot)
        parts.location = (struct weir_text){ dot + 1, id.size - parts.market.size - 1 };
    *ret = parts;
    return WEIR_OK;
}

struct weir_text market_id_price(struct weir_text id)
{
    (void)take_suffix(&id, components, ARRAY_SIZE(components));
    return id;
}

/* ---- names of one feed ---- */

struct name {
    struct weir_text id, name;
};

struct market_names {
    struct weir__map  map; /* id to struct name */
    struct weir_arena arena;
};

struct market_names *market_names_new(void)
{
    struct market_names *names = weir__zalloc(sizeof(*names));

    if (names)
        weir__arena_init(&names->arena, 0);
    return names;
}

void market_names_free(struct market_names *names)
{
    if (!names)
        return;
    weir__map_fini(&names->map);
    weir__arena_fini(&names->arena);
    weir__free(names);
}

static int remember(struct market_names *names, struct weir_text id, struct weir_text name)
{
    struct name *entry = weir__arena_take(&names->arena, sizeof(*entry));
    const char  *id_copy = weir__arena_copy(&names->arena, id.data, id.size);
    const char  *name_copy = weir__arena_copy(&names->arena, name.data, name.size);

    if (!entry || !id_copy || !name_copy)
        return WEIR_NO_MEMORY;
    *entry = (struct name){ { id_copy, id.size }, { name_copy, name.size } };
    return weir__map_put(&names->map, BYTES(id_copy, id.size), entry);
}

int market_names_check(struct market_names *names, struct weir_text id, struct weir_text name,
                       struct weir_error *reterr)
{
    const struct name *known = weir__map_get(&names->map, BYTES(id.data, id.size));
    int                err;

    if (!known) {
        err = remember(names, id, name);
        return err < 0 ? weir__fail(reterr, err, "instrument id", "no memory for the feed's names") : WEIR_OK;
    }
    if (weir__bytes_equal(BYTES(known->name.data, known->name.size), BYTES(name.data, name.size)))
        return WEIR_OK;
    return weir__fail(reterr, MARKET_NAME_CLASH, "instrument id",
                      "the feed's names '%.*s' and '%.*s' would both be %.*s: rename one in the feed's table",
                      (int)MIN(known->name.size, 120), known->name.data, (int)MIN(name.size, 120), name.data,
                      (int)MIN(id.size, 120), id.data);
}
