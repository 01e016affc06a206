# Turns tick rows into records as JSON lines: awk -F, -v day=1381190400000 -v keys=1 -f records.awk
# day: midnight as ms since 1970. keys > 1 deals the rows over that many keys: row number mod keys.
BEGIN { if (keys == 0) keys = 1 }
{
    key = keys > 1 ? sprintf("GC-%02d", (NR - 1) % keys) : "GC"
    printf "{\"key\":\"%s\",\"timestamp\":%.0f,\"value\":{\"row\":%d,\"price\":%s,\"size\":%s}}\n", key, day + $1, NR - 1, $2, $3
}
