//! Raw calls in backtests and on paper: answered in process by the simulated venues, with the
//! venues' own replies, over the very exchange that the run trades on.
//!
//! A call waits for its turn in the rate lane that the live client would hold it in, travels to the
//! exchange like any command, acts there, and its answer travels back. In reading order: `turns`
//! has the lanes, `site` what a venue's server is to this room, then one file per venue.

mod flowbtc;
mod mercadobitcoin;
mod sentra;
mod site;
#[cfg(test)]
mod tests;
mod turns;

use self::site::Site;
use self::turns::Turns;
use super::assemble::default_fees;
use super::shared::Shared;
use super::table;
use crate::base::{
    Call, CallFailure, CallFailureKind, Command, Event, Instruments, LaneLeft, Machine, OrderNews,
    Reply, Secret, Span, Time, Venue, VenueIn, VenueName, VenueOut,
};
use crate::calls;
use crate::exchange::{Config, Paper, QueueModel, SimConfig, SimVenue, refusal};
use crate::venue::pace::Turn;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// What is told of an order whose call waited too long, as live.
const EXPIRED: &str = "EXPIRED_IN_QUEUE";

/// The call desk of one venue: its lanes and its server.
pub struct Answers {
    turns: Turns,
    site: Box<dyn Site>,
    out: VecDeque<VenueOut>,
}

impl Answers {
    /// The desk of a venue by its name, over these instruments; `None` for a venue without
    /// documented calls.
    #[must_use]
    pub fn new(venue: &str, instruments: &Instruments) -> Option<Answers> {
        let site: Box<dyn Site> = match venue {
            "flowbtc" => Box::new(flowbtc::FlowBtc::new(instruments)),
            "mercadobitcoin" => Box::new(mercadobitcoin::MercadoBitcoin::new(instruments)),
            "sentra" => Box::new(sentra::Sentra::new()),
            _ => return None,
        };
        Some(Answers { turns: Turns::of(venue), site, out: VecDeque::new() })
    }

    /// A public event, after the exchange has seen it.
    pub fn show(&mut self, sim: &mut SimVenue, now: Time, event: &Event) {
        let site = &mut self.site;
        sim.lend(&mut |exchange| site.show(exchange, now, event));
    }

    fn push(&mut self, now: Time, call: Call) {
        let Some(row) = calls::find(&call.ask.venue.0, call.ask.name) else {
            let why = format!("{} has no call {}", call.ask.venue, call.ask.name);
            return self.fail(now, &call, CallFailure::refused(CallFailureKind::NoVenue, why));
        };
        if row.grant {
            let why = format!("{} is never carried out in backtests and on paper", row.name);
            return self.fail(now, &call, CallFailure::refused(CallFailureKind::NotGranted, why));
        }
        if let Err(call) = self.turns.push(now, row, call) {
            let why = "calls for too many accounts wait";
            self.fail(now, &call, CallFailure::refused(CallFailureKind::RateLimited, why));
        }
    }

    /// The call, and the order it carries, never reached the exchange.
    fn fail(&mut self, now: Time, call: &Call, failure: CallFailure) {
        let expired = failure.kind == CallFailureKind::ExpiredInQueue;
        let reason = if expired { EXPIRED } else { failure.message.as_str() };
        let told = call.order.as_deref().and_then(|order| refusal(order, reason));
        if let Some((key, step)) = told {
            let news = OrderNews { key, time: now, step };
            self.out.push_back(VenueOut::Event(Event::Order(news)));
        }
        let reply = Reply { id: call.id, outcome: Err(failure) };
        self.out.push_back(VenueOut::Event(Event::Reply(reply)));
    }

    /// Answers what arrives at the exchange by `now`, each call before what comes after it.
    fn serve(&mut self, now: Time, sim: &mut SimVenue) {
        self.answer(sim);
        while sim.arrive_next(now) {
            self.answer(sim);
        }
    }

    fn answer(&mut self, sim: &mut SimVenue) {
        let site = &mut self.site;
        while let Some(report) = sim.take_report() {
            sim.lend(&mut |exchange| site.hear(exchange, &report));
        }
        while let Some(asked) = sim.take_asked() {
            let mut outcome = None;
            sim.lend(&mut |exchange| outcome = Some(site.answer(exchange, &asked)));
            if let Some(outcome) = outcome {
                sim.answer(asked.at, asked.call.id, outcome);
            }
        }
    }
}

/// A venue with a simulated exchange inside.
pub trait Simulated: Venue {
    fn sim<R>(&mut self, with: impl FnOnce(&mut SimVenue) -> R) -> R;
}

impl Simulated for SimVenue {
    fn sim<R>(&mut self, with: impl FnOnce(&mut SimVenue) -> R) -> R {
        with(self)
    }
}

