# Makes a day of trades in the form of the published tick files: ms of day, price, size, exchange, condition, flag.
# awk -v rows=50000 -v seed=1 -f ticks.awk
# The numbers come from a linear congruential generator (Park and Miller, 1988), so every awk gives the same rows.
function next_number() { state = (state * 16807) % 2147483647; return state }
BEGIN {
    if (rows == 0) rows = 50000
    state = seed > 0 ? seed : 1
    for (i = 0; i < 10; i++) next_number()
    price = 13234
    day = 86400000
    for (row = 0; row < rows; row++) {
        if (next_number() % 3 > 0) time += next_number() % (2 * 1.5 * day / rows)
        if (next_number() % 2000 == 0) time += next_number() % 600000
        if (time >= day) break
        price += next_number() % 5 - 2
        printf "%.0f,%.1f,%.0f,usa,,0\n", time, price / 10, 1 + next_number() % 9
    }
}
