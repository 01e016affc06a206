/* writer.c: JSON text, one line, keys in the order written. */
#include <inttypes.h>

#include "framework/json/json.h"

void weir__json_out_reset(struct weir_json_out *json)
{
    weir__buf_reset(&json->buf);
    json->depth = 0;
    json->comma = 0;
    json->named = false;
}

void weir__json_out_fini(struct weir_json_out *json)
{
    weir__buf_fini(&json->buf);
    weir__json_out_reset(json);
}

/* A comma where one is due before the next name, element or document. */
static void lead(struct weir_json_out *json)
{
    uint64_t bit = (uint64_t)1 << json->depth;

    if (json->named) {
        json->named = false;
        return;
    }
    if (json->comma & bit)
        weir__buf_putc(&json->buf, ',');
    json->comma |= bit;
}

static void begin(struct weir_json_out *json, char open)
{
    lead(json);
    weir__buf_putc(&json->buf, open);
    CHECK(json->depth < 63);
    json->depth++;
    json->comma &= ~((uint64_t)1 << json->depth);
}

static void end(struct weir_json_out *json, char close)
{
    CHECK(json->depth > 0);
    json->depth--;
    weir__buf_putc(&json->buf, close);
}

void weir_json_begin_object(struct weir_json_out *json) { begin(json, '{'); }
void weir_json_end_object(struct weir_json_out *json) { end(json, '}'); }
void weir_json_begin_array(struct weir_json_out *json) { begin(json, '['); }
void weir_json_end_array(struct weir_json_out *json) { end(json, ']'); }

/* Length of a well-formed UTF-8 sequence, 0 = not one. */
static size_t good_sequence(const unsigned char *byte, size_t left)
{
    size_t size = byte[0] < 0xc2 ? 0 : byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : byte[0] < 0xf5 ? 4 : 0;

    if (size == 0 || left < size || (byte[0] == 0xe0 && byte[1] < 0xa0) || (byte[0] == 0xed && byte[1] > 0x9f) ||
        (byte[0] == 0xf0 && byte[1] < 0x90) || (byte[0] == 0xf4 && byte[1] > 0x8f))
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((byte[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

static void put_char(struct weir__buf *buf, unsigned char c)
{
    switch (c) {
    case '"': weir__buf_puts(buf, "\\\""); break;
    case '\\': weir__buf_puts(buf, "\\\\"); break;
    case '\n': weir__buf_puts(buf, "\\n"); break;
    case '\r': weir__buf_puts(buf, "\\r"); break;
    case '\t': weir__buf_puts(buf, "\\t"); break;
    default: weir__buf_printf(buf, "\\u%04x", c); break;
    }
}

static void put_quoted(struct weir__buf *buf, struct weir_text text)
{
    weir__buf_putc(buf, '"');
    for (size_t i = 0; i < text.size;) {
        const unsigned char *byte = (const unsigned char *)text.data + i;
        size_t               run = 0, size;

        while (i + run < text.size && byte[run] >= 0x20 && byte[run] < 0x80 && byte[run] != '"' && byte[run] != '\\')
            run++;
        if (run > 0) {
            weir__buf_add(buf, byte, run);
            i += run;
            continue;
        }
        if (*byte < 0x80) {
            put_char(buf, *byte);
            i++;
            continue;
        }
        size = good_sequence(byte, text.size - i);
        if (size > 0)
            weir__buf_add(buf, byte, size);
        else
            weir__buf_puts(buf, "\xef\xbf\xbd");
        i += size > 0 ? size : 1;
    }
    weir__buf_putc(buf, '"');
}

void weir_json_name(struct weir_json_out *json, const char *name)
{
    lead(json);
    put_quoted(&json->buf, (struct weir_text){ .data = name, .size = strlen(name) });
    weir__buf_putc(&json->buf, ':');
    json->named = true;
}

void weir_json_put_text(struct weir_json_out *json, struct weir_text text)
{
    lead(json);
    put_quoted(&json->buf, text);
}

void weir_json_put_string(struct weir_json_out *json, const char *text)
{
    if (text == NULL)
        weir_json_put_null(json);
    else
        weir_json_put_text(json, (struct weir_text){ .data = text, .size = strlen(text) });
}

void weir_json_put_null(struct weir_json_out *json)
{
    lead(json);
    weir__buf_puts(&json->buf, "null");
}

void weir_json_put_bool(struct weir_json_out *json, bool value)
{
    lead(json);
    weir__buf_puts(&json->buf, value ? "true" : "false");
}

void weir_json_put_int64(struct weir_json_out *json, int64_t value)
{
    lead(json);
    weir__buf_printf(&json->buf, "%" PRId64, value);
}

void weir_json_put_number(struct weir_json_out *json, struct weir_text text)
{
    lead(json);
    weir__buf_add(&json->buf, text.data, text.size);
}
