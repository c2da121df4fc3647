// AlphaPoint's own JavaScript client (npm alphapoint-apex-api) over the WebSocket: logs in,
// subscribes, orders, cancels, and hears of all of it.
'use strict';

const fs = require('fs');
const { APEX } = require('alphapoint-apex-api');
const { version } = require('alphapoint-apex-api/package.json');

const line = JSON.parse(fs.readFileSync(process.argv[2], 'utf8').split('\n')[0]);
const [account] = line.accounts.filter((row) => row.venue === 'flowbtc');
const BTCBRL = { OMSId: 1, InstrumentId: 1 };
const OWN = { OMSId: 1, AccountId: account.account_id };
const BOUND = 10000;

function ok(what, holds, seen) {
  if (!holds) {
    console.log(`FAIL apex ${version}: ${what}: ${JSON.stringify(seen)}`);
    process.exit(1);
  }
  console.log(`ok   apex ${version}: ${what}`);
}

function equal(what, seen, expected) {
  ok(what, JSON.stringify(seen) === JSON.stringify(expected), { seen, expected });
}

// Every event and every error frame that came, and who waits for one. The client itself tells
// nobody of error frames (`m` 5): it reads replies alone.
const events = [];
let waiting = [];

function heard(frame) {
  if (frame.m === 3) events.push({ name: frame.n, body: JSON.parse(frame.o) });
  if (frame.m === 5) events.push({ name: `error of ${frame.n}`, body: frame.o });
  waiting = waiting.filter((look) => !look());
}

function event(name, wanted) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${name}`)), BOUND);
    const look = () => {
      const found = events.find((one) => one.name === name && wanted(one.body));
      if (found) {
        clearTimeout(timer);
        resolve(found.body);
      }
      return Boolean(found);
    };
    if (!look()) waiting.push(look);
  });
}

async function logIn(apex) {
  const refused = await apex.WebAuthenticateUser({ UserName: account.user, Password: 'wrong' });
  equal('a wrong password', refused.Authenticated, false);
  const reply = await apex.WebAuthenticateUser({
    UserName: account.user,
    Password: account.password,
  });
  equal('WebAuthenticateUser', [reply.Authenticated, reply.UserId], [true, account.user_id]);
  const accounts = await apex.GetUserAccounts({ OMSId: 1, UserId: reply.UserId });
  equal('GetUserAccounts', accounts, [account.account_id]);
}

async function listing(apex) {
  const instruments = await apex.GetInstruments({ OMSId: 1 });
  const symbols = instruments.map((row) => `${row.InstrumentId} ${row.Symbol}`);
  ok('GetInstruments', symbols.length === 9 && symbols[0] === '1 BTCBRL', symbols);
  const products = await apex.GetProducts({ OMSId: 1 });
  equal('GetProducts', [products[3].ProductId, products[3].Product], [4, 'BRL']);
}

async function subscribe(apex) {
  const level1 = await apex.SubscribeLevel1(BTCBRL);
  equal('SubscribeLevel1', level1.InstrumentId, 1);
  const trades = await apex.SubscribeTrades({ ...BTCBRL, IncludeLastCount: 10 });
  ok('SubscribeTrades', Array.isArray(trades), trades);
  const rows = await new Promise((resolve) => apex.subscribeLevel2(1, 10, resolve));
  ok('subscribeLevel2: rows of ten', rows.length >= 2, rows);
  const reply = await apex.SubscribeAccountEvents(OWN);
  ok('SubscribeAccountEvents', reply.Subscribe === true || reply.result === true, reply);
}

function order(fields) {
  return {
    ...OWN,
    InstrumentId: 1,
    TimeInForce: 1,
    OrderIdOCO: 0,
    UseDisplayQuantity: false,
    ...fields,
  };
}

async function trade(apex) {
  const sent = await apex.SendOrder(
    order({ ClientOrderId: 101, Side: 0, Quantity: 0.5, OrderType: 2, LimitPrice: 50000 })
  );
  ok('SendOrder: limit', sent.status === 'Accepted' && sent.OrderId > 0, sent);
  const mine = (body) => body.ClientOrderId === 101;
  const working = await event('OrderStateEvent', (b) => mine(b) && b.OrderState === 'Working');
  equal('OrderStateEvent: working, under the same id', working.OrderId, sent.OrderId);
  await event('AccountPositionEvent', (body) => body.ProductSymbol === 'BRL' && body.Hold > 25000);
  ok('AccountPositionEvent: what it holds', true);
  const open = await apex.GetOpenOrders(OWN);
  ok('GetOpenOrders', open.some((row) => row.OrderId === sent.OrderId), open);
  const canceled = await apex.CancelOrder({ ...OWN, OrderId: sent.OrderId });
  ok('CancelOrder', canceled.result === true, canceled);
  await event('OrderStateEvent', (body) => mine(body) && body.OrderState === 'Canceled');
  ok('OrderStateEvent: canceled', true);
  const again = await apex.CancelOrder({ ...OWN, OrderId: sent.OrderId });
  equal('CancelOrder: twice', [again.result, again.errorcode], [false, 104]);
}

async function fill(apex) {
  const sent = await apex.SendOrder(
    order({ ClientOrderId: 102, Side: 0, Quantity: 0.01, OrderType: 1 })
  );
  equal('SendOrder: market', sent.status, 'Accepted');
  const done = (b) => b.ClientOrderId === 102 && b.OrderState === 'FullyExecuted';
  const state = await event('OrderStateEvent', done);
  equal('OrderStateEvent: filled', [state.QuantityExecuted, state.OrderId], [0.01, sent.OrderId]);
  const trade = await event('OrderTradeEvent', (body) => body.OrderId === sent.OrderId);
  equal('OrderTradeEvent', [trade.Quantity, trade.Side], [0.01, 'Buy']);
  const trades = await apex.GetAccountTrades({ ...OWN, StartIndex: 0, Count: 10 });
  ok('GetAccountTrades', trades.some((row) => row.TradeId === trade.TradeId), trades);
  const positions = await apex.GetAccountPositions(OWN);
  ok('GetAccountPositions', positions.some((row) => row.ProductSymbol === 'BTC'), positions);
}

async function refusals(apex) {
  const huge = await apex.SendOrder(
    order({ ClientOrderId: 103, Side: 0, Quantity: 1000, OrderType: 2, LimitPrice: 60000 })
  );
  equal('SendOrder: too large', [huge.status, huge.errormsg], ['Rejected', 'Not_Enough_Funds']);
  apex.GetTreasuryProductsForAccount({});
  const text = await event('error of GetTreasuryProductsForAccount', () => true);
  equal('an unknown function: plain text (FLOW-P04)', text, 'Endpoint not found');
  const out = await apex.LogOut({});
  equal('LogOut', out.result, true);
  const after = await Promise.race([
    apex.GetOpenOrders(OWN),
    event('error of GetOpenOrders', () => true).then(JSON.parse),
  ]);
  equal('after LogOut', after.errorcode, 20);
}

async function main() {
  const apex = await new Promise((resolve) => {
    const client = new APEX(line.flowbtc_ws, {
      onopen: () => resolve(client),
      onclose: () => {},
    });
    client.ws.subscribe(heard, () => {}, () => {});
  });
  await logIn(apex);
  await listing(apex);
  await subscribe(apex);
  await trade(apex);
  await fill(apex);
  await refusals(apex);
  process.exit(0);
}

main().catch((error) => ok(`${error.message || JSON.stringify(error)}`, false, events.slice(-5)));
