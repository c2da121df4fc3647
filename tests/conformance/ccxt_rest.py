"""ccxt's class ndax over REST, with nothing overridden but its URLs (FLOW-S09).

The market stands still with the book of FLOW-T01, so that every amount is known.
"""

import sys
from decimal import Decimal

import ccxt
from report import Report, accounts, ready

PAIR = "BTC/BRL"


def client(line, account, **more):
    base = line["flowbtc_http"].rstrip("/")
    venue = ccxt.ndax(
        {
            "apiKey": account["api_key"],
            "secret": account["secret"],
            "uid": str(account["user_id"]),
            "login": account["user"],
            "password": account["password"],
            "enableRateLimit": False,
            **more,
        }
    )
    venue.urls["api"] = {"public": base, "private": base}
    return venue


def markets(report, venue):
    rows = {row["symbol"]: row for row in venue.fetch_markets()}
    names = "BTC/BRL ETH/BRL LTC/BRL TAKION/BRL BCH/BRL ETH/BTC XRP/BRL EOS/BRL MCO2/BRL"
    report.equal("fetch_markets: the nine of FLOW-R14", sorted(rows), sorted(names.split()))
    row = rows[PAIR]
    seen = (row["id"], row["baseId"], row["quoteId"], row["active"])
    report.equal("fetch_markets: ids, not those of products", seen, ("1", "1", "4", True))
    seen = (row["precision"]["amount"], row["precision"]["price"], row["limits"]["amount"]["min"])
    report.equal("fetch_markets: lot, tick and minimum", seen, (1e-8, 0.01, 1e-5))
    products = venue.fetch_currencies()
    seen = (products["BRL"]["id"], products["TAKION"]["id"])
    report.equal("fetch_currencies: FLOW-P26", seen, ("4", "5"))


def levels(rows):
    """Price and quantity; ccxt adds the time."""
    return [row[:2] for row in rows]


def book(report, venue):
    seen = venue.fetch_order_book(PAIR)
    bids = [[60727.05, 0.02764813], [60721.55, 1.97235187], [60618.89, 0.16588419]]
    asks = [[61282.99, 1.56584245], [61288.53, 0.10401187], [61294.07, 0.33014568]]
    report.equal("fetch_order_book: bids of FLOW-T01", levels(seen["bids"]), bids)
    report.equal("fetch_order_book: asks of FLOW-T01", levels(seen["asks"]), asks)
    ticker = venue.fetch_ticker(PAIR)
    report.equal("fetch_ticker: touch", (ticker["bid"], ticker["ask"]), (60727.05, 61282.99))


def total(venue, asset):
    row = venue.fetch_balance()[asset]
    return row["free"], row["used"], row["total"]


