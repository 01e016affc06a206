/* cmd_topic.c: `topic backup` and `topic restore`: topics into a folder and back: keys, values, headers, timestamps, partitions, settings.
 *
 *     FOLDER/TOPIC/topic.json        {"topic": ..., "partitions": N, "settings": {...}}
 *     FOLDER/TOPIC/PARTITION.jsonl   topic_file.h
 *
 * (1) Committed records alone, each partition in its order. Offsets are given anew when records are restored.
 * (2) Both go on where they were cut short, and do nothing where all is done. What is there of a topic when it is restored must be
 *     the beginning of what is to be: anything else is refused before a record is sent.
 * (3) What an application has read, or has state of, is not given to it once more: such a restoration is refused.
 * (4) What is saved is for its owner's eyes alone.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "framework/json/json.h"
#include "schemas/feeds/load.h"
#include "topologies/commands.h"
#include "topologies/topic_file.h"
#include "topologies/topic_readers.h"

#define CALL_MS 10000

enum { SEND_RECORDS = 1000, SEND_BYTES = 1 << 20 };

struct saving {
    const struct weir__program *program;
    const char                 *folder;
    struct weir__looked         looked;
    bool                        dry;
    char                      **topics;
    size_t                      topic_count, topic_capacity;
    uint64_t                    partitions, now, before; /* records */
};

static int64_t call_by(const struct saving *saving)
{
    return saving->looked.engine->now(saving->looked.log) + CALL_MS;
}

static char *path_of(const struct saving *saving, const char *topic, const char *name)
{
    AUTO(weir__buf_fini) struct weir__buf path = { 0 };

    weir__buf_printf(&path, "%s/%s/%s%c", saving->folder, topic, name, '\0');
    return weir__buf_ok(&path) ? weir__strdup(path.data) : NULL;
}

static int open_file(const struct saving *saving, const char *topic, int32_t partition, struct market_topic_file *ret,
                     struct weir_error *reterr)
{
    char  name[32];
    char *path;

    snprintf(name, sizeof(name), "%d.jsonl", partition);
    path = path_of(saving, topic, name);
    if (path == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, topic, "out of memory");
    market_topic_file_init(ret, path);
    return WEIR_OK;
}

