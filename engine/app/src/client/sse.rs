//! Server-sent events, read from chunks that end anywhere
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::collections::VecDeque;
use std::fmt;

use futures::StreamExt as _;
use futures::stream::BoxStream;

use super::error::Error;

/// Longest line that is kept: above the largest event the server sends.
const LINE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// The id, to go on from after a lost connection.
    pub(crate) id: Option<String>,
    /// Its kind; `message` if the server named none.
    pub(crate) kind: String,
    /// The data; lines are joined.
    pub(crate) data: String,
}

/// Bytes in, events out.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    line: Vec<u8>,
    after_return: bool,
    begun: bool,
    id: Option<String>,
    kind: String,
    data: Option<String>,
}

impl Parser {
    /// The events that `chunk` completes. A line beyond the bound is dropped with its event.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in chunk {
            let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                // The second half of a line end that is two bytes long.
                b'\n' if after_return => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                _ if self.line.len() < LINE_BYTES_MAX => self.line.push(byte),
                _ => {}
            }
        }
        events
    }

    fn end_line(&mut self) -> Option<Event> {
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::replace(&mut self.begun, true) && line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        if line.is_empty() {
            let data = self.data.take()?;
            let kind = std::mem::take(&mut self.kind);
            return Some(Event {
                id: self.id.clone(),
                kind: if kind.is_empty() {
                    "message".into()
                } else {
                    kind
                },
                data,
            });
        }
        let text = String::from_utf8_lossy(&line);
        let (field, value) = text.split_once(':').unwrap_or((&text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.kind),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            // Comments have an empty field; `retry` does not concern us, as we pace ourselves.
            _ => {}
        }
        None
    }
}

/// What an open stream gives next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// An event.
    Event(Event),
    /// Bytes that are no event, such as a comment that keeps the connection open.
    Alive,
}

/// An open event stream.
pub(crate) struct Events {
    chunks: BoxStream<'static, Result<Vec<u8>, Error>>,
    parser: Parser,
    ready: VecDeque<Event>,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}

impl Events {
    /// Events out of `chunks`.
    pub(crate) fn new(chunks: BoxStream<'static, Result<Vec<u8>, Error>>) -> Self {
        Self {
            chunks,
            parser: Parser::default(),
            ready: VecDeque::new(),
        }
    }

    /// Waits for more; `None` when the server closed the stream.
    pub(crate) async fn next(&mut self) -> Option<Result<Next, Error>> {
        if let Some(event) = self.ready.pop_front() {
            return Some(Ok(Next::Event(event)));
        }
        match self.chunks.next().await? {
            Ok(chunk) => {
                self.ready.extend(self.parser.push(&chunk));
                Some(Ok(self.ready.pop_front().map_or(Next::Alive, Next::Event)))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: Option<&str>, kind: &str, data: &str) -> Event {
        Event {
            id: id.map(Into::into),
            kind: kind.into(),
            data: data.into(),
        }
    }

    #[test]
    fn events_are_the_same_wherever_chunks_end() {
        let text = "\u{feff}: hello\nid: 1\nevent: turn\ndata: {\"a\":\ndata: 1}\n\n:keep-alive\r\n\r\ndata:x\r\rid: 2\nretry: 5\ndata: \u{e9}\n\nid: 3\n\ndata\n\n";
        let expected = vec![
            event(Some("1"), "turn", "{\"a\":\n1}"),
            event(Some("1"), "message", "x"),
            event(Some("2"), "message", "\u{e9}"),
            event(Some("3"), "message", ""),
        ];
        for size in 1..=text.len() {
            let mut parser = Parser::default();
            let found: Vec<Event> = text
                .as_bytes()
                .chunks(size)
                .flat_map(|chunk| parser.push(chunk))
                .collect();
            assert_eq!(found, expected, "chunks of {size}");
        }
    }

    #[test]
    fn an_event_that_is_cut_off_is_not_given() {
        let mut parser = Parser::default();
        assert_eq!(parser.push(b"data: half\n"), []);
        assert_eq!(parser.push(b"\n"), [event(None, "message", "half")]);
    }

    #[test]
    fn endless_lines_are_bounded() {
        let mut parser = Parser::default();
        let chunk = vec![b'x'; 1024 * 1024];
        for _ in 0..20 {
            assert_eq!(parser.push(&chunk), []);
        }
        assert!(parser.line.len() <= LINE_BYTES_MAX);
    }
}
