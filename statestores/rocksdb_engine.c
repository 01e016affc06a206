/* rocksdb_engine.c: ordered bytes in RocksDB: one database per task, one column family per store.
 *
 * (1) No write-ahead log: the changelog is the log. A store's offset is a row of its own family, so any flush of a
 *     memtable keeps data and offset together (and atomic_flush, unsafe before 8.1, is not needed).
 * (2) After a failed write the database takes no more: close, open, restore.
 * (3) The embedded log's database has a write-ahead log, synced at each write; damage before its end is an error, not an
 *     end. A full disk is met before the write.
 */
#include <rocksdb/c.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "statestores/statestores.h"

#define CACHE_BYTES  ((size_t)32 << 20) /* of the process, shared by all databases; at most */
#define BUFFER_BYTES ((size_t)8 << 20)  /* of a family, at most */
#define BUFFER_LEAST ((size_t)256 << 10)
/* A log only grows at its ends: the fewer times its rows are sorted and merged, the better (bench/embedded_log.c). */
#define LOG_BUFFER_BYTES ((size_t)32 << 20)   /* at most */
#define BATCH_KEPT       ((size_t)1 << 20)    /* memory of a batch that waits for the next one */
#define SPARE_BYTES      ((uint64_t)64 << 20) /* a disk with less takes no more writes */
#define CHECK_BYTES      ((size_t)16 << 20)   /* written between two looks at the disk */

struct weir__db {
    rocksdb_t                           *db;
    rocksdb_options_t                   *options;
    rocksdb_writeoptions_t              *write;
    rocksdb_readoptions_t               *read;
    rocksdb_flushoptions_t              *flush;
    rocksdb_block_based_table_options_t *table;
    rocksdb_writebatch_t                *batch;
    rocksdb_column_family_handle_t     **families;
    char                               **names;
    size_t                               count;
    rocksdb_pinnableslice_t             *pinned; /* of the last get */
    char                                *dir;
    size_t                               buffer;    /* of a family, bytes */
    size_t                               unchecked; /* bytes written since the last look at the disk */
    bool                                 has_space; /* what that look saw */
    char                                *secondary; /* a reader's own folder */
    bool                                 is_log;
    bool                                 bulk;
    bool                                 failed;
};

struct weir__iter {
    struct weir__db       *db;
    rocksdb_iterator_t    *iter;
    rocksdb_readoptions_t *read;
    enum weir_order        order;
    bool                   first;
    struct weir_arena      arena;
};

