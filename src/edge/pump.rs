//! Moves text frames between one WebSocket and the inbox, in both directions at once. The client
//! and the server shells share it.

use super::clock;
use super::inbox::{Input, Post};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::Receiver;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

/// How many frames wait at most to be written to one connection.
pub(super) const OUTGOING: usize = 4096;

/// A side that takes no bytes for this long is given up.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// How long the closing handshake may take.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// The largest message taken: a full Level 2 snapshot is far below it.
const MESSAGE_LIMIT: usize = 16 << 20;

/// How a connection ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// We asked for it, or nobody listens any more.
    Ours,
    /// The other side or the network ended it.
    Theirs(String),
}

pub(super) fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_LIMIT))
        .max_frame_size(Some(MESSAGE_LIMIT))
}

/// Runs until either direction ends. Writing comes first: orders leave before more news is read.
pub(super) async fn pump<S>(
    socket: WebSocketStream<S>,
    outgoing: Receiver<String>,
    post: &Post,
    make: impl Fn(String) -> Input,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (sink, stream) = socket.split();
    tokio::select! {
        biased;
        end = write(sink, outgoing) => end,
        end = read(stream, post, make) => end,
    }
}

async fn read<S>(
    mut stream: SplitStream<WebSocketStream<S>>,
    post: &Post,
    make: impl Fn(String) -> Input,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(item) = stream.next().await {
        let at = clock::now();
        let text = match item {
            Ok(Message::Text(text)) => text.as_str().to_owned(),
            Ok(Message::Binary(bytes)) => match String::from_utf8(bytes.into()) {
                Ok(text) => text,
                Err(_) => return End::Theirs("a binary frame that is no text".to_owned()),
            },
            Ok(Message::Close(frame)) => {
                return End::Theirs(match frame {
                    Some(frame) => format!("closed by the other side ({frame})"),
                    None => "closed by the other side".to_owned(),
                });
            }
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => continue,
            Err(error) => return End::Theirs(reason(&error)),
        };
        if post.send(at, make(text)).await.is_err() {
            return End::Ours;
        }
    }
    End::Theirs("the connection ended".to_owned())
}

async fn write<S>(
    mut sink: SplitSink<WebSocketStream<S>, Message>,
    mut outgoing: Receiver<String>,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(first) = outgoing.recv().await {
        let batch = async {
            sink.feed(Message::text(first)).await?;
            while let Ok(more) = outgoing.try_recv() {
                sink.feed(Message::text(more)).await?;
            }
            sink.flush().await
        };
        match tokio::time::timeout(WRITE_LIMIT, batch).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return End::Theirs(reason(&error)),
            Err(_) => return End::Theirs("the other side takes no bytes".to_owned()),
        }
    }
    if tokio::time::timeout(CLOSE_LIMIT, sink.close()).await.is_err() {
        tracing::debug!("a connection was closed without the closing handshake");
    }
    End::Ours
}

/// An error of the transport in words for the operator.
pub(super) fn reason(error: &Error) -> String {
    #[allow(clippy::wildcard_enum_match_arm, reason = "the library's other errors say enough")]
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => "the connection ended".to_owned(),
        Error::Http(response) => format!(
            "the address answers HTTP {} instead of opening a WebSocket",
            response.status().as_u16()
        ),
        other => other.to_string(),
    }
}
