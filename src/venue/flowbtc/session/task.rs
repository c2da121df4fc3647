//! The requests that a session makes, as they wait in the lane and for their answers. Bodies are
//! written only when a request's turn comes, with what is known by then.

use super::feeds::Stream;
use crate::base::{CallId, Channel, InstrumentId, OrderKey, Time, VenueOrderId};
use crate::calls::{Call, Priority, Retry, flowbtc as calls};

/// Why the open orders are asked for.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Why {
    /// The snapshot after a login.
    Login,
    /// Some orders' fates are unknown.
    Look,
    /// After a cancel-all.
    Verify,
    /// Once in a while, for news that never came.
    Audit,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Task {
    Login,
    /// With the API key.
    KeyLogin,
    /// The second factor.
    Code,
    Accounts,
    AccountEvents,
    Instruments,
    Positions,
    OpenOrders(Why),
    History,
    Fills {
        start: u32,
    },
    Place(OrderKey),
    Cancel(OrderKey),
    /// An order of ours that had ended for us and stands on the book.
    CancelStray(VenueOrderId),
    /// Of this order, by the one with this key: a late answer must not be taken for another's.
    Replace(OrderKey, OrderKey),
    Reduce(OrderKey),
    CancelAll(InstrumentId),
    Status(OrderKey),
    /// How an order ended that was replaced.
    Leg(VenueOrderId),
    Subscribe(Stream),
    Unsubscribe(Stream),
    Ping,
    /// A script's call, as a request of its own.
    Raw(CallId, &'static Call),
}

impl Task {
    /// It counts against the messages of the socket, not against the requests (FLOW-P13).
    pub(super) fn is_light(self) -> bool {
        let call = self.call();
        let streams = call.retry == Retry::Resubscribe && call.lane == Priority::Poll;
        streams || call.name == calls::PING.name
    }

    /// The session's own first step of a login.
    pub(super) fn is_login(self) -> bool {
        matches!(self, Task::Login | Task::KeyLogin)
    }

    /// It makes an order: never sent twice, never sent late.
    pub(super) fn is_order(self) -> bool {
        matches!(self, Task::Place(_) | Task::Replace(..))
    }

    /// What may wait in the lane only so long.
    pub(super) fn is_urgent(self) -> bool {
        self.is_order() || matches!(self, Task::Reduce(_))
    }

    /// The call's row in the table, with its name and lane.
    pub(super) fn call(self) -> &'static Call {
        match self {
            Task::Login => &calls::WEB_AUTHENTICATE_USER,
            Task::KeyLogin => &calls::AUTHENTICATE_USER,
            Task::Code => &calls::AUTHENTICATE_2FA,
            Task::Accounts => &calls::GET_USER_ACCOUNTS,
            Task::AccountEvents => &calls::SUBSCRIBE_ACCOUNT_EVENTS,
            Task::Instruments => &calls::GET_INSTRUMENTS,
            Task::Positions => &calls::GET_ACCOUNT_POSITIONS,
            Task::OpenOrders(_) => &calls::GET_OPEN_ORDERS,
            Task::History => &calls::GET_ORDER_HISTORY,
            Task::Fills { .. } => &calls::GET_ACCOUNT_TRADES,
            Task::Place(_) => &calls::SEND_ORDER,
            Task::Cancel(_) | Task::CancelStray(_) => &calls::CANCEL_ORDER,
            Task::Replace(..) => &calls::CANCEL_REPLACE_ORDER,
            Task::Reduce(_) => &calls::MODIFY_ORDER,
            Task::CancelAll(_) => &calls::CANCEL_ALL_ORDERS,
            Task::Status(_) | Task::Leg(_) => &calls::GET_ORDER_STATUS,
            Task::Subscribe(stream) => match stream.channel {
                Channel::Trades | Channel::Session => &calls::SUBSCRIBE_TRADES,
                Channel::Quotes => &calls::SUBSCRIBE_LEVEL1,
                Channel::Book => &calls::SUBSCRIBE_LEVEL2,
                Channel::Bars => &calls::SUBSCRIBE_TICKER,
            },
            Task::Unsubscribe(stream) => match stream.channel {
                Channel::Trades | Channel::Session => &calls::UNSUBSCRIBE_TRADES,
                Channel::Quotes => &calls::UNSUBSCRIBE_LEVEL1,
                Channel::Book => &calls::UNSUBSCRIBE_LEVEL2,
                Channel::Bars => &calls::UNSUBSCRIBE_TICKER,
            },
            Task::Ping => &calls::PING,
            Task::Raw(_, call) => call,
        }
    }
}

/// A request that was handed out and has no answer yet.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct Waiting {
    pub task: Task,
    pub since: Time,
    /// Its time was up; an answer may still come and is welcome.
    pub late: bool,
}
