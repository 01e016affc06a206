/* version.c: versions as text, compared as the script compares them. */
#include "topologies/redis/internal.h"

void market_version_begin(struct market_version *version) { version->size = 0; }

static void add(struct market_version *version, const char *text, size_t size)
{
    CHECK(version->size + 1 + size <= sizeof(version->text));
    if (version->size > 0)
        version->text[version->size++] = ',';
    memcpy(version->text + version->size, text, size);
    version->size += size;
}

void market_version_number(struct market_version *version, int64_t number)
{
    char text[24];

    add(version, text, (size_t)snprintf(text, sizeof(text), "%lld", (long long)number));
}

void market_version_numbers(struct market_version *version, int64_t first, int64_t second)
{
    char text[48];

    add(version, text,
        (size_t)snprintf(text, sizeof(text), "%lld%019lld", (long long)first, (long long)MAX(second, 0)));
}

void market_version_bytes(struct market_version *version, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char              text[MARKET_VERSION_BYTES];

    CHECK(2 * size <= sizeof(text));
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    add(version, text, 2 * size);
}

/* The element at *at, and *at behind it. */
static struct weir_bytes next_element(const struct market_version *version, size_t *at)
{
    const char *begin = version->text + *at;
    const char *comma = memchr(begin, ',', version->size - *at);
    size_t      size = comma != NULL ? (size_t)(comma - begin) : version->size - *at;

    *at += size + (comma != NULL);
    return BYTES(begin, size);
}

static int compare_elements(struct weir_bytes a, struct weir_bytes b)
{
    bool minus = a.size > 0 && *(const char *)a.data == '-', other = b.size > 0 && *(const char *)b.data == '-';
    bool less = a.size != b.size ? a.size < b.size : weir__bytes_compare(a, b) < 0;

    if (weir__bytes_equal(a, b))
        return 0;
    if (minus != other)
        return minus ? -1 : 1;
    return less != minus ? -1 : 1;
}

int market_version_compare(const struct market_version *a, const struct market_version *b)
{
    size_t at = 0, other = 0;

    while (at < a->size && other < b->size) {
        int way = compare_elements(next_element(a, &at), next_element(b, &other));

        if (way != 0)
            return way;
    }
    return at < a->size ? 1 : other < b->size ? -1 : 0;
}
