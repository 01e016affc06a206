/* config.c: the values in force: set with a rank, checked when set, asked for by key. */
#include "framework/config/internal.h"

static void free_list(char **list)
{
    for (char **item = list; item && *item; item++)
        weir__free(*item);
    weir__free(list);
}

static void free_pairs(struct weir__pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        weir__free(pairs->items[i].key);
        weir__free(pairs->items[i].value);
        weir__free(pairs->items[i].where);
    }
    weir__free(pairs->items);
}

void weir__config_free(struct weir__config *config)
{
    if (!config)
        return;
    for (size_t i = 0; config->values && i < config->setting_count; i++) {
        weir__free(config->values[i].text);
        weir__free(config->values[i].file);
    }
    weir__free(config->values);
    weir__free(config->settings);
    free_list(config->topologies);
    free_list(config->kafka_list);
    free_pairs(&config->overrides);
    free_pairs(&config->kafka);
    weir__free(config);
}

static void free_config(struct weir__config **config) { weir__config_free(*config); }

static int copy_names(const char *const *names, char ***ret)
{
    size_t count = 0;
    char **copy;

    while (names && names[count])
        count++;
    copy = *ret = weir__zalloc((count + 1) * sizeof(*copy));
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = weir__strdup(names[i]);
        if (!copy[i])
            return WEIR_NO_MEMORY;
    }
    return copy ? WEIR_OK : WEIR_NO_MEMORY;
}

static bool is_name(const char *name)
{
    return name[0] && !strpbrk(name, "_ABCDEFGHIJKLMNOPQRSTUVWXYZ =") &&
           strncmp(name, WEIR__KAFKA, strlen(WEIR__KAFKA));
}

/* A row behind those that are there; its default is in force. */
static int add_setting(struct weir__config *config, const struct weir_setting *setting, struct weir_error *reterr)
{
    size_t n = config->setting_count;

    if (!is_name(setting->name) || weir__setting_index(config, setting->name) < n)
        return weir__fail(reterr, WEIR_BAD_TOPOLOGY, setting->name,
                          "no such setting can be added: it has no legal name, or there is one of this name");
    config->settings[n] = setting;
    config->setting_count++;
    if (!setting->standard)
        return WEIR_OK;
    return weir__setting_parse(setting, setting->standard, &config->values[n].number, setting->name, reterr) < 0
               ? weir__fail(reterr, WEIR_BAD_TOPOLOGY, setting->name, "its default \"%.80s\" is none of its values",
                            setting->standard)
               : WEIR_OK;
}

static int add_table(struct weir__config *config, const struct weir_setting *table, struct weir_error *reterr)
{
    int err = WEIR_OK;

    for (; err == WEIR_OK && table && table->name; table++)
        err = add_setting(config, table, reterr);
    return err;
}

static size_t count_settings(const struct weir_setting *table)
{
    size_t count = 0;

    while (table && table[count].name)
        count++;
    return count;
}

/* Whether an earlier place of the list has the same table. */
static bool is_repeated(const struct weir_setting *const *own, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (own[i] == own[at])
            return true;
    return false;
}

static int add_settings(struct weir__config *config, const struct weir_setting *const *own, struct weir_error *reterr)
{
    size_t most = count_settings(weir__settings);
    int    err;

    for (size_t i = 0; own && own[i]; i++)
        most += count_settings(own[i]);
    config->settings = weir__zalloc(most * sizeof(*config->settings));
    config->values = weir__zalloc(most * sizeof(*config->values));
    if (!config->settings || !config->values)
        return WEIR_NO_MEMORY;
    err = add_table(config, weir__settings, reterr);
    for (size_t i = 0; err == WEIR_OK && own && own[i]; i++)
        if (!is_repeated(own, i))
            err = add_table(config, own[i], reterr);
    return err;
}

int weir__config_new(const char *const *topologies, const struct weir_setting *const *own, struct weir__config **ret,
                     struct weir_error *reterr)
{
    AUTO(free_config) struct weir__config *config = weir__zalloc(sizeof(*config));
    int                                    err = WEIR_NO_MEMORY;

    if (config && copy_names(topologies, &config->topologies) == WEIR_OK) {
        config->kafka_list = weir__zalloc(sizeof(*config->kafka_list));
        err = config->kafka_list ? add_settings(config, own, reterr) : WEIR_NO_MEMORY;
    }
    if (err == WEIR_NO_MEMORY)
        return weir__fail(reterr, err, "settings", "out of memory");
    if (err < 0)
        return err;
    *ret = config;
    config = NULL;
    return WEIR_OK;
}

