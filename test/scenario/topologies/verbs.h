/* verbs.h: verbs that several topologies of the stories share. Values are texts where nothing else is said. */
#ifndef WEIR_TEST_FLOW_VERBS_H
#define WEIR_TEST_FLOW_VERBS_H

#include <string.h>

#include "framework/declare.h"

weir_test    flow_is_long;   /* longer than 3 bytes; "bad" fails */
weir_map     flow_upper;     /* value in capitals; null stays; "bad" fails */
weir_map     flow_swap;      /* key and value change places */
weir_process flow_words;     /* each word of the value */
weir_select  flow_by_value;  /* key = value; null stays */
weir_select  flow_by_letter; /* key = first letter of the value; none for an empty one; "bad" fails */
weir_fold    flow_concat;    /* "a", "a+b", ...; "gone" deletes; "bad" fails */
weir_fold    flow_add;       /* int64 state += bytes of the value; "bad" fails */
weir_fold    flow_subtract;  /* int64 state -= bytes of the value */
weir_join    flow_pair;      /* "left/right"; none for null; left "bad" fails */

static inline bool flow_is(const struct weir_text *text, const char *word)
{
    return text != NULL && text->size == strlen(word) && memcmp(text->data, word, text->size) == 0;
}
/* a then between then b, in the record's memory. */
int flow_join_texts(struct weir_context *ctx, struct weir_text a, const char *between, struct weir_text b,
                    struct weir_text *ret);

#endif
