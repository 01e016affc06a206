/* cmd_top.c: `top`: how services do, told again each second: what they say of themselves over HTTP, and for topologies that
 * none of them runs what the log says.
 *
 * (1) Rates are between two looks; the first one shows none.
 * (2) Where standard output is no terminal, or with --once, two looks a second apart make one table.
 */
#include "framework/main/commands.h"
#include "framework/main/top.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define EVERY_MS 1000

struct top {
    const struct weir__program *program;
    const struct weir__args    *args;
    struct weir__plans          plans;
    const char                **urls;
    char (*made)[300]; /* those that are nobody's words */
    size_t                    count;
    struct weir__http_caller *caller;
    struct weir__top_sample   before, now;
    struct weir__buf          text;
};

/* ---- who is asked ---- */

static bool is_known(const struct top *top, const char *url)
{
    for (size_t i = 0; i < top->count; i++)
        if (strcmp(top->urls[i], url) == 0)
            return true;
    return false;
}

/* The ports that the topologies have by declaration and settings. */
static void add_ports(struct top *top)
{
    for (size_t i = 0; i < top->plans.count; i++)
        if (weir__service_at(top->program, top->plans.items[i], top->made[top->count]) &&
            !is_known(top, top->made[top->count])) {
            top->urls[top->count] = top->made[top->count];
            top->count++;
        }
}

static int find_services(struct top *top, struct weir_error *reterr)
{
    size_t most = top->args->given_count + top->plans.count + 1;

    top->urls = weir__zalloc(sizeof(*top->urls) * most);
    top->made = weir__zalloc(sizeof(*top->made) * most);
    if (top->urls == NULL || top->made == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "top", "out of memory");
    for (size_t i = 0; i < top->args->given_count; i++)
        if (strcmp(top->args->given[i].flag->name, "url") == 0)
            top->urls[top->count++] = top->args->given[i].value;
    if (top->count == 0)
        add_ports(top);
    if (top->count == 0)
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "top",
                          "no topology declares a port: name the services, --url HOST:PORT each");
    return WEIR_OK;
}

/* ---- figures ---- */

static const struct weir__top_row *find_before(const struct top *top, const struct weir__top_row *row)
{
    for (size_t i = 0; i < top->before.count; i++)
        if (top->before.rows[i].service == row->service && strcmp(top->before.rows[i].topology, row->topology) == 0)
            return &top->before.rows[i];
    return NULL;
}

static double seconds_between(const struct top *top, size_t service)
{
    return (double)(top->now.services[service].asked - top->before.services[service].asked) / 1e6;
}

/* Per second; a process that has begun anew counts from 0. "-": there is no look before. */
static const char *rate_text(const struct top *top, size_t service, double before, double now, bool known,
                             int decimals, char to[static 24])
{
    double seconds = known ? seconds_between(top, service) : 0;

    if (seconds <= 0)
        return "-";
    snprintf(to, 24, "%.*f", decimals, (now >= before ? now - before : now) / seconds);
    return to;
}

static const char *lag_text(int64_t lag, bool known, char to[static 24])
{
    if (!known)
        return "-";
    snprintf(to, 24, "%lld", (long long)lag);
    return to;
}

static const char *memory_text(const struct weir__top_service *service, char to[static 24])
{
    if (service->memory < 0)
        return "-";
    snprintf(to, 24, "%.0fM", service->memory / (1 << 20));
    return to;
}

static const char *cpu_text(const struct top *top, size_t n, char to[static 24])
{
    const struct weir__top_service *before = top->before.services != NULL ? &top->before.services[n] : NULL;
    bool known = before != NULL && before->answered && before->cpu >= 0 && top->now.services[n].cpu >= 0;

    return rate_text(top, n, known ? before->cpu * 100 : 0, top->now.services[n].cpu * 100, known, 0, to);
}

/* ---- the table ---- */

#define LINE "%-22s %-18s %-10s %10s %8s %10s %6s %6s %8s %6s\n"

static void put_row(struct top *top, const struct weir__top_row *row, bool first)
{
    const struct weir__top_service *service = &top->now.services[row->service];
    const struct weir__top_row     *before = find_before(top, row);
    char                            records[24], commits[24], lag[24], tasks[24], restoring[24], memory[24], cpu[24];

    snprintf(tasks, sizeof(tasks), "%lld", (long long)row->tasks);
    snprintf(restoring, sizeof(restoring), "%lld", (long long)row->restoring);
    weir__buf_printf(&top->text, LINE, first ? service->at : "", row->topology, row->state,
                     rate_text(top, row->service, before != NULL ? (double)before->records : 0, (double)row->records,
                               before != NULL, 0, records),
                     rate_text(top, row->service, before != NULL ? (double)before->commits : 0, (double)row->commits,
                               before != NULL, 1, commits),
                     lag_text(row->lag, row->lag_known, lag), tasks, restoring,
                     first ? memory_text(service, memory) : "", first ? cpu_text(top, row->service, cpu) : "");
}

static void put_service(struct top *top, size_t n)
{
    bool first = true;

    if (!top->now.services[n].answered) {
        weir__buf_printf(&top->text, "%-22s %s\n", top->urls[n], top->now.services[n].words.text);
        return;
    }
    for (size_t i = 0; i < top->now.count; i++)
        if (top->now.rows[i].service == n) {
            put_row(top, &top->now.rows[i], first);
            first = false;
        }
}

static bool is_shown(const struct top *top, const char *topology)
{
    for (size_t i = 0; i < top->now.count; i++)
        if (strcmp(top->now.rows[i].topology, topology) == 0)
            return true;
    return false;
}

