/* embedded_compact.c: compaction: of each key the last record stays. By the writer.
 *
 * (1) It is made of steps of a few chunks. First the last offset of each key is noted, then chunks are written anew with
 *     what is kept. Records that come meanwhile are left to the next one. A crash loses its notes and nothing else: each
 *     step is one batch.
 * (2) Notes are bounded: what has no room is left to another pass, which notes from there on and looks at all before.
 * (3) It begins when more than half of the records may be outdated, and at open. A deletion outlives its
 *     delete.retention.ms, which begins anew with each open: a store that was left behind must meet it, or the row would
 *     come back to life.
 */
#include "statestores/embedded.h"

#define STEP_BYTES    ((int64_t)256 << 10)
#define COMPACT_LEAST 10000              /* records since the last compaction, at least */
#define NOTE_BYTES    ((size_t)96)       /* of memory for a key's note, besides the key */
#define NOTES_BYTES   ((size_t)64 << 20) /* of all notes, at most */
#define NOTES_LEAST   ((size_t)1 << 20)

static void end_compaction(struct compaction *compaction)
{
    weir__map_fini(&compaction->latest);
    weir__arena_fini(&compaction->arena);
    for (size_t i = 0; i < compaction->chunk_capacity; i++)
        weir__chunk_fini(&compaction->chunks[i]);
    weir__free(compaction->chunks);
    *compaction = (struct compaction){ 0 };
}

/* It is tried again after as many records as if it had been done. */
void weir__embedded_give_up(struct weir__log *log)
{
    struct compaction *compaction = &log->compaction;

    if (compaction->topic != NULL && !compaction->topic->removed)
        compaction->topic->partitions[compaction->partition].clean =
            compaction->topic->partitions[compaction->partition].records;
    end_compaction(compaction);
}

static int begin_compaction(struct weir__log *log, struct topic *topic, int32_t partition)
{
    struct partition  *ends = &topic->partitions[partition];
    struct compaction *compaction = &log->compaction;

    *compaction = (struct compaction){ .topic = topic,
                                       .partition = partition,
                                       .from = MAX(ends->low, ends->cleaned),
                                       .end = weir__embedded_stable(ends),
                                       .last = weir__embedded_stable(ends) };
    return weir__embedded_chunk_of(log, topic, partition, compaction->from, &compaction->at);
}

static bool has_room(const struct weir__log *log)
{
    size_t most = log->memory > 0 ? MIN(MAX(log->memory / 4, NOTES_LEAST), NOTES_BYTES) : NOTES_BYTES;

    return log->compaction.noted < most;
}

/* The map keeps the key that it is given: one of ours, since the chunk's goes with the chunk. */
static int note_latest(struct compaction *compaction, struct weir_bytes key, int64_t offset)
{
    int64_t *latest = weir__map_get(&compaction->latest, key);

    if (latest == NULL) {
        latest = weir__arena_take(&compaction->arena, sizeof(*latest));
        key.data = weir__arena_copy(&compaction->arena, key.data, key.size);
        if (latest == NULL || key.data == NULL || weir__map_put(&compaction->latest, key, latest) < 0)
            return WEIR_NO_MEMORY;
        compaction->noted += NOTE_BYTES + key.size;
    }
    *latest = offset;
    return WEIR_OK;
}

/* What became of a chunk's record. */
struct judged {
    int64_t           offset;
    struct weir_bytes packed;
    struct weir__raw  raw;
};

static int next_judged(struct chunk_reader *chunk, struct weir_arena *scratch, struct judged *ret)
{
    int err = weir__chunk_next(chunk, &ret->offset, &ret->packed);

    weir__arena_reset(scratch);
    return err == WEIR_OK ? weir__chunk_unpack(ret->packed, scratch, &ret->raw) : err;
}

