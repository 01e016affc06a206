/* embedded_markers.c: what is awkward about Kafka's transactions: markers that land one by one, open transactions that hold up
 * those that end before them.
 *
 * (1) Partition by partition, and the offsets apart: what one partition tells says nothing of the others. Which is the first
 *     differs from decision to decision.
 * (2) Without a delay a marker lands with each look at the log, by whoever: so nobody waits for time to pass, and the next
 *     who looks still meets a transaction that is half known.
 * (3) A producer's next transaction ends, and its id is taken over, only when the one before is known everywhere.
 * (4) A transaction that is open for too long is aborted by whoever looks, and its producer fenced: it holds up others.
 * (5) An open transaction's records take their offsets when it ends, so behind those that it held up; their number counts
 *     in the end that is told. Those of one that is aborted, and its marker, leave a gap.
 */
#include "statestores/embedded.h"

#define DECISIONS_MOST 64 /* on their way; with more, the oldest is known everywhere */

bool weir__embedded_marks(const struct weir__producer *producer)
{
    return producer->log->quirks && producer->id != NULL;
}

/* ---- where committed reading ends ---- */

int64_t weir__embedded_stable(const struct partition *ends)
{
    return ends->unstable > 0 ? MAX(ends->unstable - 1, ends->low) : ends->end;
}

static void lower(struct partition *ends, int64_t first)
{
    if (ends->unstable == 0 || first + 1 < ends->unstable)
        ends->unstable = first + 1;
}

/* What waits in an open transaction for a partition; NULL = nothing. */
static struct outgoing *open_outgoing(const struct weir__producer *producer, const struct topic *topic,
                                      int32_t partition)
{
    if (!weir__embedded_marks(producer) || producer->fenced)
        return NULL;
    for (size_t i = 0; i < producer->count; i++) {
        struct destination *to = &producer->destinations[i];

        if (to->topic == topic && partition < to->count && to->partitions[partition].records > 0)
            return &to->partitions[partition];
    }
    return NULL;
}

static void find_stable(struct weir__log *log, struct topic *topic, int32_t partition)
{
    struct partition *ends = &topic->partitions[partition];

    ends->unstable = 0;
    for (const struct decision *decision = log->decisions; decision != NULL; decision = decision->next)
        for (size_t i = 0; i < decision->count; i++) {
            const struct marker *marker = &decision->markers[i];

            if (!marker->landed && marker->topic == topic && marker->partition == partition)
                lower(ends, marker->first);
        }
    for (const struct weir__producer *producer = log->producers; producer != NULL; producer = producer->next) {
        const struct outgoing *out = open_outgoing(producer, topic, partition);

        if (out != NULL && out->held > 0)
            lower(ends, out->held - 1);
    }
}

int64_t weir__embedded_open_records(const struct weir__log *log, const struct topic *topic, int32_t partition)
{
    int64_t records = 0;

    for (const struct weir__producer *producer = log->producers; producer != NULL; producer = producer->next) {
        const struct outgoing *out = open_outgoing(producer, topic, partition);

        records += out != NULL ? out->records : 0;
    }
    return records;
}

void weir__embedded_hold_up(const struct weir__producer *producer, struct topic *topic, int32_t partition)
{
    struct weir__log *log = producer->log;

    for (const struct weir__producer *other = log->producers; other != NULL; other = other->next) {
        struct outgoing *out = other != producer ? open_outgoing(other, topic, partition) : NULL;

        if (out == NULL || out->held > 0)
            continue;
        out->held = topic->partitions[partition].end + 1;
        lower(&topic->partitions[partition], out->held - 1);
    }
}

void weir__embedded_unhold(const struct weir__producer *producer)
{
    for (size_t i = 0; i < producer->count; i++)
        for (int32_t j = 0; j < producer->destinations[i].count; j++)
            find_stable(producer->log, producer->destinations[i].topic, j);
}

/* ---- decisions ---- */

void weir__embedded_decision_free(struct decision *decision)
{
    if (decision == NULL)
        return;
    weir__free(decision->producer);
    weir__free(decision->group);
    weir__free(decision->places);
    weir__free(decision->markers);
    weir__free(decision);
}

