/* document.c: the tables of schemas as a page of Markdown. */
#include <inttypes.h>

#include "schemas/schema.h"

/* Of each type: its name in JSON, and in MessagePack. */
static const char *const types[][2] = {
    [MARKET_TYPE_TEXT] = { "string", "str" },
    [MARKET_TYPE_TENANT] = { "string", "str" },
    [MARKET_TYPE_INSTRUMENT] = { "string", "str" },
    [MARKET_TYPE_INT] = { "integer", "int" },
    [MARKET_TYPE_UNITS] = { "decimal", "int, units of 1e-8" },
    [MARKET_TYPE_DECIMAL] = { "decimal or null", "int, units of 1e-8, or nil" },
    [MARKET_TYPE_SUM] = { "decimal or null", "int or 16 bytes, units of 1e-8, or nil" },
    [MARKET_TYPE_RAW_SUM] = { "integer, units of 1e-16", "int or 16 bytes" },
    [MARKET_TYPE_DOUBLE] = { "number or null", "float64 or nil" },
    [MARKET_TYPE_TICK_ID] = { "64 hex digits", "bin of 32 bytes" },
    [MARKET_TYPE_FLAGS] = { "list of labels", "int, a bit each" },
    [MARKET_TYPE_WORD] = { "", "int, in that order, or str" },
    [MARKET_TYPE_BOOL] = { "boolean", "bool" },
    [MARKET_TYPE_MAP] = { "object of strings", "map of str" },
    [MARKET_TYPE_LIST] = { "list of strings", "array of str" },
    [MARKET_TYPE_RECORD] = { "object", "array" },
    [MARKET_TYPE_RECORDS] = { "list of objects", "array of arrays" },
};

static void put_words(struct weir__buf *page, const struct market_field *field)
{
    for (int i = 0; i < field->max; i++)
        weir__buf_printf(page, "%s`%s`", i ? ", " : "", field->words[i]);
}

/* What holds for it besides its type. */
static void put_bounds(struct weir__buf *page, const struct market_field *field)
{
    switch ((enum market_type)field->type) {
    case MARKET_TYPE_TEXT:
    case MARKET_TYPE_TENANT:
    case MARKET_TYPE_INSTRUMENT: weir__buf_printf(page, "at most %d bytes", field->max); break;
    case MARKET_TYPE_MAP:
    case MARKET_TYPE_LIST: weir__buf_printf(page, "at most %d, of 4096 bytes", field->max); break;
    case MARKET_TYPE_RECORDS: weir__buf_printf(page, "at most %d", field->max); break;
    case MARKET_TYPE_INT:
    case MARKET_TYPE_BOOL:
        if (!field->required)
            weir__buf_printf(page, field->sparse ? "else %" PRId64 ", which JSON leaves out" : "else %" PRId64,
                             field->fallback);
        break;
    default: break;
    }
}

static void put_rows(struct weir__buf *page, const struct market_schema *schema, const char *within)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct market_field *field = &schema->fields[i];

        weir__buf_printf(page, "| `%s%s` | %s", within, field->name, types[field->type][0]);
        if (field->type == MARKET_TYPE_WORD)
            put_words(page, field);
        weir__buf_printf(page, " | %s | %s | ", types[field->type][1], field->required ? "yes" : "");
        put_bounds(page, field);
        weir__buf_puts(page, " |\n");
        if (field->type == MARKET_TYPE_RECORD || field->type == MARKET_TYPE_RECORDS) {
            char inside[64];

            snprintf(inside, sizeof(inside), field->type == MARKET_TYPE_RECORD ? "%s%s." : "%s%s[].", within,
                     field->name);
            put_rows(page, field->inner, inside);
        }
    }
}

static void put_records(struct weir__buf *page)
{
    weir__buf_puts(
        page, "\n## Records\n\nJSON: an object, `schema_version` first. MessagePack: an array of the schema version "
              "and the fields in this order; a map by\nname is read too. Readers tell the forms apart by the first "
              "byte, skip what they do not know, and take what is absent as null\nor as said under \"else\". A "
              "required field that is absent or null is `missing_field`. Times are microseconds since 1970.\n");
    for (size_t i = 0; market_schemas[i]; i++) {
        weir__buf_printf(page, "\n### %s, version %d\n\n", market_schemas[i]->name, market_schemas[i]->version);
        weir__buf_puts(page, "| field | JSON | MessagePack | required | bounds |\n|---|---|---|---|---|\n");
        put_rows(page, market_schemas[i], "");
        if (market_schemas[i]->derived != NULL)
            weir__buf_puts(page, market_schemas[i]->derived);
    }
}