static int add_topic(struct saving *saving, const char *name, struct weir_error *reterr)
{
    for (size_t i = 0; i < saving->topic_count; i++)
        if (strcmp(saving->topics[i], name) == 0)
            return WEIR_OK;
    if (GROW(saving->topics, saving->topic_capacity, saving->topic_count) < 0 ||
        (saving->topics[saving->topic_count] = weir__strdup(name)) == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, name, "out of memory");
    saving->topic_count++;
    return WEIR_OK;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* ---- what cannot be made again ---- */

struct inputs {
    struct saving            *saving;
    const struct weir__plans *plans;
    int                       err;
    struct weir_error        *words;
};

static bool is_made(const struct weir__plans *plans, const char *topic)
{
    const struct weir__anew anew = { .all = plans, .named = plans };

    return weir__maker_of(&anew, topic) != NULL;
}

static bool is_input(const struct weir__plans *plans, const char *topic)
{
    static const char control[] = "-weir-control";
    const size_t      size = strlen(topic);

    if (strcmp(topic, MARKET_LOAD_PROGRESS_TOPIC) == 0 ||
        (size > sizeof(control) && strcmp(topic + size - sizeof(control) + 1, control) == 0))
        return true;
    for (size_t i = 0; i < plans->count; i++)
        if (weir__plan_takes(plans->items[i], topic))
            return !is_made(plans, topic);
    return false;
}

static void take_name(void *arg, const char *topic)
{
    struct inputs *inputs = arg;
    const char    *audit = weir__config_text(inputs->saving->program->settings, "audit.topic");

    if (inputs->err == WEIR_OK && (is_input(inputs->plans, topic) || (audit != NULL && strcmp(audit, topic) == 0)))
        inputs->err = add_topic(inputs->saving, topic, inputs->words);
}

/* Of all topologies. */
static int make_plans(const struct saving *saving, struct weir__plans *ret, struct weir_error *reterr)
{
    const struct weir_topology **every = NULL;
    size_t                       count;
    int                          err = weir__choose_topologies(saving->program, NULL, 0, &every, &count, reterr);

    if (err == WEIR_OK)
        err = weir__plans_make(saving->program, every, count, ret, reterr);
    weir__free(every);
    return err;
}

static int find_inputs(struct saving *saving, struct weir_error *reterr)
{
    struct weir__plans plans = { 0 };
    struct inputs      inputs = { .saving = saving, .plans = &plans, .words = reterr };
    int                err = make_plans(saving, &plans, reterr);

    if (err == WEIR_OK) {
        err = saving->looked.engine->topics(saving->looked.log, call_by(saving), take_name, &inputs);
        if (err < 0)
            weir__fail(reterr, err, "topic", "the log does not tell its topics: %s", weir_code_text(err));
        err = err == WEIR_OK ? inputs.err : err;
    }
    weir__plans_fini(&plans);
    return err;
}

/* ---- topic.json ---- */

/* Those that say what becomes of records; others are the broker's affair. */
static const char *const kept_settings[] = { "cleanup.policy",
                                             "delete.retention.ms",
                                             "max.message.bytes",
                                             "message.timestamp.after.max.ms",
                                             "message.timestamp.before.max.ms",
                                             "message.timestamp.difference.max.ms",
                                             "message.timestamp.type",
                                             "min.compaction.lag.ms",
                                             "retention.bytes",
                                             "retention.ms",
                                             "segment.bytes" };

static void put_setting(void *arg, const char *name, const char *value)
{
    struct weir_json_out *json = arg;

    for (size_t i = 0; i < ARRAY_SIZE(kept_settings); i++)
        if (strcmp(kept_settings[i], name) == 0) {
            weir__json_member_text(json, name, value);
        }
}

static int write_about(const struct saving *saving, const char *topic, int32_t partitions, struct weir_error *reterr)
{
    struct weir_json_out json = { 0 };
    char                *path = path_of(saving, topic, "topic.json");
    int                  err;

    weir_json_begin_object(&json);
    weir__json_member_text(&json, "topic", topic);
    weir__json_member_int(&json, "partitions", partitions);
    weir_json_name(&json, "settings");
    weir_json_begin_object(&json);
    err = saving->looked.engine->settings(saving->looked.log, topic, call_by(saving), put_setting, &json);
    weir_json_end_object(&json);
    weir_json_end_object(&json);
    weir__buf_putc(&json.buf, '\n');
    if (err < 0)
        weir__fail(reterr, err, topic, "its settings are not told: %s", weir_code_text(err));
    else if (path == NULL || !weir__buf_ok(&json.buf))
        err = weir__fail(reterr, WEIR_NO_MEMORY, topic, "out of memory");
    else
        err = weir__write_file(path, BYTES(json.buf.data, json.buf.size), reterr);
    weir__free(path);
    weir__json_out_fini(&json);
    return err;
}

struct about {
    int32_t            partitions;
    const char *const *settings; /* "name=value" */
    struct weir_arena  arena;
};

static const char *setting_of(struct weir_arena *arena, const struct weir_json *member)
{
    if (member->type != WEIR_JSON_STRING)
        return NULL;
    return weir__arena_printf(arena, "%.*s=%.*s", (int)member->name.size, member->name.data, (int)member->text.size,
                              member->text.data);
}

static bool parse_about(struct weir_text text, struct about *ret)
{
    const struct weir_json *json, *settings;
    const char            **list;
    int64_t                 partitions;
    size_t                  count = 0;

    if (weir_json_parse(&ret->arena, text, &json, NULL) < 0 ||
        weir_json_int64(weir_json_get(json, "partitions"), &partitions) < 0 || partitions < 1 ||
        partitions > INT32_MAX || (settings = weir_json_get(json, "settings")) == NULL)
        return false;
    list = weir_arena_alloc(&ret->arena, sizeof(*list) * (ARRAY_SIZE(kept_settings) + 1));
    for (const struct weir_json *at = settings->child; list != NULL && at != NULL; at = at->next) {
        if (count == ARRAY_SIZE(kept_settings) || (list[count] = setting_of(&ret->arena, at)) == NULL)
            return false;
        count++;
    }
    if (list == NULL)
        return false;
    list[count] = NULL;
    ret->settings = list;
    ret->partitions = (int32_t)partitions;
    return true;
}

static int read_about(const struct saving *saving, const char *topic, struct about *ret, struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };
    char                                 *path = path_of(saving, topic, "topic.json");
    int                                   err = path != NULL ? weir__read_file(path, &text, reterr)
                                                             : weir__fail(reterr, WEIR_NO_MEMORY, topic, "out of memory");

    if (err == WEIR_OK && !parse_about((struct weir_text){ text.data, text.size }, ret))
        err = weir__fail(reterr, WEIR_CORRUPT, path,
                         "it does not say partitions and settings: take it from another backup");
    weir__free(path);
    return err;
}

