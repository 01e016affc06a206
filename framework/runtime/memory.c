/* memory.c: how much memory the process may use, and the parts of it that one task's database and held rows get. */
#include <unistd.h>

#include "framework/runtime/internal.h"

/* More than this a database does not need for its buffers: it keeps its own choice. */
#define ENOUGH ((size_t)32 << 20)
#define LEAST  ((size_t)1 << 20)
/* Of all tasks together: rows held longer than a flush interval gain little. */
#define HELD ((size_t)64 << 20)

/* A limit of the container, in bytes; 0 = none. */
static int64_t read_limit(const char *path)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };
    int64_t                               bytes = 0;

    if (weir__read_file(path, &text, NULL) < 0 || text.size == 0)
        return 0;
    if (text.data[text.size - 1] == '\n')
        text.size--;
    weir__buf_putc(&text, '\0');
    return weir__buf_ok(&text) && weir__parse_int64(text.data, &bytes) == WEIR_OK ? bytes : 0;
}

static int64_t of_machine(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGE_SIZE);

    return pages > 0 && size > 0 ? (int64_t)pages * size : (int64_t)1 << 30;
}

int64_t weir__memory_total(int64_t configured)
{
    static const char *const limits[] = { "/sys/fs/cgroup/memory.max",
                                          "/sys/fs/cgroup/memory/memory.limit_in_bytes" };
    int64_t                  total = of_machine();

    if (configured > 0)
        return configured;
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        int64_t limit = read_limit(limits[i]);

        if (limit > 0)
            total = MIN(total, limit);
    }
    return total / 10 * 6;
}

size_t weir__memory_of_task(int64_t total, size_t tasks)
{
    size_t share = (size_t)total / 2 / MAX(tasks, (size_t)1);

    return share >= ENOUGH ? 0 : MAX(share, LEAST);
}

size_t weir__memory_to_hold(int64_t total, size_t tasks)
{
    return MAX(MIN((size_t)total / 8, HELD) / MAX(tasks, (size_t)1), LEAST);
}
