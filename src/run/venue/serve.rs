//! The sockets of the served venues and their addresses.

use crate::edge::clock;
use crate::edge::http_server::{Answer, HttpServer};
use crate::edge::inbox::Lines;
use crate::edge::ws_server::Server;
use crate::simulator::flowbtc::ServerOut;
use crate::simulator::http::{HttpOut, Reply};
use anyhow::Context;
use std::net::SocketAddr;

/// The numbers under which the servers post their news.
pub const FLOWBTC_WS: u32 = 0;
pub const FLOWBTC_HTTP: u32 = 1;
pub const MERCADOBITCOIN: u32 = 2;
pub const SENTRA: u32 = 3;
pub const CONTROL: u32 = 4;

/// Where the venues are served.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Urls {
    /// `ws://127.0.0.1:PORT/WSGateway/`
    pub flowbtc_ws: String,
    /// `http://127.0.0.1:PORT/ap/`
    pub flowbtc_http: String,
    /// `http://127.0.0.1:PORT/tapi/v2/`
    pub mercadobitcoin: String,
    /// `http://127.0.0.1:PORT/api/`: ticker, book and trades (MB-X01 to X04).
    pub mercadobitcoin_data: String,
    /// `http://127.0.0.1:PORT/api/mt`
    pub sentra: String,
    /// `http://127.0.0.1:PORT/control/`, if the venue is controlled from outside.
    pub control: Option<String>,
}

/// The addresses to listen on; port 0 picks a free one.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Addresses {
    pub flowbtc_ws: SocketAddr,
    pub flowbtc_http: SocketAddr,
    pub mercadobitcoin: SocketAddr,
    pub sentra: SocketAddr,
    pub control: Option<SocketAddr>,
}

/// The listening servers.
pub struct Servers {
    ws: Server,
    rest: HttpServer,
    mercadobitcoin: HttpServer,
    sentra: HttpServer,
    control: Option<HttpServer>,
}

impl Servers {
    /// Binds all addresses.
    ///
    /// # Errors
    /// When one is not loopback or cannot be bound.
    pub fn open(at: &Addresses, lines: &Lines) -> anyhow::Result<Servers> {
        let http = |number, address, whose: &str| {
            let server = HttpServer::start(number, address, lines.clone());
            server.with_context(|| format!("{whose} cannot be served"))
        };
        Ok(Servers {
            ws: Server::start(FLOWBTC_WS, at.flowbtc_ws, lines.clone())
                .context("FlowBTC's WebSocket cannot be served")?,
            rest: http(FLOWBTC_HTTP, at.flowbtc_http, "FlowBTC's REST interface")?,
            mercadobitcoin: http(MERCADOBITCOIN, at.mercadobitcoin, "Mercado Bitcoin")?,
            sentra: http(SENTRA, at.sentra, "Sentra")?,
            control: match at.control {
                Some(address) => Some(http(CONTROL, address, "the control")?),
                None => None,
            },
        })
    }

    #[must_use]
    pub fn urls(&self) -> Urls {
        Urls {
            flowbtc_ws: self.ws.url(),
            flowbtc_http: format!("{}/ap/", self.rest.url()),
            mercadobitcoin: format!("{}/tapi/v2/", self.mercadobitcoin.url()),
            mercadobitcoin_data: format!("{}/api/", self.mercadobitcoin.url()),
            sentra: format!("{}/api/mt", self.sentra.url()),
            control: self.control.as_ref().map(|it| format!("{}/control/", it.url())),
        }
    }

    /// How many more frames the slowest WebSocket has room for.
    #[must_use]
    pub fn room(&self) -> usize {
        self.ws.room()
    }

    /// What FlowBTC's server says.
    pub fn flowbtc(&self, out: ServerOut) {
        match out {
            ServerOut::Frame { conn, text } => self.ws.send(u64::from(conn), text),
            ServerOut::Close { conn } => self.ws.close(u64::from(conn)),
            ServerOut::Response(out) => answer(&self.rest, out),
        }
    }

    pub fn mercadobitcoin(&self, out: HttpOut) {
        answer(&self.mercadobitcoin, out);
    }

    pub fn sentra(&self, out: HttpOut) {
        answer(&self.sentra, out);
    }

    pub fn control(&self, out: HttpOut) {
        if let Some(server) = &self.control {
            answer(server, out);
        }
    }
}

fn answer(server: &HttpServer, out: HttpOut) {
    let answer = match out.reply {
        Reply::Drop => None,
        Reply::Answer(page) => {
            Some(Answer { status: page.status, headers: page.headers, body: page.body })
        }
    };
    server.answer(out.id, clock::duration(out.delay), answer);
}
