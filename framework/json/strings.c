/* strings.c: the strings of JSON texts: checked, borrowed where they stand as they are meant, else unescaped.
 *
 * (1) A string is read once: what is plain is found eight bytes at a time.
 * (2) An unescaped string is never longer than its text, so the text's size is room enough.
 */
#include "framework/json/internal.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Highest bit of each byte that is a quote, a backslash, a control character or not ASCII. Bytes above one that is so
 * marked may be marked wrongly: only the lowest mark counts. */
static uint64_t specials(uint64_t bytes)
{
    uint64_t quote = bytes ^ EACH('"'), backslash = bytes ^ EACH('\\');

    return ((quote - EACH(1)) | (backslash - EACH(1)) | (bytes - EACH(0x20)) | bytes) & EACH(0x80);
}

static bool is_special(unsigned char c) { return c < 0x20 || c >= 0x80 || c == '"' || c == '\\'; }

const char *weir__skip_plain(const char *at, const char *end)
{
    uint64_t bytes, marks;

    for (; end - at >= (ptrdiff_t)sizeof(bytes); at += sizeof(bytes)) {
        memcpy(&bytes, at, sizeof(bytes));
        marks = specials(bytes);
        if (marks)
            return at + __builtin_ctzll(marks) / 8;
    }
    while (at < end && !is_special((unsigned char)*at))
        at++;
    return at;
}

/* Stops at a quote or a backslash; all before it is valid. */
static bool skip_run(struct weir__reader *reader)
{
    for (;;) {
        uint32_t c;
        size_t   size;

        reader->at = weir__skip_plain(reader->at, reader->end);
        if (reader->at == reader->end)
            return weir__reader_fault(reader, "the text ends inside a string");
        if (*reader->at == '"' || *reader->at == '\\')
            return true;
        if ((unsigned char)*reader->at < 0x20)
            return weir__reader_fault(reader, "a control character stands inside a string");
        size = weir__utf8_take(BYTES(reader->at, (size_t)(reader->end - reader->at)), &c);
        if (!size)
            return weir__reader_fault(reader, "bytes that are no UTF-8");
        reader->at += size;
    }
}

/* ---- escapes ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits at `at`. */
static bool read_unit(const char *at, const char *end, uint32_t *ret)
{
    uint32_t unit = 0;

    if (end - at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);

        if (digit < 0)
            return false;
        unit = unit << 4 | (uint32_t)digit;
    }
    *ret = unit;
    return true;
}

static char *put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *to++ = (char)(0xe0 | c >> 12);
        } else {
            *to++ = (char)(0xf0 | c >> 18);
            *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        }
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (c & 0x3f));
    return to;
}

/* \uXXXX or a pair of them; `at` stands on the backslash. */
static bool unescape_unicode(struct weir__reader *reader, char **to)
{
    const char *at = reader->at;
    uint32_t    c, low;

    if (!read_unit(at + 2, reader->end, &c))
        return weir__reader_fault(reader, "\\u without four hexadecimal digits");
    at += 6;
    if (c >= 0xd800 && c <= 0xdfff) {
        if (c >= 0xdc00 || reader->end - at < 6 || at[0] != '\\' || at[1] != 'u' ||
            !read_unit(at + 2, reader->end, &low) || low < 0xdc00 || low > 0xdfff)
            return weir__reader_fault(reader, "half of a surrogate pair");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
    }
    *to = put_utf8(*to, c);
    reader->at = at;
    return true;
}

/* `at` stands on the backslash. */
static bool unescape(struct weir__reader *reader, char **to)
{
    char meant;

    if (reader->end - reader->at < 2)
        return weir__reader_fault(reader, "the text ends inside a string");
    switch (reader->at[1]) {
    case '"':
    case '\\':
    case '/': meant = reader->at[1]; break;
    case 'b': meant = '\b'; break;
    case 'f': meant = '\f'; break;
    case 'n': meant = '\n'; break;
    case 'r': meant = '\r'; break;
    case 't': meant = '\t'; break;
    case 'u': return unescape_unicode(reader, to);
    default: return weir__reader_fault(reader, "an unknown escape");
    }
    *(*to)++ = meant;
    reader->at += 2;
    return true;
}

/* Where the string's closing quote may be: escapes are jumped over, nothing else is checked. */
static const char *find_close(const char *at, const char *end)
{
    while (at < end && *at != '"')
        at += *at == '\\' && end - at > 1 ? 2 : 1;
    return at;
}

/* `at` stands on the first backslash of a string that began at begin. */
static bool read_escaped(struct weir__reader *reader, const char *begin, struct weir_text *ret)
{
    size_t run = (size_t)(reader->at - begin);
    char  *text = weir__arena_take(reader->arena, (size_t)(find_close(reader->at, reader->end) - begin));
    char  *to = text;

    if (!text)
        return weir__reader_limit(reader);
    for (;;) {
        memcpy(to, begin, run);
        to += run;
        if (*reader->at == '"')
            break;
        if (!unescape(reader, &to))
            return false;
        begin = reader->at;
        if (!skip_run(reader))
            return false;
        run = (size_t)(reader->at - begin);
    }
    *ret = (struct weir_text){ .data = text, .size = (size_t)(to - text) };
    return true;
}

bool weir__read_string(struct weir__reader *reader, struct weir_text *ret)
{
    const char *begin = ++reader->at;

    if (!skip_run(reader))
        return false;
    if (*reader->at == '"')
        *ret = (struct weir_text){ .data = begin, .size = (size_t)(reader->at - begin) };
    else if (!read_escaped(reader, begin, ret))
        return false;
    reader->at++;
    return true;
}