/* ---- backup ---- */

struct backup {
    struct saving           *saving;
    struct market_topic_file file;
};

static int save_record(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct backup *backup = arg;

    backup->saving->now++;
    return backup->saving->dry ? WEIR_OK : market_topic_file_add(&backup->file, raw, reterr);
}

/* What is saved already must be of the same topic. */
static int check_end(struct backup *backup, struct weir__tp tp, struct weir_error *reterr)
{
    const struct saving *saving = backup->saving;
    struct weir__ends    ends;
    int                  err = saving->looked.engine->ends(saving->looked.log, tp, call_by(saving), &ends);

    if (err < 0)
        return weir__fail(reterr, err, tp.topic, "the topic does not tell its ends: %s", weir_code_text(err));
    if (backup->file.next > ends.stable)
        return weir__fail(reterr, WEIR_REJECTED, backup->file.path,
                          "it goes up to offset %" PRId64 ", and %s:%d ends at %" PRId64
                          ": it is of a topic that was there before, take another folder",
                          backup->file.next, tp.topic, tp.partition, ends.stable);
    return WEIR_OK;
}

static int save_partition(struct saving *saving, const char *topic, int32_t partition, struct weir_error *reterr)
{
    struct backup   backup = { .saving = saving };
    struct weir__tp tp = { topic, partition };
    int             err = open_file(saving, topic, partition, &backup.file, reterr);

    if (err < 0)
        return err;
    err = market_topic_file_read(&backup.file, NULL, NULL, reterr);
    saving->before += backup.file.records;
    saving->partitions++;
    if (err == WEIR_OK)
        err = check_end(&backup, tp, reterr);
    if (err == WEIR_OK && !saving->dry)
        err = market_topic_file_begin(&backup.file, reterr);
    if (err == WEIR_OK)
        err = weir__read_partition(saving->looked.engine, saving->looked.log, tp, MAX(backup.file.next, (int64_t)0),
                                   save_record, &backup, reterr);
    if (err == WEIR_OK && !saving->dry)
        err = market_topic_file_end(&backup.file, reterr);
    market_topic_file_fini(&backup.file);
    return err;
}

static int save_topic(struct saving *saving, const char *topic, struct weir_error *reterr)
{
    const uint64_t now = saving->now, before = saving->before;
    int32_t        count;
    char          *path;
    int            err = saving->looked.engine->partitions(saving->looked.log, topic, call_by(saving), &count);

    if (err < 0)
        return weir__fail(reterr, err, topic, "it cannot be saved: %s",
                          err == WEIR_NOTFOUND ? "there is no such topic" : weir_code_text(err));
    if (!saving->dry) {
        path = path_of(saving, topic, "");
        err =
            path != NULL ? weir__make_dirs(path, reterr) : weir__fail(reterr, WEIR_NO_MEMORY, topic, "out of memory");
        weir__free(path);
        if (err == WEIR_OK)
            err = write_about(saving, topic, count, reterr);
    }
    for (int32_t i = 0; err == WEIR_OK && i < count; i++)
        err = save_partition(saving, topic, i, reterr);
    if (err == WEIR_OK)
        printf("%s: %" PRIu64 " records%s, %" PRIu64 " were saved before\n", topic, saving->now - now,
               saving->dry ? " would be saved" : "", saving->before - before);
    return err;
}

/* ---- restore ---- */

struct restore {
    struct saving         *saving;
    const char            *topic;
    struct weir__producer *producer;
    uint64_t               there, seen;                /* records of the partition; of its file so far */
    char                   digest[MARKET_DIGEST_ROOM]; /* of those that are there, each with all before it */
    char                   passed[MARKET_DIGEST_ROOM]; /* the same of the file's */
    uint64_t               count;                      /* sent, and not committed */
    size_t                 bytes;
};

static void zero(char digest[MARKET_DIGEST_ROOM])
{
    memset(digest, '0', MARKET_DIGEST_ROOM - 1);
    digest[MARKET_DIGEST_ROOM - 1] = '\0';
}

/* The digest of a record and of all before it; its offset does not count. */
static int digest_on(const struct weir__raw *raw, char digest[MARKET_DIGEST_ROOM])
{
    AUTO(weir__buf_fini) struct weir__buf all = { 0 };
    int                                   err;

    weir__buf_puts(&all, digest);
    err = weir__raw_pack(raw, &all);
    if (err == WEIR_OK && !weir__buf_ok(&all))
        err = WEIR_NO_MEMORY;
    return err == WEIR_OK ? market_digest((struct weir_text){ all.data, all.size }, digest) : err;
}

