/* members.c: where an application's processes answer questions, and which tasks each has: so that one can ask another.
 *
 *     <application.id>-weir-members: one partition, compacted. Key: the process's instance; value {"address":"10.0.0.7:8083",
 *     "tasks":["latest_s_3",...]}, null when it has ended.
 *
 * (1) Each process says it anew when its tasks change. Of several that name a task the last to say so has it: a process that was
 *     killed has said nothing at the end, its successor has.
 * (2) What is read may be old. Nobody is harmed: who is asked and has not the task says so.
 * (3) A thread of its own reads and writes; whoever asks waits for no log. Brokers that are away make it wait, and nobody else;
 *     name servers that are away do not make it outlast the application.
 * (4) A member all of whose tasks others have told of since is forgotten: killed ones say no last word. Who still has one of them
 *     tells anew when it hears that.
 */
#define _GNU_SOURCE
#include "framework/base/threads.h"
#include "framework/json/json.h"
#include "framework/runtime/internal.h"

#include <netdb.h>
#include <time.h>

#define LOOK_MS    200  /* between two looks at our own tasks */
#define NAP_MS     1000 /* after a failure */
#define BYE_MS     1000 /* for the last word */
#define RESOLVE_MS 2000 /* between two looks for names that were not found */
#define RETOLD_US  INT64_C(10000000)
#define TASK_MAX   300 /* bytes of a task's name with a space on either side */
#define LOOKUP_MS  50  /* between two looks whether the application ends, while a name is looked up */

struct member {
    char                  *instance, *address;
    char                  *tasks; /* " a b c " */
    int64_t                offset;
    struct weir__member_at at; /* size 0: the address cannot be found */
};

struct weir__members {
    struct weir__app      *app;
    char                  *address; /* ours */
    char                   topic[WEIR__CONTROL_NAME_MAX];
    pthread_t              thread;
    bool                   started;
    atomic_bool            stopping;
    struct weir__consumer *consumer; /* the thread's, as all up to the mutex */
    struct weir__producer *producer;
    char                  *said;     /* the tasks that we last told of; NULL = nothing stands */
    bool                   told;     /* there may be a record of us */
    int64_t                resolved; /* monotonic us: when names were last asked for again */
    int64_t                retold;   /* and when we told again of what another one has told of */
    bool                   doubted;  /* another one has told of a task of ours since */
    pthread_mutex_t        mutex;
    struct member         *items;
    size_t                 count, capacity;
};

/* ---- what is known ---- */

static void forget(struct member *member)
{
    weir__free(member->instance);
    weir__free(member->address);
    weir__free(member->tasks);
}

static size_t find(const struct weir__members *members, struct weir_bytes key)
{
    size_t i = 0;

    while (i < members->count &&
           !weir__bytes_equal(BYTES(members->items[i].instance, strlen(members->items[i].instance)), key))
        i++;
    return i;
}

/* A name that is being looked up, with all that the C library reads meanwhile. */
struct lookup {
    struct gaicb    request;
    struct addrinfo hints;
    char            address[]; /* "host\0port" */
};

static struct lookup *begin_lookup(const char *address)
{
    struct lookup *lookup = weir__zalloc(sizeof(*lookup) + strlen(address) + 1);
    struct gaicb  *list[1];
    char          *name, *colon;

    if (lookup == NULL)
        return NULL;
    name = strcpy(lookup->address, address);
    colon = strrchr(name, ':');
    if (colon != NULL) {
        *colon = '\0';
        if (name[0] == '[' && colon > name && colon[-1] == ']') {
            name++;
            colon[-1] = '\0';
        }
        lookup->hints = (struct addrinfo){ .ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
        lookup->request = (struct gaicb){ .ar_name = name, .ar_service = colon + 1, .ar_request = &lookup->hints };
        list[0] = &lookup->request;
        if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) == 0)
            return lookup;
    }
    weir__free(lookup);
    return NULL;
}

/* false: the application ends. A lookup that cannot be called off then is left to the C library, with its memory. */
static bool await_lookup(const struct weir__members *members, struct lookup *lookup)
{
    const struct timespec     wait = { .tv_nsec = LOOKUP_MS * 1000000 };
    const struct gaicb *const list[] = { &lookup->request };

    while (gai_error(&lookup->request) == EAI_INPROGRESS) {
        if (atomic_load(&members->stopping))
            return gai_cancel(&lookup->request) == EAI_CANCELED;
        (void)gai_suspend(list, 1, &wait);
    }
    return true;
}

