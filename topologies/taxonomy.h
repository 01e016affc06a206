/* taxonomy.h: which commodity, region and tier an instrument belongs to, and how sure that is.
 *
 * (1) A reference row says it (0.95, "database"); else a rule whose keyword is among the words of the id ("rule_based"); else what
 *     the market trades, and where ("market_default"); else nobody knows ("fallback").
 * (2) Keywords are whole words, or several in a row, never parts of words: GASOLINE is no GAS, and NE in LINE no region.
 * (3) Of an operator's id only a tenant's own rules count: its market says what it is and where, and its words name places.
 */
#ifndef TOPOLOGIES_TAXONOMY_H
#define TOPOLOGIES_TAXONOMY_H

#include "topologies/topologies.h"

/* Rules made ready. */
struct market_rulebook;
/* row: a tenant's rules, in the place of those that are built in for the same answers; NULL = none. WEIR_NO_MEMORY. */
int  market_rulebook_new(const struct market_taxonomy_rules *row, struct market_rulebook **ret);
void market_rulebook_free(struct market_rulebook *book); /* NULL is fine */

/* row: the instrument's reference data, NULL = none. Texts are the book's, or the row's. */
struct market_taxonomy market_classify(const struct market_rulebook *book, const struct market_tick *tick,
                                       const struct market_instrument *row);

#endif
