//! An answer, kept in the host until the guest has read it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::calls::{Calls, Unread};
use crate::egress::Response;

/// Bytes that the guest gets at once. A copy of them: the rest is not kept for their sake.
const PART_BYTES: usize = 64 * 1024;

/// The answer as the interface has it.
pub(super) fn response(
    calls: &Arc<Calls>,
    answer: Response,
) -> Result<http::Response<WasiBody>, Error> {
    let most = calls.unread_bytes();
    let Some(unread) = Unread::of(calls, answer.body.len(), most) else {
        calls.seen().note(format!(
            "the answers that the guest has not read have more than {most} bytes: read or drop one before the next"
        ));
        return Err(Error::HttpResponseBodySize(Some(most)));
    };
    let mut response = http::Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        // What hiding a secret made of a name may be none.
        let name = http::HeaderName::from_bytes(name.as_bytes());
        let value = http::HeaderValue::from_bytes(&value);
        if let (Ok(name), Ok(value)) = (name, value) {
            response = response.header(name, value);
        }
    }
    let body = Kept {
        bytes: answer.body,
        read: 0,
        unread: Some(unread),
    };
    let body = body.map_err(|never| match never {}).boxed_unsync();
    response
        .body(body)
        .map_err(|error| Error::InternalError(Some(error.to_string())))
}

/// A body that is all there.
struct Kept {
    bytes: Vec<u8>,
    read: usize,
    unread: Option<Unread>,
}

impl Body for Kept {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let from = self.read;
        let to = self.bytes.len().min(from + PART_BYTES);
        let part = Bytes::copy_from_slice(&self.bytes[from..to]);
        self.read = to;
        if part.is_empty() {
            self.bytes = Vec::new();
            self.read = 0;
            self.unread = None;
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(Frame::data(part))))
    }
}