/* A name may be known later than it is told. */
static void resolve(const struct weir__members *members, const char *address, struct weir__member_at *ret)
{
    struct lookup         *lookup = begin_lookup(address);
    const struct addrinfo *found;

    ret->size = 0;
    if (lookup == NULL || !await_lookup(members, lookup))
        return;
    found = gai_error(&lookup->request) == 0 ? lookup->request.ar_result : NULL;
    if (found != NULL && found->ai_addrlen <= sizeof(ret->address)) {
        memcpy(ret->address, found->ai_addr, found->ai_addrlen);
        ret->size = found->ai_addrlen;
    }
    if (lookup->request.ar_result != NULL)
        freeaddrinfo(lookup->request.ar_result);
    weir__free(lookup);
}

static char *read_tasks(const struct weir_json *list)
{
    struct weir__buf text = { 0 };
    struct weir_text name;

    weir__buf_putc(&text, ' ');
    for (const struct weir_json *at = list != NULL && list->type == WEIR_JSON_ARRAY ? list->child : NULL; at != NULL;
         at = at->next)
        if (weir_json_text(at, &name) == WEIR_OK)
            weir__buf_printf(&text, "%.*s ", (int)name.size, name.data);
    weir__buf_putc(&text, '\0');
    if (weir__buf_ok(&text))
        return text.data;
    weir__buf_fini(&text);
    return NULL;
}

/* false: it is none of ours, or there is no memory for it. */
static bool read_member(const struct weir__members *members, const struct weir__raw *raw, struct member *ret)
{
    struct weir_arena       arena = { 0 };
    const struct weir_json *json;
    struct weir_text        address = { 0 };
    bool                    good;

    *ret = (struct member){ .offset = raw->offset };
    good = weir_json_parse(&arena, (struct weir_text){ raw->value.data, raw->value.size }, &json, NULL) == WEIR_OK &&
           weir_json_text(weir_json_get(json, "address"), &address) == WEIR_OK;
    if (good) {
        ret->instance = weir__alloc(raw->key.size + 1);
        ret->address = weir__alloc(address.size + 1);
        ret->tasks = read_tasks(weir_json_get(json, "tasks"));
    }
    good = good && ret->instance != NULL && ret->address != NULL && ret->tasks != NULL;
    if (good) {
        snprintf(ret->instance, raw->key.size + 1, "%.*s", (int)raw->key.size, (const char *)raw->key.data);
        snprintf(ret->address, address.size + 1, "%.*s", (int)address.size, address.data);
        resolve(members, ret->address, &ret->at);
    } else {
        forget(ret);
    }
    weir__arena_fini(&arena);
    return good;
}

static void remove_member(struct weir__members *members, size_t at)
{
    if (at == members->count)
        return;
    forget(&members->items[at]);
    members->items[at] = members->items[--members->count];
}

/* The member that was the last to tell of a task, whose name is between two spaces. NULL: nobody has. */
static const struct member *owner_of(const struct weir__members *members, const char *task)
{
    const struct member *owner = NULL;

    for (size_t i = 0; i < members->count; i++)
        if (strstr(members->items[i].tasks, task) != NULL &&
            (owner == NULL || members->items[i].offset > owner->offset))
            owner = &members->items[i];
    return owner;
}

static bool owns_none(const struct weir__members *members, const struct member *member)
{
    char name[TASK_MAX];

    for (const char *at = member->tasks, *end; (end = strchr(at + 1, ' ')) != NULL; at = end) {
        snprintf(name, sizeof(name), "%.*s", (int)(end + 1 - at), at);
        if (owner_of(members, name) == member)
            return false;
    }
    return true;
}

/* Whoever has just told of its tasks, at the end of the list, stays. */
static void remove_outdone(struct weir__members *members)
{
    for (size_t i = members->count - 1; i-- > 0;)
        if (owns_none(members, &members->items[i]))
            remove_member(members, i);
}

/* Whether another one tells of a task that we have told of. */
static bool names_ours(const struct weir__members *members, const struct member *member)
{
    char name[TASK_MAX];

    if (members->said == NULL || strcmp(member->instance, members->app->state.instance) == 0)
        return false;
    for (const char *at = members->said, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        snprintf(name, sizeof(name), " %.*s ", (int)(end - at), at);
        if (strstr(member->tasks, name) != NULL)
            return true;
    }
    return false;
}