def trading(report, venue, other):
    report.equal("fetch_balance: BRL", total(venue, "BRL"), (1e6, 0.0, 1e6))
    report.equal("fetch_balance: BTC", total(venue, "BTC"), (1e3, 0.0, 1e3))

    order = venue.create_order(PAIR, "limit", "buy", 0.25, 60000.5, {"clientOrderId": 4711})
    report.ok("create_order: limit", order["id"].isdigit() and int(order["id"]) > 2**62, order)
    seen = venue.fetch_order(order["id"], PAIR)
    fields = ("id", "clientOrderId", "symbol", "type", "side", "price", "amount", "filled")
    report.equal(
        "fetch_order: the order as sent",
        tuple(seen[key] for key in fields),
        (order["id"], "4711", PAIR, "limit", "buy", 60000.5, 0.25, 0.0),
    )
    report.equal("fetch_order: status", seen["status"], "open")
    held = total(venue, "BRL")[1]
    report.equal("fetch_balance: held with its fee", held, 15015.125125)
    open_orders = venue.fetch_open_orders(PAIR)
    report.equal("fetch_open_orders", [row["id"] for row in open_orders], [order["id"]])
    bids = levels(venue.fetch_order_book(PAIR)["bids"])
    report.equal("fetch_order_book: our own bid", bids[3], [60000.5, 0.25])
    venue.cancel_order(order["id"], PAIR)
    report.equal("cancel_order", venue.fetch_open_orders(PAIR), [])
    report.equal("fetch_order: canceled", venue.fetch_order(order["id"], PAIR)["status"], "canceled")
    report.equal("fetch_balance: nothing held", total(venue, "BRL"), (1e6, 0.0, 1e6))
    again = lambda: venue.cancel_order(order["id"], PAIR)
    report.raises("cancel_order: twice", ccxt.OrderNotFound, again)

    bought = venue.create_order(PAIR, "market", "buy", 0.5)
    seen = venue.fetch_order(bought["id"], PAIR)
    report.equal(
        "create_order: market, filled at the touch",
        (seen["status"], seen["type"], seen["filled"], seen["average"]),
        ("closed", "market", 0.5, 61282.99),
    )
    cost = Decimal("61282.99") / 2
    left = Decimal(10**6) - cost * Decimal("1.001")
    report.equal("fetch_balance: cost and fee", total(venue, "BRL")[2], float(left))
    report.equal("fetch_balance: coins", total(venue, "BTC")[2], 1000.5)
    trades = venue.fetch_my_trades(PAIR)
    seen = [(row["order"], row["side"], row["amount"], row["price"]) for row in trades]
    report.equal("fetch_my_trades", seen, [(bought["id"], "buy", 0.5, 61282.99)])

    stop = venue.create_order(PAIR, "market", "sell", 0.1, None, {"triggerPrice": 50000})
    seen = venue.fetch_order(stop["id"], PAIR)
    report.equal(
        "create_order: stop",
        (seen["status"], seen["info"]["OrderType"], seen["amount"]),
        ("open", "StopMarket", 0.1),
    )
    venue.cancel_order(stop["id"], PAIR)

    ask = other.create_order(PAIR, "limit", "sell", 0.2, 61000)
    bid = venue.create_order(PAIR, "limit", "buy", 0.2, 61000)
    public = venue.fetch_trades(PAIR)[-1]
    seen = (public["symbol"], public["side"], public["amount"], public["price"])
    report.equal("fetch_trades: two users' trade", seen, (PAIR, "buy", 0.2, 61000.0))
    near = abs(public["timestamp"] - venue.milliseconds()) < 60_000
    report.ok("fetch_trades: now, in milliseconds", near, public["timestamp"])
    report.equal("fetch_order: the maker's", other.fetch_order(ask["id"], PAIR)["filled"], 0.2)
    orders = venue.fetch_orders(PAIR)
    states = {row["id"]: row["status"] for row in orders}
    expected = {order["id"]: "canceled", bought["id"]: "closed", stop["id"]: "canceled"}
    report.equal("fetch_orders", states, {**expected, bid["id"]: "closed"})


def refusals(report, venue, line, account):
    huge = lambda: venue.create_order(PAIR, "limit", "buy", 1000, 60000)
    report.raises("create_order: too large", ccxt.InsufficientFunds, huge)
    forged = client(line, {**account, "secret": "0" * 32})
    report.raises("a bad signature", ccxt.AuthenticationError, forged.fetch_balance)
    unknown = lambda: venue.fetch_order("1", PAIR)
    report.raises("fetch_order: unknown", ccxt.BaseError, unknown)


def sessions(report, line, first, second):
    venue = client(line, first)
    token = venue.sign_in()["SessionToken"]
    venue.apiKey = venue.secret = "unused"
    report.equal("sign_in: by password", (len(token), venue.fetch_accounts()[0]["id"]), (36, "7"))
    venue = client(line, second, twofa=second["totp"])
    token = venue.sign_in()["SessionToken"]
    report.equal("sign_in: by one-time code", venue.fetch_accounts()[0]["id"], "8")


def main(path):
    line = ready(path)
    report = Report(f"ccxt {ccxt.__version__}")
    first, second = accounts(line, "flowbtc")
    venue = client(line, first)
    markets(report, venue)
    book(report, venue)
    trading(report, venue, client(line, second))
    refusals(report, venue, line, first)
    sessions(report, line, first, second)


main(sys.argv[1])