static int take_there(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct restore *restore = arg;
    int             err = digest_on(raw, restore->digest);

    restore->there++;
    return err < 0 ? weir__fail(reterr, err, raw->topic, "out of memory") : WEIR_OK;
}

static int commit(struct restore *restore, struct weir_error *reterr)
{
    const struct saving *saving = restore->saving;
    int                  err;

    if (restore->count == 0)
        return WEIR_OK;
    do
        err = saving->looked.engine->commit(restore->producer, NULL, NULL, 0, NULL, 0, call_by(saving));
    while (err == WEIR_AGAIN);
    restore->count = restore->bytes = 0;
    return err < 0 ? weir__fail(reterr, err, restore->topic,
                                "the records cannot be committed: %s; do this again, it goes on where it was",
                                weir_code_text(err))
                   : WEIR_OK;
}

static int fail_there(const struct restore *restore, struct weir_error *reterr)
{
    return weir__fail(
        reterr, WEIR_REJECTED, restore->topic,
        "what the topic holds is not the beginning of what is to be restored: remove the topic, or leave "
        "it out");
}

static int send_record(struct restore *restore, const struct weir__raw *raw, struct weir_error *reterr)
{
    const struct saving *saving = restore->saving;
    struct weir__raw     record = *raw;
    int                  err;

    record.topic = restore->topic;
    while ((err = saving->looked.engine->send(restore->producer, &record, 0)) == WEIR_FULL)
        if ((err = commit(restore, reterr)) < 0)
            return err;
    if (err < 0)
        return weir__fail(reterr, err, restore->topic, "the log refuses the record that was %d:%" PRId64 ": %s",
                          raw->partition, raw->offset, weir_code_text(err));
    restore->count++;
    restore->bytes += raw->key.size + raw->value.size;
    return restore->count < SEND_RECORDS && restore->bytes < SEND_BYTES ? WEIR_OK : commit(restore, reterr);
}

/* The first ones are there: they must be the same. */
static int take_saved(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct restore *restore = arg;

    if (restore->seen++ >= restore->there) {
        restore->saving->now++;
        return restore->saving->dry ? WEIR_OK : send_record(restore, raw, reterr);
    }
    if (digest_on(raw, restore->passed) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, restore->topic, "out of memory");
    restore->saving->before++;
    if (restore->seen == restore->there && strcmp(restore->digest, restore->passed) != 0)
        return fail_there(restore, reterr);
    return WEIR_OK;
}

static int restore_partition(struct restore *restore, int32_t partition, bool exists, struct weir_error *reterr)
{
    struct saving           *saving = restore->saving;
    struct market_topic_file file;
    int                      err = open_file(saving, restore->topic, partition, &file, reterr);

    if (err < 0)
        return err;
    restore->there = restore->seen = 0;
    zero(restore->digest);
    zero(restore->passed);
    saving->partitions++;
    if (exists)
        err = weir__read_partition(saving->looked.engine, saving->looked.log,
                                   (struct weir__tp){ restore->topic, partition }, 0, take_there, restore, reterr);
    if (err == WEIR_OK)
        err = market_topic_file_read(&file, take_saved, restore, reterr);
    if (err == WEIR_OK && restore->seen < restore->there)
        err = fail_there(restore, reterr);
    if (err == WEIR_OK)
        err = commit(restore, reterr);
    market_topic_file_fini(&file);
    return err;
}

/* Made as it was, or of as many partitions; *ret_exists: it may hold records. */
static int prepare_topic(struct restore *restore, const struct about *about, bool *ret_exists,
                         struct weir_error *reterr)
{
    struct saving           *saving = restore->saving;
    const struct weir__topic topic = { restore->topic, about->partitions, about->settings };
    int32_t                  count;
    int err = saving->looked.engine->partitions(saving->looked.log, restore->topic, call_by(saving), &count);

