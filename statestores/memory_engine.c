/* memory_engine.c: ordered bytes in memory: a skip list per column family. Source: Pugh, Skip lists (1990).
 *
 * (1) A write takes all the memory that it may need before it changes anything: it happens whole or not at all.
 * (2) Only the task's thread writes, so its own reads need no lock. Other threads hold `changing` for reading from
 *     enter to leave, a write holds it for writing: once a commit, and it goes before readers to come.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "statestores/statestores.h"

#define LEVELS 16

struct node {
    struct weir_bytes key;
    char             *value;
    size_t            value_size;
    int               levels;
    struct node      *previous; /* on level 0; NULL = the first */
    struct node      *next[];   /* one per level of the node */
};

struct list {
    char        *name;
    struct node *heads[LEVELS];
    struct node *last;
    int          levels;
    size_t       count, bytes;
};

struct weir__db {
    struct list *lists;
    size_t       count, capacity;
    uint64_t     random;

    pthread_rwlock_t changing;
};

struct weir__iter {
    struct node      *at;
    enum weir_order   order;
    struct weir_bytes from, to; /* to exclusive; data NULL = open */
    struct weir_arena arena;
};

static int memory_open(const char *dir, size_t memory, struct weir__db **ret, struct weir_error *reterr)
{
    struct weir__db     *db = weir__zalloc(sizeof(*db));
    pthread_rwlockattr_t attributes;

    (void)dir;
    (void)memory;
    if (db == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "memory store", "no memory for a database");
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&db->changing, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    db->random = 88172645463325252u;
    *ret = db;
    return WEIR_OK;
}

static int memory_family(struct weir__db *db, const char *name, uint32_t *ret, struct weir_error *reterr)
{
    for (size_t i = 0; i < db->count; i++)
        if (strcmp(db->lists[i].name, name) == 0) {
            *ret = (uint32_t)i;
            return WEIR_OK;
        }
    if (GROW(db->lists, db->capacity, db->count) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, name, "no memory for a store");
    db->lists[db->count] = (struct list){ .name = weir__strdup(name), .levels = 1 };
    if (db->lists[db->count].name == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, name, "no memory for a store");
    *ret = (uint32_t)db->count++;
    return WEIR_OK;
}

/* The links to follow to the first node whose key is not before key, one per level. */
static void find_links(struct list *list, struct weir_bytes key, struct node **ret_before[LEVELS])
{
    struct node **links = list->heads;

    for (int level = list->levels - 1; level >= 0; level--) {
        while (links[level] != NULL && weir__bytes_compare(links[level]->key, key) < 0)
            links = links[level]->next;
        ret_before[level] = &links[level];
    }
}

static struct node *first_from(struct list *list, struct weir_bytes key)
{
    struct node **links = list->heads;

    for (int level = list->levels - 1; level >= 0; level--)
        while (links[level] != NULL && weir__bytes_compare(links[level]->key, key) < 0)
            links = links[level]->next;
    return links[0];
}

static int memory_get(struct weir__db *db, uint32_t family, struct weir_bytes key, struct weir_bytes *ret)
{
    struct node *node = first_from(&db->lists[family], key);

    if (node == NULL || !weir__bytes_equal(node->key, key))
        return WEIR_NOTFOUND;
    *ret = BYTES(node->value, node->value_size);
    return WEIR_OK;
}

static int random_level(struct weir__db *db)
{
    int level = 1;

    db->random ^= db->random << 13;
    db->random ^= db->random >> 7;
    db->random ^= db->random << 17;
    for (uint64_t bits = db->random; level < LEVELS && (bits & 3) == 0; bits >>= 2)
        level++;
    return level;
}

static void free_node(struct node *node)
{
    if (node == NULL)
        return;
    weir__free((void *)node->key.data);
    weir__free(node->value);
    weir__free(node);
}

static struct node *make_node(struct weir__db *db, const struct weir__write *write)
{
    int          levels = random_level(db);
    struct node *node = weir__zalloc(sizeof(*node) + (size_t)levels * sizeof(struct node *));