/* Of a topology that no service runs the log knows the lag, where one can be opened. */
static void put_absent(struct top *top, const struct weir__looked *looked, const struct weir__plan *plan)
{
    struct weir__lags lags = { 0 };
    bool              known = looked->log != NULL && weir__lags_read(looked, plan, &lags, NULL) == WEIR_OK;
    char              lag[24];

    weir__buf_printf(&top->text, LINE, "-", plan->topology->name, "absent", "-", "-",
                     lag_text(lags.records, known, lag), "-", "-", "-", "-");
    weir__lags_fini(&lags);
}

static void put_all_absent(struct top *top)
{
    struct weir__looked looked = { .dir = { .lock = -1 } };
    bool                tried = false;

    for (size_t i = 0; i < top->plans.count; i++) {
        if (is_shown(top, top->plans.items[i]->topology->name))
            continue;
        if (!tried)
            (void)weir__looked_open(top->program, top->args, &looked, NULL);
        tried = true;
        put_absent(top, &looked, top->plans.items[i]);
    }
    weir__looked_close(&looked);
}

static void make_table(struct top *top)
{
    time_t    now = time(NULL);
    struct tm local;
    char      clock[16];

    strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &local));
    weir__buf_reset(&top->text);
    weir__buf_printf(&top->text, "%s top - %s\n", top->program->name, clock);
    weir__buf_printf(&top->text, LINE, "SERVICE", "TOPOLOGY", "STATE", "RECORDS/S", "COMMITS/S", "LAG", "TASKS",
                     "RESTO", "MEMORY", "CPU %");
    for (size_t i = 0; i < top->count; i++)
        put_service(top, i);
    put_all_absent(top);
}

/* ---- the loop ---- */

static int look(struct top *top, struct weir_error *reterr)
{
    weir__top_fini(&top->before);
    top->before = top->now;
    top->now = (struct weir__top_sample){ 0 };
    if (weir__top_ask(top->caller, top->urls, top->count, &top->now) < 0)
        return weir__fail(reterr, WEIR_NO_MEMORY, "top", "out of memory");
    return WEIR_OK;
}

static int print_once(struct top *top, struct weir_error *reterr)
{
    int err = look(top, reterr);

    if (err == WEIR_OK)
        nanosleep(&(struct timespec){ .tv_sec = EVERY_MS / 1000 }, NULL);
    if (err == WEIR_OK)
        err = look(top, reterr);
    if (err < 0)
        return err;
    make_table(top);
    if (!weir__buf_ok(&top->text))
        return weir__fail(reterr, WEIR_NO_MEMORY, "top", "out of memory");
    fwrite(top->text.data, 1, top->text.size, stdout);
    return WEIR_OK;
}

/* Waits until the next look is due. false: it ends. */
static bool wait_for_next(void)
{
    int64_t until = weir__monotonic_us() + EVERY_MS * 1000, left;

    while ((left = until - weir__monotonic_us()) > 0) {
        int key = weir__terminal_wait(left / 1000 + 1);

        if (key == WEIR__TERMINAL_ENDED || key == 'q' || key == 'Q')
            return false;
    }
    return true;
}

static int show(struct top *top, struct weir_error *reterr)
{
    int err;

    weir__terminal_open();
    do {
        err = look(top, reterr);
        if (err < 0)
            break;
        make_table(top);
        if (weir__buf_ok(&top->text))
            weir__terminal_draw(&top->text);
    } while (wait_for_next());
    weir__terminal_close();
    return err;
}

static int run_with(struct top *top, struct weir_error *reterr)
{
    const struct weir_topology **topologies = NULL;
    size_t                       count;
    int                          err =
        weir__choose_topologies(top->program, top->args->words, top->args->word_count, &topologies, &count, reterr);

    if (err == WEIR_OK)
        err = weir__plans_make(top->program, topologies, count, &top->plans, reterr);
    if (err == WEIR_OK)
        err = find_services(top, reterr);
    if (err == WEIR_OK)
        err = weir__http_caller_new(top->program->settings, &top->caller, reterr);
    if (err == WEIR_OK)
        err =
            weir__args_has(top->args, "once") || !isatty(STDOUT_FILENO) ? print_once(top, reterr) : show(top, reterr);
    weir__free(topologies);
    return err;
}

static int run_top(struct weir__program *program, const struct weir__args *args)
{
    struct top        top = { .program = program, .args = args };
    struct weir_error words = { 0 };
    int               err = run_with(&top, &words);

    weir__top_fini(&top.before);
    weir__top_fini(&top.now);
    weir__buf_fini(&top.text);
    weir__plans_fini(&top.plans);
    weir__http_caller_free(top.caller);
    weir__free(top.urls);
    weir__free(top.made);
    return err < 0 ? weir__report(&words) : WEIR__EXIT_OK;
}

static const struct weir__flag flags[] = {
    { .name = "url",
      .value = "HOST:PORT",
      .many = true,
      .meaning =
          "a service's HTTP port, https://HOST:PORT with TLS (default: those of the topologies, on this machine)" },
    { .name = "dir", .value = "DIR", .meaning = "folder of the log, for topologies that no service runs" },
    { .name = "once", .meaning = "prints one table and ends; so it does where the output is no terminal" },
    { .name = NULL },
};
const struct weir__command weir__command_top = {
    .name = "top",
    .usage = "top [TOPOLOGY...] [--url HOST:PORT]... [--dir DIR] [--once]",
    .meaning = "Shows each second how services do: records and commits a second, lag, tasks, memory. q ends it.",
    .flags = flags,
    .run = run_top
};
