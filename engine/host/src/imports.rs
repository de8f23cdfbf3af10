//! What the host does for a guest: one file per interface of the contract.

mod evidence;
mod http;
mod log;
mod progress;
mod secrets;
