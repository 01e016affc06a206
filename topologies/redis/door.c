/* door.c: the outlet as topologies name it: its settings, and how records become what is put. */
#include "framework/json/json.h"
#include "topologies/redis/internal.h"

#include <stdlib.h>

struct door {
    struct redis_outlet *outlet;
    struct weir__buf     key;
    struct weir_json_out json;
};

const struct weir__tls_files redis_tls_names = { "redis.ca.file", "redis.cert.file", "redis.key.file" };

int redis_setup_read(struct redis_setup *setup, const struct weir_settings *settings, struct weir_error *reterr)
{
    const char *url = weir_settings_text(settings, "redis.url");
    int         err;

    *setup = (struct redis_setup){ .trust = { weir_settings_text(settings, redis_tls_names.ca),
                                              weir_settings_text(settings, redis_tls_names.certificate),
                                              weir_settings_text(settings, redis_tls_names.key) },
                                   .timeout_ms = weir_settings_number(settings, "redis.timeout.ms") };
    if (url == NULL || url[0] == '\0')
        return WEIR_NOTHING;
    err = redis_target_read(&setup->target, url, weir_settings_text(settings, "redis.password"), reterr);
    if (err < 0)
        redis_target_fini(&setup->target);
    return err;
}

static void door_close(void *open)
{
    struct door *door = open;

    redis_outlet_close(door->outlet);
    weir__buf_fini(&door->key);
    weir__json_out_fini(&door->json);
    weir__free(door);
}

static int door_open(const struct weir_outlet *outlet, const struct weir_settings *settings, size_t memory,
                     void **ret, struct weir_error *reterr)
{
    struct redis_setup setup;
    struct door       *door;
    int                err = redis_setup_read(&setup, settings, reterr);

    (void)outlet;
    (void)memory; /* nothing is held beyond what was put, and the runtime stops putting */
    if (err != WEIR_OK)
        return err;
    door = weir__zalloc(sizeof(*door));
    if (door == NULL) {
        redis_target_fini(&setup.target);
        return weir__fail(reterr, WEIR_NO_MEMORY, "redis", "%s", weir_code_text(WEIR_NO_MEMORY));
    }
    setup.marked = true;
    err = redis_outlet_open(&setup, weir_settings_number(settings, "redis.ttl.ms"), &door->outlet, reterr);
    if (err < 0) {
        door_close(door);
        return err;
    }
    *ret = door;
    return WEIR_OK;
}

static int put_served(struct door *door, const struct market_served_form *form, const struct market_served *served,
                      const void *value)
{
    struct weir_text json = { NULL, 0 };
    int              err;

    weir__buf_reset(&door->key);
    weir__buf_printf(&door->key, "served:%s", form->projection);
    for (size_t i = 0; i < served->part_count; i++)
        redis_key_part(&door->key, served->parts[i]);
    if (!served->gone) {
        weir__json_out_reset(&door->json);
        err = form->value->print(form->value, value, &door->json);
        if (err < 0)
            return err;
        json = (struct weir_text){ door->json.buf.data, door->json.buf.size };
    }
    if (!weir__buf_ok(&door->key) || door->json.buf.failed)
        return WEIR_NO_MEMORY;
    return redis_outlet_put(door->outlet, BYTES(door->key.data, door->key.size), &served->version, json);
}

static int door_put(void *open, struct weir_context *ctx, const struct weir_record *rec)
{
    const struct market_served_form *form = weir_arg(ctx);
    struct market_served             served = { 0 };
    int                              err = form->describe(ctx, rec, &served);

    if (err != WEIR_OK)
        return err == WEIR_NOTHING ? WEIR_OK : err;
    CHECK(served.part_count <= MARKET_SERVED_PARTS && served.version.size > 0);
    return put_served(open, form, &served, rec->value);
}

static void door_serve(void *open) { redis_outlet_serve(((struct door *)open)->outlet); }

static int door_settle(void *open, int64_t wait_ms, struct weir_error *reterr)
{
    return redis_outlet_settle(((struct door *)open)->outlet, wait_ms, reterr);
}

static void door_forget(void *open) { redis_outlet_forget(((struct door *)open)->outlet); }

static void door_look(void *open, struct weir_outlet_standing *ret)
{
    redis_outlet_look(((struct door *)open)->outlet, ret);
}

const struct weir_outlet market_redis[1] = { {
    .name = "redis",
    .open = door_open,
    .put = door_put,
    .serve = door_serve,
    .settle = door_settle,
    .forget = door_forget,
    .look = door_look,
    .close = door_close,
} };
