//! The calls about fees and about money that comes and goes (FLOW-C19, C20, C27, FLOW-X08).
//! Deposits wait for a human; withdrawals leave the balance at once.

use super::listing::Product;
use super::router::{Answer, Call, Caller, Failure, instrument, number_or_word};
use super::rows::amount;
use super::wire::{self, Fields, Object};
use super::{Dialect, FlowServer};
use crate::base::{Decimal, Time};
use crate::exchange::AccountNumber;

/// Tickets kept for the lists, oldest dropped first.
const KEPT: usize = 1_000;

/// FLOW-V19.
const NEW: (i64, &str) = (0, "New");
const AUTO_ACCEPTED: (i64, &str) = (9, "AutoAccepted");

/// A wish to move money.
#[derive(Clone, Debug)]
pub struct Ticket {
    number: i64,
    code: String,
    account: AccountNumber,
    product: Product,
    amount: Decimal,
    form: String,
    status: (i64, &'static str),
    at: Time,
}

/// The tickets of the venue.
#[derive(Clone, Debug, Default)]
pub struct Tickets {
    deposits: Vec<Ticket>,
    withdrawals: Vec<Ticket>,
    issued: i64,
}

fn keep(tickets: &mut Vec<Ticket>, ticket: Ticket) {
    if tickets.len() == KEPT {
        tickets.remove(0);
    }
    tickets.push(ticket);
}

/// FLOW-C27: `Amount` at the account's rate, in the product asked about, which is one of the
/// instrument's two. Words and numbers are both taken (FLOW-F21).
pub fn order_fee(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    call.account(caller)?;
    let id = instrument(server, call)?;
    let rules = server.exchange.instruments().get(id).ok_or_else(Failure::not_found)?;
    let product = product(server, call, "ProductId")?;
    if product.symbol != rules.base && product.symbol != rules.quote {
        return Err(Failure::invalid("ProductId is not part of the instrument"));
    }
    let paid = positive(call)?;
    let maker = number_or_word(call, "MakerTaker")?.unwrap_or_default();
    let rate = match maker.to_ascii_lowercase().as_str() {
        "1" | "maker" => rules.fees.maker,
        "" | "0" | "2" | "unknown" | "taker" => rules.fees.taker,
        _ => return Err(Failure::invalid("MakerTaker is unknown")),
    };
    let fee = amount(server.dialect, paid.saturating_mul(rate));
    Ok(Object::new().raw("OrderFee", &fee).int("ProductId", product.id).end())
}

fn product(server: &FlowServer, call: &Call, key: &str) -> Result<Product, Failure> {
    let id = call.id(key)?.ok_or_else(|| Failure::invalid(&format!("{key} is missing")))?;
    server.products.get(id).cloned().ok_or_else(Failure::not_found)
}

fn positive(call: &Call) -> Result<Decimal, Failure> {
    let value = call.fields.decimal("Amount")?;
    let value = value.ok_or_else(|| Failure::invalid("Amount is missing"))?;
    let fits = value > Decimal::ZERO;
    fits.then_some(value).ok_or_else(|| Failure::invalid("Amount is not positive"))
}

/// What CreateDepositTicket's DepositInfo comes from; made-up instructions.
pub fn deposit_info(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let account = call.account(caller)?;
    let key = if call.fields.raw("ProductId").is_some() { "ProductId" } else { "AssetId" };
    let product = product(server, call, key)?;
    let info = wire::array([wire::quoted(&format!("{}-{}", product.symbol, account.0))]);
    Ok(Object::new()
        .int("AssetManagerId", 1)
        .int("AccountId", account.0)
        .int("AssetId", product.id)
        .int("ProviderId", 0)
        .text("DepositInfo", &info)
        .flag("result", true)
        .text_or_null("errormsg", None)
        .int("statuscode", 0)
        .end())
}

/// FLOW-C19, for national currencies only (FLOW-F26). Nothing is credited by a ticket.
pub fn deposit(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let account = call.account(caller)?;
    let product = product(server, call, "AssetId")?;
    if !product.national {
        return Err(Failure::unsupported("deposit tickets are for national currencies"));
    }
    let paid = positive(call)?;
    let form = call.fields.text("DepositInfo")?.unwrap_or_default();
    let ticket = ticket(server, call.now, account, product, paid, form, NEW);
    let code = ticket.code.clone();
    keep(&mut server.tickets.deposits, ticket);
    Ok(Object::new().flag("success", true).text("requestcode", &code).end())
}

/// FLOW-C20. TemplateForm is JSON in a string; coins need an address.
pub fn withdraw(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let account = call.account(caller)?;
    let product = product(server, call, "ProductId")?;
    let paid = positive(call)?;
    let kind = call.fields.text("TemplateType")?;
    let kind = kind.ok_or_else(|| Failure::invalid("TemplateType is missing"))?;
    let form = call.fields.text("TemplateForm")?;
    let form = form.ok_or_else(|| Failure::invalid("TemplateForm is missing"))?;
    let inside = Fields::parse(&form)?;
    if inside.text("TemplateType")?.is_some_and(|named| named != kind) {
        return Err(Failure::invalid("TemplateForm has another TemplateType"));
    }
    let address = inside.text("ExternalAddress")?.unwrap_or_default();
    if !product.national && address.trim().is_empty() {
        return Err(Failure::invalid("ExternalAddress is missing"));
    }
    let balances = server.exchange.balances(account);
    let balance = balances.into_iter().find(|(asset, _)| *asset == product.symbol);
    let (asset, mut balance) = balance.unwrap_or((product.symbol.clone(), Default::default()));
    if balance.total - balance.held < paid {
        return Err(Failure::short_of_funds());
    }
    server.exchange.open_account(account, &[(asset.clone(), -paid)]);
    balance.total -= paid;
    server.accounts.balance(account, asset, balance);
    let ticket = ticket(server, call.now, account, product, paid, form, AUTO_ACCEPTED);
    keep(&mut server.tickets.withdrawals, ticket);
    Ok(match server.dialect {
        Dialect::Page => Object::new().flag("result", true).end(),
        Dialect::Native => wire::generic(0, None, None),
    })
}

fn ticket(
    server: &mut FlowServer,
    at: Time,
    account: AccountNumber,
    product: Product,
    amount: Decimal,
    form: String,
    status: (i64, &'static str),
) -> Ticket {
    server.tickets.issued += 1;
    let code = server.sessions.token();
    Ticket { number: server.tickets.issued, code, account, product, amount, form, status, at }
}

/// FLOW-X08.
pub fn deposits(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let account = call.account(caller)?;
    Ok(listed(server.dialect, &server.tickets.deposits, account))
}

/// FLOW-X08.
pub fn withdrawals(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let account = call.account(caller)?;
    Ok(listed(server.dialect, &server.tickets.withdrawals, account))
}

fn listed(dialect: Dialect, tickets: &[Ticket], account: AccountNumber) -> String {
    let own = tickets.iter().rev().filter(|ticket| ticket.account == account);
    wire::array(own.map(|ticket| {
        Object::new()
            .int("AssetManagerId", 1)
            .int("AccountId", ticket.account.0)
            .int("AssetId", ticket.product.id)
            .text("AssetName", &ticket.product.symbol)
            .raw("Amount", &amount(dialect, ticket.amount))
            .text("TemplateForm", &ticket.form)
            .int("OMSId", 1)
            .text("RequestCode", &ticket.code)
            .int("TicketNumber", ticket.number)
            .text("Status", ticket.status.1)
            .int("TicketStatus", ticket.status.0)
            .text("CreatedTimestamp", &ticket.at.to_string())
            .raw("FeeAmt", &amount(dialect, Decimal::ZERO))
            .end()
    }))
}
