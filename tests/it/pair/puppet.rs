//! A strategy that does as a scene tells it, and what a scene looks at.

use super::*;
use lunario::account::Order;
use lunario::base::{OrderKey, Side, Trade};

/// Does as it is told through trades of another instrument: the quantity is what, the price how.
pub const PUPPET: &str = r#"
local s = { subscribe = {
	"trades flowbtc:ETHBRL", "trades flowbtc:BTCBRL", "book flowbtc:BTCBRL depth=5",
} }
local BTC = "flowbtc:BTCBRL"
local last
local acts = {
	[1] = function(ctx, price) last = ctx:buy({ instrument = BTC, qty = 1, price = price }) end,
	[2] = function(ctx, price) last = ctx:sell({ instrument = BTC, qty = 1, price = price }) end,
	[3] = function(ctx) last = ctx:buy({ instrument = BTC, qty = 1 }) end,
	[4] = function(ctx) ctx:cancel(last) end,
	[5] = function(ctx, price) assert(ctx:replace(last, { price = price, qty = 2 })) end,
	[6] = function(ctx) ctx:cancel_all() end,
}
function s.on_trade(ctx, trade)
	if trade.instrument == BTC then
		ctx.log:info(`trade {trade.id}`)
	else
		acts[trade.qty](ctx, trade.price)
	end
end
return s
"#;

pub const BUY: i64 = 1;
pub const SELL: i64 = 2;
pub const MARKET: i64 = 3;
pub const CANCEL: i64 = 4;
pub const REPLACE: i64 = 5;
pub const CANCEL_ALL: i64 = 6;

pub const BOTH: [Dialect; 2] = [Dialect::Native, Dialect::Page];

pub fn pass() -> Rule {
    Box::new(|_| Fate::Pass)
}

/// The first such frame has this fate; `up` requests, else replies and events.
pub fn once(up: bool, name: &'static str, fate: Fate) -> Rule {
    let mut done = false;
    Box::new(move |passing| {
        if done || passing.up != up || passing.name != name {
            return Fate::Pass;
        }
        done = true;
        fate
    })
}

/// Every reply or event of these names is lost.
pub fn deaf_to(names: &'static [&'static str]) -> Rule {
    Box::new(
        move |passing| {
            if !passing.up && names.contains(&passing.name) { Fate::Drop } else { Fate::Pass }
        },
    )
}

impl Pair {
    pub fn act(&mut self, what: i64, price: &str) {
        self.told(InstrumentId(1), price, &what.to_string());
    }

    /// A public trade of the feed.
    pub fn told(&mut self, instrument: InstrumentId, price: &str, qty: &str) {
        let (time, price, qty) = (self.now, d(price), d(qty));
        let trade = Trade { time, instrument, price, qty, side: Some(Side::Buy), id: 0 };
        self.server_in(ServerIn::Market(Event::Trade(trade)));
    }

    pub fn trade(&mut self, price: &str, qty: &str) {
        self.told(BTC, price, qty);
    }

    /// A puppet with a resting order to buy 1 at 990.
    pub fn resting(dialect: Dialect) -> Pair {
        let mut pair = Pair::still(dialect, PUPPET, pass());
        pair.act(BUY, "990");
        pair.wait(secs(1));
        assert_eq!(pair.states(), ["working"], "{}", pair.story());
        pair
    }

    pub fn order(&self, nth: u32) -> Order {
        let core = self.engine.core();
        core.orders.get(OrderKey::compose(RUN, WHO, nth).unwrap()).unwrap().clone()
    }

    /// How the orders stand.
    pub fn states(&self) -> Vec<&'static str> {
        self.orders().values().map(|order| order.state.word()).collect()
    }

    /// The states that the first order went through.
    pub fn path(&self) -> Vec<&'static str> {
        let key = OrderKey::compose(RUN, WHO, 1).unwrap();
        let steps = self.notes.iter().filter_map(|note| match note {
            Note::Order { order } if order.key == key => Some(order.state.word()),
            _ => None,
        });
        steps.collect()
    }

    pub fn at_venue(&self) -> usize {
        self.server.exchange().history(ACCOUNT, usize::MAX).len()
    }

    pub fn calm(&mut self) {
        self.line.set_rule(pass());
    }

    /// Two minutes of quiet, and both ends agree.
    pub fn settles(&mut self, dialect: Dialect) {
        self.wait(secs(120));
        self.agree(dialect);
    }
}
