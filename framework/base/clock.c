/* clock.c: the machine's clocks. */
#include "framework/base/base.h"

#include <time.h>

static int64_t read_us(clockid_t clock)
{
    struct timespec now;

    CHECK(clock_gettime(clock, &now) == 0);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t weir__wall_ms(void) { return read_us(CLOCK_REALTIME) / 1000; }

int64_t weir__monotonic_us(void) { return read_us(CLOCK_BOOTTIME); }

int64_t weir__cpu_us(void) { return read_us(CLOCK_PROCESS_CPUTIME_ID); }
