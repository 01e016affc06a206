/* print.c: keys and values as JSON text. */
#include "framework/driver/internal.h"

static int print(struct weir_driver *driver, const struct weir_codec *key, struct weir_bytes key_bytes,
                 const struct weir_codec *value, struct weir_bytes value_bytes, const char **ret_key,
                 const char **ret_value)
{
    size_t begin;
    int    err;

    weir__json_out_reset(&driver->text);
    weir__arena_reset(&driver->text_arena);
    err = weir__bytes_print(key, key_bytes, &driver->text_arena, &driver->text);
    weir__buf_putc(&driver->text.buf, '\0');
    begin = driver->text.buf.size;
    driver->text.comma = false;
    if (err == WEIR_OK)
        err = weir__bytes_print(value, value_bytes, &driver->text_arena, &driver->text);
    weir__buf_putc(&driver->text.buf, '\0');
    if (err < 0 || !weir__buf_ok(&driver->text.buf))
        return WEIR_NO_MEMORY;
    *ret_key = driver->text.buf.data;
    *ret_value = driver->text.buf.data + begin;
    return WEIR_OK;
}

int weir_driver_print(struct weir_driver *driver, const struct weir_output *output, const char **ret_key,
                      const char **ret_value)
{
    struct weir_bytes         key = output->key;
    struct weir__topic_codecs codecs;

    (void)weir__plan_codecs(driver->plan, output->topic, &codecs);
    if (key.size >= codecs.tail)
        key.size -= codecs.tail;
    return print(driver, codecs.key, key, codecs.value, output->value, ret_key, ret_value);
}

int weir_driver_print_row(struct weir_driver *driver, const char *store, const struct weir_stored *row,
                          const char **ret_key, const char **ret_value)
{
    const struct weir__store_plan *plan = weir__plan_store(driver->plan, store);

    if (plan == NULL)
        return WEIR_NOTFOUND;
    return print(driver, plan->key, row->key, plan->value, row->value, ret_key, ret_value);
}
