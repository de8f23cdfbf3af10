//! Answers in the place of the network: how a component is tried out before it meets a server.

use std::fmt;

/// A call that passed every check that a call to the network passes, but for the look-up of its address.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Upper-case, such as `GET`.
    pub method: &'a str,
    /// Absolute.
    pub url: &'a str,
    /// The body, if there is one.
    pub body: Option<&'a [u8]>,
}

/// What it is answered with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// The status code.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Answers calls in the place of the network.
pub trait Answers: fmt::Debug + Send + Sync + 'static {
    /// The answer; or why there is none, which the guest sees as a host that cannot be reached.
    fn answer(&self, asked: &Asked<'_>) -> Result<Answered, String>;
}
