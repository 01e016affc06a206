/* differences.c: the rows that a reference topic holds, compared with those it should hold. */
#include "topologies/differences.h"

/* A row that is held. Its key, then its content, stand behind it. */
struct row {
    int64_t round; /* the comparison that met it last */
    int64_t version;
    size_t  key_size, content_size;
    char    bytes[];
};

struct market_held {
    const struct market_reference_kind *kind;
    struct weir__map                    rows;
    struct weir_arena                   scratch;
    int64_t                             round;
    size_t                              position; /* of the search for what vanished */
};

int market_content_bytes(const struct market_reference_kind *kind, struct weir_arena *arena, void *record,
                         struct weir_bytes *ret)
{
    *market_reference_version(kind, record) = 0;
    return kind->codec->encode(kind->codec, arena, record, ret);
}

/* ---- what is held ---- */

int market_held_new(const struct market_reference_kind *kind, struct market_held **ret)
{
    struct market_held *held = weir__zalloc(sizeof(*held));

    if (held == NULL)
        return WEIR_NO_MEMORY;
    held->kind = kind;
    *ret = held;
    return WEIR_OK;
}

void market_held_free(struct market_held *held)
{
    struct weir__map_slot *slot;
    size_t                 position = 0;

    if (held == NULL)
        return;
    while ((slot = weir__map_next(&held->rows, &position)) != NULL)
        weir__free(slot->value);
    weir__map_fini(&held->rows);
    weir__arena_fini(&held->scratch);
    weir__free(held);
}

size_t market_held_count(const struct market_held *held) { return held->rows.count; }

static struct weir_bytes key_of(const struct row *row) { return BYTES(row->bytes, row->key_size); }

static struct weir_bytes content_of(const struct row *row)
{
    return BYTES(row->bytes + row->key_size, row->content_size);
}

/* In the place of what is held under the key. */
static int put(struct market_held *held, struct weir_bytes key, struct weir_bytes content, int64_t version)
{
    struct row *row = weir__alloc(sizeof(*row) + key.size + content.size), *old;
    int         err;

    if (row == NULL)
        return WEIR_NO_MEMORY;
    *row =
        (struct row){ .round = held->round, .version = version, .key_size = key.size, .content_size = content.size };
    memcpy(row->bytes, key.data, key.size);
    if (content.size > 0)
        memcpy(row->bytes + key.size, content.data, content.size);
    old = weir__map_get(&held->rows, key);
    err = weir__map_put(&held->rows, key_of(row), row);
    weir__free(err < 0 ? row : old);
    return err;
}

/* Without its version, as we write it: whoever wrote the topic may have ordered its members otherwise. */
static int read_row(struct market_held *held, struct weir_bytes value, struct weir_bytes *ret_content,
                    int64_t *ret_version)
{
    const struct weir_codec *codec = held->kind->codec;
    void                    *record = weir_arena_alloc(&held->scratch, codec->bytes);
    int                      err;

    if (record == NULL)
        return WEIR_NO_MEMORY;
    err = codec->decode(codec, &held->scratch, value, record);
    if (err == WEIR_LIMIT || err == WEIR_NO_MEMORY)
        return WEIR_NO_MEMORY;
    *ret_version = err == WEIR_OK ? *market_reference_version(held->kind, record) : 0;
    *ret_content = NO_BYTES;
    return err == WEIR_OK ? market_content_bytes(held->kind, &held->scratch, record, ret_content) : WEIR_OK;
}

int market_held_take(struct market_held *held, struct weir_bytes key, struct weir_bytes value)
{
    struct weir_bytes content;
    int64_t           version;
    int               err;

    if (value.data == NULL) {
        weir__free(weir__map_remove(&held->rows, key));
        return WEIR_OK;
    }
    weir__arena_reset(&held->scratch);
    err = read_row(held, value, &content, &version);
    return err == WEIR_OK ? put(held, key, content, version) : err;
}

/* ---- comparing ---- */

void market_held_begin(struct market_held *held)
{
    held->round++;
    held->position = 0;
}

static int write_row(const struct market_reference_kind *kind, struct weir_arena *arena, struct weir_bytes content,
                     int64_t version, struct weir_bytes *ret)
{
    void *record = weir_arena_alloc(arena, kind->codec->bytes);
    int   err = record != NULL ? kind->codec->decode(kind->codec, arena, content, record) : WEIR_LIMIT;

    if (err < 0)
        return err;
    *market_reference_version(kind, record) = version;
    return kind->codec->encode(kind->codec, arena, record, ret);
}

int market_held_differ(struct market_held *held, struct weir_arena *arena, const struct market_row *row,
                       struct weir_bytes *ret)
{
    struct row *known = weir__map_get(&held->rows, row->key);
    int64_t     version = row->version;
    int         err;

    if (known != NULL)
        known->round = held->round;
    if (known != NULL && weir__bytes_equal(content_of(known), row->content) &&
        (version == 0 || version == known->version))
        return MARKET_AS_IT_IS;
    if (version == 0)
        version = known != NULL ? known->version + 1 : 1;
    err = write_row(held->kind, arena, row->content, version, ret);
    if (err == WEIR_OK)
        err = put(held, row->key, row->content, version);
    if (err < 0)
        return err;
    return known != NULL ? MARKET_CHANGED : MARKET_ADDED;
}

void market_held_keep(struct market_held *held, struct weir_bytes key)
{
    struct row *known = weir__map_get(&held->rows, key);

    if (known != NULL)
        known->round = held->round;
}

int market_held_vanished(struct market_held *held, struct weir_arena *arena, struct weir_bytes *ret_key)
{
    struct weir__map_slot *slot;

    while ((slot = weir__map_next(&held->rows, &held->position)) != NULL) {
        struct row *row = slot->value;

        if (row->round == held->round)
            continue;
        *ret_key = BYTES(weir__arena_copy(arena, row->bytes, row->key_size), row->key_size);
        if (ret_key->data == NULL)
            return WEIR_LIMIT;
        weir__free(weir__map_remove(&held->rows, *ret_key));
        return 1;
    }
    return 0;
}
