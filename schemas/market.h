/* market.h: the one header of schemas: what the topologies know of markets. */
#ifndef MARKET_MARKET_H
#define MARKET_MARKET_H

#include "schemas/decimal.h"
#include "schemas/instrument.h"
#include "schemas/reasons.h"
#include "schemas/records.h"
#include "schemas/times.h"

#endif