/* ---- setting ---- */

static int fail_memory(const char *where, struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_NO_MEMORY, where, "out of memory");
}

static int set_known(struct weir__config *config, size_t index, enum weir__rank rank, const char *text,
                     const char *where, struct weir_error *reterr)
{
    struct weir__value *value = &config->values[index];
    int64_t             number;
    char               *copy;
    int                 err;

    err = weir__setting_parse(config->settings[index], text, &number, where, reterr);
    if (err < 0 || rank < value->rank)
        return err;
    copy = weir__strdup(text);
    if (!copy)
        return fail_memory(where, reterr);
    weir__free(value->text);
    weir__free(value->file);
    *value = (struct weir__value){ .text = copy, .number = number, .rank = rank };
    return WEIR_OK;
}

static struct weir__pair *find_pair(const struct weir__pairs *pairs, const char *key)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (strcmp(pairs->items[i].key, key) == 0)
            return &pairs->items[i];
    return NULL;
}

static int add_pair(struct weir__pairs *pairs, const char *key, struct weir__pair **ret)
{
    char *copy;

    if (GROW(pairs->items, pairs->capacity, pairs->count) < 0)
        return WEIR_NO_MEMORY;
    copy = weir__strdup(key);
    if (!copy)
        return WEIR_NO_MEMORY;
    *ret = &pairs->items[pairs->count++];
    **ret = (struct weir__pair){ .key = copy };
    return WEIR_OK;
}

static int set_pair(struct weir__pairs *pairs, enum weir__rank rank, const char *key, const char *text,
                    const char *where)
{
    struct weir__pair *pair = find_pair(pairs, key);
    char              *value, *place;

    if (pair && rank < pair->rank)
        return WEIR_OK;
    value = weir__strdup(text);
    place = weir__strdup(where);
    if (!value || !place || (!pair && add_pair(pairs, key, &pair) < 0)) {
        weir__free(value);
        weir__free(place);
        return WEIR_NO_MEMORY;
    }
    weir__free(pair->value);
    weir__free(pair->where);
    *pair = (struct weir__pair){ .key = pair->key, .value = value, .where = place, .rank = rank, .used = pair->used };
    return WEIR_OK;
}

static int list_kafka(struct weir__config *config)
{
    char **list = weir__zalloc((config->kafka.count + 1) * sizeof(*list));

    for (size_t i = 0; list && i < config->kafka.count; i++) {
        const struct weir__pair *pair = &config->kafka.items[i];
        size_t                   size = strlen(pair->key) + strlen(pair->value) + 2;

        list[i] = weir__alloc(size);
        if (!list[i]) {
            free_list(list);
            return WEIR_NO_MEMORY;
        }
        snprintf(list[i], size, "%s=%s", pair->key, pair->value);
    }
    if (!list)
        return WEIR_NO_MEMORY;
    free_list(config->kafka_list);
    config->kafka_list = list;
    return WEIR_OK;
}

static size_t count_segments(const char *key)
{
    size_t count = 1;

    if (key[0] == '.' || strstr(key, "..") || !key[0] || key[strlen(key) - 1] == '.')
        return 0;
    for (; *key; key++)
        count += *key == '.';
    return count;
}

static bool starts_with_topology(const struct weir__config *config, const char *key)
{
    for (char **name = config->topologies; *name; name++)
        if (strncmp(key, *name, strlen(*name)) == 0 && key[strlen(*name)] == '.')
            return true;
    return false;
}

static int fail_unknown(const struct weir__config *config, const char *key, const char *where,
                        struct weir_error *reterr)
{
    const char *near = weir__setting_nearest(config, key);

    if (near)
        return weir__fail(reterr, WEIR_BAD_CONFIG, where, "unknown key \"%.100s\": did you mean \"%s\"?", key, near);
    if (starts_with_topology(config, key))
        return weir__fail(reterr, WEIR_BAD_CONFIG, where,
                          "\"%.100s\" is no override: it has three parts, <topology>.<node or store>.<field>", key);
    return weir__fail(reterr, WEIR_BAD_CONFIG, where,
                      "unknown key \"%.100s\": --help lists all; librdkafka's properties begin with \"" WEIR__KAFKA
                      "\", overrides are <topology>.<node or store>.<field>",
                      key);
}

