# From `cat bars`: the last bar of each minute, in order of time: start open high low close volume trades.
function member(name,    at, rest) {
    at = index($0, "\"" name "\":")
    rest = substr($0, at + length(name) + 3)
    match(rest, /^-?[0-9.]+/)
    return substr(rest, 1, RLENGTH)
}
{
    start = member("start")
    if (!(start in bar)) order[++count] = start
    bar[start] = member("open") " " member("high") " " member("low") " " member("close") " " member("volume") " " member("trades")
}
END {
    for (i = 2; i <= count; i++)  # nearly sorted: bars come out in order of their windows
        for (j = i; j > 1 && order[j - 1] + 0 > order[j] + 0; j--) {
            swap = order[j]; order[j] = order[j - 1]; order[j - 1] = swap
        }
    for (i = 1; i <= count; i++) print order[i], bar[order[i]]
}
