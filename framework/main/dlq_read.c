/* dlq_read.c: topics of dead letters by name, and what is in them. */
#include "framework/main/dlq.h"

/* ---- which topics ---- */

static bool known(const struct weir__dlq_topics *topics, const char *name)
{
    for (size_t i = 0; i < topics->count; i++)
        if (strcmp(topics->names[i], name) == 0)
            return true;
    return false;
}

static const struct weir__plan *plan_called(const struct weir__dlq *dlq, const char *name)
{
    for (size_t i = 0; i < dlq->plans.count; i++)
        if (strcmp(dlq->plans.items[i]->topology->name, name) == 0)
            return dlq->plans.items[i];
    return NULL;
}

static int fail_none(const char *topology, struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_BAD_ARGUMENT, topology,
                      "it has no dead letters: name their topic by dead.letters.topic, or as a word");
}

static int add_word(struct weir__dlq *dlq, const char *word, struct weir_error *reterr)
{
    const struct weir__plan *plan = plan_called(dlq, word);
    const char              *topic = plan != NULL ? weir__letters_topic(dlq->program, plan) : word;

    if (topic == NULL)
        return fail_none(word, reterr);
    if (!weir__legal_name(topic))
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "dlq", "\"%.100s\" is neither a topology nor a topic", word);
    if (!known(&dlq->topics, topic))
        dlq->topics.names[dlq->topics.count++] = topic;
    return WEIR_OK;
}

int weir__dlq_choose(struct weir__dlq *dlq, const char *const *words, size_t count, struct weir_error *reterr)
{
    const struct weir_topology **all = NULL;
    size_t                       topologies;
    int                          err = weir__choose_topologies(dlq->program, NULL, 0, &all, &topologies, reterr);

    if (err == WEIR_OK)
        err = weir__plans_make(dlq->program, all, topologies, &dlq->plans, reterr);
    weir__free(all);
    if (err < 0)
        return err;
    dlq->topics.names = weir__zalloc(sizeof(*dlq->topics.names) * (MAX(count, topologies) + 1));
    if (dlq->topics.names == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "dlq", "out of memory");
    for (size_t i = 0; err == WEIR_OK && i < count; i++)
        err = add_word(dlq, words[i], reterr);
    for (size_t i = 0; count == 0 && i < dlq->plans.count; i++) {
        const char *topic = weir__letters_topic(dlq->program, dlq->plans.items[i]);

        if (topic != NULL && !known(&dlq->topics, topic))
            dlq->topics.names[dlq->topics.count++] = topic;
    }
    return err == WEIR_OK && dlq->topics.count == 0 ? fail_none(dlq->program->topologies[0]->name, reterr) : err;
}

void weir__dlq_fini(struct weir__dlq *dlq)
{
    weir__looked_close(&dlq->looked);
    weir__dlq_filter_fini(&dlq->filter);
    weir__plans_fini(&dlq->plans);
    weir__free(dlq->topics.names);
}

int64_t weir__dlq_call_by(const struct weir__dlq *dlq)
{
    return dlq->looked.engine->now(dlq->looked.log) + WEIR__DLQ_CALL_MS;
}

int weir__dlq_partitions(const struct weir__dlq *dlq, const char *topic, int32_t *ret, struct weir_error *reterr)
{
    int err = dlq->looked.engine->partitions(dlq->looked.log, topic, weir__dlq_call_by(dlq), ret);

    if (err == WEIR_OK)
        return WEIR_OK;
    *ret = 0;
    return err == WEIR_NOTFOUND
               ? WEIR_OK
               : weir__fail(reterr, err, topic, "its partitions are not told: %s", weir_code_text(err));
}

/* A topology's own may not be there yet. */
static bool is_of_topology(const struct weir__dlq *dlq, const char *topic)
{
    for (size_t i = 0; i < dlq->plans.count; i++) {
        const char *own = weir__letters_topic(dlq->program, dlq->plans.items[i]);

        if (own != NULL && strcmp(own, topic) == 0)
            return true;
    }
    return false;
}

static int fail_topic(const struct weir__dlq *dlq, const char *topic, struct weir_error *reterr)
{
    const char *names[128], *own, *near;
    size_t      count = 0;

    for (size_t i = 0; i < dlq->plans.count && count + 2 <= ARRAY_SIZE(names); i++) {
        names[count++] = dlq->plans.items[i]->topology->name;
        own = weir__letters_topic(dlq->program, dlq->plans.items[i]);
        if (own != NULL)
            names[count++] = own;
    }
    near = weir__suggest(topic, names, count);
    if (near != NULL)
        return weir__fail(reterr, WEIR_NOTFOUND, topic, "there is no such topic: did you mean \"%s\"?", near);
    return weir__fail(reterr, WEIR_NOTFOUND, topic, "there is no such topic, nor a topology of that name");
}

int weir__dlq_check_topics(const struct weir__dlq *dlq, struct weir_error *reterr)
{
    int32_t count = 0;
    int     err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < dlq->topics.count; i++) {
        const char *topic = dlq->topics.names[i];

        err = weir__dlq_partitions(dlq, topic, &count, reterr);
        if (err == WEIR_OK && count == 0 && !is_of_topology(dlq, topic))
            err = fail_topic(dlq, topic, reterr);
    }
    return err;
}

/* ---- what is in them ---- */

struct reading {
    struct weir__dlq *dlq;
    weir__dlq_take   *take;
    void             *arg;
    struct weir_arena arena;
};

static int take_record(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct reading          *reading = arg;
    struct weir__read_letter letter;
    int                      err;

    weir__arena_reset(&reading->arena);
    err = weir__letter_read(raw->value, &reading->arena, &letter);
    if (err == WEIR_NO_MEMORY)
        return weir__fail(reterr, err, raw->topic, "out of memory");
    if (err < 0) {
        reading->dlq->strange++;
        return WEIR_OK;
    }
    if (weir__dlq_filter_takes(&reading->dlq->filter, raw, &letter))
        err = reading->take(reading->arg, raw, &letter, reterr);
    weir__read_letter_fini(&letter);
    return err;
}

int weir__dlq_read(struct weir__dlq *dlq, const char *topic, weir__dlq_take *take, void *arg,
                   struct weir_error *reterr)
{
    struct reading reading = { .dlq = dlq, .take = take, .arg = arg };
    int32_t        count;
    int            err = weir__dlq_partitions(dlq, topic, &count, reterr);

    if (err == WEIR_OK && count > 0)
        err = weir__read_topic(dlq->looked.engine, dlq->looked.log, topic, count, take_record, &reading, reterr);
    weir__arena_fini(&reading.arena);
    return err;
}
