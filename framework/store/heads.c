/* heads.c: windows by key time: the row that says what is known of a key, and rows that go one by one. */
#include "framework/store/internal.h"

/* int64 each, in the order of the struct. A later version may add to the end. */
enum { HEAD_TIMES = 8, HEAD_BYTES = HEAD_TIMES * 8 };

int weir__key_head_read(struct weir_bytes value, struct weir__key_head *ret)
{
    int64_t times[HEAD_TIMES];

    if (value.size < HEAD_BYTES)
        return WEIR_CORRUPT;
    for (size_t i = 0; i < HEAD_TIMES; i++)
        times[i] = (int64_t)weir__get_be64((const char *)value.data + 8 * i);
    *ret = (struct weir__key_head){ .time = times[0],
                                    .touched = times[1],
                                    .open_end = times[2],
                                    .rows_end = times[3],
                                    .last_end = times[4],
                                    .step = times[5],
                                    .closed_to = times[6],
                                    .gone_to = times[7] };
    return WEIR_OK;
}

static void write_head(const struct weir__key_head *head, char to[static HEAD_BYTES])
{
    const int64_t times[HEAD_TIMES] = { head->time,     head->touched, head->open_end,  head->rows_end,
                                        head->last_end, head->step,    head->closed_to, head->gone_to };

    for (size_t i = 0; i < HEAD_TIMES; i++)
        weir__put_be64(to + 8 * i, (uint64_t)times[i]);
}

int weir__store_head(struct weir__store *store, struct weir_bytes key, struct weir__key_head *ret)
{
    int           err;
    struct entry *entry = weir__window_load(store, key, WEIR__HEAD_START, 0, &err);

    if (entry == NULL)
        return err;
    weir__entries_trim(store, entry);
    return entry->now.exists ? weir__key_head_read(BYTES(entry->now.data, entry->now.size), ret) : WEIR_NOTFOUND;
}

/* The changelog's record takes the key's time, as a row's; logs refuse 0 and less. */
int weir__store_put_head(struct weir__store *store, struct weir_bytes key, const struct weir__key_head *head)
{
    char               bytes[HEAD_BYTES];
    struct weir__value value = { .timestamp = 1 };
    int                err;
    struct entry      *entry = weir__window_load(store, key, WEIR__HEAD_START, 0, &err);

    if (entry == NULL)
        return err;
    if (head != NULL) {
        write_head(head, bytes);
        value.bytes = BYTES(bytes, sizeof(bytes));
        value.timestamp = MAX(head->time, 1);
        if (entry->now.exists && weir__bytes_equal(BYTES(entry->now.data, entry->now.size), value.bytes))
            return WEIR_OK;
    }
    err = weir__entry_put(store, entry, &value);
    weir__entries_trim(store, entry);
    return err;
}

/* Ends that a row from `start` on may have: of windows that keep their own, all up to the longest. */
static bool may_have(const struct weir__store *store, const struct weir__key_head *head, int64_t start)
{
    int64_t end = weir__time_add(start, store->spec->window_size);

    if (head->rows_end == WEIR__NO_END || end < head->rows_end)
        return false;
    if (store->spec->ends)
        return start < head->last_end;
    return end == head->last_end ||
           (end < head->last_end && head->step > 0 && (head->last_end - end) % head->step == 0);
}

bool weir__head_rules_out(const struct weir__store *store, struct weir_bytes row_key)
{
    struct weir__key_head head;
    char                  small[256];
    const struct entry   *entry;

    if (row_key.size > sizeof(small))
        return false;
    entry = weir__entry_find(store, weir__window_key(small, weir__row_plain(row_key), WEIR__HEAD_START, 0));
    if (entry == NULL || !entry->now.exists || entry->stale)
        return false;
    return weir__key_head_read(BYTES(entry->now.data, entry->now.size), &head) == WEIR_OK &&
           !may_have(store, &head, weir__row_start(row_key));
}

int weir__store_forget(struct weir__store *store, struct weir_bytes key, int64_t start, int64_t timestamp)
{
    int           err;
    struct entry *entry = weir__window_load(store, key, start, 0, &err);

    if (entry == NULL)
        return err;
    if (entry->now.exists && entry->unflushed)
        err = weir__entry_tell(store, entry, false);
    if (err == WEIR_OK && entry->now.exists)
        err = weir__entry_expire(store, entry, MAX(timestamp, 1));
    weir__entries_trim(store, entry);
    return err;
}
