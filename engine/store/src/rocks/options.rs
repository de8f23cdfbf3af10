//! How RocksDB is set up: every bound and why.

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, DBRecoveryMode,
    FlushOptions, LogLevel, Options, WriteOptions,
};

use super::TURNS;
use crate::Table;

const MIB: usize = 1024 * 1024;

/// Blocks of all column families. Releases that go on are in the engine's memory, so reads are rare
/// and an idle server shall stay small.
const BLOCK_CACHE_BYTES: usize = 16 * MIB;
/// What one column family gathers before it writes a file.
const WRITE_BUFFER_BYTES: usize = 4 * MIB;
/// What all of them gather together.
const WRITE_BUFFERS_BYTES: usize = 16 * MIB;
/// Values of one batch from which on they are not left in memory until more comes.
pub(super) const LARGE_BYTES: usize = MIB;
/// The write-ahead log, over all its files: bounds the time of the next start, which reads it whole.
const WAL_BYTES_MAX: u64 = 64 * MIB as u64;
/// Open table files; RocksDB opens others again when it needs them.
const OPEN_FILES_MAX: i32 = 256;
/// One thread that flushes and one that compacts.
const BACKGROUND_THREADS: i32 = 2;
/// RocksDB's own text log, for support: 4 files of 1 MiB.
const LOG_FILES_KEPT: usize = 4;
const LOG_FILE_BYTES_MAX: usize = MIB;
/// The list of files; the default of 1 GiB would grow for years.
const MANIFEST_BYTES_MAX: usize = 4 * MIB;
/// Data is handed to the disk in such portions, so that the sync of a commit does not queue behind the
/// whole file of a compaction.
const BYTES_PER_SYNC: u64 = MIB as u64;
/// Values from here on lie outside the sorted files, so that no compaction copies them.
const BLOB_BYTES_MIN: u64 = 16 * 1024;
/// One file of such values.
const BLOB_FILE_BYTES: u64 = 64 * MIB as u64;
/// About one in a hundred look-ups of a key that is not there reads the disk.
const BLOOM_BITS_PER_KEY: f64 = 10.0;

/// Options of the database as a whole.
pub(super) fn database() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    // Only a last record that is torn is what a crash leaves behind, and it was never acknowledged.
    // Damage before it means that the disk lost acknowledged commits: `PointInTime`, the default, would
    // silently drop all that follows it, where this mode refuses to open.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    // A log file that is missing or shorter than it was is found out, too.
    options.set_track_and_verify_wals_in_manifest(true);
    options.set_max_total_wal_size(WAL_BYTES_MAX);
    options.set_db_write_buffer_size(WRITE_BUFFERS_BYTES);
    options.set_bytes_per_sync(BYTES_PER_SYNC);
    options.set_max_open_files(OPEN_FILES_MAX);
    options.set_max_file_opening_threads(1);
    options.set_max_background_jobs(BACKGROUND_THREADS);
    options.set_max_manifest_file_size(MANIFEST_BYTES_MAX);
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(LOG_FILES_KEPT);
    options.set_max_log_file_size(LOG_FILE_BYTES_MAX);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options
}

/// The name of every column family that the format has.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    // RocksDB insists on a family of this first name; nothing is kept in it.
    let tables = Table::ALL.into_iter().map(Table::name);
    ["default", TURNS].into_iter().chain(tables)
}

/// Every column family that the format has, with its options.
pub(super) fn families() -> Vec<ColumnFamilyDescriptor> {
    let cache = Cache::new_lru_cache(BLOCK_CACHE_BYTES);
    names()
        .map(|name| {
            let large_values = name == Table::Blobs.name();
            ColumnFamilyDescriptor::new(name, family(&cache, large_values))
        })
        .collect()
}

fn family(cache: &Cache, large_values: bool) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    blocks.set_bloom_filter(BLOOM_BITS_PER_KEY, false);
    let mut options = Options::default();
    options.set_block_based_table_factory(&blocks);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_write_buffer_size(WRITE_BUFFER_BYTES);
    if large_values {
        options.set_enable_blob_files(true);
        options.set_min_blob_size(BLOB_BYTES_MIN);
        options.set_blob_file_size(BLOB_FILE_BYTES);
        options.set_blob_compression_type(DBCompressionType::Lz4);
        options.set_enable_blob_gc(true);
    }
    options
}

/// Options of a commit: it returns when the write-ahead log is on disk.
pub(super) fn synced() -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(true);
    options
}

/// Options of a flush that nobody waits for.
pub(super) fn in_the_background() -> FlushOptions {
    let mut options = FlushOptions::default();
    options.set_wait(false);
    options
}
