/* view.c: stores of running applications read by other threads (framework/query.h). */
#include "framework/query.h"
#include "framework/runtime/internal.h"

#define PAGE_ROWS 256

struct weir_view {
    struct weir__app              *app;
    const struct weir__store_plan *plan;
    bool                           everywhere, routed;
    int32_t                        partition; /* routed: of all that is asked */
    struct weir__elsewhere        *elsewhere; /* NULL = nobody asks */
};

/* ---- arenas of callers ---- */

struct weir_arena *weir_arena_new(size_t ceiling)
{
    struct weir_arena *arena = weir__zalloc(sizeof(*arena));

    if (arena != NULL)
        weir__arena_init(arena, ceiling);
    return arena;
}

void weir_arena_reset(struct weir_arena *arena) { weir__arena_reset(arena); }

void weir_arena_free(struct weir_arena *arena)
{
    if (arena != NULL)
        weir__arena_fini(arena);
    weir__free(arena);
}

/* ---- opening ---- */

static bool is_called(const struct weir__store_plan *plan, const char *name)
{
    return strcmp(plan->name, name) == 0 ||
           (plan->spec != NULL && plan->spec->name != NULL && strcmp(plan->spec->name, name) == 0);
}

static struct weir__app *find_app(const struct weir_apps *apps, const char *topology)
{
    for (size_t i = 0; i < apps->count; i++)
        if (strcmp(apps->items[i]->plan->topology->name, topology) == 0)
            return apps->items[i];
    return NULL;
}

int weir_view_open(const struct weir_apps *apps, const char *topology, const char *store, struct weir_arena *arena,
                   struct weir_view **ret, struct weir_error *reterr)
{
    struct weir__app *app = find_app(apps, topology);
    size_t            i = 0;

    if (app == NULL)
        return weir__fail(reterr, WEIR_NOTFOUND, topology, "no topology of this name runs in this process");
    while (i < app->plan->store_count && !is_called(app->plan->stores[i], store))
        i++;
    if (i == app->plan->store_count)
        return weir__fail(reterr, WEIR_NOTFOUND, store,
                          "topology %.100s has no store of this name: \"describe\" shows all", topology);
    *ret = weir_arena_alloc(arena, sizeof(**ret));
    if (*ret == NULL)
        return weir__fail(reterr, WEIR_LIMIT, store, "%s", weir_code_text(WEIR_LIMIT));
    **ret = (struct weir_view){ .app = app, .plan = app->plan->stores[i], .elsewhere = apps->elsewhere };
    (*ret)->everywhere = (*ret)->plan->spec != NULL && (*ret)->plan->spec->routed_by != NULL;
    if (weir__want_store(app, i))
        weir__app_wake(app);
    return WEIR_OK;
}

/* ---- which task ---- */

/* Of a global store: -1, which is that of its one copy. */
static int32_t partition_of(const struct weir_view *view, struct weir_bytes key)
{
    int32_t count = 1;

    if (view->plan->global)
        return -1;
    if (view->routed)
        return view->partition;
    for (size_t i = 0; i < view->app->topics.count; i++)
        if (view->app->topics.items[i].reader == view->plan->subtopology)
            count = MAX(count, view->app->topics.items[i].partitions);
    return weir__partition_of(key, count);
}

void weir_view_everywhere(struct weir_view *view) { view->everywhere = true; }

int weir_view_routed(struct weir_view *view, struct weir_arena *arena, const struct weir_codec *codec,
                     const void *key)
{
    struct weir_bytes bytes;
    int               err = key != NULL ? weir__encode(codec, arena, key, &bytes) : WEIR_NULL_GIVEN;

    if (err < 0)
        return err;
    view->routed = false;
    view->partition = partition_of(view, bytes);
    view->routed = true;
    view->everywhere = false;
    return WEIR_OK;
}

/* Of the view's store, in a task that may be read; NULL: none. Shown lock held. */
static const struct weir__peek *peek_of(const struct weir_view *view, const struct weir__shown *shown)
{
    for (size_t i = 0; i < shown->store_count; i++)
        if (shown->stores[i].plan == view->plan)
            return atomic_load(&shown->running) && atomic_load(&shown->stores[i].open) ? &shown->stores[i].peek
                                                                                       : NULL;
    return NULL;
}

static bool has_store(const struct weir_view *view, const struct weir__shown *shown)
{
    for (size_t i = 0; i < shown->store_count; i++)
        if (shown->stores[i].plan == view->plan)
            return true;
    return false;
}

