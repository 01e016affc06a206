/* writing.c: a writer's queue, and the thread that empties it.
 *
 * (1) What is being written stays in hand until the writer has it: it comes again, the same events in the same order.
 * (2) Losses of a writer are said by one event when it has taken something again; each such event says all losses so far, so
 *     it may be lost too.
 */
#include "framework/audit/internal.h"
#include "framework/logging/logging.h"

#include <inttypes.h>
#include <time.h>

enum {
    BACKOFF_LEAST = 100, /* ms */
    BACKOFF_MOST = 2000,
};

/* ---- the queue; the mutex is held ---- */

static struct weir__audit_kept *pop(struct weir__audit_seat *seat)
{
    struct weir__audit_kept *kept = seat->queue[seat->first];

    seat->first = (seat->first + 1) % seat->audit->config.queue;
    seat->count--;
    return kept;
}

static void note_loss(struct weir__audit_seat *seat, uint64_t number)
{
    struct weir__audit_range *last = seat->range_count > 0 ? &seat->ranges[seat->range_count - 1] : NULL;

    seat->lost++;
    seat->unsaid = true;
    if (last != NULL && (last->last + 1 == number || seat->range_count == WEIR__AUDIT_RANGE_MOST))
        last->last = number;
    else
        seat->ranges[seat->range_count++] = (struct weir__audit_range){ number, number };
}

void weir__audit_push(struct weir__audit_seat *seat, struct weir__audit_kept *kept)
{
    const size_t most = seat->audit->config.queue;

    if (seat->count == most) {
        struct weir__audit_kept *oldest = pop(seat);

        note_loss(seat, oldest->event.number);
        weir__audit_let_go(oldest);
    }
    kept->users++;
    seat->queue[(seat->first + seat->count++) % most] = kept;
}

/* ---- losses are said ---- */

static bool print_losses(const struct weir__audit_seat *seat, struct weir_json_out *json)
{
    weir_json_begin_object(json);
    weir__json_member_text(json, "writer", seat->writer.name);
    weir__json_member_int(json, "lost", (int64_t)seat->lost);
    weir_json_name(json, "ranges");
    weir_json_begin_array(json);
    for (size_t i = 0; i < seat->range_count; i++) {
        weir_json_begin_array(json);
        weir_json_put_int64(json, (int64_t)seat->ranges[i].first);
        weir_json_put_int64(json, (int64_t)seat->ranges[i].last);
        weir_json_end_array(json);
    }
    weir_json_end_array(json);
    weir_json_end_object(json);
    weir__buf_putc(&json->buf, '\0');
    return weir__buf_ok(&json->buf);
}

static void say_losses(struct weir__audit_seat *seat)
{
    struct weir_json_out json = { 0 };
    const char          *texts[WEIR__AUDIT_TEXT_COUNT] = {
                 [WEIR__AUDIT_SERVICE] = "audit",
                 [WEIR__AUDIT_TYPE] = "system",
                 [WEIR__AUDIT_ACTION] = WEIR__AUDIT_LOST,
                 [WEIR__AUDIT_OUTCOME] = "failed",
                 [WEIR__AUDIT_ACTOR_TYPE] = "service",
                 [WEIR__AUDIT_RESOURCE_TYPE] = "writer",
                 [WEIR__AUDIT_RESOURCE] = seat->writer.name,
    };

    /* where there is room: the event is not to push another one out */
    if (seat->unsaid && seat->count < seat->audit->config.queue && print_losses(seat, &json)) {
        texts[WEIR__AUDIT_DETAILS] = json.buf.data;
        seat->unsaid = false;
        weir__audit_add(seat->audit, texts);
    }
    weir__json_out_fini(&json);
}

/* ---- the thread; the mutex is held but where it waits or writes ---- */

static void wait_ms(struct weir__audit *audit, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&audit->changed, &audit->mutex, &until);
}

/* What a write may take now; 0: there is no time left. */
static int64_t time_left(const struct weir__audit *audit)
{
    int64_t left = audit->config.write_ms;

    if (audit->close_by != 0)
        left = MIN(left, (audit->close_by - weir__monotonic_us()) / 1000);
    return MAX(left, (int64_t)0);
}

