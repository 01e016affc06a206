/* overrides.c: "<topology>.<node or store>.<field>" of the configuration, laid over the copies that are compiled.
 *
 * (1) A field is asked for only where it means something, so that the configuration can tell which settings nobody
 *     took.
 * (2) A node's name stands for its store too: size, grace and the rest of what it keeps.
 */
#include "framework/topology/internal.h"

/* What was taken is kept in the plan, once, to be shown. */
static void note(struct weir__compiler *compiler, const char *element, const char *field, const char *value)
{
    struct weir__plan    *plan = compiler->plan;
    struct weir__override override = { .element = element,
                                       .field = field,
                                       .value = weir__phrase(compiler, "%s", value) };

    for (size_t i = 0; i < plan->override_count; i++)
        if (strcmp(plan->overrides[i].element, element) == 0 && strcmp(plan->overrides[i].field, field) == 0)
            return;
    ADD(compiler, plan->overrides, plan->override_count, override);
}

static const char *ask(struct weir__compiler *compiler, const char *element, const char *field)
{
    const char *value = NULL;

    if (compiler->config->config != NULL && element != NULL)
        value = weir__config_override(compiler->config->config, compiler->topology->name, element, field);
    if (value != NULL)
        note(compiler, element, field, value);
    return value;
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

/* true, on: 1; false, off: 0; else -1. */
static int read_switch(const char *value)
{
    if (strcmp(value, "true") == 0 || strcmp(value, "on") == 0)
        return 1;
    return strcmp(value, "false") == 0 || strcmp(value, "off") == 0 ? 0 : -1;
}

static void ask_tri(struct weir__compiler *compiler, const char *element, const char *field, enum weir_tri *into)
{
    const char *value = ask(compiler, element, field);

    if (value != NULL && read_switch(value) < 0)
        bad(compiler, element, field, value, "true or false");
    else if (value != NULL)
        *into = read_switch(value) == 1 ? WEIR_ON : WEIR_OFF;
}

/* words: of the values from 0 on, NULL-ended. */
static void ask_word(struct weir__compiler *compiler, const char *element, const char *field,
                     const char *const *words, const char *wanted, int *into)
{
    const char *value = ask(compiler, element, field);

    for (int i = 0; value != NULL && words[i] != NULL; i++) {
        if (strcmp(value, words[i]) == 0) {
            *into = i;
            return;
        }
    }
    if (value != NULL)
        bad(compiler, element, field, value, wanted);
}

static void ask_emit(struct weir__compiler *compiler, struct weir__made *made)
{
    static const char *const words[] = {
        [WEIR_ON_COMMIT] = "on_commit", [WEIR_EACH] = "each", [WEIR_ON_CLOSE] = "on_close", NULL
    };

    ask_word(compiler, made->eff.name, "emit", words, "on_commit, each or on_close", &made->eff.emit);
}

static void ask_windows(struct weir__compiler *compiler, const char *element, struct weir_windows *windows)
{
    static const char *const times[] = { [WEIR_PER_PARTITION] = "per_partition", [WEIR_PER_KEY] = "per_key", NULL };
    static const char *const late[] = { [WEIR_CORRECT] = "correct", [WEIR_REFUSE] = "refuse", NULL };

    if (!windows->fixed) {
        ask_ms(compiler, element, "size", &windows->size);
        ask_word(compiler, element, "time", times, "per_partition or per_key", &windows->time);
        ask_ms(compiler, element, "retention", &windows->retention);
        ask_word(compiler, element, "late", late, "correct or refuse", &windows->late);
    }
    ask_ms(compiler, element, "grace", &windows->grace);
    ask_ms(compiler, element, "idle", &windows->idle);
    ask_ms(compiler, element, "ttl", &windows->ttl);
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

/* In which of two forms a sink writes. */
static void ask_format(struct weir__compiler *compiler, struct weir__made *made)
{
    const struct weir_codec *codec = made->eff.value;
    const char              *value = ask(compiler, made->eff.name, "format");

    if (value == NULL || strcmp(value, codec->form) == 0)
        return;
    if (strcmp(value, codec->other->form) == 0)
        made->eff.value = codec->other;
    else
        bad(compiler, made->eff.name, "format", value,
            weir__phrase(compiler, "%s or %s", codec->form, codec->other->form));
}

/* Whether the text can be read as the option's type. */
static bool read_option(const struct weir_option *option, const char *text, struct weir__option *ret)
{
    *ret = (struct weir__option){ .name = option->name, .text = text };
    if (option->type == WEIR_OPTION_SWITCH)
        ret->number = read_switch(text);
    else if (option->type == WEIR_OPTION_DURATION && weir__parse_duration(text, &ret->number) < 0)
        return false;
    return ret->number >= 0;
}

static void ask_options(struct weir__compiler *compiler, struct weir__made *made)
{
    static const char *const wanted[] = { [WEIR_OPTION_TEXT] = "a text",
                                          [WEIR_OPTION_SWITCH] = "on or off",
                                          [WEIR_OPTION_DURATION] = "a duration such as 250ms, 10s, 5m, 2h or 7d" };
    size_t                   count = 0;

    for (const struct weir_option *option = made->eff.options; option->name != NULL; option++) {
        const char         *value = ask(compiler, made->eff.name, option->name);
        struct weir__option read;
        struct weir_error   words = { 0 };

        if (value != NULL)
            value = weir__phrase(compiler, "%s", value);
        if (!read_option(option, value != NULL ? value : option->standard, &read))
            bad(compiler, made->eff.name, option->name, read.text, wanted[option->type]);
        else if (option->check != NULL && option->check(read.text, &words) < 0)
            bad(compiler, made->eff.name, option->name, read.text, weir__phrase(compiler, "another: %s", words.text));
        ADD(compiler, made->options, count, read);
    }
    ADD(compiler, made->options, count, (struct weir__option){ .name = NULL });
}

static void override_node(struct weir__compiler *compiler, struct weir__made *made)
{
    struct weir_node *eff = &made->eff;

    if (weir__has_field(eff, "topics"))
        ask_topics(compiler, made);
    if (weir__has_field(eff, "partitions"))
        ask_partitions(compiler, made);
    if (weir__has_field(eff, "emit"))
        ask_emit(compiler, made);
    if (eff->options != NULL)
        ask_options(compiler, made);
    if (eff->kind == WEIR_SINK && eff->value != NULL && eff->value->form != NULL)
        ask_format(compiler, made);
    if (eff->kind == WEIR_JOIN)
        ask_ms(compiler, eff->name, "grace", &eff->grace);
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

const char *weir__override_dead_letters(struct weir__compiler *compiler, const struct weir_node *sink)
{
    const char *value = ask(compiler, sink->name, "topic");

    return value != NULL ? weir__phrase(compiler, "%s", value) : sink->topics[0];
}

void weir__override_store(struct weir__compiler *compiler, struct weir__kept *kept, const char *element)
{
    if (kept->eff.windows != NULL)
        ask_windows(compiler, element, &kept->windows);
    ask_tri(compiler, element, "in_memory", &kept->eff.in_memory);
    ask_tri(compiler, element, "cache", &kept->eff.cache);
    ask_tri(compiler, element, "log", &kept->eff.log);
}

/* ---- what nobody took ---- */

/* The sink for dead letters stands in no path. NULL: there is none, or it has no name. */
static const char *dead_letters_name(const struct weir__compiler *compiler)
{
    return compiler->topology->dead_letters != NULL ? compiler->topology->dead_letters->name : NULL;
}

static bool is_element(const struct weir__compiler *compiler, const char *name)
{
    const char *dead_letters = dead_letters_name(compiler);

    for (size_t i = 0; i < compiler->made_count; i++)
        if (strcmp(compiler->made[i]->eff.name, name) == 0)
            return true;
    for (size_t i = 0; i < compiler->kept_count; i++)
        if (compiler->kept[i]->spec != NULL && compiler->kept[i]->spec->name != NULL &&
            strcmp(compiler->kept[i]->spec->name, name) == 0)
            return true;
    return strcmp(name, "http") == 0 || (dead_letters != NULL && strcmp(name, dead_letters) == 0);
}

static const char *nearest_element(struct weir__compiler *compiler, const char *name)
{
    const char **names = NULL;
    size_t       count = 0;

    for (size_t i = 0; i < compiler->made_count; i++)
        ADD(compiler, names, count, compiler->made[i]->eff.name);
    for (size_t i = 0; i < compiler->kept_count; i++)
        if (compiler->kept[i]->spec != NULL && compiler->kept[i]->spec->name != NULL)
            ADD(compiler, names, count, compiler->kept[i]->spec->name);
    if (dead_letters_name(compiler) != NULL)
        ADD(compiler, names, count, dead_letters_name(compiler));
    return weir__suggest(name, names, count);
}

static size_t add_options(const struct weir__compiler *compiler, const char *element, const char **names, size_t most)
{
    size_t count = 0;

    for (size_t i = 0; i < compiler->made_count; i++)
        if (strcmp(compiler->made[i]->eff.name, element) == 0)
            for (const struct weir_option *at = compiler->made[i]->eff.options;
                 at != NULL && at->name != NULL && count < most; at++)
                names[count++] = at->name;
    return count;
}

static const char *nearest_field(const struct weir__compiler *compiler, const char *element, const char *field,
                                 bool *ret_known)
{
    const char *names[64];
    size_t      count = add_options(compiler, element, names, 32);

    *ret_known = false;
    for (const struct weir__field *at = weir__fields; at->name != NULL && count < ARRAY_SIZE(names); at++) {
        names[count++] = at->name;
        *ret_known = *ret_known || strcmp(at->name, field) == 0;
    }
    return weir__suggest(field, names, count);
}

static void refuse_element(struct weir__compiler *compiler, const char *where, const char *element)
{
    const char *near = nearest_element(compiler, element);

    if (near != NULL)
        weir__fault(compiler, WEIR_BAD_CONFIG, where, "there is no node or store \"%s\": did you mean \"%s\"?",
                    element, near);
    else
        weir__fault(compiler, WEIR_BAD_CONFIG, where, "there is no node or store \"%s\": \"describe\" shows all",
                    element);
}

static void refuse_field(struct weir__compiler *compiler, const char *where, const char *element, const char *field)
{
    bool        known;
    const char *near = nearest_field(compiler, element, field, &known);

    if (known)
        weir__fault(compiler, WEIR_BAD_CONFIG, where, "%s means nothing for %s: leave it out", field, element);
    else if (near != NULL)
        weir__fault(compiler, WEIR_BAD_CONFIG, where, "%s has no field \"%s\" to set: did you mean \"%s\"?", element,
                    field, near);
    else
        weir__fault(compiler, WEIR_BAD_CONFIG, where, "%s has no field \"%s\" to set: \"help\" lists all", element,
                    field);
}

void weir__override_rest(struct weir__compiler *compiler)
{
    struct weir__unused unused;
    size_t              at = 0;

    while (compiler->config->config != NULL &&
           weir__config_unused(compiler->config->config, compiler->topology->name, &at, &unused)) {
        const char *element = weir__phrase(compiler, "%.*s", (int)unused.element_size, unused.element);

        if (is_element(compiler, element))
            refuse_field(compiler, unused.where, element, unused.field);
        else
            refuse_element(compiler, unused.where, element);
    }
}