static int set_kafka(struct weir__config *config, enum weir__rank rank, const char *name, const char *value,
                     const char *where, struct weir_error *reterr)
{
    if (!*name)
        return weir__fail(reterr, WEIR_BAD_CONFIG, where, "\"" WEIR__KAFKA "\" needs a property's name after it");
    if (set_pair(&config->kafka, rank, name, value, where) < 0 || list_kafka(config) < 0)
        return fail_memory(where, reterr);
    return WEIR_OK;
}

/* Which of the two would count is for nobody to guess. */
static int check_once(const struct weir__config *config, size_t index, enum weir__rank rank, bool as_file,
                      const char *where, struct weir_error *reterr)
{
    const struct weir__value *value = &config->values[index];

    if (value->text == NULL || rank != value->rank || as_file == (value->file != NULL))
        return WEIR_OK;
    return weir__fail(reterr, WEIR_BAD_CONFIG, where, "%s is given twice, as itself and as a file: take one away",
                      config->settings[index]->name);
}

/* The setting that "<key>.file" gives; the count when there is none. */
static size_t index_of_file(const struct weir__config *config, const char *key)
{
    static const char ending[] = ".file";
    char              stem[128];
    size_t            size = strlen(key), room = strlen(ending);

    if (size <= room || size - room >= sizeof(stem) || strcmp(key + size - room, ending) != 0)
        return config->setting_count;
    snprintf(stem, sizeof(stem), "%.*s", (int)(size - room), key);
    return weir__setting_may_be_file(stem) ? weir__setting_index(config, stem) : config->setting_count;
}

bool weir__config_takes(const struct weir__config *config, const char *key)
{
    return weir__setting_index(config, key) < config->setting_count ||
           index_of_file(config, key) < config->setting_count;
}

int weir__secret_read(const char *path, struct weir__buf *ret, struct weir_error *reterr)
{
    int err = weir__read_file(path, ret, reterr);

    while (err == WEIR_OK && ret->size > 0 && (ret->data[ret->size - 1] == '\n' || ret->data[ret->size - 1] == '\r'))
        ret->size--;
    if (err == WEIR_OK && ret->size == 0)
        return weir__fail(reterr, WEIR_BAD_CONFIG, path, "the file is empty: write the secret into it");
    if (err == WEIR_OK && memchr(ret->data, '\0', ret->size) != NULL)
        return weir__fail(reterr, WEIR_BAD_CONFIG, path, "a zero byte in the file: it is not text");
    weir__buf_putc(ret, '\0');
    return err == WEIR_OK && !weir__buf_ok(ret) ? fail_memory(path, reterr) : err;
}

void weir__secret_fini(struct weir__buf *secret)
{
    if (secret->data != NULL)
        explicit_bzero(secret->data, secret->capacity);
    weir__buf_fini(secret);
}

static int set_file(struct weir__config *config, size_t index, enum weir__rank rank, const char *path,
                    const char *where, struct weir_error *reterr)
{
    AUTO(weir__secret_fini) struct weir__buf secret = { 0 };
    struct weir__value                      *value = &config->values[index];
    int                                      err;

    if (rank < value->rank)
        return WEIR_OK;
    if (path[0] == '\0')
        return weir__fail(reterr, WEIR_BAD_CONFIG, where, "%s.file names no file", config->settings[index]->name);
    err = weir__secret_read(path, &secret, reterr);
    if (err == WEIR_OK)
        err = set_known(config, index, rank, secret.data, where, reterr);
    if (err < 0)
        return err;
    value->file = weir__strdup(path);
    return value->file != NULL ? WEIR_OK : fail_memory(where, reterr);
}

int weir__config_secret(const struct weir__config *config, const char *key, struct weir__buf *ret,
                        struct weir_error *reterr)
{
    const struct weir__value *value = &config->values[weir__setting_index(config, key)];
    const char               *text = weir__config_text(config, key);

    weir__buf_reset(ret);
    if (text == NULL)
        return WEIR_NOTHING;
    if (value->file != NULL)
        return weir__secret_read(value->file, ret, reterr);
    weir__buf_add(ret, text, strlen(text) + 1);
    return weir__buf_ok(ret) ? WEIR_OK : fail_memory(key, reterr);
}

const char *weir__config_file(const struct weir__config *config, const char *key)
{
    return config->values[weir__setting_index(config, key)].file;
}

