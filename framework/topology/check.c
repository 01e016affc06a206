/* check.c: what can be wrong with a node or a store by itself: fields, verbs, numbers, windows, the number of inputs.
 *
 * (1) One table says which fields mean something for a kind and which it must have; all others are faults.
 */
#include "framework/record/record.h"
#include "framework/topology/internal.h"

/* clang-format off */
/* X(field): all of struct weir_node that not every kind has (clang-format never settles on one form of the list). */
#define FIELDS(X)                                                                                              \
    X(grouped) X(side) X(emit) X(reset) X(partitions) X(when_full) X(topics) X(settings) X(key) X(value) X(into) X(uses)   \
    X(stores_called) X(with) X(looks_up) X(legs) X(arms) X(arg) X(options) X(before) X(after) X(grace) X(until)           \
    X(max_bytes) X(max_records) X(log) X(in_memory) X(state) X(open) X(process) X(close) X(test) X(map)        \
    X(select) X(foreign) X(final) X(flush) X(init) X(fold) X(subtract) X(unite) X(join) X(extract) X(route) X(outlet)
/* clang-format on */

#define NUMBER(field) F_##field,
enum { FIELDS(NUMBER) FIELD_COUNT };
#undef NUMBER
#define BIT(field) B_##field = UINT64_C(1) << F_##field,
enum bits { FIELDS(BIT) };
#undef BIT
#define WORD(field) #field,
static const char *const words[] = { FIELDS(WORD) };
#undef WORD

#define VERB  (B_arg | B_options | B_state | B_looks_up)
#define HOOKS (B_open | B_close)

static const struct rule {
    uint64_t may, must;
    int      inputs; /* at most; 0 = none, -1 = any number from 1 */
} rules[] = {
    [WEIR_SOURCE] = { B_extract | B_reset | B_arg | B_partitions, B_topics | B_key | B_value, 0 },
    [WEIR_TABLE] = { B_into | B_key | B_value | B_extract | B_reset | B_arg | B_emit | B_partitions, B_topics, 0 },
    [WEIR_GLOBAL] = { B_grouped | B_key | B_value | B_process | B_arg | B_state | B_partitions | HOOKS,
                      B_topics | B_into, 0 },
    [WEIR_SINK] = { B_key | B_value | B_route | B_partitions | B_settings | VERB, B_topics, -1 },
    [WEIR_STEP] = { B_key | B_value | B_uses | B_final | B_flush | VERB | HOOKS, B_process, -1 },
    [WEIR_STEP_VALUES] = { B_value | B_uses | B_final | B_flush | VERB | HOOKS, B_process, -1 },
    [WEIR_KEEP] = { B_into | B_emit | VERB, B_test, 1 },
    [WEIR_DROP] = { B_into | B_emit | VERB, B_test, 1 },
    [WEIR_MAP] = { B_key | B_value | VERB, B_map, 1 },
    [WEIR_MAP_VALUES] = { B_value | B_into | B_emit | VERB, B_map, 1 },
    [WEIR_FLAT_MAP] = { B_key | B_value | VERB | HOOKS, B_process, 1 },
    [WEIR_FLAT_MAP_VALUES] = { B_value | VERB | HOOKS, B_process, 1 },
    [WEIR_PEEK] = { VERB | HOOKS, B_process, 1 },
    [WEIR_FOREACH] = { VERB | HOOKS, B_process, -1 },
    [WEIR_REKEY] = { B_select | B_map | B_key | B_value | VERB, 0, 1 },
    [WEIR_REPARTITION] = { B_partitions, 0, 1 },
    [WEIR_SPLIT] = { 0, B_legs, 1 },
    [WEIR_LEG] = { B_test | B_arg, 0, 0 },
    [WEIR_MERGE] = { 0, 0, -1 },
    [WEIR_COUNT] = { B_into | B_grouped | B_emit, 0, 1 },
    [WEIR_REDUCE] = { B_into | B_grouped | B_emit | B_subtract | VERB, B_fold, 1 },
    [WEIR_AGGREGATE] = { B_into | B_grouped | B_emit | B_value | B_init | B_subtract | B_unite | VERB, B_fold, 1 },
    [WEIR_COGROUP] = { B_into | B_grouped | B_emit | B_value | B_init | B_unite | VERB, B_arms, -1 },
    [WEIR_AS_TABLE] = { B_into | B_emit, 0, 1 },
    [WEIR_AS_STREAM] = { B_select | B_key | VERB, 0, 1 },
    [WEIR_JOIN] = { B_side | B_grouped | B_value | B_select | B_foreign | B_into | B_before | B_after | B_grace |
                        B_uses | B_stores_called | B_log | B_in_memory | VERB,
                    B_with | B_join, 1 },
    [WEIR_OUTLET] = { B_key | B_value | VERB, B_outlet, -1 },
    [WEIR_SUPPRESS] = { B_max_bytes | B_max_records | B_when_full | B_log | B_in_memory | B_until, 0, 1 },
};

