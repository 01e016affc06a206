/* table.c: the mapping table: markets, and each kind of data they publish or send, a row each.
 *
 * (1) All that differs between feeds is said here: product, interval, clock, zone, names of fields, sign, currency.
 * (2) Field names go in order of preference: the first that is there and not null counts, in any case of letters.
 * (3) What load writes and what connectors send are rows alike; a row's first data type is the one load writes.
 */
#include "schemas/feeds/internal.h"

#define PRICE(n) (INT64_C(100000000) * (n))
#define HOUR     3600
#define QUARTER  900
#define FIVE     300
#define MINUTE   60

/* clang-format off */

/* ---- markets ---- */

enum { MISO, CAISO, ERCOT, PJM, NYISO, ISONE, AESO, KRAKEN, BINANCE, EQUITIES, ANY, MARKETS };

#define POWER(market, other, raw, local, finest, low, high, money)                                               \
    { .name = market, .spellings = other, .topic = "ingestion." raw ".raw.v1", .zone = local, .day_zone = local, \
      .currency = money, .unit = "MWh", .price_min = PRICE(low), .price_max = PRICE(high), .interval = finest,   \
      .corrects = true, .power = true }
#define VENUE(market, other, local)                                                                              \
    { .name = market, .spellings = other, .topic = "ingestion.market.ticks.raw.v1", .zone = "UTC",               \
      .day_zone = local, .price_min = INT64_MIN, .price_max = INT64_MAX }

static const struct market_rules markets[] = {
    [MISO]     = POWER("MISO",  NULL,                    "miso",  "EST",                 FIVE,    -500,   3500, "USD"),
    [CAISO]    = POWER("CAISO", NULL,                    "caiso", "America/Los_Angeles", FIVE,    -150,   2000, "USD"),
    [ERCOT]    = POWER("ERCOT", NULL,                    "ercot", "America/Chicago",     QUARTER, -100,  10000, "USD"),
    [PJM]      = POWER("PJM",   NULL,                    "pjm",   "America/New_York",    FIVE,    -200,  10000, "USD"),
    [NYISO]    = POWER("NYISO", NULL,                    "nyiso", "America/New_York",    FIVE,    -500,  10000, "USD"),
    [ISONE]    = POWER("ISONE", "ISO-NE|ISO_NE|ISO NE",  "isone", "America/New_York",    FIVE,    -500,  10000, "USD"),
    [AESO]     = POWER("AESO",  NULL,                    "aeso",  "America/Edmonton",    MINUTE,     0,   1000, "CAD"),
    [KRAKEN]   = VENUE("KRAKEN", NULL, "UTC"),
    [BINANCE]  = VENUE("BINANCE", NULL, "UTC"),
    [EQUITIES] = VENUE("USA", "US|NYSE|NASDAQ|ARCA|AMEX|BATS|IEX|XNYS|XNAS|ARCX|XASE", "America/New_York"),
    [ANY]      = VENUE("*", NULL, "UTC"),
};

/* ---- products that a run names ---- */

#define RT_NAMES "RT|RTM|RTD|REAL_TIME|REAL-TIME|REALTIME|5MIN|FIVEMIN|FIVE_MIN|RT5M|RT_5MIN"
#define DA_NAMES "DA|DAM|DAY_AHEAD|DAY-AHEAD|DAYAHEAD"

