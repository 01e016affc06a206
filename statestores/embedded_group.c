/* embedded_group.c: groups of the embedded log: who is in, and which partitions each member reads. */
#include <stdlib.h>

#include "statestores/embedded.h"

static struct group *find_group(const struct weir__log *log, const char *name)
{
    for (size_t i = 0; i < log->group_count; i++)
        if (strcmp(log->groups[i]->name, name) == 0)
            return log->groups[i];
    return NULL;
}

static struct group *make_group(struct weir__log *log, const char *name)
{
    struct group *group = find_group(log, name);

    if (group != NULL)
        return group;
    if (GROW(log->groups, log->group_capacity, log->group_count) < 0)
        return NULL;
    group = weir__zalloc(sizeof(*group));
    if (group == NULL || (group->name = weir__strdup(name)) == NULL) {
        weir__free(group);
        return NULL;
    }
    return log->groups[log->group_count++] = group;
}

void weir__embedded_groups_free(struct weir__log *log)
{
    for (size_t i = 0; i < log->group_count; i++) {
        weir__free(log->groups[i]->members);
        weir__free(log->groups[i]->name);
        weir__free(log->groups[i]);
    }
    weir__free(log->groups);
}

int weir__embedded_group_members(struct weir__log *log, const char *name, int64_t deadline, int32_t *ret)
{
    const struct group *group;

    (void)deadline;
    pthread_mutex_lock(&log->mutex);
    group = find_group(log, name);
    *ret = group != NULL ? (int32_t)group->count : 0;
    pthread_mutex_unlock(&log->mutex);
    return WEIR_OK;
}

bool weir__embedded_has_members(const struct weir__log *log, const char *name)
{
    const struct group *group = find_group(log, name);

    return group != NULL && group->count > 0;
}

/* ---- coming and going ---- */

static void begin_generation(struct weir__log *log, struct group *group)
{
    group->generation++;
    group->dealt = false;
    pthread_cond_broadcast(&log->changed);
}

static int add_member(struct group *group, struct weir__consumer *member)
{
    if (GROW(group->members, group->capacity, group->count) < 0)
        return WEIR_NO_MEMORY;
    group->members[group->count++] = member;
    begin_generation(member->log, group);
    return WEIR_OK;
}

int weir__embedded_enter(struct weir__consumer *consumer, const char *name)
{
    struct group *group = make_group(consumer->log, name);

    consumer->group = group;
    return group != NULL ? add_member(group, consumer) : WEIR_NO_MEMORY;
}

static void throw_out(struct group *group, struct weir__consumer *member)
{
    for (size_t i = 0; i < group->count; i++)
        if (group->members[i] == member)
            group->members[i] = group->members[--group->count];
    member->state = MEMBER_OUT;
    begin_generation(member->log, group);
}

void weir__embedded_exit(struct weir__consumer *consumer)
{
    if (consumer->group != NULL && consumer->state != MEMBER_OUT)
        throw_out(consumer->group, consumer);
}

static struct weir__consumer *find_silent(struct weir__log *log, const struct group *group)
{
    bool    waited_for = !group->dealt && group->count > 1;
    int64_t now = weir__embedded_ticks(log), patience = waited_for ? SESSION_MS : SILENT_MS;

    if (log->session_ms > 0)
        patience = log->session_ms;
    for (size_t i = 0; i < group->count; i++)
        if (!group->members[i]->polling && now - group->members[i]->last_poll > patience)
            return group->members[i];
    return NULL;
}

void weir__embedded_expire(struct weir__log *log, struct group *group)
{
    struct weir__consumer *silent;

    while (group != NULL && (silent = find_silent(log, group)) != NULL)
        throw_out(group, silent);
}

static bool subscribes(const struct weir__consumer *member, const char *topic)
{
    for (size_t i = 0; member->topics[i] != NULL; i++)
        if (strcmp(member->topics[i], topic) == 0)
            return true;
    return false;
}

/* Of one group all members subscribe to the same. */
void weir__embedded_redeal(struct weir__log *log, const char *topic)
{
    for (size_t i = 0; i < log->group_count; i++) {
        struct group *group = log->groups[i];

        if (group->count > 0 && subscribes(group->members[0], topic))
            begin_generation(log, group);
    }
}

/* ---- dealing ---- */

static int by_id(const void *a, const void *b)
{
    return strcmp((*(struct weir__consumer *const *)a)->id, (*(struct weir__consumer *const *)b)->id);
}

static int assign(struct weir__consumer *member, const char *topic, int32_t partition)
{
    if (GROW(member->assigned, member->assigned_capacity, member->assigned_count) < 0)
        return WEIR_NO_MEMORY;
    member->assigned[member->assigned_count++] = (struct weir__tp){ .topic = topic, .partition = partition };
    return WEIR_OK;
}

