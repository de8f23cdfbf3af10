//! The sandbox against guests that behave and guests that do not.

mod admission;
mod cache;
mod calls;
mod ends;
mod kit;
mod limits;
mod server;
