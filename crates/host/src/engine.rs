//! The wasmtime engine: instances from a pool, epochs for fairness, compiled code kept on disk.

use crate::options::{Bounds, CompileCache};
use std::time::Duration;
use wasmtime::{
    Cache, CacheConfig, Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
};

/// How often a running guest gives way to others.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Memories one request may need: its component's, those composed into it, and those it reaches by chaining.
const MEMORIES_PER_REQUEST: usize = 12;

/// Core instances that a memory brings with it: the module and its adapters.
const CORES_PER_MEMORY: usize = 6;

/// An engine with the given bounds, and the thread that makes its guests yield.
pub(crate) fn engine(bounds: &Bounds, pooling: bool, cache: &CompileCache) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.wasm_component_model(true);
    config.memory_init_cow(true);
    config.cache(open_cache(cache)?);
    if pooling {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(bounds)));
    }
    let engine = Engine::new(&config)?;
    tick(&engine);
    Ok(engine)
}

fn open_cache(cache: &CompileCache) -> wasmtime::Result<Option<Cache>> {
    match cache {
        CompileCache::Off => Ok(None),
        CompileCache::Dir(dir) => {
            let mut config = CacheConfig::new();
            config.with_directory(dir);
            Cache::new(config).map(Some)
        }
        CompileCache::File(file) => Cache::from_file(Some(file)).map(Some),
    }
}

/// `linear_memory_keep_resident` pays only together with `pagemap_scan`, which finds the few pages
/// that must be reset; on a kernel without it wasmtime falls back by itself.
fn pool(bounds: &Bounds) -> PoolingAllocationConfig {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let memories = bounds.concurrency.saturating_mul(MEMORIES_PER_REQUEST);
    let cores = memories.saturating_mul(CORES_PER_MEMORY);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_memories(count(memories))
        .total_tables(count(memories.saturating_mul(2)))
        .total_stacks(count(memories))
        .total_component_instances(count(memories))
        .total_core_instances(count(cores))
        .max_memory_size(bounds.memory_bytes)
        .max_memories_per_component(64)
        .max_tables_per_component(128)
        .max_core_instances_per_component(512)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .table_elements(20_000)
        .max_unused_warm_slots(64)
        .linear_memory_keep_resident(512 << 10)
        .table_keep_resident(16 << 10)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Ends by itself when the engine is gone.
fn tick(engine: &Engine) {
    let engine = engine.weak();
    let ticker = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    };
    let spawned = std::thread::Builder::new().name("epoch".to_owned()).spawn(ticker);
    if let Err(error) = spawned {
        // Without it one endless guest would hold its thread for ever.
        panic!("cannot start the epoch thread: {error}");
    }
}
