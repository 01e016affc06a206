/* metrics/page.h: values that are looked up when somebody asks, gathered in any order, printed by family.
 *
 * (1) Values of the same labels become one: their sum, or the least of them.
 * (2) A family has at most 1000 sets of labels here too; what is beyond becomes one, under `other`.
 * (3) A page lives for one request and belongs to its thread.
 */
#ifndef WEIR_METRICS_PAGE_H
#define WEIR_METRICS_PAGE_H

#include "framework/metrics/families.h"

struct weir__paged; /* one set of labels of a family, and its value */

struct weir__page {
    struct weir_arena    arena;
    struct weir__paged **values; /* in order of coming */
    size_t               count, capacity, counts[WEIR__FAMILY_COUNT];
    struct weir__map     by_key;
    bool                 failed; /* out of memory */
};
void weir__page_init(struct weir__page *page);
void weir__page_fini(struct weir__page *page);
/* labels: as many as the family has; copied. */
void weir__page_add(struct weir__page *page, enum weir__family_id id, const char *const *labels, double value);
void weir__page_least(struct weir__page *page, enum weir__family_id id, const char *const *labels, double value);
void weir__page_print(const struct weir__page *page, struct weir__buf *ret);

#endif
