/* writer.c: JSON text, one line, keys in the order written. */
#include "framework/json/internal.h"

void weir__json_out_reset(struct weir_json_out *json)
{
    weir__buf_reset(&json->buf);
    json->depth = 0;
    json->comma = false;
}

void weir__json_out_fini(struct weir_json_out *json)
{
    weir__buf_fini(&json->buf);
    weir__json_out_reset(json);
}

struct weir__buf *weir__json_put_raw(struct weir_json_out *json)
{
    if (json->comma)
        weir__buf_putc(&json->buf, ',');
    json->comma = true;
    return &json->buf;
}

static void begin(struct weir_json_out *json, char bracket)
{
    weir__buf_putc(weir__json_put_raw(json), bracket);
    json->depth++;
    json->comma = false;
}

static void end(struct weir_json_out *json, char bracket)
{
    CHECK(json->depth > 0);
    json->depth--;
    json->comma = true;
    weir__buf_putc(&json->buf, bracket);
}

void weir_json_begin_object(struct weir_json_out *json) { begin(json, '{'); }

void weir_json_end_object(struct weir_json_out *json) { end(json, '}'); }

void weir_json_begin_array(struct weir_json_out *json) { begin(json, '['); }

void weir_json_end_array(struct weir_json_out *json) { end(json, ']'); }

/* ---- strings ---- */

static void put_escape(struct weir__buf *buf, unsigned char c)
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

/* Writes the character that text begins with, or U+FFFD for a byte that begins none; gives the bytes it took. */
static size_t put_special(struct weir__buf *buf, struct weir_bytes text)
{
    uint32_t c;
    size_t   size = weir__utf8_take(text, &c);

    if (size == 1)
        put_escape(buf, (unsigned char)c);
    else if (size)
        weir__buf_add(buf, text.data, size);
    else
        weir__buf_puts(buf, "\xef\xbf\xbd");
    return size ? size : 1;
}

/* Most texts are plain: room is made once, and they are copied as they are. */
static void put_quoted(struct weir__buf *buf, struct weir_text text)
{
    const char *at = text.data, *end = text.size > 0 ? at + text.size : at;

    if (!weir__buf_room(buf, text.size + 2))
        return;
    buf->data[buf->size++] = '"';
    while (at < end) {
        const char *special = weir__skip_plain(at, end);

        weir__buf_add(buf, at, (size_t)(special - at));
        at = special < end ? special + put_special(buf, BYTES(special, (size_t)(end - special))) : end;
    }
    weir__buf_putc(buf, '"');
}

static void put_name(struct weir_json_out *json, struct weir_text name)
{
    struct weir__buf *buf = weir__json_put_raw(json);

    put_quoted(buf, name);
    weir__buf_putc(buf, ':');
    json->comma = false;
}

void weir_json_name(struct weir_json_out *json, const char *name)
{
    put_name(json, (struct weir_text){ .data = name, .size = strlen(name) });
}

void weir_json_put_text(struct weir_json_out *json, struct weir_text text)
{
    put_quoted(weir__json_put_raw(json), text);
}

void weir_json_put_string(struct weir_json_out *json, const char *text)
{
    if (text)
        weir_json_put_text(json, (struct weir_text){ .data = text, .size = strlen(text) });
    else
        weir_json_put_null(json);
}

/* ---- the rest ---- */

void weir_json_put_null(struct weir_json_out *json) { weir__buf_puts(weir__json_put_raw(json), "null"); }

void weir_json_put_bool(struct weir_json_out *json, bool value)
{
    weir__buf_puts(weir__json_put_raw(json), value ? "true" : "false");
}

void weir_json_put_number(struct weir_json_out *json, struct weir_text text)
{
    weir__buf_add(weir__json_put_raw(json), text.data, text.size);
}

/* ---- members of objects ---- */

void weir__json_member_text(struct weir_json_out *json, const char *name, const char *value)
{
    weir_json_name(json, name);
    weir_json_put_string(json, value);
}

void weir__json_member_int(struct weir_json_out *json, const char *name, int64_t value)
{
    weir_json_name(json, name);
    weir_json_put_int64(json, value);
}

void weir__json_member_known(struct weir_json_out *json, const char *name, int64_t value)
{
    weir_json_name(json, name);
    if (value < 0)
        weir_json_put_null(json);
    else
        weir_json_put_int64(json, value);
}

void weir__json_member_bool(struct weir_json_out *json, const char *name, bool value)
{
    weir_json_name(json, name);
    weir_json_put_bool(json, value);
}

/* ---- parsed values: as deep as the reader lets them be ---- */

static void put_children(struct weir_json_out *json, const struct weir_json *value)
{
    for (const struct weir_json *child = value->child; child; child = child->next) {
        if (value->type == WEIR_JSON_OBJECT)
            put_name(json, child->name);
        weir_json_put(json, child);
    }
}

void weir_json_put(struct weir_json_out *json, const struct weir_json *value)
{
    bool object = value->type == WEIR_JSON_OBJECT;

    switch (value->type) {
    case WEIR_JSON_NULL: weir_json_put_null(json); break;
    case WEIR_JSON_FALSE:
    case WEIR_JSON_TRUE: weir_json_put_bool(json, value->type == WEIR_JSON_TRUE); break;
    case WEIR_JSON_NUMBER: weir_json_put_number(json, value->text); break;
    case WEIR_JSON_STRING: weir_json_put_text(json, value->text); break;
    case WEIR_JSON_ARRAY:
    case WEIR_JSON_OBJECT:
        begin(json, object ? '{' : '[');
        put_children(json, value);
        end(json, object ? '}' : ']');
        break;
    }
}