static const struct market__run miso_runs[] = {
    { RT_NAMES,                                      MARKET_REAL_TIME, MARKET_SETTLED, FIVE },
    { "RT1H|RTH|RT_HOURLY|HOURLY|RT_FINAL",          MARKET_RT1H,      MARKET_SETTLED, HOUR },
    { DA_NAMES "|EXPOST|EX_POST|DA_EXPOST",          MARKET_DA,        MARKET_SETTLED, HOUR },
    { "EXANTE|EX_ANTE|RT_EXANTE",                    MARKET_REAL_TIME, MARKET_EXANTE,  FIVE },
    { "DA_EXANTE",                                   MARKET_DA,        MARKET_EXANTE,  HOUR },
    { 0 }
};
static const struct market__run caiso_runs[] = {
    { DA_NAMES,       MARKET_DA,        MARKET_SETTLED, HOUR },
    { "RTPD|FMM",     MARKET_RT15M,     MARKET_SETTLED, QUARTER },
    { "HASP",         MARKET_HASP,      MARKET_SETTLED, QUARTER },
    { RT_NAMES,       MARKET_REAL_TIME, MARKET_SETTLED, FIVE },
    { 0 }
};
/* Where the data type says the product, a run may only say the same. */
static const struct market__run da_only[]     = { { DA_NAMES, MARKET_DA,        MARKET_SETTLED, HOUR }, { 0 } };
static const struct market__run rt_only[]     = { { RT_NAMES, MARKET_REAL_TIME, MARKET_SETTLED, 0 },    { 0 } };
static const struct market__run fmm_only[]    = { { "RTPD|FMM", MARKET_RT15M,     MARKET_SETTLED, 0 },  { 0 } };
static const struct market__run hasp_only[]   = { { "HASP",   MARKET_HASP,      MARKET_SETTLED, 0 },    { 0 } };
static const struct market__run rt_hourly[]   = { { RT_NAMES, MARKET_RT1H,      MARKET_SETTLED, HOUR }, { 0 } };
static const struct market__run pjm_runs[]    = { { DA_NAMES, MARKET_DA,        MARKET_SETTLED, HOUR },
                                                  { RT_NAMES, MARKET_RT1H,      MARKET_SETTLED, HOUR }, { 0 } };

/* ---- names shared by feeds ---- */

#define EIA_FIELDS                                         \
    .names = {                                             \
        [ROLE_LOCATION] = "location",                      \
        [ROLE_INSTANT] = "UTC Timestamp (Interval Ending)",\
        [ROLE_PRICE] = "LMP",                              \
        [ROLE_MCE] = "Energy",                             \
        [ROLE_MCC] = "Congestion",                         \
        [ROLE_MLC] = "Loss",                               \
    }
#define EIA(market, type, product, length, ...) \
    { .rules = &markets[market], .data_type = type, .basis = product, .interval = length, .when = WHEN_END, EIA_FIELDS, __VA_ARGS__ }

#define MISO_MATRIX(type, product, state)                                                                           \
    { .rules = &markets[MISO], .data_type = type, .basis = product, .stage = state, .interval = HOUR, .when = WHEN_HOUR, \
      .names = { [ROLE_LOCATION] = "Node", [ROLE_DAY] = "operating_day", [ROLE_HOUR] = "HE",                         \
                 [ROLE_ITEM] = "Value", [ROLE_VALUE] = "price" } }

#define MISO_API(type, product, state, length)                                                                      \
    { .rules = &markets[MISO], .data_type = type, .basis = product, .stage = state, .interval = length, .when = WHEN_LABEL, \
      .names = { [ROLE_LOCATION] = "name", [ROLE_DAY] = "RefId", [ROLE_HOUR] = "HourAndMin",                         \
                 [ROLE_PRICE] = "LMP", [ROLE_MCC] = "MCC|congestion", [ROLE_MLC] = "MLC|loss" } }

#define PJM_MINER(type, product, length, suffix)                                                                    \
    { .rules = &markets[PJM], .data_type = type, .basis = product, .interval = length, .when = WHEN_START,           \
      .names = { [ROLE_LOCATION] = "pnode_name", [ROLE_VOLTAGE] = "voltage", [ROLE_EQUIPMENT] = "equipment",         \
                 [ROLE_INSTANT] = "datetime_beginning_utc",                                                          \
                 [ROLE_LOCAL] = "datetime_beginning_ept", [ROLE_TURN] = "repeated_hour",                             \
                 [ROLE_PRICE] = "total_lmp" suffix,                                                                  \
                 [ROLE_MCE] = "system_energy_price" suffix, [ROLE_MCC] = "congestion_price" suffix,                  \
                 [ROLE_MLC] = "marginal_loss_price" suffix, [ROLE_REVISION] = "version_nbr" } }

