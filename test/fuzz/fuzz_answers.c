/* fuzz_answers.c: what other servers say, any bytes: an HTTP answer, a line of ClickHouse's rows, a host as a cluster of Redis says it,
 * a URL of Redis: read within their bounds, or refused. Needs libraries of the pipeline: built as the others of its folder. */
#include <stdlib.h>

#include "framework/http/internal.h"
#include "test/fuzz/fuzz.h"
#include "topologies/clickhouse/client.h"
#include "topologies/redis/internal.h"

static void expect(bool good)
{
    if (!good)
        abort();
}

static void take_http(const char *text, size_t size)
{
    struct weir__answered answered;
    const char           *words = NULL;
    int                   err = weir__answered_parse(BYTES(text, size), &answered, &words);

    expect(err == WEIR_OK || (err == WEIR_UNREADABLE && words != NULL));
    if (err == WEIR_OK)
        expect((const char *)answered.body.data + answered.body.size == text + size &&
               (answered.type.data == NULL || answered.type.data + answered.type.size <= text + size));
}

static void take_row(char *line, size_t size)
{
    struct weir_text fields[8];
    size_t           count = clickhouse_fields(line, size, fields, ARRAY_SIZE(fields));

    for (size_t i = 0; i < MIN(count, ARRAY_SIZE(fields)); i++)
        expect(fields[i].size == 0 || (fields[i].data >= line && fields[i].data + fields[i].size <= line + size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char               *text = weir__memdup(data, size); /* of exactly this size, for the sanitizer */
    char               *url = weir__zalloc(size + 1);
    struct redis_target target = { 0 };
    struct redis_host   host;
    struct weir_error   error = { 0 };

    take_http(text, size);
    (void)redis_host_read((struct weir_text){ text, size }, &host);
    if (size > 0)
        memcpy(url, data, size);
    if (redis_target_read(&target, url, NULL, &error) < 0)
        expect(error.where[0] != '\0' && error.text[0] != '\0');
    redis_target_fini(&target);
    take_row(text, size);
    weir__free(text);
    weir__free(url);
    return 0;
}
