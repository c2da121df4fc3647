//! The client's HTTP shell: carries out each `Net::Request` of a session once, byte for byte, and
//! posts its `Response` into the inbox, stamped on arrival. It decides nothing and repeats nothing:
//! what to do about a failure is the session's business.
//!
//! hyper may take a request that it could not begin to write on a kept connection to a new one.
//! No byte of it has left then, so a server still sees each request at most once.

use super::clock;
use super::inbox::{Input, Lines};
use super::tls;
use crate::base::{Answer, Body, Failure, Header, Keep, Method, Request, Response, Secret};
use reqwest::Client;
use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Name lookup, connection and TLS together may take this long. It is shorter than the sessions'
/// timeouts, so that a server that cannot be reached is known to have got nothing.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// A connection that idled longer is not used again: it may be closed on the other side.
const IDLE_LIMIT: Duration = Duration::from_secs(20);
/// Connections kept for the next request, per server.
const KEPT: usize = 4;
/// Requests under way at a time; a further one is refused unsent.
const UNDER_WAY: usize = 64;
/// The longest body of an answer. A longer one is a failure.
const LONGEST: usize = 16 << 20;
/// The headers of an answer that a session is told.
const TOLD: [&str; 3] = ["content-type", "date", "retry-after"];

/// Makes what a request wants kept durable, before its first byte leaves.
pub type Keeper<'a> = &'a mut dyn FnMut(&Keep) -> anyhow::Result<()>;

/// The HTTP connections of one session.
#[derive(Debug)]
pub struct Http {
    link: u32,
    lines: Lines,
    clients: Arc<Clients>,
    /// One more holder for each request under way.
    under_way: Arc<()>,
}

/// Made when they are first needed: without TLS for this machine, with it for all others.
#[derive(Debug, Default)]
struct Clients {
    plain: OnceLock<Result<Client, String>>,
    secure: OnceLock<Result<Client, String>>,
}

impl Http {
    /// A client on an inbox's thread. `link` is told back with every response, to tell the
    /// sessions of one inbox apart.
    #[must_use]
    pub fn new(link: u32, lines: Lines) -> Http {
        Http { link, lines, clients: Arc::default(), under_way: Arc::new(()) }
    }

    /// Carries the request out, after `keep` has made its number durable. Every request ends in one
    /// `Input::Http`; one that may not leave, at once.
    pub fn handle(&mut self, request: Request, keep: Keeper<'_>) {
        self.lines.touch();
        let allowed = self.allow(&request, keep);
        let place = Arc::clone(&self.under_way);
        let clients = Arc::clone(&self.clients);
        let (link, post) = (self.link, self.lines.post.clone());
        self.lines.runtime.spawn(async move {
            let id = request.id;
            let outcome = match allowed {
                Ok(url) => carry_out(&clients, url, request).await,
                Err(reason) => Err(unsent(reason)),
            };
            let at = clock::now();
            drop(place);
            if post
                .send(at, Input::Http { link, response: Response { id, outcome } })
                .await
                .is_err()
            {
                tracing::debug!(link, id, "nobody is left to hear of an answer");
            }
        });
    }

    /// Where it goes, if it may, and what it wants kept is kept.
    fn allow(&self, request: &Request, keep: Keeper<'_>) -> Result<Url, String> {
        let url = address(&request.url)?;
        if Arc::strong_count(&self.under_way) > UNDER_WAY {
            return Err(format!("{UNDER_WAY} requests are under way already"));
        }
        if let Some(wanted) = &request.keep {
            keep(wanted).map_err(|why| format!("{} cannot be kept: {why:#}", wanted.name))?;
        }
        Ok(url)
    }
}

fn unsent(reason: String) -> Failure {
    Failure { unsent: true, reason }
}

/// The address, if requests may go there: over TLS, or to this machine (SENTRA-R02).
fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|why| format!("the address is none: {why}"))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    match url.scheme() {
        "https" => Ok(url),
        "http" if tls::is_loopback(host) => Ok(url),
        "http" => Err(format!(
            "http:// would send keys and data to {host} in the clear; use https:// (http:// is for \
             loopback only)"
        )),
        other => Err(format!("{other}:// is no address for requests; use https://")),
    }
}

impl Clients {
    async fn of(&self, url: &Url) -> Result<&Client, String> {
        if url.scheme() == "https" {
            let policy = tls::config().await?;
            self.secure.get_or_init(|| client(policy.as_ref().clone())).as_ref()
        } else {
            // Never used for TLS, so it trusts nobody.
            let nobody = || tls::trusting(rustls::RootCertStore::empty()).and_then(client);
            self.plain.get_or_init(nobody).as_ref()
        }
        .map_err(String::clone)
    }
}

fn client(policy: rustls::ClientConfig) -> Result<Client, String> {
    Client::builder()
        .tls_backend_preconfigured(policy)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .http1_only()
        .connect_timeout(CONNECT_LIMIT)
        .pool_idle_timeout(IDLE_LIMIT)
        .pool_max_idle_per_host(KEPT)
        .build()
        .map_err(|why| format!("the HTTP client cannot be set up: {}", chain(&why)))
}

async fn carry_out(clients: &Clients, url: Url, request: Request) -> Result<Answer, Failure> {
    let client = clients.of(&url).await.map_err(unsent)?;
    let limit = clock::duration(request.timeout);
    let built = build(client, url, request, limit).map_err(unsent)?;
    let mut reply = client.execute(built).await.map_err(|why| failure(why, limit))?;
    let status = reply.status().as_u16();
    let headers = told(reply.headers());
    let mut body = Vec::new();
    while let Some(bytes) = reply.chunk().await.map_err(|why| failure(why, limit))? {
        if body.len() + bytes.len() > LONGEST {
            let reason = format!("the answer (status {status}) is longer than {LONGEST} bytes");
            return Err(Failure { unsent: false, reason });
        }
        body.extend_from_slice(&bytes);
    }
    Ok(Answer { status, headers, body: Body(body) })
}

fn build(
    client: &Client,
    url: Url,
    request: Request,
    limit: Duration,
) -> Result<reqwest::Request, String> {
    let mut building = match request.method {
        Method::Get => client.get(url),
        Method::Post => client.post(url).body(request.body.0),
    };
    for header in request.headers {
        let name = HeaderName::from_bytes(header.name.as_bytes());
        let name = name.map_err(|_| format!("`{}` is no name of a header", header.name))?;
        // The reason of a bad value could show it.
        let value = HeaderValue::from_str(header.value.expose());
        let mut value =
            value.map_err(|_| format!("header {name} has a value that none can have"))?;
        value.set_sensitive(true);
        building = building.header(name, value);
    }
    building.timeout(limit).build().map_err(|why| chain(&why.without_url()))
}

fn told(headers: &reqwest::header::HeaderMap) -> Vec<Header> {
    let one = |name: &'static str| {
        let value = headers.get(name)?.to_str().ok()?;
        Some(Header { name, value: Secret::new(value) })
    };
    TOLD.into_iter().filter_map(one).collect()
}

/// Why there is no answer. Only a connection that was never made (name, TCP, TLS) is certain to
/// have sent nothing.
fn failure(why: reqwest::Error, limit: Duration) -> Failure {
    let (unsent, late) = (why.is_connect(), why.is_timeout());
    let reason = match (unsent, late) {
        (true, true) => format!("no connection within {}s", CONNECT_LIMIT.as_secs()),
        (false, true) => format!("no whole answer within {}s", limit.as_secs_f64()),
        (_, false) => chain(&why.without_url()),
    };
    Failure { unsent, reason }
}

/// An error with its causes, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests;
