#!/usr/bin/env bash
# The curl sample of Sentra's manual, as repaired (SENTRA-F01): $1 is the address, $2 the e-mail.
set -euo pipefail

ask() { curl --silent --show-error --max-time 10 --write-out ' %{http_code}' "$@"; }

expect() {
    if [ "$2" != "$3" ]; then
        echo "FAIL Sentra's curl sample: $1: $2"
        exit 1
    fi
    echo "ok   Sentra's curl sample: $1"
}

seen=$(ask -X POST "$1/heartbeat" -H 'Content-Type: application/json' -d '{
    "user_email": "'"$2"'", "account_number": "curl-1", "broker": "XM Global Limited",
    "server": "XM-Real 50", "account_name": "João Silva", "balance": 10000.50,
    "equity": 10250.75, "currency": "USD", "leverage": 500, "margin_free": 9500.25,
    "open_positions": 3, "platform": "MT4", "account_type": "CENT"}')
expect heartbeat "$seen" '{"success":true,"message":"Heartbeat recebido"} 200'

seen=$(ask -X POST "$1/heartbeat" --data-urlencode "user_email=$2" \
    --data-urlencode account_number=curl-2 -d 'balance=1.5&equity=1.5')
expect 'heartbeat as a form' "$seen" '{"success":true,"message":"Heartbeat recebido"} 200'

seen=$(ask -X POST "$1/heartbeat" -H 'Content-Type: application/json' -d '{}')
expect 'an empty body' "$seen" \
    '{"success":false,"error":"Parâmetros obrigatórios: user_email, account_number"} 400'