    *ret_exists = err == WEIR_OK;
    if (err < 0 && err != WEIR_NOTFOUND)
        return weir__fail(reterr, err, restore->topic, "its partitions are not told: %s", weir_code_text(err));
    if (err == WEIR_OK && count != about->partitions)
        return weir__fail(reterr, WEIR_REJECTED, restore->topic,
                          "it has %d partitions, the backup %d: remove the topic", count, about->partitions);
    if (saving->dry)
        return WEIR_OK;
    err = saving->looked.engine->ensure(saving->looked.log, &topic, 1, call_by(saving), NULL, NULL, reterr);
    while (err == WEIR_OK) {
        char id[300];

        snprintf(id, sizeof(id), "market-restore-%s", restore->topic);
        err = saving->looked.engine->producer(saving->looked.log, id, call_by(saving), &restore->producer, reterr);
        if (err != WEIR_AGAIN)
            break;
        err = WEIR_OK;
    }
    return err;
}

/* As they stand in the folder; the topic is made where it is not there. */
static int restore_partitions(struct restore *restore, struct weir_error *reterr)
{
    struct about about = { 0 };
    bool         exists = false;
    int          err = read_about(restore->saving, restore->topic, &about, reterr);

    if (err == WEIR_OK)
        err = prepare_topic(restore, &about, &exists, reterr);
    for (int32_t i = 0; err == WEIR_OK && i < about.partitions; i++)
        err = restore_partition(restore, i, exists, reterr);
    weir__arena_fini(&about.arena);
    return err;
}

static int restore_topic(struct saving *saving, const char *topic, struct weir_error *reterr)
{
    struct restore restore = { .saving = saving, .topic = topic };
    const uint64_t now = saving->now, before = saving->before;
    int            err = restore_partitions(&restore, reterr);

    saving->looked.engine->producer_close(restore.producer);
    if (err == WEIR_OK)
        printf("%s: %" PRIu64 " records%s, %" PRIu64 " were there\n", topic, saving->now - now,
               saving->dry ? " would be restored" : "", saving->before - before);
    return err;
}

/* All checksums, before anything is sent. */
static int check_topic(struct saving *saving, const char *topic, struct weir_error *reterr)
{
    struct about about = { 0 };
    int          err = read_about(saving, topic, &about, reterr);

    for (int32_t i = 0; err == WEIR_OK && i < about.partitions; i++) {
        struct market_topic_file file;

        err = open_file(saving, topic, i, &file, reterr);
        if (err < 0)
            break;
        err = market_topic_file_read(&file, NULL, NULL, reterr);
        market_topic_file_fini(&file);
    }
    return err;
}

/* How many records would be sent; what the topic holds is compared. */
static int count_missing(const struct saving *saving, const char *topic, uint64_t *ret, struct weir_error *reterr)
{
    struct saving dry = {
        .program = saving->program, .folder = saving->folder, .looked = saving->looked, .dry = true
    };
    struct restore restore = { .saving = &dry, .topic = topic };
    int            err = restore_partitions(&restore, reterr);

    *ret = dry.now;
    return err;
}

static int check_reader(const struct saving *saving, const struct weir__plans *plans, const char *topic,
                        struct weir_error *reterr)
{
    const struct weir__plan *reader;
    uint64_t                 missing = 0;
    int err = market_topic_reader(saving->program, &saving->looked, plans, topic, &reader, reterr);

    if (err == WEIR_OK && reader != NULL)
        err = count_missing(saving, topic, &missing, reterr);
    if (err < 0 || missing == 0)
        return err;
    return weir__fail(reterr, WEIR_REJECTED, topic,
                      "%s has read this topic before and keeps what it made of it: %" PRIu64
                      " restored records would count once more: \"%s reset %s\" first, or leave the topic out",
                      reader->topology->name, missing, saving->program->name, reader->topology->name);
}

static int check_readers(const struct saving *saving, struct weir_error *reterr)
{
    struct weir__plans plans = { 0 };
    int                err = make_plans(saving, &plans, reterr);

    for (size_t i = 0; err == WEIR_OK && i < saving->topic_count; i++)
        err = check_reader(saving, &plans, saving->topics[i], reterr);
    weir__plans_fini(&plans);
    return err;
}

