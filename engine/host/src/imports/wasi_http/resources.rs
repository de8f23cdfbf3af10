//! The resources of the interface: passed on to `wasmtime-wasi-http`, but for what it does not bound.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable};
use wasmtime_wasi_http::p2::bindings::http::types::{
    self, Duration, ErrorCode, IoError, Method, Scheme, Trailers,
};
use wasmtime_wasi_http::p2::body::{HostFutureTrailers, HostIncomingBody, HostOutgoingBody};
use wasmtime_wasi_http::p2::types::{
    HostFutureIncomingResponse, HostIncomingRequest, HostIncomingResponse, HostOutgoingRequest,
    HostOutgoingResponse, HostResponseOutparam,
};
use wasmtime_wasi_http::p2::{HeaderError, HeaderResult, HttpError, HttpResult};
use wasmtime_wasi_http::{FieldMap, RequestOptions};

use crate::egress::{METHOD_BYTES_MAX, URL_BYTES_MAX};
use crate::guest::Context;

type Result<T> = wasmtime::Result<T>;
type Refused<T> = wasmtime::Result<std::result::Result<T, ()>>;
type Fetched =
    Option<std::result::Result<std::result::Result<Resource<HostIncomingResponse>, ErrorCode>, ()>>;
type Trailing =
    Option<std::result::Result<std::result::Result<Option<Resource<Trailers>>, ErrorCode>, ()>>;

macro_rules! passed_on {
    ($host:ident: $(fn $name:ident($($arg:ident: $kind:ty),*) -> $out:ty;)*) => {
        $(fn $name(&mut self, $($arg: $kind),*) -> $out {
            types::$host::$name(&mut self.wasi_http(), $($arg),*)
        })*
    };
}

impl types::Host for Context {
    passed_on! { Host:
        fn convert_error_code(error: HttpError) -> Result<ErrorCode>;
        fn convert_header_error(error: HeaderError) -> Result<types::HeaderError>;
        fn http_error_code(error: Resource<IoError>) -> Result<Option<ErrorCode>>;
    }
}

impl types::HostFields for Context {
    passed_on! { HostFields:
        fn new() -> Result<Resource<FieldMap>>;
        fn from_list(entries: Vec<(String, Vec<u8>)>) -> HeaderResult<Resource<FieldMap>>;
        fn drop(fields: Resource<FieldMap>) -> Result<()>;
        fn get(fields: Resource<FieldMap>, name: String) -> Result<Vec<Vec<u8>>>;
        fn has(fields: Resource<FieldMap>, name: String) -> Result<bool>;
        fn set(fields: Resource<FieldMap>, name: String, values: Vec<Vec<u8>>) -> HeaderResult<()>;
        fn delete(fields: Resource<FieldMap>, name: String) -> HeaderResult<()>;
        fn append(fields: Resource<FieldMap>, name: String, value: Vec<u8>) -> HeaderResult<()>;
        fn entries(fields: Resource<FieldMap>) -> Result<Vec<(String, Vec<u8>)>>;
        fn clone(fields: Resource<FieldMap>) -> Result<Resource<FieldMap>>;
    }
}

impl types::HostOutgoingRequest for Context {
    passed_on! { HostOutgoingRequest:
        fn new(headers: Resource<FieldMap>) -> Result<Resource<HostOutgoingRequest>>;
        fn body(request: Resource<HostOutgoingRequest>) -> Refused<Resource<HostOutgoingBody>>;
        fn drop(request: Resource<HostOutgoingRequest>) -> Result<()>;
        fn method(request: Resource<HostOutgoingRequest>) -> Result<Method>;
        fn path_with_query(request: Resource<HostOutgoingRequest>) -> Result<Option<String>>;
        fn scheme(request: Resource<HostOutgoingRequest>) -> Result<Option<Scheme>>;
        fn authority(request: Resource<HostOutgoingRequest>) -> Result<Option<String>>;
        fn headers(request: Resource<HostOutgoingRequest>) -> Result<Resource<FieldMap>>;
    }

    fn set_method(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        method: Method,
    ) -> Refused<()> {
        if matches!(&method, Method::Other(name) if name.len() > METHOD_BYTES_MAX) {
            return Ok(Err(()));
        }
        types::HostOutgoingRequest::set_method(&mut self.wasi_http(), request, method)
    }

    fn set_path_with_query(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        path: Option<String>,
    ) -> Refused<()> {
        if path.as_ref().is_some_and(|path| path.len() > URL_BYTES_MAX) {
            return Ok(Err(()));
        }
        types::HostOutgoingRequest::set_path_with_query(&mut self.wasi_http(), request, path)
    }

    fn set_scheme(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        scheme: Option<Scheme>,
    ) -> Refused<()> {
        if matches!(&scheme, Some(Scheme::Other(name)) if name.len() > METHOD_BYTES_MAX) {
            return Ok(Err(()));
        }
        types::HostOutgoingRequest::set_scheme(&mut self.wasi_http(), request, scheme)
    }

    fn set_authority(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        authority: Option<String>,
    ) -> Refused<()> {
        if authority
            .as_ref()
            .is_some_and(|authority| authority.len() > URL_BYTES_MAX)
        {
            return Ok(Err(()));
        }
        types::HostOutgoingRequest::set_authority(&mut self.wasi_http(), request, authority)
    }
}

