"""ccxt.pro's class ndax over the WebSocket, with nothing overridden but its URLs.

The market stands still; what moves is what two users trade with each other over REST.
"""

import asyncio
import sys

import ccxt.pro
from report import Report, accounts, ready

PAIR = "BTC/BRL"


def client(line, account):
    venue = ccxt.pro.ndax(
        {
            "apiKey": account["api_key"],
            "secret": account["secret"],
            "uid": str(account["user_id"]),
            "login": account["user"],
            "password": account["password"],
            "enableRateLimit": False,
        }
    )
    base = line["flowbtc_http"].rstrip("/")
    venue.urls["api"] = {"public": base, "private": base, "ws": line["flowbtc_ws"]}
    return venue


async def trade(seller, buyer, amount, price):
    await seller.create_order(PAIR, "limit", "sell", amount, price)
    await buyer.create_order(PAIR, "limit", "buy", amount, price)


async def checks(report, watcher, seller, buyer, reader):
    await trade(seller, buyer, 0.125, 61001.5)
    rows = await asyncio.wait_for(watcher.watch_trades(PAIR), 10)
    seen = [(row["symbol"], row["price"], row["amount"]) for row in rows][-1]
    report.equal("watch_trades: the last before the subscription", seen, (PAIR, 61001.5, 0.125))
    waiting = asyncio.ensure_future(watcher.watch_trades(PAIR))
    await asyncio.sleep(0)
    await trade(seller, buyer, 0.25, 61002.5)
    row = (await asyncio.wait_for(waiting, 10))[-1]
    seen = (row["price"], row["amount"], row["side"])
    report.equal("watch_trades: an event", seen, (61002.5, 0.25, "buy"))
    near = abs(row["timestamp"] - watcher.milliseconds()) < 60_000
    report.ok("watch_trades: now, in milliseconds", near, row["timestamp"])

    ticker = await asyncio.wait_for(watcher.watch_ticker(PAIR), 10)
    seen = (ticker["bid"], ticker["ask"], ticker["last"])
    report.equal("watch_ticker: at once", seen, (60727.05, 61282.99, 61002.5))
    waiting = asyncio.ensure_future(watcher.watch_ticker(PAIR))
    await asyncio.sleep(0)
    await buyer.create_order(PAIR, "limit", "buy", 0.5, 60800)
    ticker = await asyncio.wait_for(waiting, 10)
    report.equal("watch_ticker: an event", (ticker["bid"], ticker["ask"]), (60800.0, 61282.99))

    # A reader of its own: ccxt.pro cannot read a book beside its other subscriptions, since it
    # looks for the book's among them by an `id` that only the book's has.
    book = await asyncio.wait_for(reader.watch_order_book(PAIR), 10)
    report.equal("watch_order_book: bids", book["bids"][0][:2], [60800.0, 0.5])
    report.equal("watch_order_book: asks", book["asks"][0][:2], [61282.99, 1.56584245])
    waiting = asyncio.ensure_future(reader.watch_order_book(PAIR))
    await asyncio.sleep(0)
    await seller.create_order(PAIR, "limit", "sell", 0.75, 61100)
    book = await asyncio.wait_for(waiting, 10)
    report.equal("watch_order_book: an event", book["asks"][0][:2], [61100.0, 0.75])


async def main(path):
    line = ready(path)
    report = Report(f"ccxt.pro {ccxt.__version__}")
    first, second = accounts(line, "flowbtc")
    venues = [client(line, account) for account in (first, first, second, first)]
    try:
        await checks(report, *venues)
    finally:
        for venue in venues:
            await venue.close()


asyncio.run(main(sys.argv[1]))