static void take(struct weir__members *members, const struct weir__raw *raw)
{
    struct member member;
    bool          good = raw->value.data != NULL && read_member(members, raw, &member);

    if (raw->key.data == NULL)
        return;
    members->doubted = members->doubted || (good && names_ours(members, &member));
    pthread_mutex_lock(&members->mutex);
    remove_member(members, find(members, raw->key));
    if (good && GROW(members->items, members->capacity, members->count) == WEIR_OK) {
        members->items[members->count++] = member;
        remove_outdone(members);
    } else if (good) {
        forget(&member);
    }
    pthread_mutex_unlock(&members->mutex);
}

int weir__members_owner(struct weir__members *members, int sub, int32_t partition, struct weir__member_at *ret)
{
    const struct member *owner;
    char                 name[TASK_MAX];

    snprintf(name, sizeof(name), " %s_%d ", members->app->plan->subs[sub].folder, partition);
    pthread_mutex_lock(&members->mutex);
    owner = owner_of(members, name);
    if (owner != NULL && (owner->at.size == 0 || strcmp(owner->instance, members->app->state.instance) == 0))
        owner = NULL;
    if (owner != NULL) {
        *ret = owner->at;
        snprintf(ret->name, sizeof(ret->name), "%s", owner->address);
    }
    pthread_mutex_unlock(&members->mutex);
    return owner != NULL ? WEIR_OK : WEIR_NOTFOUND;
}

/* ---- what we tell ---- */

/* Names of our tasks, a line each. NULL: no memory. */
static char *list_tasks(struct weir__app *app)
{
    struct weir__buf text = { 0 };

    pthread_rwlock_rdlock(&app->shown_lock);
    for (size_t i = 0; i < app->shown_count; i++)
        if (app->shown[i]->sub >= 0)
            weir__buf_printf(&text, "%s\n", app->shown[i]->name);
    pthread_rwlock_unlock(&app->shown_lock);
    weir__buf_putc(&text, '\0');
    if (weir__buf_ok(&text))
        return text.data;
    weir__buf_fini(&text);
    return NULL;
}

static void print(const struct weir__members *members, const char *tasks, struct weir_json_out *json)
{
    weir_json_begin_object(json);
    weir__json_member_text(json, "address", members->address);
    weir_json_name(json, "tasks");
    weir_json_begin_array(json);
    for (const char *end; (end = strchr(tasks, '\n')) != NULL; tasks = end + 1)
        weir_json_put_text(json, (struct weir_text){ tasks, (size_t)(end - tasks) });
    weir_json_end_array(json);
    weir_json_end_object(json);
}

/* tasks NULL: we have ended. */
static int tell(struct weir__members *members, const char *tasks, int64_t ms)
{
    const struct weir__log_engine *engine = members->app->config.engine;
    const char                    *instance = members->app->state.instance;
    struct weir_json_out           json = { 0 };
    struct weir__raw               raw = { .topic = members->topic,
                                           .timestamp = weir__app_now(members->app),
                                           .key = BYTES(instance, strlen(instance)) };
    int                            err = WEIR_OK;

    if (tasks != NULL) {
        print(members, tasks, &json);
        raw.value = BYTES(json.buf.data, json.buf.size);
        err = weir__buf_ok(&json.buf) ? WEIR_OK : WEIR_NO_MEMORY;
    }
    members->told = true;
    if (err == WEIR_OK)
        err = engine->send(members->producer, &raw, 0);
    if (err == WEIR_OK)
        err = engine->commit(members->producer, NULL, NULL, 0, NULL, 0, weir__app_now(members->app) + ms);
    weir__json_out_fini(&json);
    return err;
}

/* Whoever is the last to tell of a task is asked: another one has told of one of ours. Not at once again: a task that is taken over
 * shows in two processes for a while, and they would answer each other. */
static void heed_doubt(struct weir__members *members)
{
    int64_t now = weir__monotonic_us();

    if (!members->doubted || (members->retold != 0 && now - members->retold < RETOLD_US))
        return;
    members->doubted = false;
    members->retold = now;
    weir__free(members->said);
    members->said = NULL;
}

static int tell_news(struct weir__members *members)
{
    char *tasks = list_tasks(members->app);
    int   err = WEIR_OK;

    heed_doubt(members);
    if (tasks == NULL)
        return WEIR_NO_MEMORY;
    if (members->said == NULL || strcmp(members->said, tasks) != 0) {
        err = tell(members, tasks, WEIR__CALL_MS);
        if (err == WEIR_OK) {
            weir__free(members->said);
            members->said = tasks;
            return WEIR_OK;
        }
    }
    weir__free(tasks);
    return err;
}

