//! The WebAssembly engine: one set of code-generation choices for compiling and for running.

use std::hash::{DefaultHasher, Hash, Hasher};

use tracing::warn;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
    WasmBacktraceDetails,
};

use crate::ask::EXTENSION_RUNS;
use crate::error::Error;
use crate::limits::{Limits, length};

/// The WebAssembly engine inside, for those who follow its security advisories.
pub const RUNTIME: &str = "wasmtime 48.0.8";

/// Room on a fiber for the guest's stack and the host calls above it.
const FIBER_STACK_BYTES: usize = 2 * 1024 * 1024;
/// What the pool lets one run have at least, so that it is the limiter that refuses, which can say why. It is address
/// space, not memory.
const POOL_MEMORY_BYTES_MIN: u64 = 512 * 1024 * 1024;
/// See [`POOL_MEMORY_BYTES_MIN`].
const POOL_TABLE_ELEMENTS_MIN: u64 = 20_000;
/// Metadata of one instance: the largest known guest needs a third of it.
const INSTANCE_BYTES: usize = 1024 * 1024;
/// Resident memory kept per slot, so that small guests start without page faults.
const RESIDENT_MEMORY_BYTES: usize = 512 * 1024;
/// Resident table memory kept per slot, likewise.
const RESIDENT_TABLE_BYTES: usize = 64 * 1024;
/// Slots that stay warm: more would keep memory that an idle server has better uses for.
const WARM_SLOTS_MAX: u32 = 32;
/// Slots given back to the system together: each run gives back what it took itself. In a batch, whoever fills it would
/// pay for the others, with the address space locked all the while.
const DECOMMIT_BATCH: usize = 1;
/// Frames of a back-trace: a person reads the innermost ones.
const BACKTRACE_FRAMES: usize = 64;

/// What decides on the machine code: the same for the compiling and for the running process.
fn code_generation() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .consume_fuel(false)
        .cranelift_opt_level(OptLevel::Speed)
        .generate_address_map(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(BACKTRACE_FRAMES))
        .wasm_memory64(false)
        // No guest may have several: `inspect` sees to that. But the code that the engine itself writes between two
        // components within one, as JavaScript's are made, copies from one memory to another.
        .wasm_multi_memory(true)
        .wasm_relaxed_simd(false)
        .wasm_component_model(true)
        .concurrency_support(false)
        .memory_init_cow(true)
        .async_stack_size(FIBER_STACK_BYTES);
    config
}

/// The engine of the compiling process: it never runs anything.
pub(crate) fn compiling() -> Result<Engine, Error> {
    Engine::new(&code_generation()).map_err(failed)
}

/// The engine of the running process. Where the address space is too small for a pool of
/// instances, memory is taken on demand, which is slower and works the same.
pub(crate) fn running(limits: &Limits) -> Result<Engine, Error> {
    let mut config = code_generation();
    config.max_wasm_stack(length(limits.stack_bytes));
    let on_demand = config.clone();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    match Engine::new(&config) {
        Ok(engine) => Ok(engine),
        Err(error) => {
            warn!(%error, "no address space for a pool of instances, taking memory on demand");
            Engine::new(&on_demand).map_err(failed)
        }
    }
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    // Beside the runs of activities, those of policies and of notifiers.
    let runs = limits
        .concurrent_runs
        .saturating_add(2 * EXTENSION_RUNS as u64);
    let runs = u32::try_from(runs).unwrap_or(u32::MAX);
    let instances = u32::try_from(limits.instances).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(runs)
        // A number and no memory: as many as every run may have, since those of Python and JavaScript have a dozen.
        .total_core_instances(runs.saturating_mul(instances))
        .total_memories(runs.saturating_mul(2))
        .total_tables(runs.saturating_mul(4))
        .total_stacks(runs)
        .max_core_instances_per_component(instances)
        .max_memories_per_component(8)
        .max_tables_per_component(32)
        .max_component_instance_size(INSTANCE_BYTES)
        .max_core_instance_size(INSTANCE_BYTES)
        .max_memory_size(length(limits.memory_bytes.max(POOL_MEMORY_BYTES_MIN)))
        .table_elements(length(limits.table_elements.max(POOL_TABLE_ELEMENTS_MIN)))
        .max_unused_warm_slots(WARM_SLOTS_MAX.min(runs))
        .linear_memory_keep_resident(RESIDENT_MEMORY_BYTES)
        .table_keep_resident(RESIDENT_TABLE_BYTES)
        .decommit_batch_size(DECOMMIT_BATCH)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// A number that differs where machine code of the one engine does not fit the other.
pub(crate) fn compatibility(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

/// An error of the WebAssembly engine as one of ours.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that `map_err` asks for"
)]
pub(crate) fn failed(error: wasmtime::Error) -> Error {
    Error::Engine(format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_is_the_one_that_is_linked() {
        let (name, version) = RUNTIME.split_once(' ').unwrap();
        let locked = format!("name = \"{name}\"\nversion = \"{version}\"");
        assert!(
            include_str!("../../../Cargo.lock").contains(&locked),
            "{locked}"
        );
    }

    #[test]
    fn the_compiling_engine_makes_code_for_the_running_one() {
        let running = running(&Limits::default()).unwrap();
        assert_eq!(
            compatibility(&running),
            compatibility(&compiling().unwrap())
        );
    }
}
