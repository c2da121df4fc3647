"""ccxt's class ndax over a recorded market: its trades and its bars are known to the last digit."""

import sys

import ccxt
from report import Report, ready

PAIR = "BTC/BRL"


def main(path):
    line = ready(path)
    report = Report(f"ccxt {ccxt.__version__} (recorded)")
    venue = ccxt.ndax({"enableRateLimit": False})
    base = line["flowbtc_http"].rstrip("/")
    venue.urls["api"] = {"public": base, "private": base}
    rows = venue.fetch_trades(PAIR)
    seen = [(row["id"], row["timestamp"], row["side"], row["price"], row["amount"]) for row in rows]
    expected = [
        ("1", 1602269461000, "buy", 60700.0, 0.5),
        ("2", 1602269465000, "sell", 60800.5, 0.25),
        ("3", 1602269470000, "sell", 60650.25, 0.1),
        ("4", 1602269525000, "buy", 60660.0, 1.5),
        ("5", 1602269530000, "buy", 60700.0, 0.5),
        ("6", 1602269645000, "sell", 60000.0, 0.01),
    ]
    report.equal("fetch_trades: ids, times, sides, prices, quantities", seen, expected)
    ticker = venue.fetch_ticker(PAIR)
    report.equal("fetch_ticker: last", (ticker["last"], ticker["high"]), (60000.0, 60800.5))
    bars = venue.fetch_ohlcv(PAIR, "1m", 1602269400000)
    seen = [row[1:] for row in bars[:2]]
    expected = [
        [60700.0, 60800.5, 60650.25, 60650.25, 0.85],
        # AlphaPoint's bars open where the one before closed.
        [60650.25, 60700.0, 60650.25, 60700.0, 2.0],
    ]
    report.equal("fetch_ohlcv: open, high, low, close, volume", seen, expected)
    seen = [row[0] for row in bars[:2]]
    report.equal("fetch_ohlcv: the end of each (FLOW-P23)", seen, [1602269520000, 1602269580000])


main(sys.argv[1])
