/* test_base_files.c: folders, files written whole, lock files. */
#include "framework/base/base.h"
#include "test/run.h"

#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64], path[128];

static void set_up(void)
{
    snprintf(dir, sizeof(dir), "/tmp/weir-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/file", dir);
}

static void tear_down(void) { ck_assert_int_eq(weir__remove_tree(dir, NULL), WEIR_OK); }

static bool exists(const char *name) { return access(name, F_OK) == 0; }

START_TEST(folders_are_made_with_their_parents)
{
    char        deep[160];
    struct stat status;

    snprintf(deep, sizeof(deep), "%s/a/b//c/", dir);
    ck_assert_int_eq(weir__make_dirs(deep, NULL), WEIR_OK);
    ck_assert_int_eq(weir__make_dirs(deep, NULL), WEIR_OK);
    ck_assert_int_eq(stat(deep, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0027, 0);
}
END_TEST

START_TEST(a_file_in_the_way_of_a_folder_is_named)
{
    struct weir_error err;
    char              deep[160];

    ck_assert_int_eq(weir__write_file(path, BYTES("x", 1), NULL), WEIR_OK);
    snprintf(deep, sizeof(deep), "%s/below", path);
    ck_assert_int_eq(weir__make_dirs(deep, &err), WEIR_IO);
    ck_assert_str_eq(err.where, path);
}
END_TEST

START_TEST(remove_tree_does_not_follow_links)
{
    char tree[160], link[200], kept[160];

    snprintf(tree, sizeof(tree), "%s/tree/deep", dir);
    snprintf(kept, sizeof(kept), "%s/kept", dir);
    snprintf(link, sizeof(link), "%s/link", tree);
    ck_assert_int_eq(weir__make_dirs(tree, NULL), WEIR_OK);
    ck_assert_int_eq(weir__make_dirs(kept, NULL), WEIR_OK);
    ck_assert_int_eq(symlink(kept, link), 0);
    snprintf(tree, sizeof(tree), "%s/tree", dir);
    ck_assert_int_eq(weir__remove_tree(tree, NULL), WEIR_OK);
    ck_assert(!exists(tree));
    ck_assert(exists(kept));
    ck_assert_int_eq(weir__remove_tree(tree, NULL), WEIR_OK);
}
END_TEST

START_TEST(a_tree_is_discarded_under_another_name)
{
    char tree[160], aside[176], inside[176];

    snprintf(tree, sizeof(tree), "%s/state", dir);
    snprintf(aside, sizeof(aside), "%s.discarded", tree);
    snprintf(inside, sizeof(inside), "%s/file", tree);
    ck_assert_int_eq(weir__discard_tree(tree, NULL), WEIR_OK); /* absent = fine */
    ck_assert_int_eq(weir__make_dirs(tree, NULL), WEIR_OK);
    ck_assert_int_eq(weir__write_file(inside, BYTES("x", 1), NULL), WEIR_OK);
    ck_assert_int_eq(weir__make_dirs(aside, NULL), WEIR_OK); /* left by an earlier one that was cut short */
    ck_assert_int_eq(weir__discard_tree(tree, NULL), WEIR_OK);
    ck_assert(!exists(tree));
    ck_assert(!exists(aside));
}
END_TEST

START_TEST(a_file_is_replaced_whole)
{
    AUTO(weir__buf_fini) struct weir__buf file = { 0 };
    char                                  beside[160];

    ck_assert_int_eq(weir__write_file(path, BYTES("first and longer", 16), NULL), WEIR_OK);
    /* What a crash left beside it is in nobody's way. */
    snprintf(beside, sizeof(beside), "%s.tmp", path);
    ck_assert_int_eq(weir__write_file(beside, BYTES("cut off in the middle", 21), NULL), WEIR_OK);
    ck_assert_int_eq(weir__write_file(path, BYTES("second", 6), NULL), WEIR_OK);
    ck_assert_int_eq(weir__read_file(path, &file, NULL), WEIR_OK);
    ck_assert_uint_eq(file.size, 6);
    ck_assert_mem_eq(file.data, "second", 6);
    ck_assert(!exists(beside));
}
END_TEST

START_TEST(empty_and_large_files_are_read)
{
    AUTO(weir__buf_fini) struct weir__buf large = { 0 }, file = { 0 };

    for (int i = 0; i < 50000; i++)
        weir__buf_be32(&large, (uint32_t)i);
    ck_assert_int_eq(weir__write_file(path, BYTES(large.data, large.size), NULL), WEIR_OK);
    ck_assert_int_eq(weir__read_file(path, &file, NULL), WEIR_OK);
    ck_assert_uint_eq(file.size, large.size);
    ck_assert_mem_eq(file.data, large.data, large.size);
    ck_assert_int_eq(weir__write_file(path, NO_BYTES, NULL), WEIR_OK);
    weir__buf_reset(&file);
    ck_assert_int_eq(weir__read_file(path, &file, NULL), WEIR_OK);
    ck_assert_uint_eq(file.size, 0);
}
END_TEST

START_TEST(what_is_no_plain_file_is_not_replaced)
{
    struct weir_error err;
    struct stat       status;

    ck_assert_int_eq(symlink("/dev/null", path), 0);
    ck_assert_int_eq(weir__write_file(path, BYTES("x", 1), &err), WEIR_IO);
    ck_assert_str_eq(err.where, path);
    ck_assert_int_eq(lstat(path, &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(weir__write_file(path, BYTES("x", 1), &err), WEIR_IO);
    ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(absent_files_and_folders_are_named)
{
    AUTO(weir__buf_fini) struct weir__buf file = { 0 };
    struct weir_error                     err;
    char                                  deep[160];

    ck_assert_int_eq(weir__read_file(path, &file, &err), WEIR_NOTFOUND);
    ck_assert_str_eq(err.where, path);
    snprintf(deep, sizeof(deep), "%s/none/file", dir);
    ck_assert_int_eq(weir__write_file(deep, NO_BYTES, &err), WEIR_IO);
    ck_assert_int_eq(strncmp(err.where, deep, strlen(deep)), 0);
    ck_assert_int_eq(weir__read_file(dir, &file, &err), WEIR_IO);
}
END_TEST

START_TEST(a_held_lock_names_its_holder)
{
    struct weir_error err;
    int               fd, second = -5;
    char              pid[32];

    ck_assert_int_eq(weir__lock_file(path, &fd, NULL), WEIR_OK);
    ck_assert_int_eq(weir__lock_file(path, &second, &err), WEIR_BUSY);
    ck_assert_int_eq(second, -5);
    snprintf(pid, sizeof(pid), "process %ld ", (long)getpid());
    ck_assert_ptr_nonnull(strstr(err.text, pid));
    ck_assert_str_eq(err.where, path);
    weir__unlock_file(fd);
    ck_assert_int_eq(weir__lock_file(path, &fd, NULL), WEIR_OK);
    weir__unlock_file(fd);
}
END_TEST

START_TEST(a_lock_ends_with_its_process)
{
    int   fd, status;
    pid_t child = fork();

    if (child == 0)
        _exit(weir__lock_file(path, &fd, NULL) == WEIR_OK ? 0 : 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(weir__lock_file(path, &fd, NULL), WEIR_OK);
    weir__unlock_file(fd);
}
END_TEST

START_TEST(failed_allocations_are_told)
{
    AUTO(weir__buf_fini) struct weir__buf file = { 0 };

    ck_assert_int_eq(weir__write_file(path, BYTES("x", 1), NULL), WEIR_OK);
    weir__fail_allocation(1);
    ck_assert_int_eq(weir__read_file(path, &file, NULL), WEIR_NO_MEMORY);
    weir__fail_allocation(1);
    ck_assert_int_eq(weir__write_file(path, BYTES("y", 1), NULL), WEIR_NO_MEMORY);
    weir__fail_allocation(1);
    ck_assert_int_eq(weir__make_dirs(dir, NULL), WEIR_NO_MEMORY);
}
END_TEST

int main(void)
{
    const TTest *const all_tests[] = {
        folders_are_made_with_their_parents,
        a_file_in_the_way_of_a_folder_is_named,
        remove_tree_does_not_follow_links,
        a_tree_is_discarded_under_another_name,
        a_file_is_replaced_whole,
        empty_and_large_files_are_read,
        what_is_no_plain_file_is_not_replaced,
        absent_files_and_folders_are_named,
        a_held_lock_names_its_holder,
        a_lock_ends_with_its_process,
        failed_allocations_are_told,
    };
    Suite *suite = suite_create("base_files");
    TCase *tcase = tcase_create("base_files");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < ARRAY_SIZE(all_tests); i++)
        tcase_add_test(tcase, all_tests[i]);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
