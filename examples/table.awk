# From last_bars.awk: the last ten bars as a table, and the day's prices as a plot of 12 lines, 72 columns at most.
function clock(ms,    s) { s = int(ms / 1000) % 86400; return sprintf("%02d:%02d", int(s / 3600), int(s % 3600 / 60)) }
function level(price) { return int((price - low) / span * (lines - 1) + 0.5) }
{
    line[NR] = $0; time[NR] = $1; most[NR] = $3 + 0; least[NR] = $4 + 0; close_at[NR] = $5 + 0
    if (NR == 1 || most[NR] > top) top = most[NR]
    if (NR == 1 || least[NR] < low) low = least[NR]
}
END {
    if (NR == 0) exit
    printf "  %-6s %10s %10s %10s %10s %8s %7s\n", "UTC", "open", "high", "low", "close", "volume", "trades"
    for (i = NR > 10 ? NR - 9 : 1; i <= NR; i++) {
        split(line[i], f, " ")
        printf "  %-6s %10s %10s %10s %10s %8s %7s\n", clock(f[1]), f[2], f[3], f[4], f[5], f[6], f[7]
    }
    columns = NR < 72 ? NR : 72; lines = 12; span = top > low ? top - low : 1
    for (c = 0; c < columns; c++) {
        first = 1 + int(c * NR / columns); last = int((c + 1) * NR / columns)
        up[c] = most[first]; down[c] = least[first]; at[c] = level(close_at[last])
        for (i = first + 1; i <= last; i++) {
            if (most[i] > up[c]) up[c] = most[i]
            if (least[i] < down[c]) down[c] = least[i]
        }
        up[c] = level(up[c]); down[c] = level(down[c])
    }
    print ""
    for (l = lines - 1; l >= 0; l--) {
        row = ""
        for (c = 0; c < columns; c++) row = row (at[c] == l ? "*" : l >= down[c] && l <= up[c] ? ":" : " ")
        printf "  %9.2f |%s\n", low + span * l / (lines - 1), row
    }
    rule = sprintf("%" columns "s", ""); gsub(/ /, "-", rule)
    printf "  %9s +%s\n  %9s  %s%" (columns > 10 ? columns - 5 : 6) "s\n", "", rule, "", clock(time[1]), clock(time[NR])
}
