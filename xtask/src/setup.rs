//! Set-up on a bare machine: what is missing is named, installed and built; what is there is left alone.

use std::time::Instant;

use anyhow::Result;

use crate::engine::Profile;
use crate::languages::Languages;
use crate::rocksdb::Prebuilt;
use crate::wasm::Toolchain;
use crate::{components, engine, guests, languages, place, rocksdb, say, system, wasm};

/// What the other commands build on.
#[derive(Debug)]
pub(crate) struct Ready {
    /// RocksDB to link.
    pub(crate) prebuilt: Prebuilt,
    /// The toolchain for guests.
    pub(crate) toolchain: Toolchain,
}

/// System packages, RocksDB, the wasm toolchain and the guests.
pub(crate) fn tools_and_guests() -> Result<Ready> {
    let began = Instant::now();
    say::part("Set-up");
    system::provide(&system::NATIVE)?;
    let prebuilt = rocksdb::provide()?;
    let toolchain = wasm::provide()?;
    say::line(&format!("   wasm: {}", toolchain.name()));
    guests::build(toolchain)?;
    say::line(&format!("   ready after {}", say::elapsed(began)));
    Ok(Ready {
        prebuilt,
        toolchain,
    })
}

/// The toolchains of every language, and the guests that are written in them. The demo does without.
pub(crate) fn languages() -> Result<Languages> {
    let began = Instant::now();
    say::part("Languages");
    let languages = languages::provide()?;
    components::build(&languages, &place::folder(place::guests())?)?;
    say::line(&format!("   ready after {}", say::elapsed(began)));
    Ok(languages)
}

/// Every guest.
pub(crate) fn guests() -> Result<()> {
    guests::build(wasm::provide()?)?;
    languages().map(drop)
}

/// Everything that the demo needs.
pub(crate) fn everything() -> Result<Ready> {
    let ready = tools_and_guests()?;
    say::part("Engine (the first build takes some minutes)");
    engine::build(&ready.prebuilt, Profile::Dev)?;
    Ok(ready)
}