#define PJM_CONNECTOR(type, product, run)                                                                           \
    { .rules = &markets[PJM], .data_type = type, .basis = product, .interval = HOUR, .when = WHEN_START, .runs = run, \
      .names = { [ROLE_LOCATION] = "node|pnode_name|pnode|location", [ROLE_RUN] = "market_run",                      \
                 [ROLE_INSTANT] = "datetime_beginning_utc|timestamp|effective_datetime",                             \
                 [ROLE_LOCAL] = "datetime_beginning_ept",                                                            \
                 [ROLE_PRICE] = "lmp_usd_per_mwh|total_lmp_da|total_lmp_rt|lmp|lmp_value|value",                     \
                 [ROLE_MCE] = "energy_usd_per_mwh|system_energy_price_da|system_energy_price_rt|energy",             \
                 [ROLE_MCC] = "congestion_usd_per_mwh|congestion_price_da|congestion_price_rt|congestion_component|congestion", \
                 [ROLE_MLC] = "loss_usd_per_mwh|marginal_loss_price_da|marginal_loss_price_rt|loss_component|loss",  \
                 [ROLE_REVISION] = "version_nbr" } }

#define ERCOT_CONNECTOR(type, product, length, run)                                                                 \
    { .rules = &markets[ERCOT], .data_type = type, .basis = product, .interval = length, .when = WHEN_START, .runs = run, \
      .names = { [ROLE_LOCATION] = "node|SettlementPoint|location", [ROLE_RUN] = "market_run",                       \
                 [ROLE_INSTANT] = "timestamp|delivery_timestamp|SettlementPointTime",                                \
                 [ROLE_PRICE] = "lmp_usd_per_mwh|lmp|settlement_point_price",                                        \
                 [ROLE_MCE] = "mce_usd_per_mwh|energy_usd_per_mwh",                                                  \
                 [ROLE_MCC] = "mcc_usd_per_mwh|mcc", [ROLE_MLC] = "mlc_usd_per_mwh|mlc" } }

#define ERCOT_REPORT(type, product, length)                                                                         \
    { .rules = &markets[ERCOT], .data_type = type, .basis = product, .interval = length, .when = WHEN_HOUR,          \
      .energy_weighted = "LZEW|LZ_DCEW",                                                                              \
      .names = { [ROLE_LOCATION] = "settlementPoint|settlementPointName|Settlement Point|Settlement Point Name",     \
                 [ROLE_CLASS] = "settlementPointType|Settlement Point Type",                                         \
                 [ROLE_DAY] = "deliveryDate|Delivery Date",                                                          \
                 [ROLE_HOUR] = "hourEnding|deliveryHour|Hour Ending|Delivery Hour",                                  \
                 [ROLE_QUARTER] = "deliveryInterval|Delivery Interval",                                              \
                 [ROLE_TURN] = "repeated_hour|DSTFlag|Repeated Hour Flag",                                           \
                 [ROLE_PRICE] = "settlementPointPrice|Settlement Point Price" } }

/* ---- feeds ---- */