static int note_chunk(struct weir__log *log, struct chunk_reader *chunk, struct weir_arena *scratch)
{
    struct compaction *compaction = &log->compaction;
    struct judged      judged;
    int                err;

    while ((err = next_judged(chunk, scratch, &judged)) == WEIR_OK) {
        compaction->seen++;
        if (judged.raw.key.data != NULL && note_latest(compaction, judged.raw.key, judged.offset) < 0)
            return WEIR_NO_MEMORY;
        compaction->kept += judged.raw.key.data == NULL;
    }
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* A record without a key cannot be outdated. */
static bool is_kept(struct weir__log *log, const struct chunk_reader *chunk, const struct judged *judged)
{
    struct compaction *compaction = &log->compaction;
    const int64_t     *latest;

    if (judged->raw.key.data == NULL)
        return true;
    latest = weir__map_get(&compaction->latest, judged->raw.key);
    if (latest != NULL && *latest != judged->offset)
        return false;
    return judged->raw.value.data != NULL || compaction->topic->delete_retention_ms < 0 ||
           MAX(chunk->written, log->opened) > weir__embedded_now(log) - compaction->topic->delete_retention_ms;
}

static struct chunk *chunk_for(struct compaction *compaction, int64_t offset)
{
    struct chunk *chunk = compaction->chunk_count > 0 ? &compaction->chunks[compaction->chunk_count - 1] : NULL;
    size_t        before = compaction->chunk_capacity;

    if (chunk != NULL && !weir__chunk_full(chunk) && offset - chunk->base < INT32_MAX)
        return chunk;
    if (GROW(compaction->chunks, compaction->chunk_capacity, compaction->chunk_count) < 0)
        return NULL;
    memset(compaction->chunks + before, 0, sizeof(*chunk) * (compaction->chunk_capacity - before));
    chunk = &compaction->chunks[compaction->chunk_count++];
    weir__chunk_reset(chunk);
    chunk->base = offset;
    return chunk;
}

/* One step's chunks, read and made. */
struct step {
    struct weir__batch batch;
    int64_t            read, records, kept, bytes; /* chunks; records; bytes of the chunks */
};

static int rewrite_chunk(struct weir__log *log, struct chunk_reader *chunk, struct weir_arena *scratch,
                         struct step *step)
{
    struct compaction *compaction = &log->compaction;
    struct judged      judged;
    struct row_key     key;
    struct chunk      *into;
    int                err;

    while ((err = next_judged(chunk, scratch, &judged)) == WEIR_OK) {
        step->records++;
        if (!is_kept(log, chunk, &judged))
            continue;
        into = chunk_for(compaction, judged.offset);
        if (into == NULL || weir__chunk_add_packed(into, (int32_t)(judged.offset - into->base), judged.raw.timestamp,
                                                   judged.packed) < 0)
            return WEIR_NO_MEMORY;
        into->written = MAX(into->written, chunk->written);
        step->kept++;
    }
    if (err != WEIR_NOTFOUND)
        return err;
    step->read++;
    step->bytes += (int64_t)chunk->size;
    return weir__embedded_put(
        log, &step->batch,
        weir__embedded_key(&key, 'R', NULL, compaction->topic->name, compaction->partition, chunk->base), NO_BYTES);
}

/* The old rows are deleted before the new ones are put: some are under the same key. */
static int write_step(struct weir__log *log, struct step *step)
{
    struct compaction *compaction = &log->compaction;
    struct topic      *topic = compaction->topic;
    struct partition  *now = &topic->partitions[compaction->partition], ends = *now;
    struct row_key     key;
    int                err = WEIR_OK;

    if (step->kept == step->records && compaction->chunk_count * 2 > (size_t)step->read)
        return WEIR_OK; /* nothing to win */
    ends.records -= step->records - step->kept;
    ends.bytes -= step->bytes;
    for (size_t i = 0; err == WEIR_OK && i < compaction->chunk_count; i++) {
        struct weir_bytes value = weir__chunk_seal(&compaction->chunks[i]);

        ends.bytes += (int64_t)value.size;
        err = weir__embedded_put(
            log, &step->batch,
            weir__embedded_key(&key, 'R', NULL, topic->name, compaction->partition, compaction->chunks[i].base),
            value);
    }
    if (err == WEIR_OK)
        err = weir__embedded_put_ends(log, &step->batch, topic, compaction->partition, &ends);
    if (err == WEIR_OK)
        err = weir__embedded_write_held(log, &step->batch);
    if (err < 0)
        return err;
    *now = ends;
    now->rewritten++;
    return WEIR_OK;
}

static int look_at_chunk(struct weir__log *log, struct chunk_reader *chunk, struct weir_arena *scratch,
                         struct step *step)
{
    int err = log->compaction.rewriting ? rewrite_chunk(log, chunk, scratch, step) : note_chunk(log, chunk, scratch);

    log->compaction.at = weir__chunk_end(chunk);
    if (!log->compaction.rewriting && !has_room(log))
        log->compaction.end = log->compaction.at;
    return err;
}

/* Looks at the next chunks. WEIR_NOTFOUND: there are no more. */
static int look_at_some(struct weir__log *log, struct step *step)
{
    struct compaction  *compaction = &log->compaction;
    struct chunk_reader chunk;
    struct weir_arena   scratch = { 0 };
    struct weir__iter  *iter;
    int64_t             bytes = 0;
    int                 err =
        weir__embedded_walk(log, compaction->topic, compaction->partition, compaction->at, compaction->end, &iter);

    if (err < 0)
        return err;
    while (err == WEIR_OK && bytes < STEP_BYTES) {
        err = compaction->at < compaction->end ? weir__embedded_step(log, iter, &chunk) : WEIR_NOTFOUND;
        if (err < 0)
            break;
        bytes += (int64_t)chunk.size;
        err = look_at_chunk(log, &chunk, &scratch, step);
    }
    log->engine->iter_close(iter);
    weir__arena_fini(&scratch);
    return err;
}

/* Whether what was noted is worth a rewriting: all of the partition was, and little of it is outdated. */
static bool is_worth(const struct compaction *compaction, const struct partition *ends, bool thorough)
{
    int64_t live = (int64_t)compaction->latest.count + compaction->kept;

    if (compaction->from > ends->low || compaction->end < compaction->last)
        return true;
    return compaction->seen > (thorough ? live : 2 * live);
}

/* The next pass, or the end. */
static int end_pass(struct weir__log *log)
{
    struct compaction *compaction = &log->compaction;
    struct topic      *topic = compaction->topic;
    int32_t            partition = compaction->partition;
    struct partition  *ends = &topic->partitions[partition];
    int64_t            live = (int64_t)compaction->latest.count + compaction->kept;
    bool               whole = compaction->from <= ends->low, last = compaction->end >= compaction->last;

    if (compaction->rewriting)
        ends->cleaned = compaction->end;
    if (last)
        ends->clean = whole ? MIN(live, ends->records) : ends->records; /* is stored with the next commit */
    end_compaction(compaction);
    return last ? WEIR_OK : begin_compaction(log, topic, partition);
}

/* From noting to rewriting, or on. */
static int next_phase(struct weir__log *log, bool thorough)
{
    struct compaction *compaction = &log->compaction;
    struct partition  *ends = &compaction->topic->partitions[compaction->partition];

    if (compaction->rewriting || !is_worth(compaction, ends, thorough))
        return end_pass(log);
    compaction->rewriting = true;
    return weir__embedded_chunk_of(log, compaction->topic, compaction->partition, ends->low, &compaction->at);
}

/* One step. A failure gives it up: what was rewritten is good, the rest is as it was. */
static int64_t compact_some(struct weir__log *log, bool thorough)
{
    struct compaction *compaction = &log->compaction;
    struct step        step = { 0 };
    int64_t            seen = compaction->seen;
    int                err;

    compaction->chunk_count = 0;
    err = look_at_some(log, &step);
    if (compaction->rewriting && step.read > 0 && (err == WEIR_OK || err == WEIR_NOTFOUND)) {
        int code = write_step(log, &step);

        err = code < 0 ? code : err;
    }
    seen = compaction->seen - seen + step.records;
    weir__embedded_batch_fini(&step.batch);
    if (err == WEIR_NOTFOUND)
        err = next_phase(log, thorough);
    if (err < 0)
        weir__embedded_give_up(log);
    return seen;
}

/* ---- when ---- */

static bool is_due(const struct topic *topic, int32_t partition, bool at_open)
{
    const struct partition *ends = &topic->partitions[partition];
    int64_t                 since = ends->records - ends->clean;

    if (!topic->compact)
        return false;
    return at_open ? since > ends->clean / 10 : since > MAX(ends->clean, COMPACT_LEAST);
}

/* Whether a compaction is under way, or now is. */
static bool has_compaction(struct weir__log *log)
{
    for (size_t i = 0; log->compaction.topic == NULL && i < log->topic_count; i++)
        for (int32_t j = 0; log->compaction.topic == NULL && j < log->topics[i]->count; j++)
            if (is_due(log->topics[i], j, false) && begin_compaction(log, log->topics[i], j) < 0)
                weir__embedded_give_up(log);
    return log->compaction.topic != NULL;
}

void weir__embedded_compact(struct weir__log *log, int64_t budget)
{
    while (budget > 0 && has_compaction(log)) {
        budget -= 1 + compact_some(log, false);
        pthread_mutex_unlock(&log->mutex); /* who reads goes first */
        pthread_mutex_lock(&log->mutex);
    }
}

void weir__embedded_compact_all(struct weir__log *log)
{
    for (size_t i = 0; i < log->topic_count; i++)
        for (int32_t j = 0; j < log->topics[i]->count; j++) {
            if (!is_due(log->topics[i], j, true))
                continue;
            if (begin_compaction(log, log->topics[i], j) < 0)
                weir__embedded_give_up(log);
            while (log->compaction.topic != NULL)
                (void)compact_some(log, true);
        }
}