/* Until a batch is full or its first event has waited long enough; at the close at once. */
static void gather(struct weir__audit_seat *seat)
{
    struct weir__audit *audit = seat->audit;
    const int64_t       until = weir__monotonic_us() + audit->config.flush_ms * 1000;
    int64_t             left;

    while (audit->close_by == 0 && seat->count < audit->config.batch &&
           (left = (until - weir__monotonic_us()) / 1000) > 0)
        wait_ms(audit, left);
    while (seat->count > 0 && seat->held < audit->config.batch)
        seat->hand[seat->held++] = pop(seat);
}

/* A while after a failure, which a close ends. */
static void back_off(struct weir__audit *audit, int64_t ms)
{
    const int64_t until = weir__monotonic_us() + ms * 1000;
    int64_t       left;

    while ((left = (until - weir__monotonic_us()) / 1000) > 0 && time_left(audit) > 0)
        wait_ms(audit, MIN(left, MAX(time_left(audit), (int64_t)1)));
}

static void say_up(struct weir__audit_seat *seat, int err, const struct weir_error *words)
{
    if (err == WEIR_OK && !seat->up)
        weir__say(WEIR__INFO, "audit-writes-again", "writer", "s", seat->writer.name, "lost", "u", seat->lost, NULL);
    if (err < 0 && seat->up) {
        seat->outages++;
        weir__say(WEIR__WARN, "audit-waits", "writer", "s", seat->writer.name, "where", "s", words->where, "why", "s",
                  words->text, NULL);
    }
    seat->up = err == WEIR_OK;
}

static int write_hand(struct weir__audit_seat *seat, int64_t ms)
{
    const struct weir__audit_event **events = weir__alloc(sizeof(*events) * seat->held);
    struct weir_error                words = { .where = "audit", .text = "out of memory" };
    int                              err = WEIR_NO_MEMORY;

    for (size_t i = 0; events != NULL && i < seat->held; i++)
        events[i] = &seat->hand[i]->event;
    pthread_mutex_unlock(&seat->audit->mutex);
    if (events != NULL)
        err = seat->writer.write(seat->writer.arg, events, seat->held, ms, &words);
    weir__free(events);
    pthread_mutex_lock(&seat->audit->mutex);
    say_up(seat, err, &words);
    return err;
}

static void put_down(struct weir__audit_seat *seat)
{
    seat->written += seat->held;
    for (size_t i = 0; i < seat->held; i++)
        weir__audit_let_go(seat->hand[i]);
    seat->held = 0;
    say_losses(seat);
    pthread_cond_broadcast(&seat->audit->changed);
}

static bool is_empty(const struct weir__audit_seat *seat) { return seat->held + seat->count == 0; }

/* Another writer's losses may still make an event. */
static bool are_empty(const struct weir__audit *audit)
{
    for (size_t i = 0; i < audit->seat_count; i++)
        if (!is_empty(&audit->seats[i]))
            return false;
    return true;
}

/* Until there is something to write; false: the trail closes, and all is written or the time is over. */
static bool await_event(struct weir__audit_seat *seat)
{
    struct weir__audit *audit = seat->audit;

    while (is_empty(seat) && audit->close_by == 0)
        pthread_cond_wait(&audit->changed, &audit->mutex);
    while (is_empty(seat) && !are_empty(audit) && time_left(audit) > 0)
        wait_ms(audit, time_left(audit));
    return !is_empty(seat) && (audit->close_by == 0 || time_left(audit) > 0);
}

void *weir__audit_work(void *arg)
{
    struct weir__audit_seat *seat = arg;
    struct weir__audit      *audit = seat->audit;
    int64_t                  backoff = BACKOFF_LEAST;

    pthread_mutex_lock(&audit->mutex);
    while (await_event(seat)) {
        if (seat->held == 0)
            gather(seat);
        if (write_hand(seat, MAX(time_left(audit), (int64_t)1)) == WEIR_OK) {
            put_down(seat);
            backoff = BACKOFF_LEAST;
        } else {
            back_off(audit, backoff);
            backoff = MIN(2 * backoff, (int64_t)BACKOFF_MOST);
        }
    }
    pthread_mutex_unlock(&audit->mutex);
    return NULL;
}
