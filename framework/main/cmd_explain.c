/* cmd_explain.c: `explain KEY`: how things stand with a key: inputs, stores, windows, dead letters. Another process may be
 * writing: then two lines of the answer may be a commit apart. */
#define _GNU_SOURCE
#include <time.h>

#include "framework/main/explain.h"

#define CALL_MS    5000
#define FORMS_MOST 16
#define VALUE_MOST 300 /* bytes of a value that are shown */

int64_t weir__explain_call_by(const struct weir__explain *explain)
{
    return explain->engine->now(explain->log) + CALL_MS;
}

void weir__explain_time(int64_t ms, struct weir__buf *ret)
{
    time_t    seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
    struct tm date;

    gmtime_r(&seconds, &date);
    weir__buf_printf(ret, "%04d-%02d-%02dT%02d:%02d:%02d", date.tm_year + 1900, date.tm_mon + 1, date.tm_mday,
                     date.tm_hour, date.tm_min, date.tm_sec);
    if (ms % 1000 != 0)
        weir__buf_printf(ret, ".%03d", (int)(ms - (int64_t)seconds * 1000));
    weir__buf_putc(ret, 'Z');
}

static bool say_in_words(const struct weir__explain *explain, const struct weir_codec *codec, struct weir_bytes bytes,
                         struct weir_arena *arena, struct weir__buf *ret)
{
    const void *value;

    return explain->words->value != NULL && weir__decode(codec, arena, bytes, &value) == WEIR_OK && value != NULL &&
           explain->words->value(codec, value, ret);
}

void weir__explain_value(struct weir__explain *explain, const struct weir_codec *codec, struct weir_bytes bytes,
                         struct weir__buf *ret)
{
    struct weir_json_out json = { 0 };
    struct weir_arena    arena = { 0 };

    if (!say_in_words(explain, codec, bytes, &arena, ret) &&
        weir__bytes_print(codec, bytes, &arena, &json) == WEIR_OK && weir__buf_ok(&json.buf)) {
        weir__buf_add(ret, json.buf.data, MIN(json.buf.size, VALUE_MOST));
        weir__buf_puts(ret, json.buf.size > VALUE_MOST ? "..." : "");
    }
    weir__json_out_fini(&json);
    weir__arena_fini(&arena);
}

/* ---- the key ---- */

static int parse_key(struct weir__explain *explain, const struct weir_codec *codec, const struct weir_json *json,
                     struct weir_bytes *ret)
{
    void *value = weir_arena_alloc(&explain->arena, codec->bytes);
    int   err = value != NULL ? codec->parse(codec, json, value) : WEIR_NO_MEMORY;

    return err < 0 ? err : weir__encode(codec, &explain->arena, value, ret);
}

/* As text, else as JSON (a number); bytes are what is written. */
int weir__explain_key(struct weir__explain *explain, const struct weir_codec *codec, struct weir_bytes *ret)
{
    struct weir_text        text = { explain->key, strlen(explain->key) };
    struct weir_json        word = { .type = WEIR_JSON_STRING, .text = text, .arena = &explain->arena };
    const struct weir_json *json;

    *ret = BYTES(text.data, text.size);
    if (codec == NULL || weir__codec_same(codec, weir_blob))
        return WEIR_OK;
    if (codec->parse == NULL)
        return WEIR_UNREADABLE;
    if (parse_key(explain, codec, &word, ret) == WEIR_OK)
        return WEIR_OK;
    if (weir_json_parse(&explain->arena, text, &json, NULL) < 0)
        return WEIR_UNREADABLE;
    return parse_key(explain, codec, json, ret);
}

/* ---- inputs ---- */

static const char *topic_of(struct weir__explain *explain, const struct weir__plan *plan,
                            const struct weir__node *node, const char *topic)
{
    return node->internal ? weir__arena_printf(&explain->arena, "%s-%s", plan->application, topic) : topic;
}

struct waiting {
    struct weir_bytes key;
    size_t            count;
};

static int count_key(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct waiting *waiting = arg;

    (void)reterr;
    waiting->count += raw->key.data != NULL && weir__bytes_equal(raw->key, waiting->key);
    return WEIR_OK;
}

static void ignore_time(void *arg, struct weir_bytes name, int64_t time) { (void)arg, (void)name, (void)time; }

