//! Every SDK against the same table of cases, in the real sandbox: the guests are one activity in five languages.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod cases;
mod examples;
mod kit;
mod server;

use kit::Kit;

#[tokio::test]
async fn rust() {
    cases::all(&Kit::admit("sdk-rust").await).await;
}

#[tokio::test]
async fn javascript() {
    cases::all(&Kit::admit("sdk-js").await).await;
}

#[tokio::test]
async fn python() {
    cases::all(&Kit::admit("sdk-python").await).await;
}

#[tokio::test]
async fn go() {
    cases::all(&Kit::admit("sdk-go").await).await;
}

#[tokio::test]
async fn c() {
    cases::all(&Kit::admit("sdk-c").await).await;
}

#[tokio::test]
async fn zig() {
    cases::all(&Kit::admit("sdk-zig").await).await;
}
