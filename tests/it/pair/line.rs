//! The line between session and venue: it delays, and on a rule's word it loses, doubles or
//! reorders. What a TCP connection keeps is kept: requests and replies arrive in their order or not
//! at all; only events, which the venue sends in no promised order, overtake.

use lunario::base::rng::Rng;
use lunario::base::{Net, Span, Time};
use lunario::simulator::flowbtc::ServerIn;
use std::collections::BTreeMap;

/// What becomes of a frame.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    Pass,
    /// It never arrives; the connection lives on.
    Drop,
    /// Once more after this.
    Twice(Span),
    /// So much later than it should; what follows does not wait for it.
    Late(Span),
    /// The connection ends and the frame with it.
    LoseBefore,
    /// The frame arrives, and then the connection ends.
    LoseAfter,
    /// The frame arrives, nothing else does, and the session is not told.
    SilenceAfter,
}

/// A frame that the rule judges.
#[derive(Copy, Clone, Debug)]
pub struct Passing<'a> {
    pub now: Time,
    /// From the session to the venue.
    pub up: bool,
    /// 0 request, 1 reply, 3 event.
    pub m: u8,
    pub name: &'a str,
    pub text: &'a str,
}

pub type Rule = Box<dyn FnMut(&Passing<'_>) -> Fate>;

/// Something that arrives at an end of the line.
#[derive(Clone, Debug)]
pub enum Packet {
    Up(ServerIn),
    Down(Net),
}

#[derive(Debug)]
struct Flying {
    conn: u32,
    packet: Packet,
}

pub struct Line {
    rng: Rng,
    rule: Rule,
    flying: BTreeMap<(Time, u64), Flying>,
    count: u64,
    /// The connection that carries.
    open: Option<u32>,
    /// No packet of the same direction arrives before these.
    last_up: Time,
    last_down: Time,
    /// New connections are refused until then.
    pub refuse_until: Time,
    pub losses: u32,
}

impl Line {
    pub fn new(rng: Rng, rule: Rule) -> Line {
        Line {
            rng,
            rule,
            flying: BTreeMap::new(),
            count: 0,
            open: None,
            last_up: Time::ZERO,
            last_down: Time::ZERO,
            refuse_until: Time::ZERO,
            losses: 0,
        }
    }

    pub fn set_rule(&mut self, rule: Rule) {
        self.rule = rule;
    }

    pub fn next_at(&self) -> Option<Time> {
        self.flying.first_key_value().map(|((at, _), _)| *at)
    }

    pub fn due(&mut self, now: Time) -> Option<Packet> {
        let entry = self.flying.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove().packet)
    }

    /// 5 to 40 ms.
    fn delay(&mut self) -> Span {
        Span::from_millis(5 + i64::from(self.rng.below(36)))
    }

    fn fly(&mut self, at: Time, conn: u32, packet: Packet) {
        self.flying.insert((at, self.count), Flying { conn, packet });
        self.count += 1;
    }

    fn up(&mut self, now: Time, conn: u32, input: ServerIn) {
        self.last_up = now.plus(self.delay()).max(self.last_up);
        self.fly(self.last_up, conn, Packet::Up(input));
    }

    fn down(&mut self, now: Time, conn: u32, net: Net) {
        self.last_down = now.plus(self.delay()).max(self.last_down);
        self.fly(self.last_down, conn, Packet::Down(net));
    }

    /// What the session wants of its transport.
    pub fn client(&mut self, now: Time, net: Net) {
        match net {
            Net::Open { conn, .. } if now < self.refuse_until => {
                self.down(now, conn, Net::Lost { conn, reason: "refused".to_owned() });
            }
            Net::Open { conn, .. } => {
                self.open = Some(conn);
                self.up(now, conn, ServerIn::Opened { conn });
                let back = self.last_up;
                self.down(back, conn, Net::Opened { conn });
            }
            Net::Frame { conn, text } if self.open == Some(conn) => self.frame_up(now, conn, text),
            Net::Close { conn } => {
                if self.open == Some(conn) {
                    self.open = None;
                    self.up(now, conn, ServerIn::Closed { conn });
                }
                self.flying.retain(|_, it| it.conn != conn || matches!(it.packet, Packet::Up(_)));
            }
            Net::Frame { .. }
            | Net::Opened { .. }
            | Net::Lost { .. }
            | Net::Request(_)
            | Net::Response(_) => {}
        }
    }

    fn judge(&mut self, now: Time, up: bool, text: &str) -> Fate {
        let (m, name) = head(text);
        (self.rule)(&Passing { now, up, m, name, text })
    }

    fn frame_up(&mut self, now: Time, conn: u32, text: String) {
        let fate = self.judge(now, true, &text);
        let input = ServerIn::Frame { conn, text };
        match fate {
            Fate::Pass | Fate::Twice(_) => self.up(now, conn, input),
            Fate::Late(span) => self.up(now.plus(span), conn, input),
            Fate::Drop => {}
            Fate::LoseBefore => self.cut(now, conn, 0),
            Fate::LoseAfter => {
                self.up(now, conn, input);
                self.cut(now, conn, usize::MAX);
            }
            Fate::SilenceAfter => {
                self.up(now, conn, input);
                self.silence(now, conn);
            }
        }
    }

    /// A frame of the venue's.
    pub fn venue(&mut self, now: Time, conn: u32, text: String) {
        if self.open != Some(conn) {
            return;
        }
        let fate = self.judge(now, false, &text);
        let net = Net::Frame { conn, text };
        match fate {
            Fate::Pass => self.down(now, conn, net),
            Fate::Twice(span) => {
                self.down(now, conn, net.clone());
                self.fly(self.last_down.plus(span), conn, Packet::Down(net));
            }
            Fate::Late(span) => {
                let at = now.plus(self.delay()).plus(span);
                self.fly(at, conn, Packet::Down(net));
            }
            Fate::Drop => {}
            Fate::LoseBefore => self.cut(now, conn, usize::MAX),
            Fate::LoseAfter => {
                self.down(now, conn, net);
                let at = self.last_down;
                self.cut_up(now, conn, usize::MAX);
                self.fly(at, conn, Packet::Down(lost(conn)));
            }
            Fate::SilenceAfter => {
                self.down(now, conn, net);
                self.silence(now, conn);
            }
        }
    }

    /// The connection ends now: some of what is on its way to the venue still arrives, nothing on
    /// its way back.
    pub fn lose(&mut self, now: Time, conn: u32) {
        let arrive = usize::try_from(self.rng.below(4)).unwrap();
        self.cut(now, conn, arrive);
    }

    /// The session's end is another program now: what was on its way to the old one is gone.
    pub fn forget(&mut self) {
        self.flying.retain(|_, it| matches!(it.packet, Packet::Up(_)));
    }

    pub fn lose_all(&mut self, now: Time) {
        if let Some(conn) = self.open {
            self.cut(now, conn, 0);
        }
    }

    /// Nothing arrives any more, and nobody is told for a while.
    pub fn silence(&mut self, now: Time, conn: u32) {
        self.cut_up(now.plus(Span::from_secs(20)), conn, usize::MAX);
        self.flying.retain(|_, it| it.conn != conn || matches!(it.packet, Packet::Up(_)));
    }

    fn cut(&mut self, now: Time, conn: u32, arrive: usize) {
        self.cut_up(now, conn, arrive);
        self.flying.retain(|_, it| it.conn != conn || matches!(it.packet, Packet::Up(_)));
        self.down(now, conn, lost(conn));
    }

    /// Only the first `arrive` frames on their way to the venue still arrive, then its end does.
    fn cut_up(&mut self, now: Time, conn: u32, arrive: usize) {
        if self.open != Some(conn) {
            return;
        }
        self.open = None;
        self.losses += 1;
        let mut left = arrive;
        self.flying.retain(|_, it| {
            let counts = it.conn == conn && matches!(it.packet, Packet::Up(ServerIn::Frame { .. }));
            if counts && left == 0 {
                return false;
            }
            left -= usize::from(counts);
            true
        });
        self.up(now, conn, ServerIn::Closed { conn });
    }
}

fn lost(conn: u32) -> Net {
    Net::Lost { conn, reason: "reset by peer".to_owned() }
}

/// A frame's kind and name, without reading the rest.
fn head(text: &str) -> (u8, &str) {
    let after = |key: &str| text.split_once(key).map_or("", |(_, rest)| rest);
    let m = after(r#""m":"#).bytes().next().map_or(9, |digit| digit.wrapping_sub(b'0'));
    let name = after(r#""n":""#).split('"').next().unwrap_or_default();
    (m, name)
}