/* What a task that is not here means. */
static int not_here(const struct weir_view *view, int32_t partition)
{
    struct weir__app_state state;

    weir__app_state(view->app, &state);
    if (!state.assigned || state.closing)
        return WEIR_AGAIN;
    if (view->elsewhere != NULL)
        *view->elsewhere = (struct weir__elsewhere){ view->app, view->plan->subtopology, partition };
    return WEIR_ELSEWHERE;
}

/* ---- one row ---- */

static int decode_row(const struct weir_view *view, struct weir_arena *arena, const struct weir__row *row,
                      struct weir_row *ret)
{
    int err;

    *ret = (struct weir_row){ .timestamp = row->value.timestamp, .start = row->start, .end = row->start };
    if (view->plan->store.ends)
        ret->end = row->value.end;
    else if (view->plan->store.kind == WEIR__STORE_WINDOWS)
        ret->end = weir__time_add(row->start, view->plan->store.window_size);
    err = weir__decode(view->plan->key, arena, row->key, &ret->key);
    return err < 0 ? err : weir__decode(view->plan->value, arena, row->value.bytes, &ret->value);
}

/* Shown lock held. */
static int find_row(const struct weir_view *view, struct weir_arena *arena, struct weir__row *row)
{
    int32_t partition = partition_of(view, row->key);
    int     err = WEIR_ELSEWHERE;

    for (size_t i = 0; i < view->app->shown_count; i++) {
        const struct weir__shown *shown = view->app->shown[i];
        const struct weir__peek  *peek = peek_of(view, shown);
        int                       one = WEIR_AGAIN;

        if (!has_store(view, shown) || (!view->everywhere && shown->partition != partition))
            continue;
        if (peek != NULL)
            one = weir__peek_get(peek, row->key, row->start, arena, &row->value);
        if (one != WEIR_NOTFOUND && one != WEIR_AGAIN)
            return one;
        err = one == WEIR_AGAIN || err == WEIR_AGAIN ? WEIR_AGAIN : WEIR_NOTFOUND;
    }
    return err == WEIR_ELSEWHERE ? not_here(view, partition) : err;
}

static int get(const struct weir_view *view, struct weir_arena *arena, const void *key, int64_t start,
               struct weir_row *ret)
{
    struct weir__row row = { .start = start };
    int              err;

    if (key == NULL)
        return WEIR_NULL_GIVEN;
    err = weir__encode(view->plan->key, arena, key, &row.key);
    if (err < 0)
        return err;
    pthread_rwlock_rdlock(&view->app->shown_lock);
    err = find_row(view, arena, &row);
    pthread_rwlock_unlock(&view->app->shown_lock);
    return err < 0 ? err : decode_row(view, arena, &row, ret);
}

static bool is_windows(const struct weir_view *view) { return view->plan->store.kind == WEIR__STORE_WINDOWS; }

int weir_view_get(const struct weir_view *view, struct weir_arena *arena, const void *key, struct weir_row *ret)
{
    return is_windows(view) ? WEIR_BAD_ARGUMENT : get(view, arena, key, 0, ret);
}

int weir_view_get_window(const struct weir_view *view, struct weir_arena *arena, const void *key, int64_t start,
                         struct weir_row *ret)
{
    return is_windows(view) ? get(view, arena, key, start, ret) : WEIR_BAD_ARGUMENT;
}

/* ---- many ---- */

/* The rows of one task. */
struct source {
    int32_t              partition;
    struct weir__peeked *page;
    size_t               at, count;
    struct weir_bytes    after; /* the place of the last row that was read */
    bool                 ended;
};

struct weir_view_rows {
    const struct weir_view *view;
    struct weir_arena      *arena;
    struct weir__peek_range range;
    struct source          *sources;
    size_t                  count;
};

/* Takes the tasks that have rows. Shown lock held. */
static int add_sources(struct weir_view_rows *rows, const int32_t *only)
{
    const struct weir__app *app = rows->view->app;

    rows->sources = weir_arena_alloc(rows->arena, sizeof(*rows->sources) * (app->shown_count + 1));
    if (rows->sources == NULL)
        return WEIR_LIMIT;
    for (size_t i = 0; i < app->shown_count; i++) {
        const struct weir__shown *shown = app->shown[i];

        if (!has_store(rows->view, shown) || (only != NULL && shown->partition != *only))
            continue;
        if (peek_of(rows->view, shown) == NULL)
            return WEIR_AGAIN;
        rows->sources[rows->count++].partition = shown->partition;
    }
    if (rows->count > 0)
        return WEIR_OK;
    return only != NULL ? not_here(rows->view, *only) : WEIR_AGAIN;
}

