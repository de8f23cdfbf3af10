//! The driver of releases: inputs become committed turns, and turns become work.

pub mod runner;
