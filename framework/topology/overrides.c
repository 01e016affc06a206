/* overrides.c: "<topology>.<node or store>.<field>" of the configuration, laid over the copies that are compiled.
 *
 * (1) A field is asked for only where it means something, so that the configuration can tell which settings nobody
 *     took.
 * (2) A node's name stands for its store too: size, grace and the rest of what it keeps.
 */
#include "framework/topology/internal.h"

static const char *ask(struct weir__compiler *compiler, const char *element, const char *field)
{
    if (compiler->config->config == NULL || element == NULL)
        return NULL;
    return weir__config_override(compiler->config->config, compiler->topology->name, element, field);
}

static void bad(struct weir__compiler *compiler, const char *element, const char *field, const char *value,
                const char *wanted)
{
    weir__fault(compiler, WEIR_BAD_CONFIG, element, "setting %s.%s.%s is \"%s\": give %s", compiler->topology->name,
                element, field, value, wanted);
}

static void ask_ms(struct weir__compiler *compiler, const char *element, const char *field, int64_t *into)
{
    const char *value = ask(compiler, element, field);

    if (value != NULL && weir__parse_duration(value, into) < 0)
        bad(compiler, element, field, value, "a duration such as 250ms, 10s, 5m, 2h or 7d");
}

static void ask_tri(struct weir__compiler *compiler, const char *element, const char *field, enum weir_tri *into)
{
    const char *value = ask(compiler, element, field);

    if (value == NULL)
        return;
    if (strcmp(value, "true") == 0 || strcmp(value, "on") == 0)
        *into = WEIR_ON;
    else if (strcmp(value, "false") == 0 || strcmp(value, "off") == 0)
        *into = WEIR_OFF;
    else
        bad(compiler, element, field, value, "true or false");
}

static void ask_emit(struct weir__compiler *compiler, struct weir__made *made)
{
    static const char *const words[] = {
        [WEIR_ON_COMMIT] = "on_commit", [WEIR_EACH] = "each", [WEIR_ON_CLOSE] = "on_close"
    };
    const char *value = ask(compiler, made->eff.name, "emit");

    if (value == NULL)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcmp(value, words[i]) == 0) {
            made->eff.emit = (int)i;
            return;
        }
    }
    bad(compiler, made->eff.name, "emit", value, "on_commit, each or on_close");
}

static void ask_partitions(struct weir__compiler *compiler, struct weir__made *made)
{
    const char *value = ask(compiler, made->eff.name, "partitions");
    int64_t     number;

    if (value == NULL)
        return;
    if (weir__parse_int64(value, &number) < 0 || number < 0 || number > INT32_MAX)
        bad(compiler, made->eff.name, "partitions", value, "a number, 0 for as many as upstream");
    else
        made->eff.partitions = (int)number;
}

/* "a, b" as a NULL-ended list. */
static const char *const *split_list(struct weir__compiler *compiler, const char *text)
{
    const char **topics = NULL;
    size_t       count = 0;

    while (*text != '\0') {
        size_t skip = strspn(text, ", "), size = strcspn(text + skip, ", ");

        if (size > 0)
            ADD(compiler, topics, count, weir__phrase(compiler, "%.*s", (int)size, text + skip));
        text += skip + size;
    }
    ADD(compiler, topics, count, NULL);
    return topics;
}

static void ask_topics(struct weir__compiler *compiler, struct weir__made *made)
{
    const char *value = ask(compiler, made->eff.name, "topics");
    const char *one = ask(compiler, made->eff.name, "topic");

    if (value == NULL)
        value = one;
    if (value != NULL)
        made->eff.topics = split_list(compiler, value);
}

static void override_node(struct weir__compiler *compiler, struct weir__made *made)
{
    struct weir_node *eff = &made->eff;

    switch (eff->kind) {
    case WEIR_SOURCE:
    case WEIR_TABLE:
    case WEIR_GLOBAL:
    case WEIR_SINK: ask_topics(compiler, made); break;
    case WEIR_REPARTITION: ask_partitions(compiler, made); break;
    case WEIR_COUNT:
    case WEIR_REDUCE:
    case WEIR_AGGREGATE: ask_emit(compiler, made); break;
    case WEIR_JOIN: ask_ms(compiler, eff->name, "grace", &eff->grace); break;
    default: break;
    }
    if (eff->kind == WEIR_JOIN || eff->kind == WEIR_SUPPRESS) {
        ask_tri(compiler, eff->name, "log", &eff->log);
        ask_tri(compiler, eff->name, "in_memory", &eff->in_memory);
    }
}

void weir__override_nodes(struct weir__compiler *compiler)
{
    for (size_t i = 0; i < compiler->made_count; i++)
        override_node(compiler, compiler->made[i]);
}

void weir__override_store(struct weir__compiler *compiler, struct weir__kept *kept, const char *element)
{
    if (kept->eff.windows != NULL) {
        ask_ms(compiler, element, "size", &kept->windows.size);
        ask_ms(compiler, element, "grace", &kept->windows.grace);
        ask_ms(compiler, element, "retention", &kept->windows.retention);
        ask_ms(compiler, element, "idle", &kept->windows.idle);
    }
    ask_tri(compiler, element, "in_memory", &kept->eff.in_memory);
    ask_tri(compiler, element, "cache", &kept->eff.cache);
    ask_tri(compiler, element, "log", &kept->eff.log);
}