/* only: of this partition alone; NULL = of all. */
static int open_rows(const struct weir_view *view, struct weir_arena *arena, const struct weir__peek_range *range,
                     const int32_t *only, struct weir_view_rows **ret)
{
    struct weir_view_rows *rows = weir_arena_alloc(arena, sizeof(*rows));
    int                    err;

    if (rows == NULL)
        return WEIR_LIMIT;
    *rows = (struct weir_view_rows){ .view = view, .arena = arena, .range = *range };
    pthread_rwlock_rdlock(&view->app->shown_lock);
    err = add_sources(rows, only);
    pthread_rwlock_unlock(&view->app->shown_lock);
    if (err == WEIR_OK)
        *ret = rows;
    return err;
}

int weir_view_range(const struct weir_view *view, struct weir_arena *arena, const void *from, const void *to,
                    enum weir_order order, struct weir_view_rows **ret)
{
    struct weir__peek_range range = { .order = order };
    int                     err;

    if (is_windows(view))
        return WEIR_BAD_ARGUMENT;
    err = weir__encode(view->plan->key, arena, from, &range.from);
    if (err == WEIR_OK)
        err = weir__encode(view->plan->key, arena, to, &range.to);
    return err < 0 ? err : open_rows(view, arena, &range, NULL, ret);
}

int weir_view_fetch_keys(const struct weir_view *view, struct weir_arena *arena, const void *key_from,
                         const void *key_to, int64_t from, int64_t to, enum weir_order order,
                         struct weir_view_rows **ret)
{
    struct weir__peek_range range = { .start_from = from, .start_to = to, .order = order };
    int                     err;

    if (!is_windows(view))
        return WEIR_BAD_ARGUMENT;
    err = weir__encode(view->plan->key, arena, key_from, &range.from);
    if (err == WEIR_OK)
        err = weir__encode(view->plan->key, arena, key_to, &range.to);
    return err < 0 ? err : open_rows(view, arena, &range, NULL, ret);
}

int weir_view_fetch(const struct weir_view *view, struct weir_arena *arena, const void *key, int64_t from, int64_t to,
                    enum weir_order order, struct weir_view_rows **ret)
{
    struct weir__peek_range range = { .start_from = from, .start_to = to, .order = order };
    int32_t                 partition;
    int                     err;

    if (!is_windows(view))
        return WEIR_BAD_ARGUMENT;
    if (key == NULL)
        return WEIR_NULL_GIVEN;
    err = weir__encode(view->plan->key, arena, key, &range.from);
    if (err < 0)
        return err;
    range.to = range.from;
    partition = partition_of(view, range.from);
    return open_rows(view, arena, &range, view->everywhere ? NULL : &partition, ret);
}

/* Shown lock held. */
static int read_page(struct weir_view_rows *rows, struct source *source)
{
    for (size_t i = 0; i < rows->view->app->shown_count; i++) {
        const struct weir__shown *shown = rows->view->app->shown[i];
        const struct weir__peek  *peek = peek_of(rows->view, shown);

        if (peek != NULL && shown->partition == source->partition)
            return weir__peek_page(peek, &rows->range, source->after, rows->arena, source->page, PAGE_ROWS,
                                   &source->count);
    }
    return WEIR_AGAIN; /* it has gone since */
}

static int refill(struct weir_view_rows *rows, struct source *source)
{
    int err;

    if (source->page == NULL)
        source->page = weir_arena_alloc(rows->arena, sizeof(*source->page) * PAGE_ROWS);
    if (source->page == NULL)
        return WEIR_LIMIT;
    source->at = source->count = 0;
    pthread_rwlock_rdlock(&rows->view->app->shown_lock);
    err = read_page(rows, source);
    pthread_rwlock_unlock(&rows->view->app->shown_lock);
    if (err < 0)
        return err;
    source->ended = source->count == 0;
    if (!source->ended)
        source->after = source->page[source->count - 1].place;
    return WEIR_OK;
}

/* Whether a comes before b, or b has nothing. */
static bool is_next(const struct weir_view_rows *rows, const struct source *a, const struct source *b)
{
    int order;

    if (a->ended || b == NULL)
        return !a->ended;
    order = weir__bytes_compare(a->page[a->at].place, b->page[b->at].place);
    return rows->range.order == WEIR_ASCENDING ? order < 0 : order > 0;
}

int weir_view_next(struct weir_view_rows *rows, struct weir_row *ret)
{
    struct source *next = NULL;

    for (size_t i = 0; i < rows->count; i++) {
        struct source *source = &rows->sources[i];
        int            err = WEIR_OK;

        if (!source->ended && source->at == source->count)
            err = refill(rows, source);
        if (err < 0)
            return err;
        if (is_next(rows, source, next))
            next = source;
    }
    if (next == NULL)
        return WEIR_NOTFOUND;
    return decode_row(rows->view, rows->arena, &next->page[next->at++].row, ret);
}
