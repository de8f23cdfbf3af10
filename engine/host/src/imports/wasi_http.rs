//! `wasi:http`: calls of guests that were written for any host of WASI, through the one policy in [`crate::egress`].
//!
//! What a guest builds a request of and reads an answer from is that of `wasmtime-wasi-http`, within bounds: so many
//! resources, each of some 64 KiB at most. What leaves the host is that of [`Calls`], so there is no second way out. An
//! answer is complete when the guest gets it: what it is not told by an error code is in its log.

mod answer;
mod resources;

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt;
use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime_wasi_http::p2::bindings::LinkOptions;
use wasmtime_wasi_http::p2::bindings::http::{outgoing_handler, types};
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostOutgoingRequest};
use wasmtime_wasi_http::p2::{HttpError, HttpResult};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks,
};

use crate::calls::{Calls, Outgoing};
use crate::egress::{CallError, Patience};
use crate::guest::Context;

/// Bytes that one set of headers takes in memory: twice what may be sent, since each has to be found again.
const FIELDS_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a request's body that are taken at once. Twice as many wait in the host.
const CHUNK_BYTES: usize = 32 * 1024;

/// What is behind the interface, for one run.
pub(crate) struct Http {
    pub(crate) context: WasiHttpCtx,
    pub(crate) hooks: Hooks,
}

/// The way out.
pub(crate) struct Hooks {
    calls: Arc<Calls>,
    /// The number of the call that is being made.
    number: u64,
}

impl Http {
    pub(crate) fn new(calls: Arc<Calls>) -> Self {
        let mut context = WasiHttpCtx::new();
        context.set_field_size_limit(FIELDS_BYTES_MAX);
        let hooks = Hooks { calls, number: 0 };
        Self { context, hooks }
    }
}

/// Adds what a guest may import: no handler of incoming requests.
pub(crate) fn add_to_linker(linker: &mut Linker<Context>) -> wasmtime::Result<()> {
    let options = LinkOptions::default();
    outgoing_handler::add_to_linker::<_, HasSelf<Context>>(linker, |context| context)?;
    types::add_to_linker::<_, HasSelf<Context>>(linker, &(&options).into(), |context| context)
}

impl outgoing_handler::Host for Context {
    fn handle(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        options: Option<Resource<RequestOptions>>,
    ) -> HttpResult<Resource<HostFutureIncomingResponse>> {
        let number = self.calls.begin().map_err(HttpError::trap)?;
        let calls = Arc::clone(&self.calls);
        let mut hooks = Hooks { calls, number };
        let http = self.wasi_http();
        let mut http = WasiHttpCtxView {
            hooks: &mut hooks,
            ..http
        };
        outgoing_handler::Host::handle(&mut http, request, options)
    }
}

type Sent = Result<
    (
        http::Response<WasiBody>,
        Box<dyn Future<Output = Result<(), Error>> + Send>,
    ),
    Error,
>;

impl WasiHttpHooks for Hooks {
    /// The client sets it, from the URL.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK_BYTES
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let (calls, number) = (Arc::clone(&self.calls), self.number);
        Box::new(send(calls, number, request, options.unwrap_or_default()))
    }
}

async fn send(
    calls: Arc<Calls>,
    number: u64,
    request: http::Request<WasiBody>,
    options: RequestOptions,
) -> Sent {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.iter();
    let outgoing = Outgoing {
        method: parts.method.to_string(),
        url: parts.uri.to_string(),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect(),
        patience: Patience {
            whole: None,
            head: options.first_byte_timeout,
            part: options.between_bytes_timeout,
        },
    };
    let body = gathered(body, calls.request_bytes());
    let response = calls.send(number, outgoing, body).await;
    let answer = response.map_err(|unanswered| {
        calls.seen().note(match &unanswered.error {
            CallError::Denied(denial) => format!("denied: {}", denial.text()),
            _ => unanswered.told,
        });
        error(unanswered.error)
    })?;
    let response = answer::response(&calls, answer)?;
    Ok((response, Box::new(async { Ok(()) })))
}

/// The body of a request, once the guest has finished it.
async fn gathered(mut body: WasiBody, most: u64) -> Result<Option<Vec<u8>>, CallError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let unfinished = |_| CallError::Invalid("the guest did not finish the body".into());
        let part: Bytes = frame.map_err(unfinished)?.into_data().map_err(|_| {
            CallError::Invalid("the request has trailers, which are not sent".into())
        })?;
        if (bytes.len() + part.len()) as u64 > most {
            return Err(CallError::TooLong(most));
        }
        bytes.extend_from_slice(&part);
    }
    Ok((!bytes.is_empty()).then_some(bytes))
}

/// The nearest error code.
fn error(error: CallError) -> Error {
    match error {
        CallError::Denied(_) => Error::HttpRequestDenied,
        CallError::Invalid(text) => Error::InternalError(Some(text)),
        CallError::TooLong(bytes) => Error::HttpRequestBodySize(Some(bytes)),
        CallError::Timeout => Error::HttpResponseTimeout,
        CallError::Unreachable(_) => Error::DestinationUnavailable,
        CallError::TooLarge(bytes) => Error::HttpResponseBodySize(Some(bytes)),
        CallError::HeadTooLarge(bytes) => {
            Error::HttpResponseHeaderSectionSize(u32::try_from(bytes).ok())
        }
    }
}