static int find_saved(struct saving *saving, struct weir_error *reterr)
{
    DIR           *dir = opendir(saving->folder);
    struct dirent *entry;
    int            err = WEIR_OK;

    if (dir == NULL)
        return weir__fail(reterr, WEIR_NOTFOUND, saving->folder, "it cannot be read: %s", strerror(errno));
    while (err == WEIR_OK && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            err = add_topic(saving, entry->d_name, reterr);
    closedir(dir);
    return err == WEIR_OK && saving->topic_count == 0
               ? weir__fail(reterr, WEIR_NOTFOUND, saving->folder, "there is no topic in it")
               : err;
}

/* ---- the command ---- */

static int choose_topics(struct saving *saving, const struct weir__args *args, bool back, struct weir_error *reterr)
{
    int err = WEIR_OK;

    for (size_t i = 1; err == WEIR_OK && i < args->word_count; i++)
        err = weir__legal_name(args->words[i])
                  ? add_topic(saving, args->words[i], reterr)
                  : weir__fail(reterr, WEIR_BAD_NAME, args->words[i], "it is no name of a topic");
    if (err == WEIR_OK && !back && weir__args_has(args, "inputs"))
        err = find_inputs(saving, reterr);
    else if (err == WEIR_OK && back && args->word_count == 1)
        err = find_saved(saving, reterr);
    if (err == WEIR_OK && !back && saving->topic_count == 0)
        err = weir__fail(reterr, WEIR_BAD_ARGUMENT, "topic",
                         "name topics, or give --inputs: what cannot be made again");
    if (err == WEIR_OK)
        qsort(saving->topics, saving->topic_count, sizeof(*saving->topics), by_name);
    return err;
}

static int for_all(struct saving     *saving, int (*one)(struct saving *, const char *, struct weir_error *),
                   struct weir_error *reterr)
{
    int err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < saving->topic_count; i++)
        err = one(saving, saving->topics[i], reterr);
    return err;
}

static int do_it(struct saving *saving, const struct weir__args *args, bool back, struct weir_error *reterr)
{
    int err;

    if (saving->folder == NULL)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "topic", "name the folder: --%s FOLDER", back ? "from" : "to");
    err = back && !saving->dry ? weir__looked_open_to_write(saving->program, args, &saving->looked, reterr)
                               : weir__looked_open(saving->program, args, &saving->looked, reterr);
    if (err == WEIR_OK)
        err = choose_topics(saving, args, back, reterr);
    if (err == WEIR_OK && back)
        err = for_all(saving, check_topic, reterr);
    if (err == WEIR_OK && back)
        err = check_readers(saving, reterr);
    if (err == WEIR_OK)
        err = for_all(saving, back ? restore_topic : save_topic, reterr);
    if (err == WEIR_OK)
        printf("%zu topics, %" PRIu64 " partitions: %" PRIu64 " records %s%s, %" PRIu64 " were %s before\n",
               saving->topic_count, saving->partitions, saving->now, saving->dry ? "would be " : "",
               back ? "restored" : "saved", saving->before, back ? "there" : "saved");
    return err;
}

static int run_topic(struct weir__program *program, const struct weir__args *args)
{
    const char       *what = args->word_count > 0 ? args->words[0] : "";
    const bool        back = strcmp(what, "restore") == 0;
    struct saving     saving = { .program = program,
                                 .folder = weir__args_value(args, back ? "from" : "to", NULL),
                                 .looked = { .dir = { .lock = -1 } },
                                 .dry = weir__args_has(args, "dry-run") };
    struct weir_error words = { 0 };
    int               err;

    if (!back)
        (void)umask(077);
    if (back || strcmp(what, "backup") == 0)
        err = do_it(&saving, args, back, &words);
    else
        err = weir__fail(&words, WEIR_BAD_ARGUMENT, "topic", "say what to do: \"topic backup\" or \"topic restore\"");
    weir__looked_close(&saving.looked);
    for (size_t i = 0; i < saving.topic_count; i++)
        weir__free(saving.topics[i]);
    weir__free(saving.topics);
    return err < 0 ? weir__report(&words) : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = {
    { .name = "to",
      .value = "FOLDER",
      .meaning = "backup: where topics are saved; one that was cut short, or is older, is gone on with" },
    { .name = "from", .value = "FOLDER", .meaning = "restore: where topics were saved" },
    { .name = "inputs",
      .meaning = "backup: all that topologies read and none of them makes, what was loaded, and epochs" },
    { .name = "dry-run", .meaning = "checks what there is, counts, and changes nothing" },
    { .name = "dir", .value = "DIR", .meaning = "folder that \"local\" runs on (default " WEIR__DEFAULT_DIR ")" },
    { .name = NULL },
};
const struct weir__command market_command_topic = {
    .name = "topic",
    .usage =
        "topic backup [TOPIC...] [--inputs] --to FOLDER | topic restore [TOPIC...] --from FOLDER [--dry-run] [--dir DIR]",
    .meaning =
        "Saves topics into a folder and brings them back: keys, values, headers, timestamps, partitions, settings; on Kafka "
        "where kafka.bootstrap.servers is set.",
    .flags = flags,
    .run = run_topic,
    .audited = "data_processing",
};
