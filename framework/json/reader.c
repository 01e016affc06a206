/* reader.c: strict JSON into a tree of nodes in an arena. Source: RFC 8259, RFC 3629.
 *
 * (1) One pass; strings without escapes are borrowed from the text.
 * (2) Duplicate keys are refused: an object of few members is searched, a larger one sorted into a set.
 */
#include <stdlib.h>

#include "framework/json/json.h"

#define DEPTH_MOST 64
#define FEW        16 /* members up to which a search beats a set */

struct reader {
    struct weir_arena *arena;
    const char        *begin, *at, *end;
    const char        *fault; /* what is wrong, at `at` */
    int                code;
    unsigned           depth;
};

static bool fault(struct reader *reader, const char *what)
{
    if (reader->fault == NULL) {
        reader->fault = what;
        reader->code = WEIR_UNREADABLE;
    }
    return false;
}

static bool no_room(struct reader *reader)
{
    reader->fault = "the record needs more memory than one record may take";
    reader->code = WEIR_LIMIT;
    return false;
}

static void skip_space(struct reader *reader)
{
    while (reader->at < reader->end &&
           (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\n' || *reader->at == '\r'))
        reader->at++;
}

static struct weir_json *new_node(struct reader *reader, enum weir_json_type type)
{
    struct weir_json *node = weir__arena_take(reader->arena, sizeof(*node));

    if (node == NULL) {
        no_room(reader);
        return NULL;
    }
    *node = (struct weir_json){ .type = type, .arena = reader->arena };
    return node;
}

/* ---- strings ---- */

/* Bytes of the UTF-8 sequence at `at`, 0 = not valid. */
static size_t utf8_size(const char *at, const char *end)
{
    const unsigned char *byte = (const unsigned char *)at;
    size_t               left = (size_t)(end - at);
    unsigned             low = 0x80, high = 0xbf;
    size_t               size;

    if (byte[0] < 0x80)
        return 1;
    if (byte[0] < 0xc2 || byte[0] > 0xf4)
        return 0;
    size = byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
    if (left < size)
        return 0;
    if (byte[0] == 0xe0)
        low = 0xa0;
    if (byte[0] == 0xed)
        high = 0x9f; /* surrogates */
    if (byte[0] == 0xf0)
        low = 0x90;
    if (byte[0] == 0xf4)
        high = 0x8f;
    if (byte[1] < low || byte[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((byte[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

static bool read_hex(struct reader *reader, const char *at, unsigned *ret)
{
    *ret = 0;
    if (reader->end - at < 4)
        return fault(reader, "a \\u escape is cut short");
    for (int i = 0; i < 4; i++) {
        char     c = at[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 16;
        if (digit > 15)
            return fault(reader, "a \\u escape without four hex digits");
        *ret = *ret * 16 + digit;
    }
    return true;
}

static char *put_utf8(char *to, unsigned point)
{
    if (point < 0x80) {
        *to++ = (char)point;
    } else if (point < 0x800) {
        *to++ = (char)(0xc0 | point >> 6);
        *to++ = (char)(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        *to++ = (char)(0xe0 | point >> 12);
        *to++ = (char)(0x80 | (point >> 6 & 0x3f));
        *to++ = (char)(0x80 | (point & 0x3f));
    } else {
        *to++ = (char)(0xf0 | point >> 18);
        *to++ = (char)(0x80 | (point >> 12 & 0x3f));
        *to++ = (char)(0x80 | (point >> 6 & 0x3f));
        *to++ = (char)(0x80 | (point & 0x3f));
    }
    return to;
}

/* \uXXXX, a pair where it is the first half of one. `at` stands after the u. */
static bool unescape_point(struct reader *reader, char **to)
{
    unsigned point, second;

    if (!read_hex(reader, reader->at, &point))
        return false;
    reader->at += 4;
    if (point >= 0xdc00 && point <= 0xdfff)
        return fault(reader, "half a surrogate pair");
    if (point >= 0xd800 && point <= 0xdbff) {
        if (reader->end - reader->at < 6 || reader->at[0] != '\\' || reader->at[1] != 'u')
            return fault(reader, "half a surrogate pair");
        if (!read_hex(reader, reader->at + 2, &second))
            return false;
        if (second < 0xdc00 || second > 0xdfff)
            return fault(reader, "half a surrogate pair");
        reader->at += 6;
        point = 0x10000 + ((point - 0xd800) << 10) + (second - 0xdc00);
    }
    *to = put_utf8(*to, point);
    return true;
}

static bool unescape(struct reader *reader, char **to)
{
    static const char escaped[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char       *found;

    if (++reader->at == reader->end)
        return fault(reader, "the text ends inside a string");
    if (*reader->at == 'u') {
        reader->at++;
        return unescape_point(reader, to);
    }
    found = *reader->at != '\0' ? strchr(escaped, *reader->at) : NULL;
    if (found == NULL)
        return fault(reader, "an unknown escape");
    *(*to)++ = meant[found - escaped];
    reader->at++;
    return true;
}

/* Checks the characters up to the next quote or backslash. */
static bool plain_run(struct reader *reader)
{
    while (reader->at < reader->end && *reader->at != '"' && *reader->at != '\\') {
        size_t size;

        if ((unsigned char)*reader->at < 0x20)
            return fault(reader, "a control character inside a string");
        size = utf8_size(reader->at, reader->end);
        if (size == 0)
            return fault(reader, "bytes that are no UTF-8");
        reader->at += size;
    }
    return reader->at < reader->end || fault(reader, "the text ends inside a string");
}

/* The rest of a string that has escapes, into the arena. */
static bool read_escaped(struct reader *reader, const char *begin, struct weir_text *ret)
{
    const char *close = reader->at;
    char       *text, *to;

    while (close < reader->end && *close != '"')
        close += *close == '\\' ? 2 : 1;
    if (close >= reader->end)
        return fault(reader, "the text ends inside a string");
    text = weir__arena_take(reader->arena, (size_t)(close - begin));
    if (text == NULL)
        return no_room(reader);
    memcpy(text, begin, (size_t)(reader->at - begin));
    to = text + (reader->at - begin);
    while (*reader->at != '"') {
        const char *run = reader->at;

        if (*reader->at == '\\') {
            if (!unescape(reader, &to))
                return false;
            continue;
        }
        if (!plain_run(reader))
            return false;
        memcpy(to, run, (size_t)(reader->at - run));
        to += reader->at - run;
    }
    *ret = (struct weir_text){ .data = text, .size = (size_t)(to - text) };
    return true;
}

/* `at` stands on the opening quote; afterwards behind the closing one. */
static bool read_string(struct reader *reader, struct weir_text *ret)
{
    const char *begin = ++reader->at;

    if (!plain_run(reader))
        return false;
    if (*reader->at == '"')
        *ret = (struct weir_text){ .data = begin, .size = (size_t)(reader->at - begin) };
    else if (!read_escaped(reader, begin, ret))
        return false;
    reader->at++;
    return true;
}

/* ---- numbers and words ---- */

static bool digits(struct reader *reader)
{
    const char *begin = reader->at;

    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
        reader->at++;
    return reader->at > begin || fault(reader, "a digit is missing");
}

static bool read_number(struct reader *reader, struct weir_text *ret)
{
    const char *begin = reader->at;

    if (*reader->at == '-')
        reader->at++;
    if (reader->at < reader->end && *reader->at == '0')
        reader->at++;
    else if (!digits(reader))
        return false;
    if (reader->at < reader->end && *reader->at == '.') {
        reader->at++;
        if (!digits(reader))
            return false;
    }
    if (reader->at < reader->end && (*reader->at == 'e' || *reader->at == 'E')) {
        reader->at++;
        if (reader->at < reader->end && (*reader->at == '+' || *reader->at == '-'))
            reader->at++;
        if (!digits(reader))
            return false;
    }
    *ret = (struct weir_text){ .data = begin, .size = (size_t)(reader->at - begin) };
    return true;
}

static struct weir_json *read_word(struct reader *reader, const char *word, enum weir_json_type type)
{
    size_t size = strlen(word);

    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, word, size) != 0) {
        fault(reader, "a value is expected");
        return NULL;
    }
    reader->at += size;
    return new_node(reader, type);
}

/* ---- arrays and objects ---- */

static struct weir_json *read_value(struct reader *reader);

static bool same_text(struct weir_text a, struct weir_text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static int by_name(const void *a, const void *b)
{
    const struct weir_text *x = a, *y = b;

    return weir__bytes_compare(BYTES(x->data, x->size), BYTES(y->data, y->size));
}

static bool check_names(struct reader *reader, const struct weir_json *object, size_t count)
{
    struct weir_text *names = weir__arena_take(reader->arena, sizeof(*names) * count);
    size_t            n = 0;

    if (names == NULL)
        return no_room(reader);
    for (const struct weir_json *member = object->child; member != NULL; member = member->next)
        names[n++] = member->name;
    qsort(names, count, sizeof(*names), by_name);
    for (size_t i = 1; i < count; i++)
        if (same_text(names[i - 1], names[i]))
            return fault(reader, "a key stands twice in an object");
    return true;
}

static bool is_new(struct reader *reader, const struct weir_json *object, struct weir_text name)
{
    for (const struct weir_json *member = object->child; member != NULL; member = member->next)
        if (same_text(member->name, name))
            return fault(reader, "a key stands twice in an object");
    return true;
}

static bool read_name(struct reader *reader, struct weir_text *ret)
{
    skip_space(reader);
    if (reader->at == reader->end || *reader->at != '"')
        return fault(reader, "a key in quotes is expected");
    if (!read_string(reader, ret))
        return false;
    skip_space(reader);
    if (reader->at == reader->end || *reader->at != ':')
        return fault(reader, "a colon is expected");
    reader->at++;
    return true;
}

/* What follows an element: true = another one; false = the end, or a fault. */
static bool more(struct reader *reader, char close)
{
    skip_space(reader);
    if (reader->at == reader->end)
        return fault(reader, "the text ends inside an array or object");
    if (*reader->at == close) {
        reader->at++;
        return false;
    }
    if (*reader->at != ',')
        return fault(reader, "a comma or the closing bracket is expected");
    reader->at++;
    return true;
}

static bool read_members(struct reader *reader, struct weir_json *node, char close)
{
    const struct weir_json **link = &node->child;
    size_t                   count = 0;

    do {
        struct weir_text  name = { 0 };
        struct weir_json *value;

        if (node->type == WEIR_JSON_OBJECT &&
            (!read_name(reader, &name) || (count < FEW && !is_new(reader, node, name))))
            return false;
        value = read_value(reader);
        if (value == NULL)
            return false;
        value->name = name;
        *link = value;
        link = &value->next;
        count++;
    } while (more(reader, close));
    if (reader->fault == NULL && node->type == WEIR_JSON_OBJECT && count > FEW)
        return check_names(reader, node, count);
    return reader->fault == NULL;
}

static struct weir_json *read_nested(struct reader *reader, enum weir_json_type type, char close)
{
    struct weir_json *node = new_node(reader, type);

    if (node == NULL)
        return NULL;
    if (++reader->depth > DEPTH_MOST) {
        fault(reader, "arrays and objects nested deeper than 64");
        return NULL;
    }
    reader->at++;
    skip_space(reader);
    if (reader->at < reader->end && *reader->at == close)
        reader->at++;
    else if (!read_members(reader, node, close))
        return NULL;
    reader->depth--;
    return node;
}

static struct weir_json *read_text(struct reader *reader, enum weir_json_type type)
{
    struct weir_json *node = new_node(reader, type);

    if (node == NULL || !(type == WEIR_JSON_STRING ? read_string : read_number)(reader, &node->text))
        return NULL;
    return node;
}

static struct weir_json *read_value(struct reader *reader)
{
    skip_space(reader);
    if (reader->at == reader->end) {
        fault(reader, "the text ends where a value is expected");
        return NULL;
    }
    switch (*reader->at) {
    case '{': return read_nested(reader, WEIR_JSON_OBJECT, '}');
    case '[': return read_nested(reader, WEIR_JSON_ARRAY, ']');
    case '"': return read_text(reader, WEIR_JSON_STRING);
    case 't': return read_word(reader, "true", WEIR_JSON_TRUE);
    case 'f': return read_word(reader, "false", WEIR_JSON_FALSE);
    case 'n': return read_word(reader, "null", WEIR_JSON_NULL);
    case '-':
    case '0' ... '9': return read_text(reader, WEIR_JSON_NUMBER);
    default: break;
    }
    fault(reader, "a value is expected");
    return NULL;
}

int weir_json_parse(struct weir_arena *arena, struct weir_text text, const struct weir_json **ret,
                    struct weir_error *reterr)
{
    struct reader     reader = { .arena = arena, .begin = text.data, .at = text.data, .end = text.data + text.size };
    struct weir_json *node;

    if (text.data == NULL)
        return weir__fail(reterr, WEIR_UNREADABLE, "JSON", "there is no text");
    node = read_value(&reader);
    if (node != NULL) {
        skip_space(&reader);
        if (reader.at != reader.end)
            fault(&reader, "something follows the value");
    }
    if (reader.fault != NULL)
        return weir__fail(reterr, reader.code, "JSON", "%s, at byte %zu", reader.fault,
                          (size_t)(reader.at - reader.begin));
    *ret = node;
    return WEIR_OK;
}

/* ---- what was read ---- */

const struct weir_json *weir_json_get(const struct weir_json *json, const char *name)
{
    struct weir_text wanted = { .data = name, .size = strlen(name) };

    if (json == NULL || json->type != WEIR_JSON_OBJECT)
        return NULL;
    for (const struct weir_json *member = json->child; member != NULL; member = member->next)
        if (same_text(member->name, wanted))
            return member;
    return NULL;
}

int weir_json_int64(const struct weir_json *json, int64_t *ret)
{
    bool    minus;
    int64_t value = 0;

    if (json == NULL || json->type != WEIR_JSON_NUMBER)
        return WEIR_UNREADABLE;
    minus = json->text.data[0] == '-';
    for (size_t i = minus; i < json->text.size; i++) {
        int digit = json->text.data[i] - '0';

        if (digit < 0 || digit > 9)
            return WEIR_UNREADABLE;
        if (__builtin_mul_overflow(value, 10, &value) ||
            (minus ? __builtin_sub_overflow(value, digit, &value) : __builtin_add_overflow(value, digit, &value)))
            return WEIR_OVERFLOW;
    }
    *ret = value;
    return WEIR_OK;
}

int weir_json_text(const struct weir_json *json, struct weir_text *ret)
{
    if (json == NULL || json->type != WEIR_JSON_STRING)
        return WEIR_UNREADABLE;
    *ret = json->text;
    return WEIR_OK;
}