    if (node == NULL)
        return NULL;
    node->levels = levels;
    node->key = BYTES(weir__memdup(write->key.data, write->key.size), write->key.size);
    node->value = weir__memdup(write->value.data, write->value.size);
    node->value_size = write->value.size;
    if (node->key.data != NULL && node->value != NULL)
        return node;
    free_node(node);
    return NULL;
}

/* Of keys, values and what links them. */
static size_t bytes_of(const struct node *node)
{
    return sizeof(*node) + (size_t)node->levels * sizeof(struct node *) + node->key.size + node->value_size;
}

static void insert(struct list *list, struct node *node)
{
    struct node **before[LEVELS];

    list->count++;
    list->bytes += bytes_of(node);
    list->levels = MAX(list->levels, node->levels);
    find_links(list, node->key, before);
    node->previous = *before[0] != NULL ? (*before[0])->previous : list->last;
    if (*before[0] != NULL)
        (*before[0])->previous = node;
    else
        list->last = node;
    for (int level = 0; level < node->levels; level++) {
        node->next[level] = *before[level];
        *before[level] = node;
    }
}

static void erase(struct list *list, struct node *node)
{
    struct node **before[LEVELS];

    list->count--;
    list->bytes -= bytes_of(node);
    find_links(list, node->key, before);
    if (node->next[0] != NULL)
        node->next[0]->previous = node->previous;
    else
        list->last = node->previous;
    for (int level = 0; level < list->levels && *before[level] == node; level++)
        *before[level] = node->next[level];
    free_node(node);
}

/* Takes the node; NULL deletes key. */
static void apply(struct list *list, struct weir_bytes key, struct node *node)
{
    struct node *old = first_from(list, key);
    char        *value;

    if (old != NULL && !weir__bytes_equal(old->key, key))
        old = NULL;
    if (old == NULL) {
        if (node != NULL)
            insert(list, node);
    } else if (node == NULL) {
        erase(list, old);
    } else {
        list->bytes += node->value_size - old->value_size;
        value = old->value;
        old->value = node->value;
        old->value_size = node->value_size;
        node->value = value;
        free_node(node);
    }
}

static void erase_range(struct list *list, const struct weir__write *write)
{
    struct node *node = first_from(list, write->key), *next;

    for (; node != NULL && weir__bytes_compare(node->key, write->value) < 0; node = next) {
        next = node->next[0];
        erase(list, node);
    }
}

static bool is_put(const struct weir__write *write) { return !write->range && write->value.data != NULL; }

static int memory_write(struct weir__db *db, const struct weir__write *writes, size_t count)
{
    struct node **nodes = weir__zalloc(count * sizeof(struct node *));
    size_t        made = 0;

    while (nodes != NULL && made < count) {
        if (is_put(&writes[made]) && (nodes[made] = make_node(db, &writes[made])) == NULL)
            break;
        made++;
    }
    if (nodes == NULL || made < count) {
        while (made > 0)
            free_node(nodes[--made]);
        weir__free(nodes);
        return WEIR_STORE_FAILED;
    }
    pthread_rwlock_wrlock(&db->changing);
    for (size_t i = 0; i < count; i++) {
        struct list *list = &db->lists[writes[i].family];

        if (writes[i].range)
            erase_range(list, &writes[i]);
        else
            apply(list, writes[i].key, nodes[i]);
    }
    pthread_rwlock_unlock(&db->changing);
    weir__free(nodes);
    return WEIR_OK;
}

static struct node *last_before(struct list *list, struct weir_bytes to)
{
    struct node *node;

    if (to.data == NULL)
        return list->last;
    node = first_from(list, to);
    return node != NULL ? node->previous : list->last;
}

static void memory_iter_close(struct weir__iter *iter)
{
    if (iter == NULL)
        return;
    weir__arena_fini(&iter->arena);
    weir__free(iter);
}