/* Kafka's range assignor: per topic, consecutive partitions to members in order of their ids. */
static int deal_topic(struct group *group, const struct topic *topic)
{
    int32_t members = (int32_t)group->count, count = topic->count, next = 0;

    for (int32_t i = 0; i < members; i++) {
        int32_t share = count / members + (i < count % members);

        for (int32_t n = 0; n < share; n++)
            if (assign(group->members[i], topic->name, next++) < 0)
                return WEIR_NO_MEMORY;
    }
    return WEIR_OK;
}

static int deal(struct weir__log *log, struct group *group)
{
    int err = WEIR_OK;

    qsort(group->members, group->count, sizeof(struct weir__consumer *), by_id);
    for (size_t i = 0; i < group->count; i++)
        group->members[i]->assigned_count = 0;
    for (size_t i = 0; err == WEIR_OK && group->members[0]->topics[i] != NULL; i++) {
        const struct topic *topic = weir__embedded_topic(log, group->members[0]->topics[i]);

        err = topic != NULL ? deal_topic(group, topic) : WEIR_OK;
    }
    if (err < 0)
        return err;
    group->dealt = true;
    pthread_cond_broadcast(&log->changed);
    return WEIR_OK;
}

/* All members stand ready for the generation. */
static bool all_ready(const struct group *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (group->members[i]->state != MEMBER_READY)
            return false;
    return true;
}

/* ---- events ---- */

static int tell(struct weir__consumer *consumer, enum weir__event_kind kind, struct weir__polled *ret)
{
    consumer->event = (struct weir__log_event){
        .kind = kind, .token = consumer->token, .tps = consumer->assigned, .count = consumer->assigned_count
    };
    ret->event = &consumer->event;
    return WEIR_OK;
}

static int tell_lost(struct weir__consumer *consumer, struct weir__polled *ret)
{
    if (add_member(consumer->group, consumer) < 0)
        return WEIR_NO_MEMORY;
    consumer->state = MEMBER_JOINING;
    consumer->position_count = 0;
    return tell(consumer, WEIR__LOST_TPS, ret);
}

static int await_deal(struct weir__consumer *consumer, struct weir__polled *ret)
{
    struct group *group = consumer->group;

    if (consumer->state != MEMBER_READY) {
        consumer->state = MEMBER_READY;
        consumer->position_count = 0;
        pthread_cond_broadcast(&consumer->log->changed);
    }
    if (!group->dealt && all_ready(group) && deal(consumer->log, group) < 0)
        return WEIR_NO_MEMORY;
    if (!group->dealt)
        return WEIR_AGAIN;
    consumer->state = MEMBER_ASSIGNED;
    consumer->token = group->generation;
    return tell(consumer, WEIR__ASSIGNED, ret);
}

int weir__embedded_group_event(struct weir__consumer *consumer, struct weir__polled *ret)
{
    if (consumer->state == MEMBER_OUT)
        return tell_lost(consumer, ret);
    if (consumer->state == MEMBER_ASSIGNED && consumer->token == consumer->group->generation)
        return WEIR_NOTFOUND;
    if (consumer->state == MEMBER_ASSIGNED) {
        consumer->state = MEMBER_REVOKING;
        return tell(consumer, WEIR__REVOKED, ret);
    }
    return await_deal(consumer, ret);
}

/* ---- what a member may ask ---- */

bool weir__embedded_valid(struct weir__consumer *consumer, int64_t token)
{
    bool valid;

    pthread_mutex_lock(&consumer->log->mutex);
    weir__embedded_expire(consumer->log, consumer->group);
    valid = consumer->group == NULL ||
            (token == consumer->token && (consumer->state == MEMBER_ASSIGNED || consumer->state == MEMBER_REVOKING));
    pthread_mutex_unlock(&consumer->log->mutex);
    return valid;
}

bool weir__embedded_over(struct weir__consumer *consumer, int64_t token)
{
    bool over = !weir__embedded_valid(consumer, token);

    pthread_mutex_lock(&consumer->log->mutex);
    over = over || (consumer->group != NULL && token != consumer->group->generation);
    pthread_mutex_unlock(&consumer->log->mutex);
    return over;
}

int weir__embedded_members(struct weir__consumer *consumer, int32_t *ret)
{
    pthread_mutex_lock(&consumer->log->mutex);
    *ret = consumer->group != NULL ? (int32_t)consumer->group->count : 0;
    pthread_mutex_unlock(&consumer->log->mutex);
    return WEIR_OK;
}
