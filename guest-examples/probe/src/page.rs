//! One page, by `wasi:http`.

use fermata_sdk::prelude::Failure;
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingRequest,
    Scheme,
};
use wasip2::io::streams::StreamError;

use crate::Page;

/// Bytes that are read at once.
const READ_BYTES: u64 = 64 * 1024;
/// Of a body, as much as the outputs show.
const BEGINNING_CHARACTERS: usize = 200;

/// Sends the question. The answer is for [`read`].
pub(crate) fn ask(
    url: &str,
    headers: &[(String, String)],
) -> Result<FutureIncomingResponse, Failure> {
    let invalid = || Failure::permanent(format!("`{url}` is no URL")).code("invalid-url");
    let (scheme, authority, path) = parts(url).ok_or_else(invalid)?;
    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name, value.as_bytes()).map_err(|error| {
            Failure::permanent(format!("the header `{name}`: {error}")).code("invalid-header")
        })?;
    }
    let request = OutgoingRequest::new(fields);
    request.set_scheme(Some(&scheme)).map_err(|()| invalid())?;
    request
        .set_authority(Some(authority))
        .map_err(|()| invalid())?;
    request
        .set_path_with_query(Some(&path))
        .map_err(|()| invalid())?;
    handle(request, None).map_err(|error| not_answered(url, &error))
}

/// Waits for the answer, and reads all of it.
pub(crate) fn read(url: &str, answer: &FutureIncomingResponse) -> Result<(Page, Vec<u8>), Failure> {
    answer.subscribe().block();
    let response = answer
        .get()
        .expect("it is there, after that wait")
        .expect("it was not taken before")
        .map_err(|error| not_answered(url, &error))?;
    let body = body(url, &response)?;
    let content_type = response.headers().get("content-type").into_iter().next();
    let text = String::from_utf8_lossy(&body);
    let page = Page {
        url: url.to_owned(),
        status: response.status(),
        content_type: content_type.map(|value| String::from_utf8_lossy(&value).into_owned()),
        bytes: body.len(),
        beginning: text.chars().take(BEGINNING_CHARACTERS).collect(),
    };
    Ok((page, body))
}

fn body(url: &str, response: &IncomingResponse) -> Result<Vec<u8>, Failure> {
    let body: IncomingBody = response.consume().expect("it was not taken before");
    let stream = body.stream().expect("it was not taken before");
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(READ_BYTES) {
            Ok(part) => bytes.extend(part),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => {
                let message = format!("{url} broke off: {}", error.to_debug_string());
                return Err(Failure::retryable(message).code("no-answer"));
            }
        }
    }
}

fn not_answered(url: &str, error: &ErrorCode) -> Failure {
    match error {
        ErrorCode::HttpRequestDenied => {
            Failure::permanent(format!("{url} is not granted")).code("http-request-denied")
        }
        ErrorCode::InternalError(Some(why)) => {
            Failure::permanent(format!("{url} cannot be asked: {why}")).code("invalid-request")
        }
        ErrorCode::HttpResponseBodySize(_) | ErrorCode::HttpResponseHeaderSectionSize(_) => {
            Failure::permanent(format!("{url} answered too much")).code("too-large")
        }
        other => Failure::retryable(format!("{url} gave no answer: {other:?}")).code("no-answer"),
    }
}

/// Scheme, authority, and path with query: `wasi:http` wants them one by one.
fn parts(url: &str) -> Option<(Scheme, &str, String)> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return None,
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let slash = if path.starts_with('/') { "" } else { "/" };
    (!authority.is_empty()).then(|| (scheme, authority, format!("{slash}{path}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (url, authority, path) in [
            ("https://a.example", "a.example", "/"),
            ("http://a.example:8080/x?y#z", "a.example:8080", "/x?y"),
            ("http://[::1]:80?y", "[::1]:80", "/?y"),
        ] {
            let (_, found, path_found) = parts(url).expect("a URL");
            assert_eq!((found, path_found.as_str()), (authority, path), "{url}");
        }
        for url in ["", "a.example", "ftp://a.example/", "http://", "http:///x"] {
            assert!(parts(url).is_none(), "{url}");
        }
    }
}