/* ---- the thread ---- */

static int open_log(struct weir__members *members)
{
    struct weir__app              *app = members->app;
    const struct weir__log_engine *engine = app->config.engine;
    struct weir__topic  topic = { .name = members->topic, .partitions = 1, .settings = weir__table_topic_settings };
    struct weir__offset from = { .tp = { members->topic, 0 }, .offset = -1 };
    int64_t             by = weir__app_now(app) + WEIR__CALL_MS;
    int                 err = engine->ensure(app->config.log, &topic, 1, by, NULL, NULL, NULL);

    if (err == WEIR_OK)
        err = engine->producer(app->config.log, NULL, by, &members->producer, NULL);
    if (err == WEIR_OK)
        err = engine->tail(app->config.log, &from, 1, WEIR__READ_COMMITTED, &members->consumer, NULL);
    return err;
}

static void close_log(struct weir__members *members)
{
    const struct weir__log_engine *engine = members->app->config.engine;

    if (members->consumer != NULL)
        (void)engine->leave(members->consumer, weir__app_now(members->app) + BYE_MS);
    engine->producer_close(members->producer);
    members->consumer = NULL;
    members->producer = NULL;
    weir__free(members->said);
    members->said = NULL;
}

/* Only this thread changes the list: it reads it without the lock. */
static void resolve_again(struct weir__members *members)
{
    struct weir__member_at at = { 0 };

    if (weir__monotonic_us() - members->resolved < RESOLVE_MS * 1000)
        return;
    members->resolved = weir__monotonic_us();
    for (size_t i = 0; i < members->count && !atomic_load(&members->stopping); i++)
        if (members->items[i].at.size == 0) {
            resolve(members, members->items[i].address, &at);
            pthread_mutex_lock(&members->mutex);
            members->items[i].at = at;
            pthread_mutex_unlock(&members->mutex);
        }
}

static int step(struct weir__members *members)
{
    const struct weir__log_engine *engine = members->app->config.engine;
    struct weir__polled            polled;
    int                            err = members->consumer != NULL ? WEIR_OK : open_log(members);

    if (err == WEIR_OK)
        err = tell_news(members);
    if (err < 0)
        return err;
    resolve_again(members);
    err = engine->poll(members->consumer, weir__app_now(members->app) + LOOK_MS, &polled);
    if (err < 0)
        return err == WEIR_AGAIN ? WEIR_OK : err;
    for (size_t i = 0; i < polled.count; i++)
        take(members, &polled.records[i]);
    engine->release(members->consumer, polled.lease);
    return WEIR_OK;
}

static void nap(const struct weir__members *members)
{
    for (int ms = 0; ms < NAP_MS && !atomic_load(&members->stopping); ms += 50)
        nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
}

static void *run(void *arg)
{
    struct weir__members *members = arg;

    while (!atomic_load(&members->stopping))
        if (step(members) < 0) {
            close_log(members);
            nap(members);
        }
    if (members->told && members->producer != NULL)
        (void)tell(members, NULL, BYE_MS);
    close_log(members);
    return NULL;
}

/* ---- from outside ---- */

static int start_thread(struct weir__members *members)
{
    int err = weir__thread_start(run, members, &members->thread);

    members->started = err == WEIR_OK;
    return err;
}

int weir__members_open(struct weir__app *app, const char *address, struct weir__members **ret,
                       struct weir_error *reterr)
{
    struct weir__members *members;

    *ret = NULL;
    if (app->config.engine != app->config.engines->kafka) /* its log has one process */
        return WEIR_OK;
    members = weir__zalloc(sizeof(*members));
    if (members == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "http", "out of memory");
    members->app = app;
    pthread_mutex_init(&members->mutex, NULL);
    snprintf(members->topic, sizeof(members->topic), "%s-weir-members", app->plan->application);
    members->address = weir__strdup(address);
    if (members->address == NULL || start_thread(members) < 0) {
        weir__members_close(members);
        return weir__fail(reterr, WEIR_NO_MEMORY, "http", "no memory, or no thread, for what other processes tell");
    }
    *ret = members;
    return WEIR_OK;
}

void weir__members_close(struct weir__members *members)
{
    if (members == NULL)
        return;
    atomic_store(&members->stopping, true);
    if (members->started)
        pthread_join(members->thread, NULL);
    for (size_t i = 0; i < members->count; i++)
        forget(&members->items[i]);
    weir__free(members->items);
    weir__free(members->address);
    pthread_mutex_destroy(&members->mutex);
    weir__free(members);
}