/* One input: how far it is committed, and what of the key lies behind that. */
static int explain_input(struct weir__explain *explain, const struct weir__explain_task *task,
                         const struct weir__offset *offset, struct weir_error *reterr)
{
    struct waiting    waiting = { .key = task->key };
    struct weir__ends ends;
    int64_t           time;
    int               err = explain->engine->ends(explain->log, offset->tp, weir__explain_call_by(explain), &ends);

    if (err == WEIR_OK)
        err = weir__read_partition(explain->engine, explain->log, offset->tp, MAX(offset->offset, 0), count_key,
                                   &waiting, reterr);
    if (err < 0)
        return weir__fail(reterr, err, offset->tp.topic, "the topic cannot be read: %s", weir_code_text(err));
    explain->found += waiting.count;
    weir__buf_printf(&explain->out, "  reads %s/%d: ", offset->tp.topic, offset->tp.partition);
    if (offset->offset < 0)
        weir__buf_puts(&explain->out, "nothing is committed yet");
    else
        weir__buf_printf(&explain->out, "committed up to %lld of %lld", (long long)offset->offset,
                         (long long)ends.stable);
    if (weir__metadata_read(offset->metadata, &explain->arena, &time, ignore_time, NULL) == WEIR_OK && time >= 0) {
        weir__buf_puts(&explain->out, ", where the partition's time was ");
        weir__explain_time(time, &explain->out);
    }
    weir__buf_printf(&explain->out, "; %zu records of the key wait\n", waiting.count);
    return WEIR_OK;
}

/* The key's partitions of all topics that the sub-topology reads, with what is committed for them. A topic that is not
 * there is left out. */
static int list_inputs(struct weir__explain *explain, struct weir__explain_task *task, struct weir_error *reterr)
{
    struct weir__offset *offsets;
    size_t               most = 0;
    int                  err = WEIR_OK;

    for (size_t i = 0; i < task->sub->node_count; i++)
        most += task->sub->nodes[i]->op == WEIR__SOURCE ? task->sub->nodes[i]->topic_count : 0;
    offsets = weir_arena_alloc(&explain->arena, sizeof(*offsets) * (most + 1));
    if (offsets == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "explain", "out of memory");
    for (size_t i = 0; i < task->sub->node_count; i++) {
        const struct weir__node *node = task->sub->nodes[i];

        for (size_t j = 0; node->op == WEIR__SOURCE && j < node->topic_count; j++) {
            const char *topic = topic_of(explain, task->plan, node, node->topics[j]);
            int32_t     count;

            if (topic == NULL)
                return weir__fail(reterr, WEIR_NO_MEMORY, "explain", "out of memory");
            err = explain->engine->partitions(explain->log, topic, weir__explain_call_by(explain), &count);
            if (err == WEIR_NOTFOUND)
                continue;
            if (err < 0)
                return weir__fail(reterr, err, topic, "its partitions are not told: %s", weir_code_text(err));
            task->partition = weir__partition_of(task->key, count);
            offsets[task->offset_count++] =
                (struct weir__offset){ .tp = { .topic = topic, .partition = task->partition }, .offset = -1 };
        }
    }
    task->offsets = offsets;
    err = WEIR_OK;
    if (task->offset_count > 0)
        err = explain->engine->committed(explain->log, task->plan->application, offsets, task->offset_count,
                                         &explain->arena, weir__explain_call_by(explain));
    return err < 0 ? weir__fail(reterr, err, task->plan->application, "the committed offsets cannot be read: %s",
                                weir_code_text(err))
                   : WEIR_OK;
}

/* ---- topologies ---- */

static const struct weir_codec *key_of_sub(const struct weir__subtopology *sub)
{
    for (size_t i = 0; i < sub->node_count; i++)
        if (sub->nodes[i]->op == WEIR__SOURCE)
            return sub->nodes[i]->key_out;
    return NULL;
}

static int explain_sub(struct weir__explain *explain, const struct weir__plan *plan,
                       const struct weir__subtopology *sub, struct weir_bytes *ret_key, struct weir_error *reterr)
{
    struct weir__explain_task task = { .plan = plan, .sub = sub, .codec = key_of_sub(sub) };
    int                       err = WEIR_OK;

    if (weir__explain_key(explain, task.codec, &task.key) < 0)
        return WEIR_OK; /* such a key never comes here */
    *ret_key = task.key;
    if (sub->store_count == 0 && weir__codec_same(task.codec, weir_blob)) /* not keyed yet */
        return WEIR_OK;
    err = list_inputs(explain, &task, reterr);
    if (err < 0 || task.offset_count == 0)
        return err;
    weir__buf_printf(&explain->out, "%s, task %s_%d\n", plan->topology->name, sub->folder, task.partition);
    for (size_t i = 0; err == WEIR_OK && i < task.offset_count; i++)
        err = explain_input(explain, &task, &task.offsets[i], reterr);
    for (size_t i = 0; err == WEIR_OK && i < sub->store_count; i++)
        if (!sub->stores[i]->global)
            err = weir__explain_store(explain, &task, sub->stores[i], reterr);
    return err;
}

