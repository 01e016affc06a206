/* waits.c: how long records wait from their coming until what came of them is committed.
 *
 * (1) The cost is one look at the clock for what a poll brings of a partition, and one step for it at the commit: none by record.
 * (2) Records count as done in the order in which they came, over all partitions of a thread. Where they are taken in
 *     another order, some are told a longer time and as many a shorter one.
 */
#include "framework/runtime/internal.h"

static struct weir__arrival *arrival(struct weir__waits *waits, size_t n)
{
    return &waits->arrivals[(waits->first + n) % ARRAY_SIZE(waits->arrivals)];
}

/* A full ring puts more records under the time of earlier ones: never too short. */
void weir__waits_come(struct weir__waits *waits, size_t count, int64_t now)
{
    waits->come += count;
    if (waits->count == ARRAY_SIZE(waits->arrivals)) {
        arrival(waits, waits->count - 1)->upto = waits->come;
        return;
    }
    *arrival(waits, waits->count++) = (struct weir__arrival){ .upto = waits->come, .at = now };
}

static uint64_t count_queued(const struct weir__thread *thread)
{
    uint64_t queued = 0;

    for (size_t i = 0; i < thread->seat_count; i++)
        for (size_t j = 0; j < thread->seats[i]->input_count; j++)
            queued += weir__task_buffered(thread->seats[i]->task, thread->seats[i]->inputs[j].tp.topic);
    return queued;
}

/* What has come and waits in no queue any more is committed. */
void weir__waits_committed(struct weir__thread *thread)
{
    struct weir__waits *waits = &thread->waits;
    uint64_t            queued = count_queued(thread), done = waits->come - MIN(queued, waits->come);
    int64_t             now = weir__monotonic_us();

    while (waits->count > 0 && waits->told < done) {
        const struct weir__arrival *oldest = arrival(waits, 0);
        uint64_t                    upto = MIN(oldest->upto, done);

        weir__metric_observe_many(thread->metric_waits, (double)MAX(now - oldest->at, 0) / 1e6, upto - waits->told);
        waits->told = upto;
        if (upto < oldest->upto)
            return;
        waits->first = (waits->first + 1) % ARRAY_SIZE(waits->arrivals);
        waits->count--;
    }
}

void weir__waits_anew(struct weir__thread *thread)
{
    uint64_t queued = count_queued(thread);

    thread->waits = (struct weir__waits){ 0 };
    if (queued > 0)
        weir__waits_come(&thread->waits, queued, weir__monotonic_us());
}