impl Simulated for Paper {
    fn sim<R>(&mut self, with: impl FnOnce(&mut SimVenue) -> R) -> R {
        with(self.sim_mut())
    }
}

impl Simulated for Shared {
    fn sim<R>(&mut self, with: impl FnOnce(&mut SimVenue) -> R) -> R {
        with(&mut self.0.borrow_mut())
    }
}

/// A simulated venue whose calls are answered.
pub struct Answering<V> {
    inner: V,
    desk: Rc<RefCell<Answers>>,
}

impl<V: Simulated> Answering<V> {
    #[must_use]
    pub fn new(mut inner: V, desk: Rc<RefCell<Answers>>) -> Answering<V> {
        inner.sim(SimVenue::answered_by_owner);
        Answering { inner, desk }
    }

    /// Lets calls go whose turn it is, and answers those that have arrived.
    fn advance(&mut self, now: Time) {
        let mut desk = self.desk.borrow_mut();
        self.inner.sim(|sim| desk.serve(now, sim));
        while let Some((turn, patience)) = desk.turns.next(now) {
            match turn {
                Turn::Sent(call) => {
                    self.inner.handle(now, VenueIn::Command(Command::Call(call)));
                    self.inner.sim(|sim| desk.serve(now, sim));
                }
                Turn::Expired(call) => {
                    let why = format!("it waited for its turn for more than {patience}");
                    let kind = CallFailureKind::ExpiredInQueue;
                    desk.fail(now, &call, CallFailure::refused(kind, why));
                }
            }
        }
    }

    /// What the market did, for the server's own view of it.
    fn see(&mut self, now: Time, out: &VenueOut) {
        if let VenueOut::Event(event) = out
            && event.public_time().is_some()
        {
            let event = event.clone().at(now);
            let mut desk = self.desk.borrow_mut();
            self.inner.sim(|sim| desk.show(sim, now, &event));
        }
    }
}

impl<V: Simulated> Venue for Answering<V> {
    fn lanes(&self, now: Time) -> Vec<LaneLeft> {
        let mut lanes = self.inner.lanes(now);
        lanes.extend(self.desk.borrow().turns.lanes(now));
        lanes
    }

    fn wants_code(&self) -> bool {
        self.inner.wants_code()
    }

    fn code(&mut self, now: Time, code: &Secret) -> bool {
        self.inner.code(now, code)
    }
}

impl<V: Simulated> Machine for Answering<V> {
    type In = VenueIn;
    type Out = VenueOut;

    fn handle(&mut self, now: Time, input: VenueIn) {
        self.advance(now);
        match input {
            VenueIn::Command(Command::Call(call)) => self.desk.borrow_mut().push(now, call),
            VenueIn::Command(command) => {
                if !matches!(command, Command::Subscribe { .. }) {
                    self.desk.borrow_mut().turns.count(now);
                }
                self.inner.handle(now, VenueIn::Command(command));
            }
            VenueIn::Net(net) => self.inner.handle(now, VenueIn::Net(net)),
        }
        self.advance(now);
    }

    fn poll(&mut self, now: Time) -> Option<VenueOut> {
        self.advance(now);
        if let Some(out) = self.desk.borrow_mut().out.pop_front() {
            return Some(out);
        }
        let out = self.inner.poll(now)?;
        self.see(now, &out);
        Some(out)
    }

    fn wake_at(&self) -> Option<Time> {
        let desk = self.desk.borrow();
        let ready = (!desk.out.is_empty()).then_some(Time::ZERO);
        [self.inner.wake_at(), desk.turns.wake_at(), ready].into_iter().flatten().min()
    }
}

/// Paper whose calls are answered by the simulated venue; paper as it is, for a venue without
/// documented calls.
#[must_use]
pub fn over_paper(venue: &str, paper: Paper, instruments: &Instruments) -> Box<dyn Venue> {
    match Answers::new(venue, instruments) {
        Some(answers) => Box::new(Answering::new(paper, Rc::new(RefCell::new(answers)))),
        None => Box::new(paper),
    }
}

/// A venue without a market of its own that only answers calls; `None` for a venue without
/// documented calls.
#[must_use]
pub fn alone(venue: &str, entry: Span, response: Span) -> Option<Box<dyn Venue>> {
    let instruments = table::listed(venue, default_fees());
    let answers = Answers::new(venue, &instruments)?;
    let sim = SimVenue::new(SimConfig {
        exchange: Config {
            instruments,
            queue: QueueModel::RiskAverse,
            first_order_id: 1,
            first_trade_id: 1,
            wait_for_print: false,
        },
        venue: VenueName::new(venue),
        balances: Vec::new(),
        entry,
        response,
    });
    Some(Box::new(Answering::new(sim, Rc::new(RefCell::new(answers)))))
}
