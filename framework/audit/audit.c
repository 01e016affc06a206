/* audit.c: the trail: opened, noted into, closed. */
#include "framework/audit/internal.h"
#include "framework/base/threads.h"
#include "framework/logging/logging.h"

#include <inttypes.h>
#include <sys/random.h>
#include <time.h>

/* ---- noting ---- */

static int64_t wall_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The event behind the last one; NULL: it cannot be made, the chain is as it was. */
static struct weir__audit_kept *chain(struct weir__audit *audit, const char *const texts[WEIR__AUDIT_TEXT_COUNT])
{
    AUTO(weir__buf_fini) struct weir__buf hashed = { 0 };
    struct weir__audit_kept              *kept = weir__audit_keep(audit, texts);

    if (kept == NULL)
        return NULL;
    kept->event.number = audit->number + 1;
    kept->event.began = audit->began;
    kept->event.time = wall_us();
    weir__audit_hashed(&kept->event, &hashed);
    if (!weir__buf_ok(&hashed) ||
        audit->config.digest(audit->config.arg, (struct weir_text){ hashed.data, hashed.size }, kept->event.hash) <
            0) {
        weir__audit_let_go(kept);
        return NULL;
    }
    audit->number++;
    memcpy(audit->previous, kept->event.hash, sizeof(audit->previous));
    return kept;
}

void weir__audit_add(struct weir__audit *audit, const char *const texts[WEIR__AUDIT_TEXT_COUNT])
{
    struct weir__audit_kept *kept = chain(audit, texts);

    if (kept == NULL) {
        audit->failed++;
        return;
    }
    for (size_t i = 0; i < audit->seat_count; i++)
        weir__audit_push(&audit->seats[i], kept);
    weir__audit_let_go(kept);
    pthread_cond_broadcast(&audit->changed);
}

void weir__audit_note(struct weir__audit *audit, const char *const texts[WEIR__AUDIT_TEXT_COUNT])
{
    if (audit == NULL)
        return;
    if (audit->config.audits != NULL && !audit->config.audits(audit->config.arg, texts[WEIR__AUDIT_SERVICE]))
        return;
    pthread_mutex_lock(&audit->mutex);
    weir__audit_add(audit, texts);
    pthread_mutex_unlock(&audit->mutex);
}

/* ---- looking ---- */

bool weir__audit_look(struct weir__audit *audit, size_t n, struct weir__audit_standing *ret)
{
    const struct weir__audit_seat *seat;

    if (audit == NULL || n >= audit->seat_count)
        return false;
    seat = &audit->seats[n];
    pthread_mutex_lock(&audit->mutex);
    *ret = (struct weir__audit_standing){ .name = seat->writer.name,
                                          .up = seat->up,
                                          .waiting = seat->count + seat->held,
                                          .written = seat->written,
                                          .lost = seat->lost,
                                          .outages = seat->outages };
    pthread_mutex_unlock(&audit->mutex);
    return true;
}

void weir__audit_counts(struct weir__audit *audit, uint64_t *ret_noted, uint64_t *ret_failed)
{
    pthread_mutex_lock(&audit->mutex);
    *ret_noted = audit->number;
    *ret_failed = audit->failed;
    pthread_mutex_unlock(&audit->mutex);
}

/* ---- opening and closing ---- */

static void free_seat(struct weir__audit_seat *seat)
{
    for (size_t i = 0; i < seat->count; i++)
        weir__audit_let_go(seat->queue[(seat->first + i) % seat->audit->config.queue]);
    for (size_t i = 0; i < seat->held; i++)
        weir__audit_let_go(seat->hand[i]);
    seat->writer.close(seat->writer.arg);
    weir__free(seat->queue);
    weir__free(seat->hand);
}

static int make_seat(struct weir__audit_seat *seat)
{
    seat->up = true; /* until it is seen otherwise */
    seat->queue = weir__zalloc(sizeof(struct weir__audit_kept *) * seat->audit->config.queue);
    seat->hand = weir__zalloc(sizeof(struct weir__audit_kept *) * seat->audit->config.batch);
    return seat->queue != NULL && seat->hand != NULL ? WEIR_OK : WEIR_NO_MEMORY;
}

static int start_seat(struct weir__audit_seat *seat)
{
    int err = weir__thread_start(weir__audit_work, seat, &seat->thread);

    seat->started = err == WEIR_OK;
    return err;
}

static int begin_chain(struct weir__audit *audit)
{
    uint64_t random[2];

    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        return WEIR_IO;
    snprintf(audit->chain, sizeof(audit->chain), "%s%016" PRIx64 "%016" PRIx64,
             audit->config.sealed ? WEIR__AUDIT_SEALED : "", random[0], random[1]);
    memset(audit->previous, '0', sizeof(audit->previous) - 1);
    audit->began = wall_us();
    return WEIR_OK;
}

static void init(struct weir__audit *audit)
{
    pthread_mutex_init(&audit->mutex, NULL);
    weir__cond_init(&audit->changed);
}

int weir__audit_open(const struct weir__audit_config *config, const struct weir__audit_writer *writers, size_t count,
                     struct weir__audit **ret, struct weir_error *reterr)
{
    struct weir__audit *audit = weir__zalloc(sizeof(*audit));
    int                 err;

    CHECK(count <= WEIR__AUDIT_WRITERS_MOST);
    for (size_t i = 0; audit == NULL && i < count; i++)
        writers[i].close(writers[i].arg);
    if (audit == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "audit", "out of memory");
    audit->config = *config;
    audit->seat_count = count;
    init(audit);
    for (size_t i = 0; i < count; i++)
        audit->seats[i] = (struct weir__audit_seat){ .audit = audit, .writer = writers[i] };
    err = begin_chain(audit);
    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = make_seat(&audit->seats[i]);
    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = start_seat(&audit->seats[i]);
    if (err == WEIR_OK) {
        *ret = audit;
        return WEIR_OK;
    }
    weir__audit_close(audit);
    return weir__fail(reterr, err, "audit", "its threads cannot be started: %s", weir_code_text(err));
}

static void say_left(struct weir__audit_seat *seat)
{
    const uint64_t left = seat->count + seat->held;

    if (left + seat->lost > 0)
        weir__say(WEIR__WARN, "audit-lost", "writer", "s", seat->writer.name, "chain", "s", seat->audit->chain,
                  "lost", "u", seat->lost, "left", "u", left, NULL);
}

void weir__audit_close(struct weir__audit *audit)
{
    if (audit == NULL)
        return;
    pthread_mutex_lock(&audit->mutex);
    audit->close_by = weir__monotonic_us() + audit->config.write_ms * 1000;
    pthread_cond_broadcast(&audit->changed);
    pthread_mutex_unlock(&audit->mutex);
    for (size_t i = 0; i < audit->seat_count; i++)
        if (audit->seats[i].started)
            pthread_join(audit->seats[i].thread, NULL);
    for (size_t i = 0; i < audit->seat_count; i++) {
        say_left(&audit->seats[i]);
        free_seat(&audit->seats[i]);
    }
    pthread_cond_destroy(&audit->changed);
    pthread_mutex_destroy(&audit->mutex);
    weir__free(audit);
}
