"""The Python sample of Sentra's manual, as repaired (SENTRA-F01, F16): heartbeat, positions, closed
trades, as JSON, as a form and compressed."""

import gzip
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from report import Report, accounts, ready

HEARTBEAT = {
    "account_number": "12345678",
    "broker": 'XM "Global" \\ Limited',
    "server": "XM-Real 50",
    "account_name": "João Silva",
    "balance": 10000.50,
    "equity": 10250.75,
    "currency": "USD",
    "leverage": 500,
    "margin_free": 9500.25,
    "open_positions": 3,
    "platform": "MT4",
    "account_type": "CENT",
}
POSITION = {
    "ticket": "123456789",
    "symbol": "EURUSD",
    "type": "buy",
    "volume": 0.10,
    "open_price": 1.08500,
    "current_price": 1.08650,
    "profit": 15.00,
    "swap": -0.50,
    "commission": -1.00,
    "open_time": "2025-10-29 10:30:00",
}
TRADE = {
    "ticket": "987654321",
    "symbol": "GBPUSD",
    "type": "sell",
    "volume": 0.05,
    "open_price": 1.25000,
    "close_price": 1.24800,
    "open_time": "2025-10-28T14:00:00Z",
    "close_time": "2025-10-28T16:30:00Z",
    "profit": 10.00,
    "commission": -0.50,
    "swap": -0.25,
}


class Sentra:
    """The manual's class: every call names the user and the account."""

    def __init__(self, url, email):
        self.url, self.email = url, email
        self.last = {}

    def post(self, call, fields, kind="json"):
        body = {"user_email": self.email, **fields}
        # One request a second and account (SENTRA-R09).
        number = body.get("account_number")
        time.sleep(max(0.0, self.last.get(number, 0.0) + 1.02 - time.monotonic()))
        headers = {"Content-Type": "application/json"}
        if kind == "form":
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            data = urllib.parse.urlencode(body).encode()
        else:
            data = json.dumps(body).encode()
        if kind == "gzip":
            headers["Content-Encoding"] = "gzip"
            data = gzip.compress(data)
        request = urllib.request.Request(f"{self.url}/{call}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                answer = reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as error:
            answer = error.code, json.loads(error.read())
        self.last[number] = time.monotonic()
        return answer


def ok(message):
    return 200, {"success": True, "message": message}


def no(status, error):
    return status, {"success": False, "error": error}


def stored(line, number):
    with urllib.request.urlopen(line["control"] + "ledger", timeout=10) as reply:
        rows = json.loads(reply.read())["sentra"]["accounts"]
    return next(row for row in rows if row["account_number"] == number)


def main(path):
    line = ready(path)
    report = Report("Sentra's sample")
    sentra = Sentra(line["sentra"], accounts(line, "sentra")[0]["email"])
    own = {"account_number": "12345678"}

    seen = sentra.post("positions", {"account_number": "77", "positions": []})
    report.equal("positions before any heartbeat", seen, no(404, "Conta não encontrada. Envie heartbeat primeiro."))
    report.equal("heartbeat", sentra.post("heartbeat", HEARTBEAT), ok("Heartbeat recebido"))
    row = stored(line, "12345678")
    seen = (row["account_type"], row["scale"], row["balance"], row["equity"])
    report.equal("heartbeat: the scale of CENT (SENTRA-T01)", seen, ("CENT", 10000, 100005000, 102507500))

    seen = sentra.post("positions", {**own, "positions": [POSITION] * 3})
    report.equal("positions: counted", seen, ok("3 posições sincronizadas"))
    report.equal("positions: by ticket (SENTRA-P03)", stored(line, "12345678")["positions"], 1)
    batch = [{**TRADE, "ticket": str(number)} for number in range(100)]
    seen = sentra.post("trades", {**own, "trades": batch}, "gzip")
    report.equal("trades: a batch of 100, compressed", seen, ok("100 trades sincronizados"))
    seen = sentra.post("trades", {**own, "trades": batch})
    report.equal("trades: again", seen, ok("100 trades sincronizados"))
    row = stored(line, "12345678")
    seen = (row["trades"], row["closed_profit"])
    report.equal("trades: none doubled, profit in its scale", seen, (100, 10_000_000))

    form = {**HEARTBEAT, "account_number": "form", "account_type": "STANDARD"}
    report.equal("heartbeat: a form (SENTRA-R04)", sentra.post("heartbeat", form, "form"), ok("Heartbeat recebido"))
    row = stored(line, "form")
    report.equal("heartbeat: the scale of STANDARD", (row["scale"], row["balance"]), (100, 1000050))

    seen = sentra.post("heartbeat", {**HEARTBEAT, "account_number": ""})
    report.equal("heartbeat: no account", seen, no(400, "Parâmetros obrigatórios: user_email, account_number"))
    stranger = Sentra(line["sentra"], "nobody@example.com")
    seen = stranger.post("heartbeat", HEARTBEAT)
    report.equal("heartbeat: a stranger", seen, no(404, "Usuário não encontrado. Cadastre-se na plataforma primeiro."))


main(sys.argv[1])