static const struct market_feed feeds[] = {
    EIA(MISO,  "eia_rt_hourly", MARKET_RT1H,      HOUR),
    EIA(MISO,  "eia_da_hourly", MARKET_DA,        HOUR),
    EIA(CAISO, "eia_rt_5min",   MARKET_REAL_TIME, FIVE),
    EIA(CAISO, "eia_rt_15min",  MARKET_RT15M,     QUARTER),
    EIA(CAISO, "eia_rt_hourly", MARKET_RT1H,      HOUR),
    EIA(CAISO, "eia_da_hourly", MARKET_DA,        HOUR),
    EIA(ERCOT, "eia_rt_15min",  MARKET_REAL_TIME, QUARTER),
    EIA(ERCOT, "eia_rt_hourly", MARKET_RT1H,      HOUR),
    EIA(ERCOT, "eia_da_hourly", MARKET_DA,        HOUR),
    EIA(PJM,   "eia_rt_5min",   MARKET_REAL_TIME, FIVE),
    EIA(PJM,   "eia_rt_hourly", MARKET_RT1H,      HOUR),
    EIA(PJM,   "eia_da_hourly", MARKET_DA,        HOUR),
    EIA(NYISO, "eia_rt_5min",   MARKET_REAL_TIME, FIVE, .negated = true),
    EIA(NYISO, "eia_rt_hourly", MARKET_RT1H,      HOUR, .negated = true),
    EIA(NYISO, "eia_da_hourly", MARKET_DA,        HOUR, .negated = true),
    EIA(ISONE, "eia_rt_5min",   MARKET_REAL_TIME, FIVE),
    EIA(ISONE, "eia_rt_hourly", MARKET_RT1H,      HOUR),
    EIA(ISONE, "eia_da_hourly", MARKET_DA,        HOUR),

    MISO_MATRIX("da_expost_lmp", MARKET_DA,   MARKET_SETTLED),
    MISO_MATRIX("da_exante_lmp", MARKET_DA,   MARKET_EXANTE),
    MISO_MATRIX("rt_lmp_final",  MARKET_RT1H, MARKET_SETTLED),
    MISO_MATRIX("rt_lmp_prelim", MARKET_RT1H, MARKET_PRELIM),
    MISO_API("FiveMinLMP",          MARKET_REAL_TIME, MARKET_SETTLED, FIVE),
    MISO_API("HourlyIntegratedLMP", MARKET_RT1H,      MARKET_SETTLED, HOUR),
    MISO_API("DayAheadExPostLMP",   MARKET_DA,        MARKET_SETTLED, HOUR),
    MISO_API("DayAheadExAnteLMP",   MARKET_DA,        MARKET_EXANTE,  HOUR),
    MISO_API("ExAnteLMP",           MARKET_REAL_TIME, MARKET_EXANTE,  FIVE),
    { .rules = &markets[MISO], .data_type = "RealTimeFiveMinExPost", .interval = FIVE, .when = WHEN_START,
      .names = { [ROLE_LOCATION] = "CPNODE", [ROLE_LOCAL] = "INTERVAL", [ROLE_PRICE] = "LMP", [ROLE_MCC] = "MCC",
                 [ROLE_MLC] = "MLC" } },
    { .rules = &markets[MISO], .data_type = "lmp", .interval = FIVE, .when = WHEN_START, .runs = miso_runs,
      .names = { [ROLE_LOCATION] = "node|settlementLocation|pnodeName|location|settlement_point",
                 [ROLE_INSTANT] = "timestamp|startTime|intervalStart|mtu|mtuStart",
                 [ROLE_RUN] = "market_run|marketRunId|marketRun",
                 [ROLE_PRICE] = "lmp_usd_per_mwh|lmp|lmpValue|totalLmp|price",
                 [ROLE_MCE] = "energy_usd_per_mwh|energy|energyComponent|energyPrice|mep",
                 [ROLE_MCC] = "congestion_usd_per_mwh|congestion|congestionComponent|congestionPrice|mcc",
                 [ROLE_MLC] = "loss_usd_per_mwh|loss|lossComponent|marginalLossPrice|mlc" } },

    ERCOT_REPORT("NP4-190-CD|dam_spp", MARKET_DA,        HOUR),
    ERCOT_REPORT("NP6-905-CD|rtm_spp", MARKET_REAL_TIME, QUARTER),
    ERCOT_CONNECTOR("dam", MARKET_DA,        HOUR,    da_only),
    ERCOT_CONNECTOR("rtm", MARKET_REAL_TIME, QUARTER, rt_only),

    PJM_MINER("rt_hrl_lmps",                              MARKET_RT1H,      HOUR, "_rt"),
    PJM_MINER("da_hrl_lmps",                              MARKET_DA,        HOUR, "_da"),
    PJM_MINER("rt_fivemin_hrl_lmps|rt_unverified_fivemin_lmps", MARKET_REAL_TIME, FIVE, "_rt"),
    PJM_CONNECTOR("lmp",     MARKET_DA,   pjm_runs),
    PJM_CONNECTOR("rtm_lmp", MARKET_RT1H, rt_hourly),

    { .rules = &markets[CAISO], .data_type = "PRC_LMP", .when = WHEN_START, .runs = caiso_runs, .run_needed = true,
      .names = { [ROLE_LOCATION] = "NODE|RESOURCE_NAME|NODE_ID", [ROLE_RUN] = "MARKET_RUN_ID",
                 [ROLE_INSTANT] = "INTERVALSTARTTIME_GMT|INTERVAL_START_GMT",
                 [ROLE_ITEM] = "LMP_TYPE|XML_DATA_ITEM|DATA_ITEM", [ROLE_VALUE] = "MW|VALUE|PRC" } },
#define CAISO_CONNECTOR(type, product, length, run, ...)                                                            \
    { .rules = &markets[CAISO], .data_type = type, .basis = product, .interval = length, .when = WHEN_START, .runs = run, \
      .names = { [ROLE_LOCATION] = "node|node_id|delivery_location", [ROLE_RUN] = "market_run_id|market_run",        \
                 [ROLE_INSTANT] = "timestamp", [ROLE_PRICE] = "lmp_usd_per_mwh|lmp_total|lmp|price",                 \
                 [ROLE_MCE] = "lmp_energy_usd_per_mwh|lmp_energy|energy_usd_per_mwh",                                \
                 [ROLE_MCC] = "lmp_congestion_usd_per_mwh|lmp_congestion|congestion_usd_per_mwh|congestion_price",   \
                 [ROLE_MLC] = "lmp_marginal_loss_usd_per_mwh|lmp_losses|loss_usd_per_mwh|loss_price",                \
                 [ROLE_MGHG] = "lmp_ghg_usd_per_mwh|ghg" }, __VA_ARGS__ }
    CAISO_CONNECTOR("lmp",              MARKET_DA,        HOUR,    caiso_runs, .run_needed = true),
    CAISO_CONNECTOR("lmp_dam",          MARKET_DA,        HOUR,    da_only),
    CAISO_CONNECTOR("lmp_fmm|lmp_rtpd", MARKET_RT15M,     QUARTER, fmm_only),
    CAISO_CONNECTOR("lmp_hasp",         MARKET_HASP,      QUARTER, hasp_only),
    CAISO_CONNECTOR("lmp_rtm",          MARKET_REAL_TIME, FIVE,    rt_only),
    /* Rows of OASIS made one; they are beside it, as text, and say its run. */
    { .rules = &markets[CAISO], .data_type = "market_price|edam_lmp", .when = WHEN_END, .runs = caiso_runs, .run_needed = true,
      .rows = "raw_data",
      .names = { [ROLE_LOCATION] = "delivery_location|NODE|RESOURCE_NAME", [ROLE_RUN] = "MARKET_RUN_ID|market_run",
                 [ROLE_INSTANT] = "INTERVALENDTIME_GMT|INTERVAL_END_GMT|timestamp|occurred_at", [ROLE_PRICE] = "price",
                 [ROLE_MCE] = "clearing_price", [ROLE_MCC] = "congestion_price", [ROLE_MLC] = "loss_price",
                 [ROLE_MGHG] = "ghg_price|ghg" } },

    /* Reports before 2016-07 have the last heading cut off. */
#define NYISO_REPORT(type, product, length, clock)                                                                  \
    { .rules = &markets[NYISO], .data_type = type, .basis = product, .interval = length, .when = clock, .negated = true, \
      .names = { [ROLE_LOCATION] = "Name", [ROLE_LOCAL] = "Time Stamp", [ROLE_TURN] = "repeated_hour",               \
                 [ROLE_PRICE] = "LBMP ($/MWHr)", [ROLE_MLC] = "Marginal Cost Losses ($/MWHr)",                       \
                 [ROLE_MCC] = "Marginal Cost Congestion ($/MWHr)|Marginal Cost Congestion ($/MWH" } }
    NYISO_REPORT("realtime_zone|realtime_gen|realtime", MARKET_REAL_TIME, FIVE, WHEN_GRID),
    NYISO_REPORT("damlbmp_zone|damlbmp_gen|damlbmp",    MARKET_DA,        HOUR, WHEN_START),
    NYISO_REPORT("rtlbmp_zone|rtlbmp_gen|rtlbmp",       MARKET_RT1H,      HOUR, WHEN_START),
#define NYISO_OASIS(type, product, length, clock, stamp, word)                                                      \
    { .rules = &markets[NYISO], .data_type = type, .basis = product, .interval = length, .when = clock, .negated = true, \
      .names = { [ROLE_LOCATION] = "Zone Name|Generator Name|Gen Name", [ROLE_LOCAL] = stamp,                        \
                 [ROLE_TURN] = "repeated_hour|Eastern Date Hour Time Zone",                                          \
                 [ROLE_PRICE] = word " Zonal LBMP|" word " Gen LBMP", [ROLE_MLC] = word " Zonal Losses|" word " Gen Losses", \
                 [ROLE_MCC] = word " Zonal Congestion|" word " Gen Congestion",                                      \
                 [ROLE_REVISION] = word " Zonal Price Version|" word " Gen Price Version" } }
    NYISO_OASIS("oasis_dam", MARKET_DA,        HOUR,    WHEN_START, "Eastern Date Hour",  "DAM"),
    NYISO_OASIS("oasis_rtd", MARKET_REAL_TIME, FIVE,    WHEN_GRID,  "RTD End Time Stamp", "RTD"),
    NYISO_OASIS("oasis_rtc", MARKET_RTC,       QUARTER, WHEN_END,   "RTC End Time Stamp", "RTC"),
    { .rules = &markets[NYISO], .data_type = "lbmp", .basis = MARKET_DA, .interval = HOUR, .when = WHEN_START,
      .negated = true, .runs = da_only,
      .names = { [ROLE_LOCATION] = "node|name|location|node_id|ptid", [ROLE_INSTANT] = "timestamp|interval_start",
                 [ROLE_LOCAL] = "time_stamp", [ROLE_RUN] = "market_run",
                 [ROLE_PRICE] = "lbmp_usd_per_mwh|lbmp|price",
                 [ROLE_MCC] = "congestion_usd_per_mwh|congestion_component|congestion|mcc",
                 [ROLE_MLC] = "loss_usd_per_mwh|losses_component|loss|mlc" } },
    { .rules = &markets[NYISO], .data_type = "rt_lbmp", .interval = FIVE, .when = WHEN_GRID, .negated = true,
      .runs = rt_only,
      .names = { [ROLE_LOCATION] = "node|name|location|node_id|ptid", [ROLE_INSTANT] = "timestamp",
                 [ROLE_LOCAL] = "time_stamp", [ROLE_RUN] = "market_run",
                 [ROLE_PRICE] = "lbmp_usd_per_mwh|lbmp|price",
                 [ROLE_MCC] = "congestion_usd_per_mwh|congestion_component|congestion|mcc",
                 [ROLE_MLC] = "loss_usd_per_mwh|losses_component|loss|mlc" } },

#define ISONE_REPORT(type, product, state)                                                                          \
    { .rules = &markets[ISONE], .data_type = type, .basis = product, .stage = state, .interval = HOUR, .when = WHEN_HOUR, \
      .names = { [ROLE_LOCATION] = "Location Name", [ROLE_DAY] = "Date", [ROLE_HOUR] = "Hour Ending",                \
                 [ROLE_TURN] = "repeated_hour", [ROLE_PRICE] = "Locational Marginal Price",                          \
                 [ROLE_MCE] = "Energy Component", [ROLE_MCC] = "Congestion Component",                               \
                 [ROLE_MLC] = "Marginal Loss Component", [ROLE_MADE] = "generated_at" } }
    ISONE_REPORT("lmp_rt_final",  MARKET_RT1H, MARKET_SETTLED),
    ISONE_REPORT("lmp_rt_prelim", MARKET_RT1H, MARKET_PRELIM),
    ISONE_REPORT("lmp_da_final|lmp_da|WW_DALMP_ISO",  MARKET_DA,   MARKET_SETTLED),

#define ISONE_API(type, product, state, length)                                                                     \
    { .rules = &markets[ISONE], .data_type = type, .basis = product, .stage = state, .interval = length, .when = WHEN_START, \
      .names = { [ROLE_LOCATION] = "Location.$", [ROLE_INSTANT] = "BeginDate", [ROLE_PRICE] = "LmpTotal",            \
                 [ROLE_MCE] = "EnergyComponent", [ROLE_MCC] = "CongestionComponent", [ROLE_MLC] = "LossComponent" } }
    ISONE_API("hourlylmp_da_final|hourlylmp_da", MARKET_DA,   MARKET_SETTLED, HOUR),
    ISONE_API("hourlylmp_rt_final",  MARKET_RT1H, MARKET_SETTLED, HOUR),
    ISONE_API("hourlylmp_rt_prelim", MARKET_RT1H, MARKET_PRELIM,  HOUR),
    ISONE_API("fiveminutelmp",       MARKET_REAL_TIME, MARKET_SETTLED, FIVE),

#define ISONE_CONNECTOR(type, product, run)                                                                         \
    { .rules = &markets[ISONE], .data_type = type, .basis = product, .interval = HOUR, .when = WHEN_START, .runs = run, \
      .names = { [ROLE_LOCATION] = "node|location|pnode|node_id", [ROLE_INSTANT] = "timestamp", [ROLE_RUN] = "market_run", \
                 [ROLE_PRICE] = "lmp_usd_per_mwh|lmp|lmp_value", [ROLE_MCE] = "energy_usd_per_mwh|energy",           \
                 [ROLE_MCC] = "congestion_usd_per_mwh|congestion|mcc", [ROLE_MLC] = "loss_usd_per_mwh|loss|mlc" } }
    ISONE_CONNECTOR("lmp",    MARKET_DA,   da_only),
    ISONE_CONNECTOR("rt_lmp", MARKET_RT1H, rt_hourly),

    { .rules = &markets[AESO], .data_type = "pool_price", .basis = MARKET_RT1H, .interval = HOUR, .when = WHEN_START,
      .location = "AB",
      .names = { [ROLE_INSTANT] = "begin_datetime_utc|timestamp", [ROLE_LOCAL] = "begin_datetime_mpt|Date/Time",
                 [ROLE_TURN] = "repeated_hour", [ROLE_PRICE] = "pool_price_cad_per_mwh|pool_price|Price",
                 [ROLE_FORECAST] = "forecast_pool_price_cad_per_mwh|forecast_pool_price|forecast", [ROLE_MADE] = "generated_at" } },
    { .rules = &markets[AESO], .data_type = "historical_pool_price", .basis = MARKET_RT1H, .interval = HOUR, .when = WHEN_HOUR,
      .location = "AB",
      .names = { [ROLE_DAY] = "Date (HE)", [ROLE_TURN] = "repeated_hour", [ROLE_PRICE] = "Price ($)" } },
    { .rules = &markets[AESO], .data_type = "historical_smp", .interval = MINUTE, .when = WHEN_LABEL, .location = "AB",
      .names = { [ROLE_DAY] = "Date (HE)", [ROLE_HOUR] = "Time", [ROLE_TURN] = "repeated_hour", [ROLE_PRICE] = "Price ($)",
                 [ROLE_VOLUME] = "Volume (MW)" } },
    { .rules = &markets[AESO], .data_type = "system_marginal_price|smp_1min", .interval = MINUTE, .when = WHEN_START,
      .location = "AB",
      .names = { [ROLE_INSTANT] = "begin_datetime_utc|timestamp", [ROLE_LOCAL] = "begin_datetime_mpt|Date/Time",
                 [ROLE_TURN] = "repeated_hour",
                 [ROLE_PRICE] = "system_marginal_price_cad_per_mwh|system_marginal_price|Price",
                 [ROLE_VOLUME] = "volume_mwh|volume", [ROLE_MADE] = "generated_at" } },

    /* Trades and quotes. */
    { .rules = &markets[KRAKEN], .data_type = "kraken_trades", .trade = true, .when = WHEN_START, .source = "kraken",
      .columns = "price|volume|time|side|order_type|misc|?trade_id",
      .names = { [ROLE_INSTANT] = "time", [ROLE_PRICE] = "price", [ROLE_VOLUME] = "volume", [ROLE_SEQUENCE] = "trade_id" } },
    { .rules = &markets[BINANCE], .exact = true, .data_type = "binance_futures_trade", .trade = true, .perpetual = true, .when = WHEN_START,
      .source = "binance",
      .names = { [ROLE_LOCATION] = "s", [ROLE_INSTANT] = "T", [ROLE_PRICE] = "p", [ROLE_VOLUME] = "q",
                 [ROLE_SEQUENCE] = "t", [ROLE_MADE] = "E" } },
    { .rules = &markets[BINANCE], .exact = true, .data_type = "binance_spot_trade", .trade = true, .when = WHEN_START, .source = "binance",
      .names = { [ROLE_LOCATION] = "s", [ROLE_INSTANT] = "T", [ROLE_PRICE] = "p", [ROLE_VOLUME] = "q",
                 [ROLE_SEQUENCE] = "t", [ROLE_MADE] = "E" } },
    { .rules = &markets[BINANCE], .exact = true, .data_type = "binance_futures_quote", .trade = true, .perpetual = true, .quote = true,
      .when = WHEN_START, .source = "binance",
      .names = { [ROLE_LOCATION] = "s", [ROLE_INSTANT] = "T", [ROLE_BID] = "b", [ROLE_ASK] = "a",
                 [ROLE_SEQUENCE] = "u", [ROLE_MADE] = "E" } },
    { .rules = &markets[BINANCE], .exact = true, .data_type = "binance_spot_quote", .trade = true, .quote = true, .when = WHEN_START,
      .source = "binance",
      .names = { [ROLE_LOCATION] = "s", [ROLE_BID] = "b", [ROLE_ASK] = "a", [ROLE_SEQUENCE] = "u" } },
    { .rules = &markets[ANY], .data_type = "lean_trades", .trade = true, .when = WHEN_OF_DAY, .source = "lean",
      .columns = "milliseconds|price|size|exchange|condition|suspicious",
      .names = { [ROLE_INSTANT] = "milliseconds", [ROLE_PRICE] = "price", [ROLE_VOLUME] = "size",
                 [ROLE_SUSPECT] = "suspicious" } },
};

