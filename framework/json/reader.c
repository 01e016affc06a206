/* reader.c: strict JSON into a tree of nodes in an arena. Source: RFC 8259.
 *
 * (1) One pass over the text, which need not end in NUL: nothing at `end` is ever looked at.
 * (2) Functions that fail have noted the fault, at `at`, and everything above gives up at once.
 * (3) Numbers are checked and kept as text: whoever wants one decides what it fits into.
 */
#include "framework/json/internal.h"

#define DEPTH 64 /* of arrays and objects in each other */

bool weir__reader_fault(struct weir__reader *reader, const char *what)
{
    reader->fault = what;
    reader->code = WEIR_UNREADABLE;
    return false;
}

bool weir__reader_limit(struct weir__reader *reader)
{
    reader->fault = "it takes more memory than one record may";
    reader->code = WEIR_LIMIT;
    return false;
}

static bool is_space(char c) { return (unsigned char)c <= ' ' && (c == ' ' || c == '\n' || c == '\t' || c == '\r'); }

/* Skips white space and gives the byte after it, unmoved; -1 = the text ends. */
static inline int peek(struct weir__reader *reader)
{
    while (reader->at < reader->end && is_space(*reader->at))
        reader->at++;
    return reader->at < reader->end ? (unsigned char)*reader->at : -1;
}

/* ---- numbers and words ---- */

/* NULL where there is no digit. */
static const char *skip_digits(const char *at, const char *end)
{
    const char *begin = at;

    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at > begin ? at : NULL;
}

static const char *skip_number(const char *at, const char *end)
{
    if (*at == '-')
        at++;
    if (at < end && *at == '0')
        at++;
    else
        at = skip_digits(at, end);
    if (at && at < end && *at == '.')
        at = skip_digits(at + 1, end);
    if (at && at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        at = skip_digits(at, end);
    }
    return at;
}

static bool read_number(struct weir__reader *reader, struct weir_json *node)
{
    const char *end = skip_number(reader->at, reader->end);

    if (!end)
        return weir__reader_fault(reader, "a number lacks digits");
    if (end < reader->end && *end >= '0' && *end <= '9')
        return weir__reader_fault(reader, "a number begins with 0 and goes on");
    node->type = WEIR_JSON_NUMBER;
    node->text = (struct weir_text){ .data = reader->at, .size = (size_t)(end - reader->at) };
    reader->at = end;
    return true;
}

static bool read_word(struct weir__reader *reader, const char *word, enum weir_json_type type, struct weir_json *node)
{
    size_t size = strlen(word);

    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, word, size) != 0)
        return weir__reader_fault(reader, "a value is expected");
    node->type = type;
    reader->at += size;
    return true;
}

/* ---- arrays and objects ---- */

static struct weir_json *read_value(struct weir__reader *reader);

/* names NULL: a key may stand twice. */
static bool read_name(struct weir__reader *reader, const struct weir__names *names, const struct weir_json *object,
                      struct weir_text *ret)
{
    const char *begin;

    if (peek(reader) != '"')
        return weir__reader_fault(reader, "a key in quotes is expected");
    begin = reader->at;
    if (!weir__read_string(reader, ret))
        return false;
    if (names && weir__names_have(names, object, *ret)) {
        reader->at = begin;
        return weir__reader_fault(reader, "a key that its object already has");
    }
    if (peek(reader) != ':')
        return weir__reader_fault(reader, "a colon is expected");
    reader->at++;
    return true;
}

/* What follows a member: true = another one. False: look at *ret_closed, or there was a fault. */
static bool goes_on(struct weir__reader *reader, char bracket, bool *ret_closed)
{
    int c = peek(reader);

    if (c == ',' || c == bracket) {
        reader->at++;
        *ret_closed = c == bracket;
        return c == ',';
    }
    return weir__reader_fault(reader, c == -1          ? "the text ends inside an array or object"
                                      : bracket == ']' ? "a comma or ] is expected"
                                                       : "a comma or } is expected");
}

static bool read_elements(struct weir__reader *reader, struct weir_json *array)
{
    const struct weir_json **link = &array->child;
    bool                     closed = false;

    do {
        struct weir_json *element = read_value(reader);

        if (!element)
            return false;
        *link = element;
        link = &element->next;
    } while (goes_on(reader, ']', &closed));
    return closed;
}

static bool read_members(struct weir__reader *reader, struct weir_json *object)
{
    const struct weir_json **link = &object->child;
    struct weir__names       names = { 0 };
    bool                     closed = false;

    do {
        struct weir_text  name;
        struct weir_json *member;

        if (!read_name(reader, &names, object, &name))
            return false;
        member = read_value(reader);
        if (!member)
            return false;
        member->name = name;
        *link = member;
        link = &member->next;
        if (!weir__names_add(&names, object, member, reader->arena))
            return weir__reader_limit(reader);
    } while (goes_on(reader, '}', &closed));
    return closed;
}

