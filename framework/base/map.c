/* map.c: a hash map with linear probing.
 *
 * (1) A slot is empty (value NULL), a grave (value is `grave`) or in use. A search ends at the first empty slot.
 * (2) Used slots and graves together fill at most 0.7 of the capacity, so there is always an empty slot.
 * (3) Only put moves slots: removing while iterating is allowed.
 */
#include "framework/base/base.h"

static char grave[1];

void weir__map_fini(struct weir__map *map)
{
    weir__free(map->slots);
    *map = (struct weir__map){ 0 };
}

void weir__map_clear(struct weir__map *map)
{
    if (map->capacity)
        memset(map->slots, 0, map->capacity * sizeof(*map->slots));
    map->count = map->graves = 0;
}

/* The slot of key, or NULL. */
static struct weir__map_slot *find(const struct weir__map *map, uint64_t hash, struct weir_bytes key)
{
    size_t mask = map->capacity - 1;

    if (!map->count)
        return NULL;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct weir__map_slot *slot = &map->slots[i];

        if (!slot->value)
            return NULL;
        if (slot->hash == hash && slot->value != grave && weir__bytes_equal(slot->key, key))
            return slot;
    }
}

/* The first slot on the way of hash that holds nothing. */
static struct weir__map_slot *find_free(const struct weir__map *map, uint64_t hash)
{
    size_t mask = map->capacity - 1, i = hash & mask;

    while (map->slots[i].value && map->slots[i].value != grave)
        i = (i + 1) & mask;
    return &map->slots[i];
}

/* Makes room for one more, and clears graves away. */
static int make_room(struct weir__map *map)
{
    struct weir__map       grown = { .capacity = MAX(map->capacity, 16), .count = map->count };
    struct weir__map_slot *slot;

    if ((map->count + map->graves + 1) * 10 <= map->capacity * 7)
        return WEIR_OK;
    while ((map->count + 1) * 2 > grown.capacity)
        grown.capacity *= 2;
    grown.slots = weir__zalloc(grown.capacity * sizeof(*grown.slots));
    if (!grown.slots)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; (slot = weir__map_next(map, &i));)
        *find_free(&grown, slot->hash) = *slot;
    weir__free(map->slots);
    *map = grown;
    return WEIR_OK;
}

void *weir__map_get(const struct weir__map *map, struct weir_bytes key)
{
    struct weir__map_slot *slot = map->count ? find(map, weir__hash(key), key) : NULL;

    return slot ? slot->value : NULL;
}

int weir__map_put(struct weir__map *map, struct weir_bytes key, void *value)
{
    uint64_t               hash = weir__hash(key);
    struct weir__map_slot *slot = find(map, hash, key);
    int                    err;

    CHECK(value);
    if (!slot) {
        err = make_room(map);
        if (err < 0)
            return err;
        slot = find_free(map, hash);
        map->graves -= slot->value == grave;
        map->count++;
    }
    /* The old key may belong to the old value: it is replaced too. */
    *slot = (struct weir__map_slot){ .hash = hash, .key = key, .value = value };
    return WEIR_OK;
}

void *weir__map_remove(struct weir__map *map, struct weir_bytes key)
{
    struct weir__map_slot *slot = map->count ? find(map, weir__hash(key), key) : NULL;
    void                  *value;
    bool                   last;

    if (!slot)
        return NULL;
    value = slot->value;
    last = !map->slots[((size_t)(slot - map->slots) + 1) & (map->capacity - 1)].value;
    *slot = (struct weir__map_slot){ .value = last ? NULL : grave };
    map->graves += !last;
    map->count--;
    return value;
}

struct weir__map_slot *weir__map_next(const struct weir__map *map, size_t *position)
{
    while (*position < map->capacity) {
        struct weir__map_slot *slot = &map->slots[(*position)++];

        if (slot->value && slot->value != grave)
            return slot;
    }
    return NULL;
}