static int explain_plan(struct weir__explain *explain, const struct weir__plan *plan, struct weir_error *reterr)
{
    struct weir_bytes keys[FORMS_MOST];
    size_t            count = 0;
    int               err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < plan->sub_count; i++) {
        keys[count] = NO_BYTES;
        if (!plan->subs[i].global)
            err = explain_sub(explain, plan, &plan->subs[i], &keys[count], reterr);
        count += keys[count].data != NULL && count + 1 < FORMS_MOST;
    }
    for (size_t i = 0; err == WEIR_OK && i < plan->store_count; i++)
        if (plan->stores[i]->global)
            err = weir__explain_global(explain, plan, plan->stores[i], reterr);
    if (err == WEIR_OK && weir__letters_topic(explain->program, plan) != NULL)
        err = weir__explain_letters(explain, weir__letters_topic(explain->program, plan), keys, count, reterr);
    weir__arena_reset(&explain->arena);
    return err;
}

/* ---- the command ---- */

static int explain_all(struct weir__explain *explain, const struct weir__plans *plans, struct weir_error *reterr)
{
    int err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < plans->count; i++)
        err = explain_plan(explain, plans->items[i], reterr);
    if (err < 0)
        return err;
    if (explain->found == 0)
        return weir__fail(reterr, WEIR_NOTFOUND, explain->key,
                          "no store, no input that is still to be read and no dead letter has the key");
    if (!weir__buf_ok(&explain->out))
        return weir__fail(reterr, WEIR_NO_MEMORY, "explain", "out of memory");
    fwrite(explain->out.data, 1, explain->out.size, stdout);
    return WEIR_OK;
}

static int open_and_explain(struct weir__explain *explain, const struct weir__plans *plans,
                            const struct weir__args *args, struct weir_error *reterr)
{
    struct weir__looked looked;
    int                 err = weir__looked_open(explain->program, args, &looked, reterr);

    explain->engine = looked.engine;
    explain->log = looked.log;
    if (err == WEIR_OK)
        err = explain_all(explain, plans, reterr);
    weir__looked_close(&looked);
    return err;
}

static int run_with(struct weir__program *program, const struct weir__args *args, struct weir_error *reterr)
{
    static const struct weir__explaining nothing;
    struct weir__explain                 explain = { .program = program };
    const struct weir_topology         **topologies = NULL;
    struct weir__plans                   plans = { 0 };
    char                                 key[300];
    size_t                               count;
    int                                  err;

    if (args->word_count == 0)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "explain", "name a key: explain KEY");
    explain.words = program->explaining != NULL ? program->explaining : &nothing;
    explain.key = explain.words->key != NULL ? explain.words->key(args->words[0], key, sizeof(key)) : args->words[0];
    err = weir__choose_topologies(program, args->words + 1, args->word_count - 1, &topologies, &count, reterr);
    if (err == WEIR_OK)
        err = weir__plans_make(program, topologies, count, &plans, reterr);
    if (err == WEIR_OK)
        err = open_and_explain(&explain, &plans, args, reterr);
    weir__buf_fini(&explain.out);
    weir__arena_fini(&explain.arena);
    weir__plans_fini(&plans);
    weir__free(topologies);
    return err;
}

static int run_explain(struct weir__program *program, const struct weir__args *args)
{
    struct weir_error words = { 0 };
    int               err = run_with(program, args, &words);

    return err < 0 ? weir__report(&words) : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = {
    { .name = "dir", .value = "DIR", .meaning = "folder that \"local\" runs on (default " WEIR__DEFAULT_DIR ")" },
    { .name = NULL },
};
const struct weir__command weir__command_explain = {
    .name = "explain",
    .usage = "explain KEY [--dir DIR] [TOPOLOGY...]",
    .meaning =
        "Says how a key stands: what is read of it, its rows and windows, what they wait for, its dead letters; from Kafka "
        "where kafka.bootstrap.servers is set.",
    .flags = flags,
    .run = run_explain,
    .audited = "data_access",
};
