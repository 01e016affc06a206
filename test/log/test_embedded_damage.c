/* test_embedded_damage.c: folders that are damaged, held, of another version, or on a full disk: a named error, and nothing
 * that was whole is lost. */
#include "test/log/suite.h"
#include "test/run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- files of the folder ---- */

static char path[512];

/* The largest file whose name begins and ends so; its path is in `path`. */
static off_t find_file(const char *begins, const char *ends)
{
    DIR           *folder = opendir(log_dir);
    struct dirent *entry;
    off_t          most = -1;

    ck_assert_ptr_nonnull(folder);
    while ((entry = readdir(folder)) != NULL) {
        size_t      size = strlen(entry->d_name);
        char        here[512];
        struct stat status;

        if (strncmp(entry->d_name, begins, strlen(begins)) != 0 || size < strlen(ends) ||
            strcmp(entry->d_name + size - strlen(ends), ends) != 0)
            continue;
        snprintf(here, sizeof(here), "%s/%s", log_dir, entry->d_name);
        ck_assert_int_eq(stat(here, &status), 0);
        if (status.st_size <= most)
            continue;
        most = status.st_size;
        strcpy(path, here);
    }
    closedir(folder);
    ck_assert_int_ge(most, 0);
    return most;
}

static void flip_byte(off_t at)
{
    int  fd = open(path, O_RDWR);
    char byte;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
    byte ^= 0x5a;
    ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static int try_open(bool read_only)
{
    struct weir__log_config config = { .dir = log_dir, .quirks = true, .read_only = read_only };

    words = (struct weir_error){ 0 };
    return engine->open(&config, &logs, &words);
}

static void expect_damaged(const char *what)
{
    ck_assert_int_eq(try_open(false), WEIR_CORRUPT);
    ck_assert_str_eq(words.where, log_dir);
    ck_assert_msg(strstr(words.text, what) != NULL, "%s", words.text);
    ck_assert_ptr_nonnull(strstr(words.text, "put back a copy"));
}

/* Records in a table and in the write-ahead log; closed. */
static void make_log(void)
{
    suite_begin(DURABLE);
    make_topic("topic", 1);
    for (int i = 0; i < 200; i++)
        put("topic", 0, "some=value that=is more=than nothing=at all=");
    suite_close();
    suite_open(); /* what was in the write-ahead log goes into a table */
    put("topic", 0, "in=log1");
    put("topic", 0, "in=log2");
    put("topic", 0, "in=log3");
    suite_close();
}

/* What another process says of our folder. */
static int ask_another(const char *as)
{
    pid_t child = suite_spawn(as, -1, -1);
    int   status;

    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return -WEXITSTATUS(status);
}

/* As a crash leaves it. */
static void forget_closing(void)
{
    char closed[512];

    snprintf(closed, sizeof(closed), "%s/CLOSED", log_dir);
    ck_assert_int_eq(unlink(closed), 0);
}

static void drop_log(void)
{
    logs = NULL;
    suite_end();
}

static const struct {
    const char *begins, *ends;
} files[] = { { "CURRENT", "" }, { "MANIFEST", "" }, { "", ".sst" }, { "0", ".log" } };

START_TEST(a_missing_file_is_named)
{
    make_log();
    (void)find_file(files[_i].begins, files[_i].ends);
    ck_assert_int_eq(unlink(path), 0);
    expect_damaged(strrchr(path, '/') + 1);
    drop_log();
}
END_TEST

START_TEST(a_file_that_was_cut_is_named)
{
    off_t size;

    make_log();
    size = find_file(files[_i].begins, files[_i].ends);
    ck_assert_int_eq(truncate(path, size / 2), 0);
    expect_damaged(strrchr(path, '/') + 1);
    drop_log();
}
END_TEST

START_TEST(a_file_missing_after_a_crash_is_an_error)
{
    static const char *const told[] = { "CURRENT", "MANIFEST", "0000", "write-ahead log" };

    make_log();
    forget_closing();
    (void)find_file(files[_i].begins, files[_i].ends);
    ck_assert_int_eq(unlink(path), 0);
    expect_damaged(told[_i]);
    drop_log();
}
END_TEST

START_TEST(a_flipped_byte_in_a_table_is_met_by_who_reads_it)
{
    make_log();
    ck_assert_int_eq(ask_another("reader"), WEIR_OK);
    (void)find_file("", ".sst");
    flip_byte(100);
    ck_assert_int_eq(ask_another("reader"), WEIR_CORRUPT);
    drop_log();
}
END_TEST

START_TEST(a_flipped_byte_before_the_end_of_the_write_ahead_log_is_no_end)
{
    make_log();
    (void)find_file("0", ".log");
    flip_byte(20);
    expect_damaged("");
    drop_log();
}
END_TEST

START_TEST(a_commit_that_was_cut_off_is_not_there_and_the_rest_is)
{
    struct weir__consumer *reader;
    struct weir__buf       text = { 0 };
    off_t                  size;

    make_log();
    forget_closing();
    size = find_file("0", ".log");
    ck_assert_int_eq(truncate(path, size - 3), 0);
    suite_open();
    ck_assert_int_eq(ends_of("topic", 0).end, 1002);
    reader = new_tail("topic", 0, 1000);
    gather(reader, 2, &text);
    expect_text(&text, "in=log1 in=log2 ");
    leave(reader);
    put("topic", 0, "in=again");
    ck_assert_int_eq(ends_of("topic", 0).end, 1003);
    suite_end();
}
END_TEST

START_TEST(another_format_is_refused_by_name)
{
    static const char *const formats[] = { "weir log 999\n", "", "something else" };

    make_log();
    snprintf(path, sizeof(path), "%s/FORMAT", log_dir);
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        for (int read_only = 0; read_only < 2; read_only++) {
            must(weir__write_file(path, bytes_of(formats[i]), &words));
            ck_assert_int_eq(try_open(read_only), WEIR_UNSUPPORTED);
            ck_assert_str_eq(words.where, path);
            ck_assert_ptr_nonnull(strstr(words.text, "use the version that made the folder"));
        }
    drop_log();
}
END_TEST

START_TEST(a_file_in_the_way_is_named)
{
    suite_begin(DURABLE);
    suite_close();
    snprintf(path, sizeof(path), "%s/file", log_dir);
    must(weir__write_file(path, bytes_of("x"), &words));
    log_dir = path;
    ck_assert_int_eq(try_open(false), WEIR_IO);
    ck_assert_str_eq(words.where, path);
    ck_assert_int_eq(unlink(path), 0);
    *strrchr(path, '/') = '\0';
    drop_log();
}
END_TEST

START_TEST(reading_where_there_is_no_log_makes_none)
{
    suite_begin(DURABLE);
    suite_close();
    snprintf(path, sizeof(path), "%s/absent", log_dir);
    log_dir = path;
    ck_assert_int_eq(try_open(true), WEIR_NOTFOUND);
    ck_assert_str_eq(words.where, path);
    ck_assert_int_ne(access(path, F_OK), 0);
    *strrchr(path, '/') = '\0';
    drop_log();
}
END_TEST

START_TEST(a_second_process_is_told_who_holds_the_folder)
{
    struct weir__log *held;

    suite_begin(DURABLE);
    ck_assert_int_eq(ask_another("second"), WEIR_BUSY);
    held = logs;
    ck_assert_int_eq(try_open(false), WEIR_BUSY); /* in one process, too */
    logs = held;
    suite_close();
    suite_open();
    suite_end();
}
END_TEST

/* ---- the disk ---- */

#define DISK_BYTES "160m"

/* Leaves so many bytes on the disk. */
static void fill_disk(const char *dir, off_t leave_free)
{
    off_t size = (160 << 20) - leave_free;
    int   fd;

    snprintf(path, sizeof(path), "%s/ballast", dir);
    fd = open(path, O_RDWR | O_CREAT, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(posix_fallocate(fd, 0, size), 0);
    close(fd);
}

/* Commits 4 MB at a time until it fails; counts those that did not. */
static int commit_until_full(struct weir__producer *producer, int *ret_commits)
{
    static char value[1000000];
    unsigned    seed = 1;
    int         err;

    for (size_t i = 0; i < sizeof(value) - 1; i++)
        value[i] = (char)(1 + rand_r(&seed) % 255); /* does not compress */
    for (*ret_commits = 0;; (*ret_commits)++) {
        for (int i = 0; i < 4; i++)
            send(producer, "topic", 0, "k", value);
        err = engine->commit(producer, NULL, NULL, -1, NULL, 0, soon());
        if (err < 0)
            return err;
        ck_assert_int_lt(*ret_commits, 100);
    }
}

static void play_full_disk(void)
{
    struct weir__producer *producer;
    char                   ballast[512];
    int                    commits;

    make_topic("topic", 1);
    put("topic", 0, "a=1");
    fill_disk(log_dir, 90 << 20);
    strcpy(ballast, path);
    producer = new_producer("producer");
    ck_assert_int_eq(commit_until_full(producer, &commits), WEIR_DISK_FULL);
    ck_assert_ptr_nonnull(strstr(weir_code_text(WEIR_DISK_FULL), "disk is full"));
    ck_assert_int_eq(ends_of("topic", 0).stable, 1 + 5 * commits); /* nothing half done; each has a marker */
    ck_assert_int_eq(engine->commit(producer, NULL, NULL, -1, NULL, 0, soon()), WEIR_DISK_FULL);
    ck_assert_int_eq(unlink(ballast), 0);
    commit(producer); /* the same call, now that there is room */
    ck_assert_int_eq(ends_of("topic", 0).end, 1 + 5 * (commits + 1));
    engine->producer_close(producer);
    suite_close();
    suite_open();
    ck_assert_int_eq(ends_of("topic", 0).end, 1 + 5 * (commits + 1));
    put("topic", 0, "b=2");
}

START_TEST(a_full_disk_is_named_and_with_room_it_goes_on)
{
    suite_begin(DURABLE);
    suite_close();
    if (mount("tmpfs", log_dir, "tmpfs", 0, "size=" DISK_BYTES) < 0) {
        printf("a full disk was not tried: no tmpfs can be mounted here: %s\n", strerror(errno));
        drop_log();
        return;
    }
    suite_open();
    play_full_disk();
    suite_close();
    ck_assert_int_eq(umount(log_dir), 0);
    drop_log();
}
END_TEST

/* ---- the other process: none of the files is in its caches ---- */

static int read_topic(void)
{
    struct weir__offset    from = { .tp = { "topic", 0 } };
    struct weir__consumer *reader;
    struct weir__polled    polled = { 0 };
    int                    err = try_open(false);

    if (err == WEIR_OK)
        err = engine->tail(logs, &from, 1, WEIR__READ_COMMITTED, &reader, NULL);
    while (err == WEIR_OK && polled.event == NULL)
        err = engine->poll(reader, soon(), &polled);
    return err;
}

/* Is refused, with the process id of who started us. */
static int open_held(void)
{
    char holder[32];
    int  err = try_open(false);

    snprintf(holder, sizeof(holder), "%ld", (long)getppid());
    return strstr(words.text, holder) != NULL ? err : WEIR_FATAL;
}

int main(int argc, char **argv)
{
    Suite *suite = suite_create("embedded damage");
    TCase *tcase = tcase_create("embedded damage");

    suite_role(argc, argv);
    if (role != NULL)
        _exit(-(strcmp(role, "reader") == 0 ? read_topic() : open_held()));
    tcase_add_loop_test(tcase, a_missing_file_is_named, 0, 4);
    tcase_add_loop_test(tcase, a_file_that_was_cut_is_named, 0, 4);
    tcase_add_loop_test(tcase, a_file_missing_after_a_crash_is_an_error, 0, 4);
    tcase_add_test(tcase, a_flipped_byte_in_a_table_is_met_by_who_reads_it);
    tcase_add_test(tcase, a_flipped_byte_before_the_end_of_the_write_ahead_log_is_no_end);
    tcase_add_test(tcase, a_commit_that_was_cut_off_is_not_there_and_the_rest_is);
    tcase_add_test(tcase, another_format_is_refused_by_name);
    tcase_add_test(tcase, a_file_in_the_way_is_named);
    tcase_add_test(tcase, reading_where_there_is_no_log_makes_none);
    tcase_add_test(tcase, a_second_process_is_told_who_holds_the_folder);
    tcase_add_test(tcase, a_full_disk_is_named_and_with_room_it_goes_on);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