/* `at` stands on the opening bracket. */
static bool read_nested(struct weir__reader *reader, enum weir_json_type type, struct weir_json *node)
{
    bool is_array = type == WEIR_JSON_ARRAY;

    if (reader->depth == DEPTH)
        return weir__reader_fault(reader, "arrays and objects are nested deeper than 64");
    reader->depth++;
    reader->at++;
    node->type = type;
    if (peek(reader) == (is_array ? ']' : '}'))
        reader->at++;
    else if (!(is_array ? read_elements : read_members)(reader, node))
        return false;
    reader->depth--;
    return true;
}

static bool read_into(struct weir__reader *reader, struct weir_json *node)
{
    switch (peek(reader)) {
    case '"': node->type = WEIR_JSON_STRING; return weir__read_string(reader, &node->text);
    case '-':
    case '0' ... '9': return read_number(reader, node);
    case '{': return read_nested(reader, WEIR_JSON_OBJECT, node);
    case '[': return read_nested(reader, WEIR_JSON_ARRAY, node);
    case 't': return read_word(reader, "true", WEIR_JSON_TRUE, node);
    case 'f': return read_word(reader, "false", WEIR_JSON_FALSE, node);
    case 'n': return read_word(reader, "null", WEIR_JSON_NULL, node);
    case -1: return weir__reader_fault(reader, "the text ends where a value is expected");
    default: return weir__reader_fault(reader, "a value is expected");
    }
}

/* NULL = a fault. */
static struct weir_json *read_value(struct weir__reader *reader)
{
    struct weir_json *node = weir__arena_take(reader->arena, sizeof(*node));

    if (!node) {
        weir__reader_limit(reader);
        return NULL;
    }
    *node = (struct weir_json){ .arena = reader->arena };
    return read_into(reader, node) ? node : NULL;
}

static int end_reading(const struct weir__reader *reader, struct weir_error *reterr)
{
    if (!reader->fault)
        return WEIR_OK;
    return weir__fail(reterr, reader->code, "JSON", "at byte %zu: %s", (size_t)(reader->at - reader->begin),
                      reader->fault);
}

int weir_json_parse(struct weir_arena *arena, struct weir_text text, const struct weir_json **ret,
                    struct weir_error *reterr)
{
    const char         *begin = text.data ? text.data : "";
    struct weir__reader reader = { .arena = arena, .begin = begin, .at = begin, .end = begin + text.size };
    struct weir_json   *value = read_value(&reader);

    if (value && peek(&reader) != -1)
        weir__reader_fault(&reader, "something follows the value");
    if (!reader.fault)
        *ret = value;
    return end_reading(&reader, reterr);
}

/* ---- member by member ---- */

void weir__walk_init(struct weir__walk *walk, struct weir_arena *arena, struct weir_text text)
{
    const char *begin = text.data ? text.data : "";

    *walk =
        (struct weir__walk){ .reader = { .arena = arena, .begin = begin, .at = begin, .end = begin + text.size } };
}

/* Whether the object has a first member. */
static bool enter_object(struct weir__reader *reader, bool *ret_closed)
{
    if (peek(reader) != '{')
        return weir__reader_fault(reader, "an object is expected");
    reader->at++;
    reader->depth++;
    *ret_closed = peek(reader) == '}';
    reader->at += *ret_closed;
    return !*ret_closed;
}

static bool is_likely(struct weir__reader *reader, struct weir_text likely, struct weir_text *ret)
{
    if (!likely.size || peek(reader) != '"' || (size_t)(reader->end - reader->at) < likely.size ||
        memcmp(reader->at, likely.data, likely.size) != 0)
        return false;
    *ret = (struct weir_text){ .data = likely.data + 1, .size = likely.size - 3 };
    reader->at += likely.size;
    return true;
}

bool weir__walk_next(struct weir__walk *walk, struct weir_text likely, struct weir_json *ret)
{
    struct weir__reader *reader = &walk->reader;
    bool closed = false, more = !walk->begun ? enter_object(reader, &closed) : goes_on(reader, '}', &closed);

    walk->begun = true;
    if (!more) {
        if (closed && peek(reader) != -1)
            weir__reader_fault(reader, "something follows the value");
        return false;
    }
    *ret = (struct weir_json){ .arena = reader->arena };
    return (is_likely(reader, likely, &ret->name) || read_name(reader, NULL, NULL, &ret->name)) &&
           read_into(reader, ret);
}

int weir__walk_end(const struct weir__walk *walk, struct weir_error *reterr)
{
    return end_reading(&walk->reader, reterr);
}

/* ---- what was read ---- */

const struct weir_json *weir_json_get(const struct weir_json *json, const char *name)
{
    struct weir_text wanted = { .data = name, .size = strlen(name) };

    if (!json || json->type != WEIR_JSON_OBJECT)
        return NULL;
    for (const struct weir_json *member = json->child; member; member = member->next)
        if (weir__same_text(member->name, wanted))
            return member;
    return NULL;
}

int weir_json_text(const struct weir_json *json, struct weir_text *ret)
{
    if (!json || json->type != WEIR_JSON_STRING)
        return WEIR_UNREADABLE;
    *ret = json->text;
    return WEIR_OK;
}