static uint64_t fields_of(const struct weir_node *node)
{
    uint64_t set = 0;

#define ASK(field) set |= node->field ? B_##field : 0;
    FIELDS(ASK)
#undef ASK
    return set;
}

bool weir__has_field(const struct weir_node *node, const char *field)
{
    if (node->kind <= WEIR__NO_NODE || (size_t)node->kind >= ARRAY_SIZE(rules))
        return false;
    for (int i = 0; i < FIELD_COUNT; i++)
        if (strcmp(words[i], field) == 0)
            return ((rules[node->kind].may | rules[node->kind].must) & UINT64_C(1) << i) != 0;
    return false;
}

static void check_fields(struct weir__compiler *compiler, const struct weir_node *node)
{
    const struct rule *rule = &rules[node->kind];
    uint64_t           set = fields_of(node);

    for (int i = 0; i < FIELD_COUNT; i++) {
        uint64_t bit = UINT64_C(1) << i;

        if (set & bit & ~(rule->may | rule->must))
            weir__fault(compiler, WEIR_BAD_TOPOLOGY, node->name, ".%s means nothing for a %s: leave it out", words[i],
                        weir__kind_word(node->kind));
        if (~set & bit & rule->must)
            weir__fault(compiler, WEIR_BAD_TOPOLOGY, node->name, "a %s needs .%s", weir__kind_word(node->kind),
                        words[i]);
    }
    if ((B_with | B_legs | B_topics | B_arms) & rule->must & ~set)
        compiler->broken = true;
}

/* ---- numbers ---- */

static void check_choice(struct weir__compiler *compiler, const struct weir_node *node, const char *field, int value,
                         int last)
{
    if (value < 0 || value > last)
        weir__fault(compiler, WEIR_BAD_ARGUMENT, node->name, ".%s is %d, which is none of its values", field, value);
}

static void check_settings(struct weir__compiler *compiler, const char *const *settings, const char *label)
{
    for (size_t i = 0; settings != NULL && settings[i] != NULL; i++) {
        const char *equals = strchr(settings[i], '=');

        if (equals == NULL || equals == settings[i])
            weir__fault(compiler, WEIR_BAD_ARGUMENT, label, "\"%.80s\" of .settings is no \"name=value\"",
                        settings[i]);
    }
}

static void check_positive(struct weir__compiler *compiler, const char *where, const char *field, int64_t value)
{
    if (value < 0)
        weir__fault(compiler, WEIR_BAD_ARGUMENT, where, ".%s is negative: give 0 or more", field);
}

static void check_numbers(struct weir__compiler *compiler, const struct weir_node *node)
{
    check_choice(compiler, node, "side", node->side, WEIR_OUTER);
    check_choice(compiler, node, "emit", node->emit, WEIR_ON_CLOSE);
    check_choice(compiler, node, "reset", node->reset, WEIR_NONE);
    check_choice(compiler, node, "when_full", node->when_full, WEIR_UNBOUNDED);
    check_positive(compiler, node->name, "partitions", node->partitions);
    check_settings(compiler, node->settings, node->name);
    check_positive(compiler, node->name, "grace", node->grace);
    check_positive(compiler, node->name, "max_bytes", node->max_bytes);
    check_positive(compiler, node->name, "max_records", node->max_records);
    if (weir__time_add(node->before, node->after) < 0)
        weir__fault(compiler, WEIR_BAD_ARGUMENT, node->name, ".before and .after make a negative window");
}

static void check_codec(struct weir__compiler *compiler, const struct weir_node *node, const struct weir_codec *codec)
{
    if (codec != NULL && codec->bytes > WEIR__VALUE_MAX)
        weir__fault(compiler, WEIR_BAD_TYPE, node->name, "values of %s take %zu bytes of memory: at most %zu can be",
                    codec->name, codec->bytes, WEIR__VALUE_MAX);
}

