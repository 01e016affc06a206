# The last ten bars as a table, and the day's closing prices as a plot of 12 lines.
function clock(ms,    s) { s = int(ms / 1000) % 86400; return sprintf("%02d:%02d", int(s / 3600), int(s % 3600 / 60)) }
{ line[NR] = $0; price[NR] = $5 + 0; time[NR] = $1; if (NR == 1 || price[NR] > top) top = price[NR]; if (NR == 1 || price[NR] < low) low = price[NR] }
END {
    printf "  %-6s %10s %10s %10s %10s %8s %7s\n", "UTC", "open", "high", "low", "close", "volume", "trades"
    for (i = NR > 10 ? NR - 9 : 1; i <= NR; i++) {
        split(line[i], f, " ")
        printf "  %-6s %10s %10s %10s %10s %8s %7s\n", clock(f[1]), f[2], f[3], f[4], f[5], f[6], f[7]
    }
    columns = NR < 72 ? NR : 72; lines = 12; span = top > low ? top - low : 1
    for (c = 0; c < columns; c++) at[c] = int((price[1 + int(c * NR / columns)] - low) / span * (lines - 1) + 0.5)
    print ""
    for (l = lines - 1; l >= 0; l--) {
        row = ""
        for (c = 0; c < columns; c++) row = row (at[c] == l ? "*" : " ")
        printf "  %9.2f |%s\n", low + span * l / (lines - 1), row
    }
    printf "  %9s +%s\n", "", clock(time[1]) " to " clock(time[NR])
}