static int note_offsets(struct weir__log *log, struct decision *decision, const char *group,
                        const struct weir__offset *offsets, size_t count)
{
    if (count == 0)
        return WEIR_OK;
    decision->group = weir__strdup(group);
    decision->places = weir__zalloc(sizeof(*decision->places) * count);
    if (decision->group == NULL || decision->places == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        decision->places[decision->place_count++] =
            (struct place){ weir__embedded_topic(log, offsets[i].tp.topic), offsets[i].tp.partition };
    decision->markers[decision->count++] = (struct marker){ .topic = NULL };
    return WEIR_OK;
}

static size_t count_destinations(const struct weir__producer *producer)
{
    size_t count = 0;

    for (size_t i = 0; i < producer->count; i++)
        count += (size_t)producer->destinations[i].count;
    return count;
}

static void note_markers(const struct weir__producer *producer, struct decision *decision)
{
    for (size_t i = 0; i < producer->count; i++)
        for (int32_t j = 0; j < producer->destinations[i].count; j++) {
            struct topic          *topic = producer->destinations[i].topic;
            const struct outgoing *out = &producer->destinations[i].partitions[j];

            if (out->records > 0 && !topic->removed)
                decision->markers[decision->count++] = (struct marker){
                    .topic = topic, .partition = j, .first = out->held > 0 ? out->held - 1 : topic->partitions[j].end
                };
        }
}

int weir__embedded_prepare(struct weir__producer *producer, const char *group, const struct weir__offset *offsets,
                           size_t count, struct decision **ret)
{
    struct decision *decision = weir__zalloc(sizeof(*decision));
    int              err = WEIR_NO_MEMORY;

    if (decision == NULL)
        return err;
    decision->producer = weir__strdup(producer->id);
    decision->markers = weir__zalloc(sizeof(*decision->markers) * (count_destinations(producer) + 1));
    if (decision->producer != NULL && decision->markers != NULL)
        err = note_offsets(producer->log, decision, group, offsets, count);
    if (err < 0) {
        weir__embedded_decision_free(decision);
        return err;
    }
    note_markers(producer, decision);
    *ret = decision;
    return WEIR_OK;
}

static void land(struct weir__log *log, struct decision *decision, size_t at)
{
    struct marker *marker = &decision->markers[at];

    if (marker->landed)
        return;
    marker->landed = true;
    decision->landed++;
    if (marker->topic != NULL)
        find_stable(log, marker->topic, marker->partition);
}

/* What is known everywhere is no matter any more. */
static void sweep(struct weir__log *log)
{
    struct decision **link = &log->decisions;

    while (*link != NULL) {
        struct decision *decision = *link;

        if (decision->landed < decision->count) {
            link = &decision->next;
            continue;
        }
        *link = decision->next;
        log->decision_count--;
        weir__embedded_decision_free(decision);
    }
}

static void land_all(struct weir__log *log, struct decision *decision)
{
    for (size_t i = 0; i < decision->count; i++)
        land(log, decision, i);
}

void weir__embedded_decide(struct weir__log *log, struct decision *decision)
{
    struct decision **link = &log->decisions;

    if (decision == NULL)
        return;
    while (*link != NULL)
        link = &(*link)->next;
    *link = decision;
    decision->at = weir__embedded_ticks(log);
    decision->first = decision->count > 0 ? log->decided++ % decision->count : 0;
    for (size_t i = 0; i < decision->count; i++)
        if (decision->markers[i].topic != NULL)
            find_stable(log, decision->markers[i].topic, decision->markers[i].partition);
    if (++log->decision_count > DECISIONS_MOST)
        land_all(log, log->decisions);
    sweep(log);
}

void weir__embedded_forget(struct weir__log *log, const struct topic *topic)
{
    for (struct decision *decision = log->decisions; decision != NULL; decision = decision->next)
        for (size_t i = 0; i < decision->count; i++)
            if (decision->markers[i].topic == topic)
                land(log, decision, i);
    sweep(log);
}

void weir__embedded_decisions_free(struct weir__log *log)
{
    while (log->decisions != NULL) {
        struct decision *decision = log->decisions;

        log->decisions = decision->next;
        weir__embedded_decision_free(decision);
    }
}

/* ---- landing ---- */

static void land_next(struct weir__log *log, struct decision *decision)
{
    size_t at = decision->first;

    while (decision->markers[at].landed)
        at = (at + 1) % decision->count;
    land(log, decision, at);
}

/* When a decision's next marker is due, ticks. */
static int64_t due(const struct weir__log *log, const struct decision *decision)
{
    return decision->at + log->marker_delay * (int64_t)(decision->landed + 1) / (int64_t)decision->count;
}

static void land_due(struct weir__log *log)
{
    int64_t now = weir__embedded_ticks(log);

    for (struct decision *decision = log->decisions; decision != NULL; decision = decision->next)
        while (decision->landed < decision->count && due(log, decision) <= now)
            land_next(log, decision);
}

static struct weir__producer *find_overdue(struct weir__log *log)
{
    int64_t by = weir__embedded_ticks(log) - log->transaction_ms;

    for (struct weir__producer *producer = log->producers; producer != NULL; producer = producer->next)
        if (weir__embedded_marks(producer) && !producer->fenced && producer->opened > 0 && producer->opened < by)
            return producer;
    return NULL;
}

/* As a transaction coordinator does; while somebody writes, at a later look. */
static void abort_overdue(struct weir__log *log)
{
    struct weir__producer *producer;

    while (log->producers != NULL && !log->writing && (producer = find_overdue(log)) != NULL) {
        log->writing = true;
        producer->fenced = true;
        weir__embedded_lapse(producer);
        weir__embedded_end(log);
    }
}

void weir__embedded_look(struct weir__log *log)
{
    abort_overdue(log);
    if (log->decisions == NULL || log->marker_delay < 0)
        return;
    if (log->marker_delay == 0)
        land_next(log, log->decisions);
    else
        land_due(log);
    sweep(log);
}

/* By when it is worth another look, as the log's clock has it. */
static int64_t look_by(struct weir__log *log, int64_t deadline)
{
    int64_t offset = weir__embedded_now(log) - weir__embedded_ticks(log), by = deadline;

    for (const struct decision *decision = log->decisions; log->marker_delay > 0 && decision != NULL;
         decision = decision->next)
        by = MIN(by, due(log, decision) + offset);
    return by;
}

bool weir__embedded_wait(struct weir__log *log, int64_t deadline)
{
    struct timespec until;

    if (weir__embedded_now(log) >= deadline)
        return false;
    if (log->decisions != NULL && log->marker_delay == 0)
        return true;
    if (log->clock != NULL) /* a virtual clock never waits */
        return false;
    until = weir__embedded_until(log, look_by(log, deadline));
    (void)pthread_cond_timedwait(&log->changed, &log->mutex, &until);
    return true;
}

static bool is_known(const struct weir__log *log, const char *id)
{
    for (const struct decision *decision = log->decisions; decision != NULL; decision = decision->next)
        if (strcmp(decision->producer, id) == 0)
            return false;
    return true;
}

int weir__embedded_resolve(struct weir__log *log, const char *id, int64_t deadline)
{
    for (struct decision *decision = log->decisions; log->marker_delay == 0 && decision != NULL;
         decision = decision->next)
        if (strcmp(decision->producer, id) == 0)
            land_all(log, decision);
    sweep(log);
    while (!is_known(log, id)) {
        weir__embedded_look(log);
        if (!is_known(log, id) && !weir__embedded_wait(log, deadline))
            return WEIR_AGAIN;
    }
    return WEIR_OK;
}

static bool goes_to(const struct marker *marker, struct weir__tp tp)
{
    if (tp.partition < 0)
        return true;
    if (tp.topic == NULL || marker->topic == NULL)
        return tp.topic == NULL && marker->topic == NULL;
    return marker->partition == tp.partition && strcmp(marker->topic->name, tp.topic) == 0;
}

void weir__embedded_land(struct weir__log *log, struct weir__tp tp)
{
    pthread_mutex_lock(&log->mutex);
    for (struct decision *decision = log->decisions; decision != NULL; decision = decision->next)
        for (size_t i = 0; i < decision->count; i++)
            if (goes_to(&decision->markers[i], tp))
                land(log, decision, i);
    sweep(log);
    pthread_cond_broadcast(&log->changed);
    pthread_mutex_unlock(&log->mutex);
}

/* ---- offsets ---- */

static bool has_place(const struct decision *decision, struct weir__tp tp)
{
    for (size_t i = 0; i < decision->place_count; i++)
        if (decision->places[i].partition == tp.partition && strcmp(decision->places[i].topic->name, tp.topic) == 0)
            return true;
    return false;
}

static bool offsets_known(const struct weir__log *log, const char *group, const struct weir__offset *offsets,
                          size_t count)
{
    for (const struct decision *decision = log->decisions; decision != NULL; decision = decision->next) {
        if (decision->group == NULL || decision->markers[0].landed || strcmp(decision->group, group) != 0)
            continue;
        for (size_t i = 0; i < count; i++)
            if (has_place(decision, offsets[i].tp))
                return false;
    }
    return true;
}

/* Who is writing may be committing for a former member of the group: his offsets count. */
int weir__embedded_await_offsets(struct weir__log *log, const char *group, const struct weir__offset *offsets,
                                 size_t count, int64_t deadline)
{
    int err = weir__embedded_settled(log, deadline);

    while (err == WEIR_OK && !offsets_known(log, group, offsets, count)) {
        weir__embedded_look(log);
        if (offsets_known(log, group, offsets, count))
            break;
        err = weir__embedded_wait(log, deadline) ? weir__embedded_settled(log, deadline) : WEIR_AGAIN;
    }
    return err;
}