/* ---- rules that one table cannot say ---- */

static size_t count_topics(const struct weir_node *node)
{
    size_t count = 0;

    while (node->topics != NULL && node->topics[count] != NULL)
        count++;
    return count;
}

static void check_topic_count(struct weir__compiler *compiler, const struct weir_node *node)
{
    size_t count = count_topics(node);
    bool   many = node->kind == WEIR_SOURCE || (node->kind == WEIR_SINK && node->route != NULL);

    if (node->topics == NULL)
        return;
    if (count == 0)
        weir__broken(compiler, node->name, "names no topic: give .topics");
    else if (count > 1 && !many)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, node->name, "a %s has one topic%s", weir__kind_word(node->kind),
                    node->kind == WEIR_SINK ? ", unless a .route chooses" : "");
}

static void check_rekey(struct weir__compiler *compiler, const struct weir_node *node)
{
    if ((node->select != NULL) == (node->map != NULL))
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, node->name,
                    "a REKEY needs either .select (of a stream) or .map (REGROUP, of a table)");
    if (node->select != NULL && node->value != NULL)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, node->name, ".value means nothing with .select: the value stays");
}

static void check_until(struct weir__compiler *compiler, const struct weir_node *node)
{
    if (node->until < UNTIL_CLOSE)
        return; /* emits at once, as upstream does */
    if (node->until == UNTIL_CLOSE && node->when_full == WEIR_EMIT_EARLY && (node->max_bytes || node->max_records))
        weir__fault(compiler, WEIR_BAD_ARGUMENT, node->name,
                    "what waits for the window's close cannot leave early: SHUT_DOWN or UNBOUNDED");
}

static void check_legs(struct weir__compiler *compiler, const struct weir_node *node)
{
    for (size_t i = 0; node->legs != NULL && node->legs[i] != NULL; i++)
        if (node->legs[i]->test == NULL && node->legs[i + 1] != NULL)
            weir__fault(compiler, WEIR_BAD_TOPOLOGY, node->legs[i]->name,
                        "a leg without .test takes all that is left: put it last in .legs of %s", node->name);
}

static void check_kind(struct weir__compiler *compiler, const struct weir_node *node)
{
    bool folds = (rules[node->kind].may & B_grouped) != 0;

    check_topic_count(compiler, node);
    if (node->emit == WEIR_ON_CLOSE && !folds)
        weir__fault(compiler, WEIR_BAD_ARGUMENT, node->name, ".emit is WEIR_ON_CLOSE, but a %s has no windows",
                    weir__kind_word(node->kind));
    switch (node->kind) {
    case WEIR_REKEY: check_rekey(compiler, node); break;
    case WEIR_SUPPRESS: check_until(compiler, node); break;
    case WEIR_SPLIT: check_legs(compiler, node); break;
    case WEIR_AS_STREAM:
        if (node->key != NULL && node->select == NULL)
            weir__fault(compiler, WEIR_BAD_TOPOLOGY, node->name, ".key means nothing without .select: the key stays");
        break;
    case WEIR_SOURCE:
    case WEIR_TABLE:
        if (node->arg != NULL && node->extract == NULL)
            weir__fault(compiler, WEIR_BAD_TOPOLOGY, node->name, ".arg means nothing without .extract: leave it out");
        break;
    default: break;
    }
}

static void check_inputs(struct weir__compiler *compiler, const struct weir__made *made)
{
    int         most = rules[made->eff.kind].inputs;
    const char *word = weir__kind_word(made->eff.kind);

    if (made->eff.kind == WEIR_LEG && made->split == NULL)
        weir__broken(compiler, made->eff.name, "no SPLIT has this leg: name it in .legs of one");
    if (most != 0 && made->input_count == 0)
        weir__broken(compiler, made->eff.name,
                     "nothing leads to this %s: put it into a path after what it takes from", word);
    if (most == 1 && made->input_count > 1)
        weir__broken(compiler, made->eff.name, "a %s takes from one node, and %zu lead to it: MERGE them before it",
                     word, made->input_count);
}