/* The block cache of the process; RocksDB counts its references. */
static rocksdb_cache_t *shared_cache(void)
{
    static rocksdb_cache_t *cache;
    rocksdb_cache_t        *mine = __atomic_load_n(&cache, __ATOMIC_ACQUIRE), *none = NULL;

    if (mine != NULL)
        return mine;
    mine = rocksdb_cache_create_lru(CACHE_BYTES);
    if (__atomic_compare_exchange_n(&cache, &none, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return mine;
    rocksdb_cache_destroy(mine);
    return none;
}

static void rocks_cache(size_t bytes) { rocksdb_cache_set_capacity(shared_cache(), MIN(bytes, CACHE_BYTES)); }

/* A share of the database's memory, within bounds; without one the most. */
static size_t buffer_of(size_t memory, size_t most)
{
    return memory > 0 ? MIN(MAX(memory / 4, BUFFER_LEAST), most) : most;
}

static void set_options(struct weir__db *db, size_t memory)
{
    db->buffer = buffer_of(memory, BUFFER_BYTES);
    db->options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(db->options, 1);
    rocksdb_options_set_create_missing_column_families(db->options, 1);
    rocksdb_options_set_write_buffer_size(db->options, db->buffer);
    if (memory > 0) /* of all families together */
        rocksdb_options_set_db_write_buffer_size(db->options, MAX(memory, BUFFER_LEAST));
    rocksdb_options_set_max_write_buffer_number(db->options, 2);
    rocksdb_options_set_max_open_files(db->options, 256);
    rocksdb_options_set_max_background_jobs(db->options, 2);
    rocksdb_options_set_max_manifest_file_size(db->options, 1 << 20);
    rocksdb_options_set_keep_log_file_num(db->options, 1);
    rocksdb_options_set_info_log_level(db->options, 4 /* fatal: our own log speaks */);
    rocksdb_options_set_compression(db->options, rocksdb_lz4_compression);
    db->table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(db->table, shared_cache());
    rocksdb_block_based_options_set_filter_policy(db->table, rocksdb_filterpolicy_create_bloom_full(10));
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(db->table, 1);
    /* In parts that are cached one by one: the whole filter of a large file is larger than the cache has room for. */
    rocksdb_block_based_options_set_index_type(db->table,
                                               rocksdb_block_based_table_index_type_two_level_index_search);
    rocksdb_block_based_options_set_partition_filters(db->table, 1);
    rocksdb_block_based_options_set_pin_top_level_index_and_filter(db->table, 1);
    rocksdb_options_set_block_based_table_factory(db->options, db->table);
    db->write = rocksdb_writeoptions_create();
    rocksdb_writeoptions_disable_WAL(db->write, 1);
    db->read = rocksdb_readoptions_create();
    db->flush = rocksdb_flushoptions_create();
    rocksdb_flushoptions_set_wait(db->flush, 1);
    db->batch = rocksdb_writebatch_create();
}

static bool is_damage(const char *words) { return strncmp(words, "Corruption", 10) == 0; }

static int name_file(const struct weir__db *db, const char *name, struct weir__buf *ret)
{
    weir__buf_printf(ret, "%s/%s", db->dir, name);
    return weir__buf_ok(ret) ? WEIR_OK : WEIR_NO_MEMORY;
}

/* Whether the database's folder has it. */
static int has_file(const struct weir__db *db, const char *name, bool *ret, struct weir_error *reterr)
{
    AUTO(weir__buf_fini) struct weir__buf path = { 0 };

    if (name_file(db, name, &path) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, db->dir, "no memory for a database");
    *ret = access(path.data, F_OK) == 0;
    return WEIR_OK;
}

/* A damaged block shows when it is read, not when its file is opened: the next open shall know. A log is all that there is. */
static void mark_damaged(const struct weir__db *db)
{
    AUTO(weir__buf_fini) struct weir__buf path = { 0 };

    if (!db->is_log && db->secondary == NULL && name_file(db, "DAMAGED", &path) == WEIR_OK)
        (void)weir__write_file(path.data, BYTES("", 0), NULL); /* without it the read fails again */
}

static int check_mark(const struct weir__db *db, struct weir_error *reterr)
{
    bool damaged;
    int  err = has_file(db, "DAMAGED", &damaged, reterr);

    return err == WEIR_OK && damaged ? weir__fail(reterr, WEIR_CORRUPT, db->dir, "a block that was read is damaged")
                                     : err;
}

/* RocksDB's words into ours. Frees them. */
static int translate(char *words, const char *dir, int otherwise, struct weir_error *reterr)
{
    int code = otherwise;

    if (strstr(words, "While lock file") != NULL || strstr(words, "lock hold by") != NULL)
        code = WEIR_BUSY;
    else if (is_damage(words))
        code = WEIR_CORRUPT;
    weir__fail(reterr, code, dir, "%s", words);
    rocksdb_free(words);
    return code;
}

/* Room for `more` families, so that keeping one cannot fail once RocksDB has made it. */
static int make_room(struct weir__db *db, size_t more)
{
    size_t capacity = db->count + more;
    void  *families = weir__realloc(db->families, capacity * sizeof(*db->families)), *names;

    if (families != NULL)
        db->families = families;
    names = weir__realloc(db->names, capacity * sizeof(*db->names));
    if (names != NULL)
        db->names = names;
    return families != NULL && names != NULL ? WEIR_OK : WEIR_NO_MEMORY;
}

static int keep_family(struct weir__db *db, const char *name, rocksdb_column_family_handle_t *handle)
{
    db->names[db->count] = weir__strdup(name);
    db->families[db->count] = handle;
    db->count++;
    return db->names[db->count - 1] != NULL ? WEIR_OK : WEIR_NO_MEMORY;
}

/* What words mean about a database that is there: a file that it names and that is gone is damage. */
static int damage(const char *words) { return strstr(words, "No such file") != NULL ? WEIR_CORRUPT : WEIR_IO; }

/* RocksDB may have been built without LZ4. */
static char *open_either(struct weir__db *db, char **names, size_t count, const rocksdb_options_t **options,
                         rocksdb_column_family_handle_t **handles)
{
    char *words = NULL;

    for (int turn = 0; turn < 2; turn++) {
        rocksdb_free(words);
        words = NULL;
        db->db = rocksdb_open_column_families(db->options, db->dir, (int)count, (const char *const *)names, options,
                                              handles, &words);
        if (words == NULL || strstr(words, "not linked") == NULL)
            break;
        rocksdb_options_set_compression(db->options, rocksdb_no_compression);
    }
    return words;
}

static int open_families(struct weir__db *db, char **names, size_t count, struct weir_error *reterr)
{
    const rocksdb_options_t        **options = weir__alloc(sizeof(void *) * count);
    rocksdb_column_family_handle_t **handles = weir__alloc(sizeof(void *) * count);
    char                            *words;
    int                              err = WEIR_OK;

    if (options == NULL || handles == NULL || make_room(db, count) < 0) {
        err = weir__fail(reterr, WEIR_NO_MEMORY, db->dir, "no memory for a database");
        goto out;
    }
    for (size_t i = 0; i < count; i++)
        options[i] = db->options;
    words = open_either(db, names, count, options, handles);
    if (words != NULL) {
        db->db = NULL;
        err = translate(words, db->dir, damage(words), reterr);
        goto out;
    }
    for (size_t i = 0; i < count; i++)
        if (keep_family(db, names[i], handles[i]) < 0)
            err = weir__fail(reterr, WEIR_NO_MEMORY, db->dir, "no memory for a database");
out:
    weir__free(options);
    weir__free(handles);
    return err;
}

static void rocks_close(struct weir__db *db);

enum use { STATE, LOG, READER };

/* Beside a writing process: sees what is written when it catches up. */
static int open_reader(struct weir__db *db, struct weir_error *reterr)
{
    char                            path[] = "/tmp/weir-reader-XXXXXX", *words = NULL;
    char                           *secondary = mkdtemp(path);
    const char                     *name = "default";
    const rocksdb_options_t        *options = db->options;
    rocksdb_column_family_handle_t *handle;

    if (secondary == NULL || (db->secondary = weir__strdup(secondary)) == NULL || make_room(db, 1) < 0)
        return weir__fail(reterr, WEIR_IO, path, "no folder for reading can be made");
    rocksdb_options_set_max_open_files(db->options, -1); /* a secondary needs its files open */
    db->db = rocksdb_open_as_secondary_column_families(db->options, db->dir, db->secondary, 1, &name, &options,
                                                       &handle, &words);
    if (words != NULL) {
        db->db = NULL;
        return translate(words, db->dir, damage(words), reterr);
    }
    if (keep_family(db, name, handle) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, db->dir, "no memory for a database");
    return WEIR_OK;
}

/* All families of a database that is there, or a new one. */
static int open_state(struct weir__db *db, struct weir_error *reterr)
{
    char   fallback[] = "default", *first[] = { fallback }, *words = NULL, **names;
    size_t count = 0;
    bool   there;
    int    err = check_mark(db, reterr);

    if (err == WEIR_OK)
        err = has_file(db, "CURRENT", &there, reterr);
    if (err < 0)
        return err;
    if (!there)
        return open_families(db, first, 1, reterr);
    names = rocksdb_list_column_families(db->options, db->dir, &count, &words);
    if (words != NULL)
        err = translate(words, db->dir, damage(words), reterr);
    else
        err = open_families(db, names, count, reterr);
    rocksdb_list_column_families_destroy(names, count);
    return err;
}

static void set_log_options(struct weir__db *db, size_t memory)
{
    db->is_log = true;
    rocksdb_writeoptions_disable_WAL(db->write, 0);
    rocksdb_writeoptions_set_sync(db->write, 1);
    rocksdb_options_set_wal_recovery_mode(db->options, rocksdb_tolerate_corrupted_tail_records_recovery);
    db->buffer = buffer_of(memory, LOG_BUFFER_BYTES);
    rocksdb_options_set_write_buffer_size(db->options, db->buffer);
    rocksdb_options_set_level0_file_num_compaction_trigger(db->options, 8);
}

static int open_as(const char *dir, size_t memory, enum use use, struct weir__db **ret, struct weir_error *reterr)
{
    struct weir__db *db = weir__zalloc(sizeof(*db));
    int              err = weir__make_dirs(dir, reterr);

    if (db == NULL || (db->dir = weir__strdup(dir)) == NULL) {
        weir__free(db);
        return weir__fail(reterr, WEIR_NO_MEMORY, dir, "no memory for a database");
    }
    set_options(db, memory);
    if (use == LOG)
        set_log_options(db, memory);
    if (err == WEIR_OK)
        err = use == READER ? open_reader(db, reterr) : open_state(db, reterr);
    if (err < 0) {
        rocks_close(db);
        return err;
    }
    *ret = db;
    return WEIR_OK;
}

static int rocks_open(const char *dir, size_t memory, struct weir__db **ret, struct weir_error *reterr)
{
    return open_as(dir, memory, STATE, ret, reterr);
}

static int log_open(const char *dir, size_t memory, struct weir__db **ret, struct weir_error *reterr)
{
    return open_as(dir, memory, LOG, ret, reterr);
}

static int reader_open(const char *dir, size_t memory, struct weir__db **ret, struct weir_error *reterr)
{
    return open_as(dir, memory, READER, ret, reterr);
}

static int rocks_family(struct weir__db *db, const char *name, uint32_t *ret, struct weir_error *reterr)
{
    rocksdb_column_family_handle_t *handle;
    char                           *words = NULL;

    for (size_t i = 0; i < db->count; i++)
        if (strcmp(db->names[i], name) == 0) {
            *ret = (uint32_t)i;
            return WEIR_OK;
        }
    if (make_room(db, 1) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, name, "no memory for a store");
    handle = rocksdb_create_column_family(db->db, db->options, name, &words);
    if (words != NULL)
        return translate(words, db->dir, WEIR_IO, reterr);
    *ret = (uint32_t)db->count;
    if (keep_family(db, name, handle) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, name, "no memory for a store");
    return WEIR_OK;
}

static int rocks_refresh(struct weir__db *db)
{
    char *words = NULL;

    if (db->secondary != NULL)
        rocksdb_try_catch_up_with_primary(db->db, &words);
    rocksdb_free(words); /* the next look tries again */
    return WEIR_OK;
}

/* What a read failed of. Frees the words. */
static int fail_read(const struct weir__db *db, char *words)
{
    bool damaged = is_damage(words);

    rocksdb_free(words);
    if (damaged)
        mark_damaged(db);
    return damaged ? WEIR_CORRUPT : WEIR_STORE_FAILED;
}

static int rocks_get(struct weir__db *db, uint32_t family, struct weir_bytes key, struct weir_bytes *ret)
{
    char *words = NULL;

    if (db->pinned != NULL)
        rocksdb_pinnableslice_destroy(db->pinned);
    db->pinned = rocksdb_get_pinned_cf(db->db, db->read, db->families[family], key.data, key.size, &words);
    if (words != NULL)
        return fail_read(db, words);
    if (db->pinned == NULL)
        return WEIR_NOTFOUND;
    ret->data = rocksdb_pinnableslice_value(db->pinned, &ret->size);
    return WEIR_OK;
}

/* Reads and writes do not meet in RocksDB: an iterator sees the state of its making, a get one row's. */
static void rocks_enter(struct weir__db *db) { (void)db; }

static void rocks_leave(struct weir__db *db) { (void)db; }

static int rocks_copy(struct weir__db *db, uint32_t family, struct weir_bytes key, struct weir_arena *arena,
                      struct weir_bytes *ret)
{
    char                    *words = NULL;
    rocksdb_pinnableslice_t *pinned =
        rocksdb_get_pinned_cf(db->db, db->read, db->families[family], key.data, key.size, &words);
    const char *value;

    if (words != NULL)
        return fail_read(db, words);
    if (pinned == NULL)
        return WEIR_NOTFOUND;
    value = rocksdb_pinnableslice_value(pinned, &ret->size);
    ret->data = weir__arena_copy(arena, value, ret->size);
    rocksdb_pinnableslice_destroy(pinned);
    return ret->data != NULL ? WEIR_OK : WEIR_LIMIT;
}

static void rocks_iter_close(struct weir__iter *iter)
{
    if (iter == NULL)
        return;
    if (iter->iter != NULL)
        rocksdb_iter_destroy(iter->iter);
    rocksdb_readoptions_destroy(iter->read);
    weir__arena_fini(&iter->arena);
    weir__free(iter);
}

/* RocksDB borrows its bounds: they are kept with the iterator. */
static int set_bounds(struct weir__iter *iter, struct weir_bytes from, struct weir_bytes to)
{
    const char *low = weir__arena_copy(&iter->arena, from.data, from.size);
    const char *high = weir__arena_copy(&iter->arena, to.data, to.size);

    if (low == NULL || high == NULL)
        return WEIR_NO_MEMORY;
    if (from.data != NULL)
        rocksdb_readoptions_set_iterate_lower_bound(iter->read, low, from.size);
    if (to.data != NULL)
        rocksdb_readoptions_set_iterate_upper_bound(iter->read, high, to.size);
    return WEIR_OK;
}

static int rocks_iterate(struct weir__db *db, uint32_t family, struct weir_bytes from, struct weir_bytes to,
                         enum weir_order order, struct weir__iter **ret)
{
    struct weir__iter *iter = weir__zalloc(sizeof(*iter));

    if (iter == NULL)
        return WEIR_NO_MEMORY;
    iter->db = db;
    iter->order = order;
    iter->first = true;
    iter->read = rocksdb_readoptions_create();
    if (set_bounds(iter, from, to) < 0) {
        rocks_iter_close(iter);
        return WEIR_NO_MEMORY;
    }
    iter->iter = rocksdb_create_iterator_cf(db->db, iter->read, db->families[family]);
    *ret = iter;
    return WEIR_OK;
}

static void step(struct weir__iter *iter)
{
    bool forward = iter->order == WEIR_ASCENDING;

    if (iter->first)
        (forward ? rocksdb_iter_seek_to_first : rocksdb_iter_seek_to_last)(iter->iter);
    else
        (forward ? rocksdb_iter_next : rocksdb_iter_prev)(iter->iter);
    iter->first = false;
}

static int rocks_next(struct weir__iter *iter, struct weir_bytes *ret_key, struct weir_bytes *ret_value)
{
    char *words = NULL;

    step(iter);
    if (!rocksdb_iter_valid(iter->iter)) {
        rocksdb_iter_get_error(iter->iter, &words);
        return words == NULL ? WEIR_NOTFOUND : fail_read(iter->db, words);
    }
    ret_key->data = rocksdb_iter_key(iter->iter, &ret_key->size);
    ret_value->data = rocksdb_iter_value(iter->iter, &ret_value->size);
    return WEIR_OK;
}

/* Whether the disk can take a flush of what is in memory besides. A failing flush would be found out too late, and
 * RocksDB may abort on it. */
static bool has_space(struct weir__db *db, size_t bytes)
{
    uint64_t       needed = MAX(SPARE_BYTES, 2 * (uint64_t)db->buffer + bytes);
    struct statvfs disk;

    db->unchecked += bytes;
    if (db->has_space && db->unchecked < CHECK_BYTES)
        return true;
    db->unchecked = 0;
    db->has_space = statvfs(db->dir, &disk) != 0 || (uint64_t)disk.f_bavail * disk.f_frsize >= needed;
    return db->has_space;
}

static void add_write(struct weir__db *db, const struct weir__write *write)
{
    rocksdb_column_family_handle_t *family = db->families[write->family];

    if (write->range)
        rocksdb_writebatch_delete_range_cf(db->batch, family, write->key.data, write->key.size, write->value.data,
                                           write->value.size);
    else if (write->value.data != NULL)
        rocksdb_writebatch_put_cf(db->batch, family, write->key.data, write->key.size, write->value.data,
                                  write->value.size);
    else
        rocksdb_writebatch_delete_cf(db->batch, family, write->key.data, write->key.size);
}

/* A log that met the full disk beforehand can go on later; a state is restored from the log. */
static int fail_full(struct weir__db *db)
{
    db->failed = !db->is_log;
    return WEIR_DISK_FULL;
}

/* After a write or a flush that failed: a compaction may have met a damaged block. Frees the words. */
static int fail_write(struct weir__db *db, char *words)
{
    bool full = strstr(words, "No space left") != NULL;

    if (is_damage(words))
        mark_damaged(db);
    rocksdb_free(words);
    db->failed = true;
    return full ? WEIR_DISK_FULL : WEIR_STORE_FAILED;
}

static int rocks_write(struct weir__db *db, const struct weir__write *writes, size_t count)
{
    char  *words = NULL;
    size_t bytes = 0;

    if (db->failed)
        return WEIR_STORE_FAILED;
    rocksdb_writebatch_clear(db->batch);
    for (size_t i = 0; i < count; i++) {
        bytes += writes[i].key.size + writes[i].value.size;
        add_write(db, &writes[i]);
    }
    if (!has_space(db, bytes))
        return fail_full(db);
    rocksdb_write(db->db, db->write, db->batch, &words);
    if (bytes > BATCH_KEPT) { /* a cleared one keeps its memory */
        rocksdb_writebatch_destroy(db->batch);
        db->batch = rocksdb_writebatch_create();
    }
    return words == NULL ? WEIR_OK : fail_write(db, words);
}

static int rocks_flush(struct weir__db *db)
{
    for (size_t i = 0; i < db->count && !db->failed; i++) {
        char *words = NULL;

        rocksdb_flush_cf(db->db, db->flush, db->families[i], &words);
        if (words != NULL)
            return fail_write(db, words);
    }
    return db->failed ? WEIR_STORE_FAILED : WEIR_OK;
}

/* Restoring writes much and reads little: compaction waits until it is over. */
static int rocks_bulk(struct weir__db *db, bool on)
{
    const char *keys[] = { "disable_auto_compactions" }, *values[] = { on ? "true" : "false" };

    if (db->bulk == on)
        return WEIR_OK; /* each change writes all options to the disk anew */
    db->bulk = on;
    for (size_t i = 0; i < db->count; i++) {
        char *words = NULL;

        rocksdb_set_options_cf(db->db, db->families[i], 1, keys, values, &words);
        if (words == NULL)
            continue;
        rocksdb_free(words);
        return WEIR_STORE_FAILED;
    }
    return WEIR_OK;
}

static uint64_t property(struct weir__db *db, uint32_t family, const char *name)
{
    uint64_t value = 0;

    return rocksdb_property_int_cf(db->db, db->families[family], name, &value) == 0 ? value : 0;
}

static void free_words(char **words) { rocksdb_free(*words); }

static void rocks_figures(struct weir__db *db, uint32_t family, struct weir__figures *ret)
{
    AUTO(free_words)
    char *files = rocksdb_property_value_cf(db->db, db->families[family], "rocksdb.num-files-at-level0");

    *ret = (struct weir__figures){ .rows = property(db, family, "rocksdb.estimate-num-keys"),
                                   .disk = property(db, family, "rocksdb.total-sst-files-size"),
                                   .memory = property(db, family, "rocksdb.cur-size-all-mem-tables"),
                                   .compacts = true,
                                   .index = property(db, family, "rocksdb.estimate-table-readers-mem"),
                                   .pending = property(db, family, "rocksdb.estimate-pending-compaction-bytes"),
                                   .files = files != NULL ? strtoull(files, NULL, 10) : 0,
                                   .tables = property(db, family, "rocksdb.num-immutable-mem-table"),
                                   .compactions = property(db, family, "rocksdb.num-running-compactions"),
                                   .errors = property(db, family, "rocksdb.background-errors"),
                                   .stalled = property(db, family, "rocksdb.is-write-stopped") > 0 ||
                                              property(db, family, "rocksdb.actual-delayed-write-rate") > 0 };
}

static void rocks_close(struct weir__db *db)
{
    if (db == NULL)
        return;
    if (db->pinned != NULL)
        rocksdb_pinnableslice_destroy(db->pinned);
    for (size_t i = 0; i < db->count; i++) {
        rocksdb_column_family_handle_destroy(db->families[i]);
        weir__free(db->names[i]);
    }
    if (db->db != NULL)
        rocksdb_close(db->db);
    rocksdb_writebatch_destroy(db->batch);
    rocksdb_flushoptions_destroy(db->flush);
    rocksdb_readoptions_destroy(db->read);
    rocksdb_writeoptions_destroy(db->write);
    rocksdb_block_based_options_destroy(db->table);
    rocksdb_options_destroy(db->options);
    weir__free(db->families);
    weir__free(db->names);
    if (db->secondary != NULL)
        (void)weir__remove_tree(db->secondary, NULL);
    weir__free(db->secondary);
    weir__free(db->dir);
    weir__free(db);
}

#define ENGINE(its_name, its_open)                                                                         \
    {                                                                                                      \
        .name = its_name, .durable = true, .open = its_open, .cache = rocks_cache, .family = rocks_family, \
        .get = rocks_get, .iterate = rocks_iterate, .next = rocks_next, .iter_close = rocks_iter_close,    \
        .write = rocks_write, .flush = rocks_flush, .bulk = rocks_bulk, .figures = rocks_figures,          \
        .close = rocks_close, .refresh = rocks_refresh, .enter = rocks_enter, .leave = rocks_leave,        \
        .copy = rocks_copy                                                                                 \
    }

const struct weir__engine weir__rocksdb_engine = ENGINE("rocksdb", rocks_open);
const struct weir__engine weir__rocksdb_log_engine = ENGINE("rocksdb log", log_open);
const struct weir__engine weir__rocksdb_reader_engine = ENGINE("rocksdb reader", reader_open);