/* Envelope A: the same fields whatever the market. */
const struct market_feed market__nested[1] = { {
    .rules = &markets[ANY], .data_type = "nested", .when = WHEN_START,
    .names = { [ROLE_INSTANT] = "timestamp|time", [ROLE_PRICE] = "price", [ROLE_VOLUME] = "volume",
               [ROLE_BID] = "bid|bid_price", [ROLE_ASK] = "ask|ask_price", [ROLE_REVISION] = "revision",
               [ROLE_SEQUENCE] = "sequence", [ROLE_CURRENCY] = "currency", [ROLE_UNIT] = "unit" } } };

/* Envelope B with a document or a line of ticks. */
const struct market_feed market__tick[1] = { {
    .rules = &markets[ANY], .data_type = "tick", .trade = true, .when = WHEN_START,
    .columns = "symbol|timestamp|source_id|market|sequence|price|volume|notes",
    .names = { [ROLE_ID] = "instrument_id", [ROLE_LOCATION] = "symbol|ticker",
               [ROLE_INSTANT] = "timestamp|ts|occurred_at|trade_time", [ROLE_PRICE] = "price|last_price|value",
               [ROLE_VOLUME] = "volume|size|quantity", [ROLE_BID] = "bid_price|bid", [ROLE_ASK] = "ask_price|ask",
               [ROLE_SEQUENCE] = "sequence|seq|trade_id|offset", [ROLE_REVISION] = "revision",
               [ROLE_CURRENCY] = "currency", [ROLE_UNIT] = "unit", [ROLE_SUSPECT] = "suspicious" } } };