void weir__check_nodes(struct weir__compiler *compiler)
{
    for (size_t i = 0; i < compiler->made_count; i++) {
        const struct weir__made *made = compiler->made[i];

        if (made->eff.kind <= WEIR__NO_NODE || (size_t)made->eff.kind >= ARRAY_SIZE(rules)) {
            weir__broken(compiler, made->eff.name, "its .kind is %d, which is none", made->eff.kind);
            continue;
        }
        check_fields(compiler, &made->eff);
        check_numbers(compiler, &made->eff);
        check_kind(compiler, &made->eff);
        check_codec(compiler, &made->eff, made->eff.key);
        check_codec(compiler, &made->eff, made->eff.value);
        check_inputs(compiler, made);
    }
}

/* ---- stores ---- */

static void check_windows(struct weir__compiler *compiler, const struct weir__kept *kept, const char *label)
{
    const struct weir_windows *windows = kept->eff.windows;
    const char                *what;
    int                        code;

    if (windows == NULL) {
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, label, "a store of WINDOWS needs .windows");
        return;
    }
    if (kept->closer != NULL && kept->owner != NULL && kept->owner->eff.emit == WEIR_ON_CLOSE)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, label, "its windows close in %s and in %s: .final in one of them",
                    kept->owner->eff.name, kept->closer->eff.name);
    if (kept->owner != NULL || windows->time != WEIR_PER_PARTITION) {
        what = weir__windows_check(windows, &code);
        if (what == NULL && kept->owner != NULL && windows->kind == WEIR_CALENDAR && windows->assign == NULL)
            what = "CALENDAR windows need a function";
        if (what == NULL && windows->time == WEIR_PER_KEY && kept->eff.duplicates)
            what = ".duplicates mean nothing for windows by key time: leave them out";
        if (what != NULL)
            weir__fault(compiler, code, label, "%s", what);
        return;
    }
    check_positive(compiler, label, "windows.size", windows->size);
    check_positive(compiler, label, "windows.retention", windows->retention);
    if (windows->retention > 0 && windows->retention < windows->size)
        weir__fault(compiler, WEIR_BAD_ARGUMENT, label, "the retention is shorter than the size of its windows");
}

static void check_history(struct weir__compiler *compiler, const struct weir_store *store, const char *label)
{
    check_positive(compiler, label, "history", store->history);
    check_positive(compiler, label, "segment", store->segment);
    check_positive(compiler, label, "max", store->max);
    if (store->kind == WEIR_LRU && store->max == 0)
        weir__fault(compiler, WEIR_BAD_ARGUMENT, label, "an LRU store needs .max: how many rows it keeps");
    if (store->kind != WEIR_LRU && store->max > 0)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, label, ".max means nothing but for an LRU store: leave it out");
    if (store->kind != WEIR_VERSIONED && (store->history != 0 || store->segment != 0))
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, label,
                    ".history and .segment mean nothing but for a VERSIONED store");
}

void weir__check_store(struct weir__compiler *compiler, const struct weir__kept *kept)
{
    const struct weir_store *store = &kept->eff;
    const char              *label = weir__store_label(store);

    if (store->kind <= WEIR__NO_STORE || store->kind > WEIR_LRU)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, label, "its .kind is %d, which is none", store->kind);
    if (store->key == NULL || store->value == NULL)
        weir__fault(compiler, WEIR_BAD_TYPE, label, "a store needs codecs: give .key and .value");
    if (store->kind == WEIR_WINDOWS)
        check_windows(compiler, kept, label);
    else if (store->windows != NULL)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, label,
                    ".windows mean nothing but for a store of WINDOWS: leave them out");
    if (store->duplicates && store->kind != WEIR_WINDOWS)
        weir__fault(compiler, WEIR_BAD_TOPOLOGY, label, ".duplicates mean nothing but for a store of WINDOWS");
    check_history(compiler, store, label);
    check_settings(compiler, store->settings, label);
}

/* A step beside a global store would be run by nobody: global stores make no tasks. */
void weir__check_uses(struct weir__compiler *compiler)
{
    for (size_t i = 0; i < compiler->made_count; i++) {
        const struct weir__made *made = compiler->made[i];

        for (size_t j = 0; made->eff.uses != NULL && made->eff.uses[j] != NULL; j++) {
            const struct weir__kept *kept = weir__kept_of(compiler, made->eff.uses[j]);

            if (kept->plan->global)
                weir__fault(compiler, WEIR_BAD_TOPOLOGY, made->eff.name,
                            "\"%s\" is the store of GLOBAL %s, which alone writes it: name %s in .looks_up instead",
                            kept->plan->name, kept->owner->eff.name, kept->owner->eff.name);
        }
    }
}
