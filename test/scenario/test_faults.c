/* test_faults.c: tells every story again and again, each time with another allocation or call of a store that fails.
 *
 * (1) What fails says so with words, or has no effect. The application's answer is the call again, or a crash and the
 *     next process (play.c); the story then ends as it should: nothing lost, nothing twice.
 * (2) Under AddressSanitizer nothing is used after its end, and nothing is left.
 */
#include <inttypes.h>

#include "statestores/engines.h"
#include "test/scenario/faulty.h"
#include "test/scenario/stories.h"

/* Long stories have thousands of allocations: the later ones are not tried one by one, under sanitizers fewer of them. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SPARSE 40
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SPARSE 40
#endif
#endif
#ifndef SPARSE
#define SPARSE 400
#endif

typedef uint64_t order(uint64_t n);

static order   *give;
static uint64_t left, next; /* until the first failure, and from it to the second (0 = none) */
static bool     reached;    /* the first one came */

static void before(void) { (void)give(left); }

static bool after(void)
{
    bool ordered = left > 0;

    left = give(0);
    if (!ordered || left > 0)
        return false;
    reached = true;
    left = next;
    next = 0;
    return true;
}

/* The story with the n-th of something failing, for every n that there is; with a gap, once more while the application
 * makes it good. */
static bool with_each(const struct flow *flow, const char *what, order *fn, const struct weir_engines *engines,
                      bool disk, uint64_t gap, struct weir__buf *complaint)
{
    char             name[80];
    struct flow_mode mode = {
        .name = name, .engines = engines, .setting = "delivery=exactly_once", .before = before, .after = after
    };
    bool good = true;

    give = fn;
    reached = true;
    for (uint64_t n = 1; good && reached; n += 1 + n / (disk ? 4 : SPARSE)) { /* opening a database takes its time */
        reached = false;
        left = n;
        next = gap > 0 ? 1 + n % gap : 0;
        snprintf(name, sizeof(name), "%s %" PRIu64 " fails, then that after %" PRIu64, what, n, next);
        good = disk ? stories_play_in_dir(flow, mode, complaint) : flow_play(flow, &mode, complaint);
    }
    return good;
}

static bool tell(const struct flow *flow, struct weir__buf *complaint)
{
    bool good = true;

    for (uint64_t gap = 0; good && gap < 30; gap += 7)
        good = with_each(flow, "allocation", weir__fail_allocation, weir_engines, false, gap, complaint) &&
               with_each(flow, "store call", faulty_order, faulty_in_memory(), false, gap, complaint);
    return good && with_each(flow, "call of RocksDB", faulty_order, faulty_on_rocksdb(), true, 3, complaint);
}

int main(int argc, char **argv)
{
    (void)argc;
    return stories_run("faults", tell, argv);
}
