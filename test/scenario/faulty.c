/* faulty.c: store engines whose n-th call fails. */
#include "test/scenario/faulty.h"

#include "statestores/statestores.h"

static const struct weir__engine *plain; /* what is called, unless it is to fail */
static uint64_t                   left;

uint64_t faulty_order(uint64_t n)
{
    uint64_t before = left;

    left = n;
    return before;
}

static bool is_due(void) { return left > 0 && --left == 0; }

static int faulty_open(const char *dir, size_t memory, struct weir__db **ret, struct weir_error *reterr)
{
    return is_due() ? weir__fail(reterr, WEIR_IO, "faulty", "the disk is gone")
                    : plain->open(dir, memory, ret, reterr);
}

static int faulty_family(struct weir__db *db, const char *name, uint32_t *ret, struct weir_error *reterr)
{
    return is_due() ? weir__fail(reterr, WEIR_IO, name, "the disk is gone") : plain->family(db, name, ret, reterr);
}

static int faulty_get(struct weir__db *db, uint32_t family, struct weir_bytes key, struct weir_bytes *ret)
{
    return is_due() ? WEIR_STORE_FAILED : plain->get(db, family, key, ret);
}

static int faulty_iterate(struct weir__db *db, uint32_t family, struct weir_bytes from, struct weir_bytes to,
                          enum weir_order order, struct weir__iter **ret)
{
    return is_due() ? WEIR_STORE_FAILED : plain->iterate(db, family, from, to, order, ret);
}

static int faulty_next(struct weir__iter *iter, struct weir_bytes *ret_key, struct weir_bytes *ret_value)
{
    return is_due() ? WEIR_STORE_FAILED : plain->next(iter, ret_key, ret_value);
}

static void faulty_iter_close(struct weir__iter *iter) { plain->iter_close(iter); }

static int faulty_write(struct weir__db *db, const struct weir__write *writes, size_t count)
{
    return is_due() ? WEIR_STORE_FAILED : plain->write(db, writes, count);
}

static int faulty_flush(struct weir__db *db) { return is_due() ? WEIR_STORE_FAILED : plain->flush(db); }

static int faulty_bulk(struct weir__db *db, bool on) { return is_due() ? WEIR_STORE_FAILED : plain->bulk(db, on); }

static void faulty_figures(struct weir__db *db, uint32_t family, struct weir__figures *ret)
{
    plain->figures(db, family, ret);
}

static void faulty_close(struct weir__db *db) { plain->close(db); }

static const struct weir__engine engine = { .name = "faulty",
                                            .open = faulty_open,
                                            .family = faulty_family,
                                            .get = faulty_get,
                                            .iterate = faulty_iterate,
                                            .next = faulty_next,
                                            .iter_close = faulty_iter_close,
                                            .write = faulty_write,
                                            .flush = faulty_flush,
                                            .bulk = faulty_bulk,
                                            .figures = faulty_figures,
                                            .close = faulty_close };

const struct weir_engines *faulty_in_memory(void)
{
    static const struct weir_engines engines = { .state = &engine, .memory = &engine };

    plain = &weir__memory_engine;
    return &engines;
}

const struct weir_engines *faulty_on_rocksdb(void)
{
    static const struct weir_engines engines = { .state = &engine, .memory = &weir__memory_engine };

    plain = &weir__rocksdb_engine;
    return &engines;
}
