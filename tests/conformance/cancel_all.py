"""The danger of CancelAllOrders over REST (FLOW-T12, P18): a misspelt `IntrumentId`, as AlphaPoint's
own page and ccxt have it, cancels the orders of every instrument."""

import base64
import json
import sys
import urllib.request

from report import Report, accounts, ready


class Rest:
    """FlowBTC over HTTP: `Authenticate` with Basic, then the token in a header (FLOW-P11)."""

    def __init__(self, url, account):
        self.url, self.account = url, account["account_id"]
        coded = base64.b64encode(f"{account['user']}:{account['password']}".encode()).decode()
        headers = {"Authorization": f"Basic {coded}"}
        request = urllib.request.Request(url + "Authenticate", headers=headers)
        with urllib.request.urlopen(request, timeout=10) as reply:
            self.token = json.loads(reply.read())["SessionToken"]

    def call(self, name, **fields):
        body = json.dumps({"OMSId": 1, "AccountId": self.account, **fields}).encode()
        headers = {"Content-Type": "application/json", "APToken": self.token}
        request = urllib.request.Request(self.url + name, body, headers)
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.loads(reply.read())


def main(path):
    line = ready(path)
    report = Report("CancelAllOrders over REST")
    rest = Rest(line["flowbtc_http"], accounts(line, "flowbtc")[0])

    def working():
        return sorted(row["Instrument"] for row in rest.call("GetOpenOrders"))

    def rest_two():
        order = {"Side": 0, "OrderType": 2, "Quantity": 1, "TimeInForce": 1}
        rest.call("SendOrder", InstrumentId=1, LimitPrice=1000, **order)
        rest.call("SendOrder", InstrumentId=2, LimitPrice=100, **order)

    rest.call("CancelAllOrders")
    rest_two()
    report.equal("orders of two instruments", working(), [1, 2])
    rest.call("CancelAllOrders", InstrumentId=1)
    report.equal("InstrumentId narrows it", working(), [2])
    rest_two()
    rest.call("CancelAllOrders", IntrumentId="1")
    report.equal("IntrumentId does not: every instrument", working(), [])


main(sys.argv[1])
