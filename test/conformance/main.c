/* main.c: `conformance [-v] DIR|FILE...`: runs all cases, prints those that differ, and counts. */
#define _GNU_SOURCE /* FTW_ACTIONRETVAL of nftw */
#include <ftw.h>
#include <locale.h>

#include "test/conformance/conformance.h"

enum { MOST_KINDS = 64 };

static struct {
    bool             verbose;
    struct conf_list files;
    size_t           passed, failed, left_out, defects;
    const char      *kinds[MOST_KINDS]; /* left out, with their numbers */
    size_t           kind_counts[MOST_KINDS];
} app;

static void count_kind(const char *kind)
{
    size_t i = 0;

    while (i < MOST_KINDS - 1 && app.kinds[i] && strcmp(app.kinds[i], kind) != 0)
        i++;
    app.kinds[i] = kind;
    app.kind_counts[i]++;
    app.left_out++;
}

static void print_difference(const struct conf_case *c, const struct conf_difference *difference)
{
    printf("%s/%s: %.*s\n", c->category, c->id, (int)difference->line.size, difference->line.data);
    if (app.verbose)
        printf("%.*s", (int)difference->full.size, difference->full.data);
}

/* A kind that cannot run is described all the same: a wrong description is worth a look. */
static void leave_out(const struct conf_case *c, const struct conf_build *build, const struct conf_run *run)
{
    const char *expected = conf_string(c->expect, "describe", NULL);

    count_kind(build->need);
    if (app.verbose && expected && run->describe && strcmp(expected, run->describe) != 0)
        printf("%s/%s: left out (%s), and describe differs\n", c->category, c->id, build->need);
}

static void judge(struct conf_case *c, const struct conf_build *build, const struct conf_run *run)
{
    struct conf_difference difference;

    if (run->code == WEIR_UNSUPPORTED && build->need && strcmp(run->stage, "run") != 0) {
        leave_out(c, build, run);
        return;
    }
    if (conf_compare(c, build, run, &difference)) {
        app.passed++;
    } else {
        print_difference(c, &difference);
        if (strcmp(c->category, "upstream-defects") == 0)
            app.defects++;
        else
            app.failed++;
    }
    weir__buf_fini(&difference.line);
    weir__buf_fini(&difference.full);
}

static void run_built(struct conf_case *c, struct conf_build *build, int err)
{
    struct conf_run run = { .arena = &c->arena, .code = err, .stage = "build", .error = build->error };

    if (err >= 0)
        conf_run_init(&run, build);
    judge(c, build, &run);
    conf_run_fini(&run);
}

static void run_file(const char *path)
{
    struct conf_case  c;
    struct conf_build build;
    struct weir_error error;
    int               err = conf_case_init(&c, path, &error);

    if (err < 0) {
        printf("%s: %s\n", error.where, error.text);
        app.failed++;
        conf_case_fini(&c);
        return;
    }
    err = conf_build_init(&build, &c);
    if (build.lack)
        count_kind(build.lack);
    else
        run_built(&c, &build, err);
    fflush(stdout);
    conf_build_fini(&build);
    conf_case_fini(&c);
}

static int found(const char *path, const struct stat *info, int type, struct FTW *where)
{
    size_t length = strlen(path);

    (void)info, (void)where;
    if (type == FTW_F && length > 5 && strcmp(path + length - 5, ".json") == 0) {
        char *copy = weir__strdup(path);

        CHECK(copy != NULL);
        conf_add(&app.files, copy);
    }
    return 0;
}

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void print_summary(void)
{
    for (size_t i = 0; i < MOST_KINDS && app.kinds[i]; i++)
        printf("left out: %zu %s\n", app.kind_counts[i], app.kinds[i]);
    printf("%zu passed, %zu failed", app.passed, app.failed);
    if (app.left_out)
        printf(", %zu left out", app.left_out);
    if (app.defects)
        printf(", %zu upstream defects", app.defects);
    printf("\n");
}

int main(int argc, char **argv)
{
    int paths = 0;

    setlocale(LC_CTYPE, "C.UTF-8"); /* upper case beyond ASCII */
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0) {
            app.verbose = true;
            continue;
        }
        paths++;
        if (nftw(argv[i], found, 16, FTW_PHYS) != 0) {
            fprintf(stderr, "conformance: %s cannot be read\n", argv[i]);
            return 2;
        }
    }
    if (!paths || !app.files.count) {
        fprintf(stderr, "usage: conformance [-v] DIR|FILE...   (runs every *.json of conformance cases under DIR)\n");
        return 2;
    }
    qsort(app.files.items, app.files.count, sizeof(*app.files.items), by_name);
    for (size_t i = 0; i < app.files.count; i++) {
        run_file(app.files.items[i]);
        weir__free((void *)app.files.items[i]);
    }
    weir__free(app.files.items);
    print_summary();
    return app.failed ? 1 : 0;
}
