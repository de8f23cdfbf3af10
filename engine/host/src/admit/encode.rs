//! Making a component of a core module, so that authors in C, Zig or Go need no component tools.

use std::sync::OnceLock;

use fermata_core::component::World;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SourceMap};

use crate::admit::contract::{PREVIEW1, WIT};
use crate::rejection::Rejection;

/// A component that is the core module, seen through the contract.
pub(crate) fn encode(
    core: &[u8],
    (world, undo): (World, bool),
    preview1: bool,
) -> Result<Vec<u8>, Rejection> {
    let mut module = core.to_vec();
    let mut resolve = Resolve::default();
    let mut files = SourceMap::default();
    for (name, text) in WIT {
        files.push_str(name, text);
    }
    let files = files.parse().map_err(|(_, error)| error);
    let files = files.expect("our own WIT is valid");
    let package = resolve.push_group(files).expect("our own WIT is valid");
    let world = if undo {
        "reversible-activity"
    } else {
        world.word()
    };
    let world = resolve
        .select_world(&[package], Some(world))
        .expect("our own WIT has these worlds");
    // Without this, a module that says nothing about its types would become an empty component.
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .map_err(|error| invalid(&error))?;
    let mut encoder = ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .map_err(|error| invalid(&error))?;
    if preview1 {
        encoder = encoder
            .adapter(PREVIEW1, adapter())
            .expect("our own adapter is valid");
    }
    encoder.encode().map_err(|error| invalid(&error))
}

fn invalid(error: &impl std::fmt::Display) -> Rejection {
    Rejection::Invalid {
        reason: format!("it does not fit the contract: {error:#}"),
    }
}

/// WASI preview 1, as far as an activity has it, with what it imports in turn.
fn adapter() -> &'static [u8] {
    static ADAPTER: OnceLock<Vec<u8>> = OnceLock::new();
    ADAPTER.get_or_init(|| {
        let mut adapter =
            wat::parse_str(include_str!("preview1.wat")).expect("our own adapter is valid");
        let mut resolve = Resolve::default();
        let package = resolve
            .push_str("preview1.wit", include_str!("preview1.wit"))
            .expect("the adapter's WIT is valid");
        let world = resolve
            .select_world(&[package], None)
            .expect("the adapter's WIT has one world");
        embed_component_metadata(&mut adapter, &resolve, world, StringEncoding::UTF8)
            .expect("the adapter imports what its world says");
        adapter
    })
}
