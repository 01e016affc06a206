# From `cat aggregated.market.bars.1m.v1`.
#   what=busiest:     the instrument with most ticks.
#   what=bars:        of instrument=ID the last ten minutes as a table, and all of them as a plot.
#   what=instruments: the two busiest of each market, a line each.
function member(name,    at, rest) {
    at = index($0, "\"" name "\":")
    if (at == 0) return "null"
    rest = substr($0, at + length(name) + 3)
    if (match(rest, /^"[^"]*"/)) return substr(rest, 2, RLENGTH - 2)
    match(rest, /^(null|-?[0-9.]+)/)
    return substr(rest, 1, RLENGTH)
}
function clock(us,    s) { s = int(us / 1000000) % 86400; return sprintf("%02d:%02d", int(s / 3600), int(s % 3600 / 60)) }
function day(us,    z, e, y, m, d) { # of the civil calendar: days since 0000-03-01
    z = int(us / 86400000000) + 719468; e = z % 146097
    y = int((e - int(e / 1460) + int(e / 36524) - int(e / 146096)) / 365)
    d = e - (365 * y + int(y / 4) - int(y / 100)); m = int((5 * d + 2) / 153)
    d = d - int((153 * m + 2) / 5) + 1; m = m < 10 ? m + 3 : m - 9
    return sprintf("%04d-%02d-%02d", y + 400 * int(z / 146097) + (m <= 2), m, d)
}
function shown(text) { return text == "null" ? "-" : text }
function level(price) { return int((price - low) / span * (lines - 1) + 0.5) }

{
    id = member("instrument_id")
    trades[id] += member("trade_count")
    if (what == "bars" && instrument == id) {
        start = member("window_start")
        key = id SUBSEP start
        version = member("epoch") * 1000000 + member("revision")
        if (!(key in versions)) order[id] = order[id] " " start
        if (version + 0 < versions[key] + 0) next
        versions[key] = version
        bar[key] = member("open") " " member("high") " " member("low") " " member("close") " " shown(member("volume")) " " member("trade_count")
    }
}

function list_instruments(    id, market, best, n, m, count, markets, i, j, swap) {
    for (id in trades) {
        market = id; sub(/\..*/, "", market)
        if (!(market in first) || trades[id] > trades[first[market]] || (trades[id] == trades[first[market]] && id < first[market])) {
            second[market] = first[market]; first[market] = id
        } else if (second[market] == "" || trades[id] > trades[second[market]] || (trades[id] == trades[second[market]] && id < second[market]))
            second[market] = id
    }
    for (market in first) markets[++count] = market
    for (i = 2; i <= count; i++)
        for (j = i; j > 1 && markets[j - 1] > markets[j]; j--) { swap = markets[j]; markets[j] = markets[j - 1]; markets[j - 1] = swap }
    for (i = 1; i <= count; i++) {
        print first[markets[i]]
        if (second[markets[i]] != "") print second[markets[i]]
    }
}

function plot(id, count, at,    c, l, i, f, begin, end, row, rule, columns, up, down, top) {
    columns = count < 72 ? count : 72; lines = 12
    for (i = 1; i <= count; i++) {
        split(bar[id SUBSEP at[i]], f, " ")
        if (i == 1 || f[2] + 0 > top) top = f[2] + 0
        if (i == 1 || f[3] + 0 < low) low = f[3] + 0
    }
    span = top > low ? top - low : 1
    for (c = 0; c < columns; c++) {
        begin = 1 + int(c * count / columns); end = int((c + 1) * count / columns)
        for (i = begin; i <= end; i++) {
            split(bar[id SUBSEP at[i]], f, " ")
            if (i == begin || f[2] + 0 > up[c]) up[c] = f[2] + 0
            if (i == begin || f[3] + 0 < down[c]) down[c] = f[3] + 0
            closing[c] = level(f[4] + 0)
        }
        up[c] = level(up[c]); down[c] = level(down[c])
    }
    for (l = lines - 1; l >= 0; l--) {
        row = ""
        for (c = 0; c < columns; c++) row = row (closing[c] == l ? "*" : l >= down[c] && l <= up[c] ? ":" : " ")
        printf "  %10.2f |%s\n", low + span * l / (lines - 1), row
    }
    rule = sprintf("%" columns "s", ""); gsub(/ /, "-", rule)
    printf "  %10s +%s\n  %10s  %s%" (columns > 10 ? columns - 5 : 6) "s\n", "", rule, "", clock(at[1]), clock(at[count])
}

END {
    if (what == "instruments") { list_instruments(); exit }
    if (what == "busiest") {
        for (id in trades)
            if (best == "" || trades[id] > trades[best] || (trades[id] == trades[best] && id < best)) best = id
        print best
        exit
    }
    if (!(instrument in order)) { print "  no bars of " instrument; exit }
    count = split(order[instrument], at, " ")
    for (i = 2; i <= count; i++) # nearly in order
        for (j = i; j > 1 && at[j - 1] + 0 > at[j] + 0; j--) { swap = at[j]; at[j] = at[j - 1]; at[j - 1] = swap }
    printf "  %s, %s, UTC (* close, : low to high)\n\n", instrument, day(at[count])
    printf "  %-6s %12s %12s %12s %12s %10s %7s\n", "minute", "open", "high", "low", "close", "volume", "ticks"
    for (i = count > 10 ? count - 9 : 1; i <= count; i++) {
        split(bar[instrument SUBSEP at[i]], f, " ")
        printf "  %-6s %12s %12s %12s %12s %10s %7s\n", clock(at[i]), f[1], f[2], f[3], f[4], f[5], f[6]
    }
    print ""
    plot(instrument, count, at)
}
