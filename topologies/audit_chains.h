/* audit_chains.h: events of the audit trail gathered by chain, and what is wrong with them.
 *
 * (1) An event is good when its hash is that of what it says, its predecessor's hash is the one that it carries, and the number
 *     before its own is there, was said to be lost by its chain, or is older than the retention.
 * (2) Where there is a key, a chain without a seal that begins after one with a seal is bad: whoever made it did not have the key.
 * (3) The end of a chain shows in the chain only where its last event is a stop: what both places have is compared besides.
 */
#ifndef TOPOLOGIES_AUDIT_CHAINS_H
#define TOPOLOGIES_AUDIT_CHAINS_H

#include "topologies/audit.h"

#define MARKET_HASH_BYTES 32

struct market_link {
    uint64_t      number;
    int64_t       time;
    unsigned char hash[MARKET_HASH_BYTES], previous[MARKET_HASH_BYTES];
    bool          edited; /* the hash is not that of what it says */
};
struct market_chain {
    char                      id[80], service[64];
    int64_t                   began;
    struct market_link       *links;
    size_t                    count, capacity;
    struct weir__audit_range *lost;
    size_t                    lost_count, lost_capacity;
    bool                      sealed; /* by its name: its hashes have a key */
};
/* A place that holds the trail. */
struct market_trail {
    const char      *name;   /* for people */
    const char      *writer; /* as losses call it */
    const char      *keys;   /* lines; NULL = none: then nothing that is sealed is good */
    struct weir__map chains; /* by id */
    uint64_t         events, doubled;
};

/* A market_take_event; arg: the trail. */
int  market_trail_take(void *trail, const struct weir__audit_event *event, struct weir_error *reterr);
void market_trail_sort(struct market_trail *trail); /* when all was taken; doubles go */
void market_trail_fini(struct market_trail *trail);

/* Calls found for the first bad event of each chain. Gives how many chains are bad. retention_us: how long events are kept. */
typedef void market_bad_event(void *arg, const struct market_trail *trail, const struct market_chain *chain,
                              uint64_t number, const char *why);
size_t       market_trail_judge(const struct market_trail *trail, int64_t now, int64_t retention_us,
                                market_bad_event *found, void *arg);
/* What one place has and the other, by their losses, should have too; events after `until` may be on their way. */
size_t market_trails_compare(const struct market_trail *trail, const struct market_trail *other, int64_t until,
                             int64_t since, market_bad_event *found, void *arg);

#endif
