//! The way between sessions and the venue: delays each way, the shell's timeout, and faults by rule.

use super::*;
use lunario::base::{Answer, Body, Failure, Method, Request, Response};
use lunario::simulator::faults::{Fault, When};
use lunario::simulator::http::{HttpIn, HttpOut, Reply};
use lunario::simulator::mercadobitcoin::In;

/// What goes wrong with the next request of a method.
pub type Rule = Box<dyn FnMut(Time, &str) -> Option<What>>;

enum Packet {
    Up(HttpIn),
    Down(u64, Result<Answer, Failure>),
}

pub struct Wires {
    pub server: MbServer,
    pub rule: Rule,
    /// The least and the most of a delay, in milliseconds, one way.
    pub delay: (u32, u32),
    /// When requests reached the Trade API, and by which method.
    pub arrivals: Vec<(Time, String)>,
    /// What the venue's own window refused.
    pub over: usize,
    pub struck: usize,
    rng: Rng,
    flying: BTreeMap<(Time, u64), Packet>,
    open: BTreeMap<u64, (usize, u64)>,
    count: u64,
}

/// The method of a signed request, or the path of a public one.
pub fn name(request: &Request) -> String {
    match request.method {
        Method::Get => request.url.clone(),
        Method::Post => method(request.body.text().as_bytes()),
    }
}

fn method(body: &[u8]) -> String {
    let mut pairs = form_urlencoded::parse(body);
    pairs.find(|(key, _)| key == "method").map(|(_, name)| name.into_owned()).unwrap_or_default()
}

impl Wires {
    pub fn new(seed: u64, server: MbServer) -> Wires {
        Wires {
            server,
            rule: Box::new(|_, _| None),
            delay: (50, 200),
            arrivals: Vec::new(),
            over: 0,
            struck: 0,
            rng: Rng::new(seed, 21),
            flying: BTreeMap::new(),
            open: BTreeMap::new(),
            count: 0,
        }
    }

    pub fn is_tapi(&self, name: &str) -> bool {
        !name.starts_with("http")
    }

    pub fn is_flying(&self, session: usize) -> bool {
        self.open.values().any(|(other, _)| *other == session)
    }

    fn delay(&mut self) -> Span {
        let (least, most) = self.delay;
        ms(i64::from(least + self.rng.below(most - least + 1)))
    }

    fn fly(&mut self, at: Time, packet: Packet) {
        self.count += 1;
        self.flying.insert((at, self.count), packet);
    }

    pub fn ask(&mut self, now: Time, session: usize, request: Request) {
        self.count += 1;
        let id = self.count;
        self.open.insert(id, (session, request.id));
        let rest = request.url.strip_prefix("https://www.mercadobitcoin.net").unwrap();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let headers = request.headers.iter();
        let headers = headers.map(|it| (it.name.to_owned(), it.value.expose().to_owned()));
        let input = HttpIn {
            id,
            method: if request.method == Method::Get { "GET" } else { "POST" }.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.collect(),
            body: request.body.0,
        };
        let arrives = now.plus(self.delay());
        self.fly(arrives, Packet::Up(input));
        let reason = "timed out".to_owned();
        let given_up = Packet::Down(id, Err(Failure { unsent: false, reason }));
        self.fly(now.plus(request.timeout), given_up);
    }

    pub fn market(&mut self, now: Time, event: Event) {
        self.server.handle(now, In::Market(event));
        self.collect(now);
    }

    pub fn next_at(&self) -> Option<Time> {
        let flying = self.flying.first_key_value().map(|((at, _), _)| *at);
        [flying, self.server.wake_at()].into_iter().flatten().min()
    }

    /// What reaches a session now.
    pub fn due(&mut self, now: Time) -> Option<(usize, Response)> {
        self.collect(now);
        while let Some(entry) = self.flying.first_entry().filter(|entry| entry.key().0 <= now) {
            match entry.remove() {
                Packet::Up(input) => self.arrive(now, input),
                Packet::Down(id, outcome) => {
                    if let Some((session, id)) = self.open.remove(&id) {
                        return Some((session, Response { id, outcome }));
                    }
                }
            }
        }
        None
    }

    fn arrive(&mut self, now: Time, input: HttpIn) {
        let name = if input.method == "GET" { String::new() } else { method(&input.body) };
        let what = (self.rule)(now, &name);
        self.struck += usize::from(what.is_some());
        let too_many = what == Some(What::TooMany);
        let fault = |what| Fault { on: "*".to_owned(), when: When::Nth(1), what };
        self.server.handle(now, In::Faults(what.map(fault).into_iter().collect()));
        if !name.is_empty() {
            self.arrivals.push((now, name));
        }
        self.server.handle(now, In::Request(input));
        let before = self.over;
        self.collect(now);
        if too_many {
            self.over = before;
        }
    }

    fn collect(&mut self, now: Time) {
        while let Some(HttpOut { id, delay, reply }) = self.server.poll(now) {
            let outcome = match reply {
                Reply::Drop => Err(Failure { unsent: false, reason: "reset".to_owned() }),
                Reply::Answer(page) => {
                    let text = String::from_utf8_lossy(&page.body);
                    self.over += usize::from(text.contains("Taxa de requests"));
                    let body = Body(page.body);
                    Ok(Answer { status: page.status, headers: Vec::new(), body })
                }
            };
            let at = now.plus(delay).plus(self.delay());
            self.fly(at, Packet::Down(id, outcome));
        }
    }
}
