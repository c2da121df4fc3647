"""The sample of Mercado Bitcoin's documentation in Python 3: `Key` and `Sign` headers, a form body
signed as it is sent, tonces of whole seconds (MB-R01 to R05)."""

import hashlib
import hmac
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from report import Report, accounts, ready


class Tapi:
    """The documentation's class, with its one URL, and a tonce that grows by itself (MB-F06)."""

    def __init__(self, url, key, secret):
        self.url, self.key, self.secret = url, key, secret
        self.tonce = int(time.time())

    def signed(self, message):
        return hmac.new(self.secret.encode(), message.encode(), hashlib.sha512).hexdigest()

    def send(self, body, sign):
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Key": self.key,
            "Sign": sign,
        }
        request = urllib.request.Request(self.url, body.encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.loads(reply.read())

    def call(self, method, **fields):
        self.tonce += 1
        body = urllib.parse.urlencode({"method": method, "tonce": str(self.tonce), **fields})
        return self.send(body, self.signed(body))


def data(line, path):
    with urllib.request.urlopen(line["mercadobitcoin_data"] + path, timeout=10) as reply:
        return json.loads(reply.read())


def funds(tapi):
    return tapi.call("getInfo")["return"]["funds"]


def orders(report, tapi):
    info = tapi.call("getInfo")
    report.equal("getInfo: success is a number", info["success"], 1)
    report.equal("getInfo: funds are text", info["return"]["funds"]["brl"], "1000000.00000")
    server = info["return"]["server_time"]
    near = isinstance(server, str) and abs(int(server) - time.time()) < 60
    report.ok("getInfo: server_time, quoted seconds", near, server)
    report.equal("getInfo: open_orders, a bare number", info["return"]["open_orders"], 0)

    sent = {"pair": "btc_brl", "type": "buy", "volume": "0.50000000", "price": "400.00000"}
    reply = tapi.call("Trade", **sent)["return"]
    report.equal("Trade: exactly one order", len(reply), 1)
    number, order = next(iter(reply.items()))
    seen = {key: order[key] for key in sent}
    report.equal("Trade: the order as sent", seen, sent)
    seen = (order["status"], order["operations"], order["created"].isdigit())
    report.equal("Trade: active, no operations (MB-P04)", seen, ("active", {}, True))
    held = funds(tapi)
    seen = (held["brl"], held["brl_with_open_orders"])
    # 0.5 times 400 and the taker's 0.7 % of it.
    report.equal("getInfo: held by a buy (MB-C01)", seen, ("999798.60000", "1000000.00000"))

    listed = tapi.call("OrderList", pair="btc_brl", status="active", from_id=number, end_id=number)
    report.equal("OrderList: by id and status", list(listed["return"]), [number])
    reply = tapi.call("CancelOrder", pair="btc_brl", order_id=number)["return"]
    report.equal("CancelOrder: canceled (MB-P04)", reply[number]["status"], "canceled")
    again = tapi.call("CancelOrder", pair="btc_brl", order_id=number)
    report.equal("CancelOrder: twice", again["success"], 0)

    sent = {"pair": "btc_brl", "type": "buy", "volume": "0.01000000", "price": "70000.00000"}
    number, order = next(iter(tapi.call("Trade", **sent)["return"].items()))
    listed = tapi.call("OrderList", pair="btc_brl", from_id=number)["return"][number]
    (fill,) = listed["operations"].values()
    seen = (listed["status"], fill["volume"], fill["price"], fill["rate"])
    expected = ("completed", "0.01000000", "61282.99000", "0.70")
    report.equal("OrderList: filled at the book's price", seen, expected)


def proofs(report, line, first, second):
    tapi = Tapi(line["mercadobitcoin"], first["key"], first["secret"])
    body = f"method=getInfo&tonce={int(time.time()) + 1000}"
    message = f"getInfo:1234:{int(time.time()) + 1000}"
    refused = tapi.send(body, tapi.signed(message))
    report.equal("a signature of v1 (MB-T08)", refused["success"], 0)
    refused = tapi.send(body, tapi.signed(body).upper())
    report.equal("a signature in capitals", refused["success"], 0)
    odd = f"tonce={int(time.time()) + 1001}&method=getInfo&operations=[]&x=%C3%A7"
    taken = tapi.send(odd, tapi.signed(odd))
    report.equal("any order, unknown fields, brackets (MB-P01)", taken["success"], 1)
    refused = tapi.send(odd, tapi.signed(odd))
    report.equal("the same tonce twice (MB-P06)", refused["success"], 0)
    other = Tapi(line["mercadobitcoin"], second["key"], second["secret"])
    report.equal("the other key's own tonces (MB-F17)", other.call("getInfo")["success"], 1)
    old = Tapi(line["mercadobitcoin"].replace("/tapi/v2/", "/tapi/"), second["key"], second["secret"])
    old.tonce = other.tonce
    report.equal("the old path (MB-S08)", old.call("getInfo")["success"], 1)
    return other


def limits(report, tapi):
    texts = [tapi.call("getInfo").get("error") for _ in range(60)]
    limit = "Taxa de requests acima do permitido."
    report.ok("60 requests of a user in 60 s (MB-R07)", texts[0] is None and texts[-1] == limit, texts)


def public(report, line):
    ticker = data(line, "BTC/ticker/")["ticker"]
    seen = (ticker["buy"], ticker["sell"])
    report.equal("ticker: strings of 8 decimals", seen, ("60727.05000000", "61282.99000000"))
    book = data(line, "BTC/orderbook/")
    report.equal("orderbook: bids", book["bids"][0], [60727.05, 0.02764813])
    report.equal("orderbook: asks", book["asks"][0], [61282.99, 1.56584245])
    report.ok("trades", isinstance(data(line, "BTC/trades/"), list))


def main(path):
    line = ready(path)
    report = Report("Mercado Bitcoin's sample")
    first, second = accounts(line, "mercadobitcoin")
    public(report, line)
    orders(report, Tapi(line["mercadobitcoin"], first["key"], first["secret"]))
    limits(report, proofs(report, line, first, second))


main(sys.argv[1])