static int memory_iterate(struct weir__db *db, uint32_t family, struct weir_bytes from, struct weir_bytes to,
                          enum weir_order order, struct weir__iter **ret)
{
    struct list       *list = &db->lists[family];
    struct weir__iter *iter = weir__zalloc(sizeof(*iter));

    if (iter == NULL)
        return WEIR_NO_MEMORY;
    iter->order = order;
    if (order == WEIR_ASCENDING)
        iter->at = from.data != NULL ? first_from(list, from) : list->heads[0];
    else
        iter->at = last_before(list, to);
    if (from.data != NULL)
        iter->from = BYTES(weir__arena_copy(&iter->arena, from.data, from.size), from.size);
    if (to.data != NULL)
        iter->to = BYTES(weir__arena_copy(&iter->arena, to.data, to.size), to.size);
    if ((from.data != NULL && iter->from.data == NULL) || (to.data != NULL && iter->to.data == NULL)) {
        memory_iter_close(iter);
        return WEIR_NO_MEMORY;
    }
    *ret = iter;
    return WEIR_OK;
}

static int memory_next(struct weir__iter *iter, struct weir_bytes *ret_key, struct weir_bytes *ret_value)
{
    struct node *node = iter->at;

    if (node == NULL)
        return WEIR_NOTFOUND;
    if (iter->order == WEIR_ASCENDING ? iter->to.data != NULL && weir__bytes_compare(node->key, iter->to) >= 0
                                      : iter->from.data != NULL && weir__bytes_compare(node->key, iter->from) < 0)
        return WEIR_NOTFOUND;
    *ret_key = node->key;
    *ret_value = BYTES(node->value, node->value_size);
    iter->at = iter->order == WEIR_ASCENDING ? node->next[0] : node->previous;
    return WEIR_OK;
}

static void memory_enter(struct weir__db *db) { pthread_rwlock_rdlock(&db->changing); }

static void memory_leave(struct weir__db *db) { pthread_rwlock_unlock(&db->changing); }

static int memory_copy(struct weir__db *db, uint32_t family, struct weir_bytes key, struct weir_arena *arena,
                       struct weir_bytes *ret)
{
    struct weir_bytes value;
    int               err = memory_get(db, family, key, &value);

    if (err < 0)
        return err;
    *ret = BYTES(weir__arena_copy(arena, value.data, value.size), value.size);
    return ret->data != NULL ? WEIR_OK : WEIR_LIMIT;
}

static int memory_flush(struct weir__db *db)
{
    (void)db;
    return WEIR_OK;
}

static int memory_bulk(struct weir__db *db, bool on)
{
    (void)db;
    (void)on;
    return WEIR_OK;
}

static void memory_figures(struct weir__db *db, uint32_t family, struct weir__figures *ret)
{
    *ret = (struct weir__figures){ .rows = db->lists[family].count, .memory = db->lists[family].bytes };
}

static void memory_close(struct weir__db *db)
{
    if (db == NULL)
        return;
    for (size_t i = 0; i < db->count; i++) {
        struct node *node = db->lists[i].heads[0], *next;

        for (; node != NULL; node = next) {
            next = node->next[0];
            free_node(node);
        }
        weir__free(db->lists[i].name);
    }
    weir__free(db->lists);
    pthread_rwlock_destroy(&db->changing);
    weir__free(db);
}

const struct weir__engine weir__memory_engine = { .name = "memory",
                                                  .durable = false,
                                                  .open = memory_open,
                                                  .family = memory_family,
                                                  .get = memory_get,
                                                  .iterate = memory_iterate,
                                                  .next = memory_next,
                                                  .iter_close = memory_iter_close,
                                                  .write = memory_write,
                                                  .flush = memory_flush,
                                                  .bulk = memory_bulk,
                                                  .figures = memory_figures,
                                                  .enter = memory_enter,
                                                  .leave = memory_leave,
                                                  .copy = memory_copy,
                                                  .close = memory_close };
