//! Raw calls in a backtest: what they change, and what they must not.

use crate::support::{btcbrl, candidate, shared};
use lunario::base::{Decimal, Span, decimal};
use lunario::exchange::QueueModel;
use lunario::lua::Candidate;
use lunario::run::BacktestResult;
use lunario::run::backtest::{BLOCK_ROWS, Spec, backtest, patient};
use lunario::run::feed::Wanted;
use std::collections::BTreeMap;
use std::path::PathBuf;

fn spec(candidate: Candidate, feed: PathBuf, latency: i64) -> Spec {
    Spec {
        candidate,
        feed: Wanted {
            files: vec![feed],
            time_unit: None,
            from: None,
            to: None,
            block_rows: BLOCK_ROWS,
        },
        instrument: btcbrl(),
        balances: vec![
            ("BRL".into(), Decimal::from(1_000_000)),
            ("BTC".into(), Decimal::from(1_000)),
        ],
        params: BTreeMap::new(),
        feed_latency: Span::ZERO,
        entry_latency: Span::from_millis(latency),
        response_latency: Span::from_millis(latency),
        queue: QueueModel::None,
        seed: 1,
        limits: lunario::risk::Limits::default(),
        lua: patient(),
    }
}

/// The same at every length of a block.
fn run(mut spec: Spec) -> BacktestResult {
    let mut results = Vec::new();
    for block_rows in [1, 7, 65_536, 65_536] {
        spec.feed.block_rows = block_rows;
        let result = backtest(&spec, &mut |_| {}).unwrap();
        assert_eq!(result.fault, None);
        results.push((result.digest.clone(), result.net_pnl, result));
    }
    let (digest, net, last) = results.pop().unwrap();
    for (other, profit, _) in results {
        assert_eq!((&other, profit), (&digest, net));
    }
    last
}

fn write(name: &str, source: &str) -> (tempfile::TempDir, Candidate) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, source).unwrap();
    let candidate = candidate(&file);
    (folder, candidate)
}

/// A script that could call every venue, and does not, trades as if there were none to call.
#[test]
fn venues_that_nobody_calls_change_nothing() {
    let (Some(feed), Some(w1)) =
        (shared("data/binance_usdm_btcusdt_20240808.trades.csv"), shared("peers/w1.luau"))
    else {
        return;
    };
    let source = std::fs::read_to_string(w1).unwrap();
    let (_one, plain) = write("w1.luau", &source);
    // Behind the source, so that its directives and lines stay where they are.
    let handed =
        source.replacen("\n", "\nlocal _venues = { flowbtc, mercadobitcoin, sentra }\n", 1);
    let (_two, handed) = write("w1.luau", &handed);
    for latency in [0, 10] {
        let expected = run(spec(plain.clone(), feed.clone(), latency));
        let got = run(spec(handed.clone(), feed.clone(), latency));
        assert_eq!((got.orders, got.fills), (expected.orders, expected.fills));
        assert_eq!(decimal::show(got.net_pnl), decimal::show(expected.net_pnl));
        assert_eq!(got.digest, expected.digest);
    }
}

/// Trades by name, looks by name at what it did, and lets the answers decide what it does next.
const CALLER: &str = r#"
local strategy = { subscribe = { "trades flowbtc:BTCBRL" } }
local seen = 0

local function trade_by_name(ctx, trade)
	local price = math.floor(trade.price - 50)
	local sent = flowbtc.SendOrder({
		InstrumentId = 1, Side = 0, Quantity = "0.5", OrderType = 2, LimitPrice = tostring(price),
	})
	assert(sent.status == "Accepted" and type(sent.OrderId) == "string", "SendOrder")
	local open = flowbtc.GetOpenOrders({})
	assert(#open == 1 and open[1].OrderId == sent.OrderId, `{#open} open`)
	assert(tostring(open[1].Price) == tostring(price), tostring(open[1].Price))
	local status = flowbtc.GetOrderStatus({ OrderId = sent.OrderId })
	assert(status.OrderState == "Working", status.OrderState)
	flowbtc.CancelOrder({ OrderId = sent.OrderId })
	assert(#flowbtc.GetOpenOrders({}) == 0, "still open")
	local ok, why = pcall(flowbtc.CancelOrder, { OrderId = sent.OrderId })
	ctx.log:info(`again: {ok} {tostring(why)}`)
	flowbtc.SendOrder({ InstrumentId = 1, Side = 0, Quantity = "0.5", OrderType = 1 })
	local history = flowbtc.GetOrderHistory({})
	assert(#history == 2, `{#history} in the history`)
end

function strategy.on_trade(ctx, trade)
	seen += 1
	if seen == 40 then
		trade_by_name(ctx, trade)
	elseif seen == 400 then
		local fills = flowbtc.GetAccountTrades({ Count = 10, StartIndex = 0 })
		assert(#fills == 1 and tostring(fills[1].Quantity) == "0.5", `{#fills} fills`)
		local last = flowbtc.GetLastTrades({ InstrumentId = 1, Count = 1 })
		assert(#last == 1, "no last trade")
		ctx.log:info(`last {tostring(last[1][4])} now {ctx.now}`)
		local level = flowbtc.GetL2Snapshot({ InstrumentId = 1, Depth = 1 })
		local price = math.floor(tonumber(tostring(last[1][4])) - 20 - #level)
		ctx:buy({ qty = "0.001", price = tostring(price) })
	elseif seen == 1000 then
		-- Ninety in a minute are more than the venue takes.
		local refused = nil
		for _ = 1, 90 do
			local ok, why = pcall(flowbtc.GetProducts, {})
			refused = refused or not ok and why
		end
		assert(refused and refused.kind == "expired_in_queue", tostring(refused))
		ctx:buy({ qty = "0.002" })
		sentra.heartbeat({ account_number = "1", balance = "1", equity = "1" })
		mercadobitcoin.getInfo()
		ctx:sell({ qty = "0.003" })
	end
end

return strategy
"#;

#[test]
fn a_script_that_calls_by_name_gives_the_same_result_at_every_length_of_a_block() {
    let Some(feed) = shared("data/binance_usdm_btcusdt_20240808.trades.csv") else { return };
    let (_folder, caller) = write("caller.luau", CALLER);
    for latency in [0, 10] {
        let result = run(spec(caller.clone(), feed.clone(), latency));
        assert_eq!(result.orders, 5, "by name and otherwise");
        assert_eq!(result.fills, 4);
        assert!(result.assumptions.iter().any(|(name, _)| *name == "calls"));
    }
}
