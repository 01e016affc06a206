/* settings.c: the table of settings, and what can be said of one row without a configuration. */
#include "framework/config/internal.h"

#include <ctype.h>
#include <strings.h>

#define NO_LIMIT INT64_MAX
#define KB       (INT64_C(1) << 10)
#define MB       (INT64_C(1) << 20)
#define GB       (INT64_C(1) << 30)
#define SECOND   INT64_C(1000)
#define HOUR     (3600 * SECOND)
#define DAY      (24 * HOUR)

/* clang-format off */
const struct weir_setting weir__settings[] = {
    { "application.id", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Names the consumer group, the internal topics and the transactions; without it each topology's own name is taken." },
    { "instance.id", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Names this process among those of the application, which makes its group membership static (all of them have a name, or none); without it a random name is made once and kept in the state folder." },
    { "state.dir", WEIR_SETTING_TEXT, "state", 0, 0, NULL,
      "Folder of the state stores, which belongs to one process at a time; local keeps them in its --dir unless this names another." },
    { "threads", WEIR_SETTING_INT, "0", 0, 1024, NULL,
      "Stream threads among which the tasks are divided; 0 takes one for each core." },

    { "delivery", WEIR_SETTING_CHOICE, "exactly_once", 0, 0, "exactly_once|at_least_once",
      "Whether outputs, changelogs and offsets are committed in one transaction, or may be repeated after a crash." },
    { "commit.interval.ms", WEIR_SETTING_DURATION, "100", 0, DAY, NULL,
      "How often a task commits its offsets, outputs and state; the latency of exactly-once output follows from it." },
    { "state.flush.interval.ms", WEIR_SETTING_DURATION, "30s", 0, DAY, NULL,
      "Bounds the age of what the stores have on disk, and so how much changelog is replayed after a crash; 0 flushes at each commit." },
    { "shutdown.timeout.ms", WEIR_SETTING_DURATION, "10s", 0, HOUR, NULL,
      "How long a stopping process may take to finish its records and commit before it gives up." },

    { "memory.max", WEIR_SETTING_SIZE, "0", 0, NO_LIMIT, NULL,
      "Memory of the process, shared by caches, stores, queues and the embedded log or Kafka's client, at least 96m; 0 takes 60 % of the container's limit." },
    { "statestore.cache.max.bytes", WEIR_SETTING_SIZE, "10m", 0, NO_LIMIT, NULL,
      "Uncommitted changes that stores keep before a commit is brought forward, over all threads; 0 forwards and logs every change at once." },
    { "record.memory.max", WEIR_SETTING_SIZE, "64m", 64 * KB, 64 * GB, NULL,
      "Memory that the processing of one record may take; a record that needs more goes to the dead letters." },
    { "max.record.bytes", WEIR_SETTING_SIZE, "1m", KB, GB, NULL,
      "Largest record that is written to a topic; a larger one fails before it is sent." },
    { "buffered.records.per.partition", WEIR_SETTING_INT, "1000", 1, 10000000, NULL,
      "Records of one partition that a task holds before reading of that partition pauses." },

    { "max.task.idle.ms", WEIR_SETTING_DURATION, "0", -1, DAY, NULL,
      "How long a task waits for records of an empty partition that may hold earlier ones; 0 waits only for what the log already has, -1 never waits." },
    { "window.close.interval.ms", WEIR_SETTING_DURATION, "1s", 0, HOUR, NULL,
      "Least time between two looks for windows to close in nodes that emit on close by partition time; 0 looks at every record." },
    { "join.emit.interval.ms", WEIR_SETTING_DURATION, "1s", 0, HOUR, NULL,
      "Least time between two looks for results of left and outer stream joins that found no partner; 0 looks at every record." },

    { "deserialization.handler", WEIR_SETTING_CHOICE, "dead_letter", 0, 0, "dead_letter|fail|continue",
      "What becomes of a record whose bytes cannot be read; dead_letter means fail in a topology without dead letters." },
    { "processing.handler", WEIR_SETTING_CHOICE, "dead_letter", 0, 0, "dead_letter|fail|continue",
      "What becomes of a record on which a verb fails; dead_letter means fail in a topology without dead letters." },
    { "production.handler", WEIR_SETTING_CHOICE, "dead_letter", 0, 0, "dead_letter|fail|continue",
      "What becomes of a record whose output the log refuses; dead_letter means fail in a topology without dead letters." },
    { "dead.letters.topic", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Topic of the dead letters of topologies that declare none." },
    { "dead.letters.per.second", WEIR_SETTING_INT, "0", 0, 1000000000, NULL,
      "Dead letters of one stage and code that a task writes whole each second; what is beyond is counted, and one folded letter a commit says of which offsets; 0 folds none." },

    { "topics.partitions", WEIR_SETTING_INT, "0", 0, 100000, NULL,
      "Partitions of topics that are created and whose number nothing else decides; 0 takes 4 on the embedded log, 12 on Kafka." },
    { "topics.replication", WEIR_SETTING_INT, "0", 0, 32767, NULL,
      "Copies of each topic that is created on Kafka; of three or more, two must have a record before it counts; 0 takes the broker's default." },
    { "topics.retention.bytes", WEIR_SETTING_SIZE, "0", -1, NO_LIMIT, NULL,
      "Bytes of each partition beyond which topics that are created on Kafka lose their oldest records; internal and compacted ones never do; 0 takes the program's (none; data-processing 10g), -1 no bound." },
    { "topics.check", WEIR_SETTING_CHOICE, "error", 0, 0, "error|warn",
      "What it means at a start that a topic which our records go to is there on Kafka with settings by which it would delete or refuse some of them (retention, times, compaction); internal topics are always checked." },
    { "repartition.purge.interval.ms", WEIR_SETTING_DURATION, "30s", 0, DAY, NULL,
      "How often repartition topics are trimmed of what has been read; 0 never does." },
    { "changelog.cleanup", WEIR_SETTING_CHOICE, "weir", 0, 0, "weir|kafka-streams",
      "How changelogs of windows are kept: compacted with tombstones at expiry, or compacted and deleted by time as Kafka Streams does." },
    { "ensure.explicit.names", WEIR_SETTING_BOOL, "false", 0, 0, NULL,
      "Refuses topologies whose internal topics or stores have generated names, which change when nodes are added." },
    { "log.quirks", WEIR_SETTING_CHOICE, "on", 0, 0, "on|off",
      "Whether the embedded log behaves as Kafka also where that is awkward: markers take offsets, times of 0 are refused." },

    { "http.address", WEIR_SETTING_TEXT, "127.0.0.1", 0, 0, NULL,
      "Address at which health, metrics, status and the topologies' own routes are answered; 0.0.0.0 is all of this machine's, with no check of who asks." },
    { "http.port", WEIR_SETTING_INT, NULL, -1, 65535, NULL,
      "Port of all topologies of the process; 0 takes a free one and says which, -1 opens none; without it each topology has the port it declares, if any (local --once: none), or where that is taken a free one." },
    { "http.max.connections", WEIR_SETTING_INT, "100", 1, 10000, NULL,
      "Connections at a time; beyond them the longest idle one goes, else the one that has been sending its request for longest, of those that have for a second; where there is none the new one is refused." },
    { "http.max.head.bytes", WEIR_SETTING_SIZE, "16k", KB, MB, NULL,
      "Longest request line with its headers." },
    { "http.max.body.bytes", WEIR_SETTING_SIZE, "64k", 0, MB, NULL,
      "Longest body of a request." },
    { "http.request.timeout.ms", WEIR_SETTING_DURATION, "10s", 1, HOUR, NULL,
      "How long a client may take to send a request, and as long again to take its answer." },
    { "http.idle.timeout.ms", WEIR_SETTING_DURATION, "75s", 1, DAY, NULL,
      "How long a connection may wait for its next request." },
    { "http.advertised", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Where other processes of the topology reach this one's HTTP port, as host or host:port; without it http.address and the port, the machine's name where that is all addresses." },
    { "http.route.timeout.ms", WEIR_SETTING_DURATION, "2s", 1, HOUR, NULL,
      "How long the process that has a key's state may take to answer a question that another one passes on to it." },
    { "http.tls.certificate.file", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Certificate that the HTTP ports show, with those between it and its authority (PEM): they speak TLS alone then; read again when it changes." },
    { "http.tls.key.file", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Private key of that certificate (PEM, without a password); read again when it changes." },
    { "http.tls.ca.file", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Certificates that vouch for other processes' HTTP ports; without it the system's." },
    { "http.token", WEIR_SETTING_TEXT, NULL, 0, 0, NULL,
      "Bearer token that callers of the HTTP ports must show, 16 characters at least; of several, one a line, each is good and the first is shown to other processes; as http.token.file read again when it changes." },
    { "http.metrics.open", WEIR_SETTING_BOOL, "true", 0, 0, NULL,
      "Whether /metrics is answered without the token, as /health, /health/ready and /health/live are." },
    { "outlet.timeout.ms", WEIR_SETTING_DURATION, "4s", 1, HOUR, NULL,
      "How long a commit waits for what was put into caches and databases to be acknowledged; then it is aborted, and records wait until they answer." },
    { "health.stall.ms", WEIR_SETTING_DURATION, "1m", 1, DAY, NULL,
      "A stream thread that has not come around for so long has stalled: /health/live then says 503." },
    { "health.commit.age.ms", WEIR_SETTING_DURATION, "1m", 1, DAY, NULL,
      "Age of the last commit at which /health says 503." },

    { "core.dumps", WEIR_SETTING_BOOL, "false", 0, 0, NULL,
      "Whether a process that was told a secret may be dumped, and looked at by debuggers of its own user." },
    { "health.commit.wait.ms", WEIR_SETTING_DURATION, "10s", 1, DAY, NULL,
      "How long the log may take to end a transaction before /health/ready says 503: as long as kafka.transaction.timeout.ms." },

    { "log.level", WEIR_SETTING_CHOICE, "info", 0, 0, "debug|info|warn|error",
      "Least level of the messages that are written to standard error." },
    { "log.format", WEIR_SETTING_CHOICE, "logfmt", 0, 0, "logfmt|json",
      "Form of the messages, one line each." },
    { .name = NULL },
};

const struct weir__field weir__fields[] = {
    { "topics", "SOURCE, TABLE, GLOBAL, SINK", "names with commas between; topic is the same for one",
      "What is read or written." },
    { "partitions", "the same, REPARTITION", "a number; 0 leaves it open",
      "How many a topic gets when it is made." },
    { "format", "SINK whose records have two forms", "a form, such as json or msgpack",
      "How the records of the topic are written; readers take either." },
    { "emit", "COUNT, REDUCE, AGGREGATE, COGROUP and what makes or changes a table", "on_commit, each or on_close",
      "When a result is sent on; on_close needs windows." },
    { "size", "window stores and their nodes", "a duration",
      "Width of the windows: of a session its gap, of sliding windows the difference. Not of windows that the topology fixes." },
    { "grace", "window stores and their nodes, JOIN", "a duration",
      "How late a record may be." },
    { "retention", "window stores and their nodes", "a duration; 0 is until windows close",
      "How long rows are kept: from their window's start, by key time from its end. Not of windows that the topology fixes." },
    { "time", "window stores and their nodes", "per_partition or per_key",
      "Whose records bring the time by which windows close: all of the partition, or the key's own. Not of windows that the topology fixes." },
    { "late", "window stores and their nodes by key time", "correct or refuse",
      "What becomes of a record whose window has closed and is still kept. Not of windows that the topology fixes." },
    { "idle", "window stores and their nodes by key time", "a duration; 0 is never",
      "Wall time without a record after which a key's windows close." },
    { "ttl", "window stores and their nodes by key time", "a duration; 0 is 7d",
      "Wall time without a record after which a key whose windows have closed leaves." },
    { "in_memory", "stores and their nodes, JOIN, SUPPRESS", "true or false",
      "Whether the store lives in memory or in RocksDB." },
    { "cache", "stores and their nodes", "true or false",
      "Whether only the last change of a key is sent on and logged at each commit." },
    { "log", "stores and their nodes, JOIN, SUPPRESS", "true or false",
      "Whether changes go to a changelog; without one a lost disk loses the state." },
    { "port", "`http`, which stands for the topology", "a number from -1 to 65535",
      "Its HTTP port, in place of http.port." },
    { "its own names", "nodes that declare .options", "on or off, a duration, or a text",
      "What the topology says of them; of the pipeline: docs/ticks.md." },
    { .name = NULL },
};
/* clang-format on */

size_t weir__setting_index(const struct weir__config *config, const char *name)
{
    size_t i = 0;

    while (i < config->setting_count && strcmp(config->settings[i]->name, name) != 0)
        i++;
    return i;
}

const char *weir__setting_nearest(const struct weir__config *config, const char *word)
{
    const char *names[256];
    size_t      count = MIN(config->setting_count, ARRAY_SIZE(names));

    for (size_t i = 0; i < count; i++)
        names[i] = config->settings[i]->name;
    return weir__suggest(word, names, count);
}

static bool ends_with(const char *name, const char *const *endings, size_t count)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < count; i++)
        if (size >= strlen(endings[i]) && strcasecmp(name + size - strlen(endings[i]), endings[i]) == 0)
            return true;
    return false;
}

bool weir__setting_is_secret(const char *name)
{
    static const char *const endings[] = { "password", "secret", "token", ".key", ".key.pem", "oauthbearer.config" };

    return ends_with(name, endings, ARRAY_SIZE(endings));
}

bool weir__setting_may_be_file(const char *name)
{
    static const char *const endings[] = { ".url", ".dsn" };

    return weir__setting_is_secret(name) || ends_with(name, endings, ARRAY_SIZE(endings));
}

/* Which of "a|b|c" text is, or -1. */
static int choice_index(const char *choices, const char *text)
{
    for (int i = 0;; i++) {
        size_t size = strcspn(choices, "|");

        if (strlen(text) == size && strncmp(choices, text, size) == 0)
            return i;
        if (!choices[size])
            return -1;
        choices += size + 1;
    }
}

static int parse_number(const struct weir_setting *setting, const char *text, int64_t *ret)
{
    int64_t number = 0;
    int     err = WEIR_OK;

    if (setting->type == WEIR_SETTING_INT)
        err = weir__parse_int64(text, &number);
    else if (setting->type == WEIR_SETTING_DURATION)
        err = weir__parse_duration(text, &number);
    else
        err = weir__parse_size(text, &number);
    if (err < 0 || number < setting->min || number > setting->max)
        return WEIR_BAD_CONFIG;
    *ret = number;
    return WEIR_OK;
}

static int parse_value(const struct weir_setting *setting, const char *text, int64_t *ret)
{
    switch (setting->type) {
    case WEIR_SETTING_TEXT: return WEIR_OK;
    case WEIR_SETTING_BOOL: *ret = choice_index("false|true", text); return *ret < 0 ? WEIR_BAD_CONFIG : WEIR_OK;
    case WEIR_SETTING_CHOICE:
        *ret = choice_index(setting->choices, text);
        return *ret < 0 ? WEIR_BAD_CONFIG : WEIR_OK;
    case WEIR_SETTING_INT:
    case WEIR_SETTING_DURATION:
    case WEIR_SETTING_SIZE: return parse_number(setting, text, ret);
    }
    return WEIR_BAD_CONFIG;
}

int weir__setting_parse(const struct weir_setting *setting, const char *text, int64_t *ret, const char *where,
                        struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf range = { 0 };
    int64_t                               value = 0;

    if (parse_value(setting, text, &value) == WEIR_OK) {
        *ret = value;
        return WEIR_OK;
    }
    weir__setting_range(setting, &range);
    weir__buf_putc(&range, '\0');
    return weir__fail(reterr, WEIR_BAD_CONFIG, where, "%s is \"%.80s\", it must be %s", setting->name, text,
                      weir__buf_ok(&range) ? range.data : "something else");
}

void weir__setting_number(const struct weir_setting *setting, int64_t number, struct weir__buf *ret)
{
    static const struct {
        int64_t     factor;
        const char *unit;
    } sizes[] = { { GB, "g" }, { MB, "m" }, { KB, "k" } };

    if (setting->type == WEIR_SETTING_DURATION) {
        weir__print_duration(number, ret);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(sizes) && setting->type == WEIR_SETTING_SIZE && number > 0; i++) {
        if (number % sizes[i].factor)
            continue;
        weir__buf_printf(ret, "%lld%s", (long long)(number / sizes[i].factor), sizes[i].unit);
        return;
    }
    weir__buf_printf(ret, "%lld", (long long)number);
}

static void print_limits(const struct weir_setting *setting, struct weir__buf *ret)
{
    weir__buf_puts(ret, setting->max == NO_LIMIT ? " of at least " : " from ");
    weir__setting_number(setting, setting->min, ret);
    if (setting->max == NO_LIMIT)
        return;
    weir__buf_puts(ret, " to ");
    weir__setting_number(setting, setting->max, ret);
}

void weir__setting_range(const struct weir_setting *setting, struct weir__buf *ret)
{
    static const char *const kinds[] = { "text", "a number", "a duration", "a size", "true or false", NULL };

    if (setting->type != WEIR_SETTING_CHOICE) {
        weir__buf_puts(ret, kinds[setting->type]);
        if (setting->type == WEIR_SETTING_INT || setting->type == WEIR_SETTING_DURATION ||
            setting->type == WEIR_SETTING_SIZE)
            print_limits(setting, ret);
        return;
    }
    for (const char *at = setting->choices; *at; at++) {
        if (*at != '|')
            weir__buf_putc(ret, *at);
        else
            weir__buf_puts(ret, strchr(at + 1, '|') ? ", " : " or ");
    }
}

void weir__setting_variable(const char *name, struct weir__buf *ret)
{
    weir__buf_puts(ret, "WEIR_");
    for (; *name; name++)
        weir__buf_putc(ret, (char)(*name == '.' ? '_' : toupper((unsigned char)*name)));
}
