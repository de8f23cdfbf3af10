//! The release machine from outside: random graphs under random inputs, histories that do not
//! fit, and what a turn costs.

#[path = "release/bounds.rs"]
mod bounds;
#[path = "release/graphs.rs"]
mod graphs;
#[path = "release/histories.rs"]
mod histories;
#[path = "release/notifications.rs"]
mod notifications;
#[path = "release/random.rs"]
mod random;
#[path = "release/rollback.rs"]
mod rollback;
#[path = "release/scale.rs"]
mod scale;
#[path = "release/world.rs"]
mod world;