static void put_suffix(struct weir__buf *page, const char *part, const char *suffix, const char *meaning)
{
    weir__buf_printf(page, *suffix ? "| %s | `.%s` | %s |\n" : "| %s | (none)%s | %s |\n", part, suffix, meaning);
}

static void put_suffixes(struct weir__buf *page)
{
#define BASIS(name, suffix, meaning)     put_suffix(page, "BASIS", suffix, meaning);
#define STAGE(name, suffix, meaning)     put_suffix(page, "STAGE", suffix, meaning);
#define COMPONENT(name, suffix, meaning) put_suffix(page, "COMPONENT", suffix, meaning);
    MARKET_BASES(BASIS)
    MARKET_STAGES(STAGE)
    MARKET_COMPONENTS(COMPONENT)
    put_suffix(page, "trades", MARKET_PERPETUAL, "perpetual future, where the same pair is also traded spot");
}

static void put_ids(struct weir__buf *page)
{
    weir__buf_printf(
        page,
        "## Keys and instrument ids\n\nThe key of everything downstream of normalization is "
        "`tenant/instrument`: a tenant of 1 to %d of `a-z A-Z 0-9 . _ -`, an instrument\nid of 1 to %d of "
        "`A-Z 0-9 _ -` in parts between dots.\n\n",
        MARKET_TENANT_MAX, MARKET_INSTRUMENT_MAX);
    weir__buf_puts(
        page, "    MARKET . LOCATION [.BASIS] [.STAGE] [.COMPONENT]          electricity\n"
              "    SYMBOL . CONTRACT  |  SYMBOL  |  VENUE . PAIR [.PERP]     trades\n\n"
              "LOCATION is the feed's own name in ASCII capitals, in which each run of characters other than "
              "`A-Z 0-9 _ -` is one dot (a dash beside\nsuch a character belongs to the run); dots at both ends are "
              "dropped. A location that ends in a suffix, and two names of one feed\nthat give one id, are refused: "
              "`name_clash`.\n\n| part | suffix | meaning |\n|---|---|---|\n");
    put_suffixes(page);
    weir__buf_puts(
        page, "\nA tick's id is the SHA-256 of `tenant|market|instrument_id|event_time|source|sequence` in UTF-8, "
              "numbers as decimal integers,\n`source` empty for prices of electricity.\n");
}

static void put_flags(struct weir__buf *page)
{
    weir__buf_puts(
        page, "\n## Quality flags\n\n\"From state\": depends on what came before or on when, so it is left out where "
              "two runs are compared.\n\n| bit | label | from state |\n|---|---|---|\n");
    for (int bit = 0; bit < MARKET_FLAG_COUNT; bit++)
        weir__buf_printf(page, "| %d | `%s` | %s |\n", bit, market_flag_label((enum market_flag_bit)bit),
                         MARKET_FLAGS_FROM_STATE >> bit & 1 ? "yes" : "");
}

static void put_reasons(struct weir__buf *page)
{
    static const int codes[] = {
#define ROW(code, value, weir, name, text) code,
        MARKET_REASONS(ROW)
#undef ROW
    };

    weir__buf_puts(page, "\n## Reasons of refusal\n\n| reason | framework's code | meaning |\n|---|---|---|\n");
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        weir__buf_printf(page, "| `%s` | `%s` | %s |\n", market_reason_name(codes[i]),
                         weir_code_name(market_weir_code(codes[i])), market_reason_text(codes[i]));
}

void market_document(struct weir__buf *ret)
{
    weir__buf_puts(ret,
                   "# Records, ids, flags and reasons\n\nPrinted by `data-processing schemas` from the tables of "
                   "`schemas/`.\n\n");
    put_ids(ret);
    put_records(ret);
    put_flags(ret);
    put_reasons(ret);
}
