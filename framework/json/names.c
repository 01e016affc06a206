/* names.c: finds the key that stands twice in an object.
 *
 * (1) Small objects, nearly all there are, are searched, and only where the filter cannot tell.
 * (2) Larger ones get a hash set in the arena, so that time stays in proportion to the text.
 */
#include "framework/json/internal.h"

#define FEW 16 /* names up to which a search beats a set */

static uint64_t filter_bit(struct weir_text name)
{
    unsigned sum = (unsigned)name.size;

    if (name.size)
        sum = sum * 31 + (unsigned char)name.data[0] * 7u + (unsigned char)name.data[name.size - 1];
    return UINT64_C(1) << (sum & 63);
}

/* The seat of the member of that name, or the empty one where it would sit. */
static const struct weir_json **seat_of(const struct weir__names *names, struct weir_text name)
{
    /* Multiplied with what differs from run to run, or texts could be made whose names all meet in one place. */
    uint64_t seed = (uint64_t)(uintptr_t)&names->seats;
    uint64_t hash = (weir__hash(BYTES(name.data, name.size)) ^ seed) * UINT64_C(0x9e3779b97f4a7c15);
    size_t   i = (size_t)(hash >> 32) & (names->capacity - 1);

    while (names->seats[i] && !weir__same_text(names->seats[i]->name, name))
        i = (i + 1) & (names->capacity - 1);
    return &names->seats[i];
}

bool weir__names_have(const struct weir__names *names, const struct weir_json *object, struct weir_text name)
{
    if (!(names->filter & filter_bit(name)))
        return false;
    if (names->seats)
        return *seat_of(names, name) != NULL;
    for (const struct weir_json *member = object->child; member; member = member->next)
        if (weir__same_text(member->name, name))
            return true;
    return false;
}

/* At most half of the seats are ever taken. */
static bool widen(struct weir__names *names, const struct weir_json *object, struct weir_arena *arena)
{
    names->capacity = names->capacity ? names->capacity * 2 : FEW * 4;
    names->seats = weir_arena_alloc(arena, sizeof(struct weir_json *) * names->capacity);
    if (!names->seats)
        return false;
    for (const struct weir_json *member = object->child; member; member = member->next)
        *seat_of(names, member->name) = member;
    return true;
}

bool weir__names_add(struct weir__names *names, const struct weir_json *object, const struct weir_json *member,
                     struct weir_arena *arena)
{
    names->filter |= filter_bit(member->name);
    names->count++;
    if (names->count <= FEW)
        return true;
    if (names->count > names->capacity / 2)
        return widen(names, object, arena);
    *seat_of(names, member->name) = member;
    return true;
}
