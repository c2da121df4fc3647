//! The wires of a run's venues: sockets and requests, told apart by the venue's place in the
//! engine, and the keys whose numbers must be on disk before a request leaves.

use crate::base::{Keep, Net};
use crate::edge::http::Http;
use crate::edge::inbox::{Lines, SocketNews};
use crate::edge::keys::Held;
use crate::edge::ws::Sockets;
use anyhow::bail;

/// One venue's wires; either kind opens what it is asked for and nothing before.
#[derive(Debug)]
struct Link {
    sockets: Sockets,
    http: Http,
}

#[derive(Debug)]
pub(super) struct Links {
    venues: Vec<Link>,
    keys: Vec<Held>,
}

impl Links {
    /// Wires for so many venues, whose places are 0, 1, …
    pub fn new(venues: usize, keys: Vec<Held>, lines: &Lines) -> Links {
        let link = |place| Link {
            sockets: Sockets::new(place, lines.clone()),
            http: Http::new(place, lines.clone()),
        };
        Links { venues: (0u32..).take(venues).map(link).collect(), keys }
    }

    /// Does what the venue in this place wants.
    pub fn handle(&mut self, place: usize, net: Net) {
        let Links { venues, keys } = self;
        let Some(link) = venues.get_mut(place) else {
            return tracing::error!(place, "a venue without wires asked for something");
        };
        match net {
            Net::Request(request) => link.http.handle(request, &mut |keep| store(keys, keep)),
            other @ (Net::Open { .. }
            | Net::Opened { .. }
            | Net::Frame { .. }
            | Net::Lost { .. }
            | Net::Close { .. }
            | Net::Response(_)) => link.sockets.handle(other),
        }
    }

    /// The news and whose they are, if they are of a connection that is still wanted.
    pub fn current(&mut self, news: SocketNews) -> Option<(usize, Net)> {
        let place = usize::try_from(news.link).ok()?;
        Some((place, self.venues.get_mut(place)?.sockets.current(news)?))
    }
}

fn store(keys: &mut [Held], keep: &Keep) -> anyhow::Result<()> {
    match keys.iter_mut().find(|held| held.name() == keep.name) {
        Some(held) => held.keep(keep),
        None => bail!("no key of this run has that name"),
    }
}