/* What connectors send besides prices of energy. */
static const struct {
    int         market;
    const char *data_types;
} no_prices[] = {
    { MISO,  "as|pra|arr|tcr" },
    { CAISO, "as|as_dam|as_fmm|as_rtpd|as_hasp|as_rtm|crr|trade|curve|system_status" },
    { ERCOT, "ordc|as|crr|outages" },
    { PJM,   "rpm|tcr|outages" },
    { NYISO, "icap|tcc|outages" },
    { ISONE, "fcm|ftr|outages" },
    { AESO,  "alberta_internal_load|current_supply_demand_summary|current_supply_demand_assets" },
};

/* clang-format on */

const struct market_rules *market_rules_at(size_t n) { return n < MARKETS ? &markets[n] : NULL; }

_Static_assert((int)MARKETS <= (int)MARKET_RULES_MAX, "what is said of each market has room");

struct market_limits market__limits(const struct market_rules *rules, const struct market_limits *limits)
{
    if (limits)
        return limits[rules - markets];
    return (struct market_limits){ .least = rules->price_min, .greatest = rules->price_max };
}

int64_t market_ahead(enum market_basis basis, enum market_stage stage)
{
    bool ahead = basis == MARKET_DA || basis == MARKET_RTC || basis == MARKET_HASP || stage == MARKET_FORECAST;

    return ahead ? MARKET_HOURS(72) : MARKET_MINUTES(5);
}

size_t market__feed_count(void) { return ARRAY_SIZE(feeds); }

const struct market_feed *market__feed_at(size_t n) { return &feeds[n]; }

bool market__no_price(const struct market_rules *rules, struct weir_text data_type)
{
    for (size_t i = 0; i < ARRAY_SIZE(no_prices); i++)
        if (rules == &markets[no_prices[i].market] && market__one_of(data_type, no_prices[i].data_types) >= 0)
            return true;
    return false;
}

struct weir_text market__data_type(const struct market_feed *feed)
{
    const char *names = feed->data_type;

    return market__cut(&names);
}