int weir__config_set_as(struct weir__config *config, enum weir__rank rank, const char *key, const char *value,
                        const char *where, struct weir_error *reterr)
{
    size_t index = weir__setting_index(config, key);
    bool   as_file = index == config->setting_count;
    int    err;

    if (as_file)
        index = index_of_file(config, key);
    if (index < config->setting_count) {
        err = check_once(config, index, rank, as_file, where, reterr);
        if (err < 0)
            return err;
        return as_file ? set_file(config, index, rank, value, where, reterr)
                       : set_known(config, index, rank, value, where, reterr);
    }
    if (strncmp(key, WEIR__KAFKA, strlen(WEIR__KAFKA)) == 0)
        return set_kafka(config, rank, key + strlen(WEIR__KAFKA), value, where, reterr);
    if (!starts_with_topology(config, key) || count_segments(key) != 3)
        return fail_unknown(config, key, where, reterr);
    if (set_pair(&config->overrides, rank, key, value, where) < 0)
        return fail_memory(where, reterr);
    return WEIR_OK;
}

int weir__config_set(struct weir__config *config, const char *key, const char *value, const char *where,
                     struct weir_error *reterr)
{
    return weir__config_set_as(config, WEIR__BY_FLAG, key, value, where, reterr);
}

/* ---- asking ---- */

static size_t need_index(const struct weir__config *config, const char *key)
{
    size_t index = weir__setting_index(config, key);

    CHECK(index < config->setting_count);
    return index;
}

const struct weir_setting *weir__config_setting(const struct weir__config *config, size_t n)
{
    return n < config->setting_count ? config->settings[n] : NULL;
}

bool weir__config_given(const struct weir__config *config, const char *key)
{
    return config->values[need_index(config, key)].text != NULL;
}

const char *weir__config_text(const struct weir__config *config, const char *key)
{
    size_t index = need_index(config, key);

    return config->values[index].text ? config->values[index].text : config->settings[index]->standard;
}

int64_t weir__config_int(const struct weir__config *config, const char *key)
{
    size_t                 index = need_index(config, key);
    enum weir_setting_type type = config->settings[index]->type;

    CHECK(type == WEIR_SETTING_INT || type == WEIR_SETTING_DURATION || type == WEIR_SETTING_SIZE);
    return config->values[index].number;
}

bool weir__config_bool(const struct weir__config *config, const char *key)
{
    size_t index = need_index(config, key);

    CHECK(config->settings[index]->type == WEIR_SETTING_BOOL);
    return config->values[index].number != 0;
}

/* Whether key begins with part and a dot; *ret_rest is what follows. */
static bool skip_part(const char *key, const char *part, const char **ret_rest)
{
    size_t size = strlen(part);

    if (strncmp(key, part, size) != 0 || key[size] != '.')
        return false;
    *ret_rest = key + size + 1;
    return true;
}

const char *weir__config_override(const struct weir__config *config, const char *topology, const char *element,
                                  const char *field)
{
    for (size_t i = 0; i < config->overrides.count; i++) {
        struct weir__pair *pair = &config->overrides.items[i];
        const char        *rest = pair->key;

        if (!skip_part(rest, topology, &rest) || !skip_part(rest, element, &rest) || strcmp(rest, field) != 0)
            continue;
        pair->used = true;
        return pair->value;
    }
    return NULL;
}

bool weir__config_unused(const struct weir__config *config, const char *topology, size_t *at,
                         struct weir__unused *ret)
{
    while (*at < config->overrides.count) {
        const struct weir__pair *pair = &config->overrides.items[(*at)++];
        const char              *element;

        if (pair->used || !skip_part(pair->key, topology, &element))
            continue;
        *ret = (struct weir__unused){
            .key = pair->key, .where = pair->where, .element = element, .element_size = strcspn(element, ".")
        };
        ret->field = element + ret->element_size + 1;
        return true;
    }
    return false;
}

const char *const *weir__config_kafka(const struct weir__config *config)
{
    return (const char *const *)config->kafka_list;
}

/* ---- the same for others: struct weir_settings is this configuration ---- */

const struct weir_settings *weir__config_public(const struct weir__config *config)
{
    return (const struct weir_settings *)config;
}

const struct weir__config *weir__config_behind(const struct weir_settings *settings)
{
    return (const struct weir__config *)settings;
}

const char *weir_settings_text(const struct weir_settings *settings, const char *name)
{
    return weir__config_text(weir__config_behind(settings), name);
}

int64_t weir_settings_number(const struct weir_settings *settings, const char *name)
{
    const struct weir__config *config = weir__config_behind(settings);

    return config->values[need_index(config, name)].number;
}
