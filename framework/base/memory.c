/* memory.c: malloc and its family, with failures that tests order. */
#include "framework/base/base.h"

#include <stdlib.h>

static _Thread_local uint64_t allocations_until_failure; /* 0 = none ordered */

static bool ordered_to_fail(void)
{
    return __builtin_expect(allocations_until_failure > 0, 0) && --allocations_until_failure == 0;
}

uint64_t weir__fail_allocation(uint64_t n)
{
    uint64_t left = allocations_until_failure;

    allocations_until_failure = n;
    return left;
}

void *weir__alloc(size_t size) { return ordered_to_fail() ? NULL : malloc(size ? size : 1); }

void *weir__zalloc(size_t size) { return ordered_to_fail() ? NULL : calloc(1, size ? size : 1); }

void *weir__realloc(void *memory, size_t size) { return ordered_to_fail() ? NULL : realloc(memory, size ? size : 1); }

char *weir__strdup(const char *text) { return weir__memdup(text, strlen(text) + 1); }

void *weir__memdup(const void *data, size_t size)
{
    void *copy = weir__alloc(size);

    if (copy && size)
        memcpy(copy, data, size);
    return copy;
}

void weir__free(void *memory) { free(memory); }

int weir__grow(void **items, size_t *capacity, size_t count, size_t size)
{
    size_t more = *capacity ? *capacity * 2 : 8;
    void  *grown;

    if (count < *capacity)
        return WEIR_OK;
    if (more < *capacity || more > SIZE_MAX / size)
        return WEIR_NO_MEMORY;
    grown = weir__realloc(*items, more * size);
    if (!grown)
        return WEIR_NO_MEMORY;
    *items = grown;
    *capacity = more;
    return WEIR_OK;
}