impl types::HostRequestOptions for Context {
    passed_on! { HostRequestOptions:
        fn new() -> Result<Resource<RequestOptions>>;
        fn connect_timeout(options: Resource<RequestOptions>) -> Result<Option<Duration>>;
        fn set_connect_timeout(options: Resource<RequestOptions>, time: Option<Duration>) -> Refused<()>;
        fn first_byte_timeout(options: Resource<RequestOptions>) -> Result<Option<Duration>>;
        fn set_first_byte_timeout(options: Resource<RequestOptions>, time: Option<Duration>) -> Refused<()>;
        fn between_bytes_timeout(options: Resource<RequestOptions>) -> Result<Option<Duration>>;
        fn set_between_bytes_timeout(options: Resource<RequestOptions>, time: Option<Duration>) -> Refused<()>;
        fn drop(options: Resource<RequestOptions>) -> Result<()>;
    }
}

impl types::HostOutgoingBody for Context {
    passed_on! { HostOutgoingBody:
        fn write(body: Resource<HostOutgoingBody>) -> Refused<Resource<DynOutputStream>>;
        fn finish(body: Resource<HostOutgoingBody>, trailers: Option<Resource<Trailers>>) -> HttpResult<()>;
        fn drop(body: Resource<HostOutgoingBody>) -> Result<()>;
    }
}

impl types::HostFutureIncomingResponse for Context {
    passed_on! { HostFutureIncomingResponse:
        fn drop(future: Resource<HostFutureIncomingResponse>) -> Result<()>;
        fn subscribe(future: Resource<HostFutureIncomingResponse>) -> Result<Resource<DynPollable>>;
    }

    fn get(&mut self, future: Resource<HostFutureIncomingResponse>) -> Result<Fetched> {
        // What an error code cannot say stands in the log before whatever the guest makes of it.
        self.tell_of_calls();
        types::HostFutureIncomingResponse::get(&mut self.wasi_http(), future)
    }
}

impl types::HostIncomingResponse for Context {
    passed_on! { HostIncomingResponse:
        fn drop(response: Resource<HostIncomingResponse>) -> Result<()>;
        fn status(response: Resource<HostIncomingResponse>) -> Result<u16>;
        fn headers(response: Resource<HostIncomingResponse>) -> Result<Resource<FieldMap>>;
        fn consume(response: Resource<HostIncomingResponse>) -> Refused<Resource<HostIncomingBody>>;
    }
}

impl types::HostIncomingBody for Context {
    passed_on! { HostIncomingBody:
        fn stream(body: Resource<HostIncomingBody>) -> Refused<Resource<DynInputStream>>;
        fn finish(body: Resource<HostIncomingBody>) -> Result<Resource<HostFutureTrailers>>;
        fn drop(body: Resource<HostIncomingBody>) -> Result<()>;
    }
}

impl types::HostFutureTrailers for Context {
    passed_on! { HostFutureTrailers:
        fn drop(trailers: Resource<HostFutureTrailers>) -> Result<()>;
        fn subscribe(trailers: Resource<HostFutureTrailers>) -> Result<Resource<DynPollable>>;
        fn get(trailers: Resource<HostFutureTrailers>) -> Result<Trailing>;
    }
}

// The rest is for handlers of incoming requests. No guest gets one, but the types belong to the interface.

impl types::HostIncomingRequest for Context {
    passed_on! { HostIncomingRequest:
        fn method(request: Resource<HostIncomingRequest>) -> Result<Method>;
        fn path_with_query(request: Resource<HostIncomingRequest>) -> Result<Option<String>>;
        fn scheme(request: Resource<HostIncomingRequest>) -> Result<Option<Scheme>>;
        fn authority(request: Resource<HostIncomingRequest>) -> Result<Option<String>>;
        fn headers(request: Resource<HostIncomingRequest>) -> Result<Resource<FieldMap>>;
        fn consume(request: Resource<HostIncomingRequest>) -> Refused<Resource<HostIncomingBody>>;
        fn drop(request: Resource<HostIncomingRequest>) -> Result<()>;
    }
}

impl types::HostOutgoingResponse for Context {
    passed_on! { HostOutgoingResponse:
        fn new(headers: Resource<FieldMap>) -> Result<Resource<HostOutgoingResponse>>;
        fn body(response: Resource<HostOutgoingResponse>) -> Refused<Resource<HostOutgoingBody>>;
        fn status_code(response: Resource<HostOutgoingResponse>) -> Result<u16>;
        fn set_status_code(response: Resource<HostOutgoingResponse>, status: u16) -> Refused<()>;
        fn headers(response: Resource<HostOutgoingResponse>) -> Result<Resource<FieldMap>>;
        fn drop(response: Resource<HostOutgoingResponse>) -> Result<()>;
    }
}

impl types::HostResponseOutparam for Context {
    passed_on! { HostResponseOutparam:
        fn drop(outparam: Resource<HostResponseOutparam>) -> Result<()>;
        fn set(outparam: Resource<HostResponseOutparam>, response: std::result::Result<Resource<HostOutgoingResponse>, ErrorCode>) -> Result<()>;
        fn send_informational(outparam: Resource<HostResponseOutparam>, status: u16, headers: Resource<FieldMap>) -> HttpResult<()>;
    }
}
