//! An HTTP exchange without sockets: what a server machine is asked and what it answers. Bodies are
//! plain here; the shell inflates compressed ones and enforces sizes.

use crate::base::Span;
use std::fmt;

/// A request as the shell read it. `path` and `query` are as they stood in the request line, still
/// encoded; `query` has no question mark. `Debug` shows the sizes of what may hold secrets.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct HttpIn {
    /// The shell's number for the exchange; used once.
    pub id: u64,
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl fmt::Debug for HttpIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (query, headers, body) = (self.query.len(), self.headers.len(), self.body.len());
        write!(f, "{} {} {} <query {query}, ", self.id, self.method, self.path)?;
        write!(f, "{headers} headers, {body} bytes>")
    }
}

impl HttpIn {
    /// The first header of a name; names have no case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body, if it is UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.body).ok()
    }

    /// Whether the body says that it is a form.
    #[must_use]
    pub fn is_form(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }
}

/// What becomes of the request `id`, `delay` after now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpOut {
    pub id: u64,
    pub delay: Span,
    pub reply: Reply,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    Answer(Page),
    /// The connection ends without an answer.
    Drop,
}

/// Status, headers and body of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Page {
    #[must_use]
    pub fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Page {
        Page { status, headers: vec![("content-type", kind.to_owned())], body: body.into() }
    }

    #[must_use]
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Page {
        Page::new(status, "application/json; charset=utf-8", body)
    }

    #[must_use]
    pub fn text(status: u16, body: impl Into<Vec<u8>>) -> Page {
        Page::new(status, "text/plain; charset=utf-8", body)
    }

    /// What a gateway in front of a venue shows while the venue is away (FLOW-P06).
    #[must_use]
    pub fn html(status: u16) -> Page {
        let title = match status {
            404 => "404 Not Found",
            502 => "502 Bad Gateway",
            503 => "503 Service Temporarily Unavailable",
            _ => "Error",
        };
        let body = format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1>\
             </center>\r\n</body>\r\n</html>\r\n"
        );
        Page::new(status, "text/html", body)
    }
}
