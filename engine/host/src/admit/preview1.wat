;; WASI preview 1 for core modules whose language runtime insists on it: no files, no arguments, no environment. What goes
;; to standard output or standard error goes to the log.
;;
;; A runtime may ask for the time or for random numbers while the host is handing it a value, when nothing may call out.
;; So each is asked for once, which runtimes do when they start, and goes on by itself from there: the clock moves on by a
;; microsecond whenever it is read, and the numbers are a sequence from a random seed. Secrets need a better source.
(module
  (import "env" "memory" (memory 0))
  (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $get_stdout (result i32)))
  (import "wasi:cli/stderr@0.2.0" "get-stderr" (func $get_stderr (result i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
    (func $print (param $stream i32) (param $at i32) (param $len i32) (param $result i32)))
  (import "wasi:clocks/wall-clock@0.2.0" "now" (func $now (param $result i32)))
  (import "wasi:random/random@0.2.0" "get-random-u64" (func $seed (result i64)))

  (global $time (mut i64) (i64.const 0))
  (global $random (mut i64) (i64.const 0))
  (global $stdout (mut i32) (i32.const -1))
  (global $stderr (mut i32) (i32.const -1))

  (func (export "sched_yield") (result i32) (i32.const 0))
  (func (export "proc_exit") (param i32) unreachable)
  (func (export "proc_raise") (param i32) (result i32) unreachable)
  (func (export "args_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "args_sizes_get") (param i32 i32) (result i32)
    (i32.store (local.get 0) (i32.const 0)) (i32.store (local.get 1) (i32.const 0)) (i32.const 0))
  (func (export "environ_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "environ_sizes_get") (param i32 i32) (result i32)
    (i32.store (local.get 0) (i32.const 0)) (i32.store (local.get 1) (i32.const 0)) (i32.const 0))

  ;; The host writes its answers to the beginning of memory, where nothing of the module's may be lost: what is there is
  ;; put back.
  (func $start_clock
    (local $first i64) (local $second i64)
    (local.set $first (i64.load (i32.const 0)))
    (local.set $second (i64.load (i32.const 8)))
    (call $now (i32.const 0))
    (global.set $time (i64.add
      (i64.mul (i64.load (i32.const 0)) (i64.const 1000000000))
      (i64.load32_u (i32.const 8))))
    (i64.store (i32.const 0) (local.get $first))
    (i64.store (i32.const 8) (local.get $second)))
  (func (export "clock_time_get") (param $clock i32) (param $precision i64) (param $result i32) (result i32)
    (if (i64.eqz (global.get $time)) (then (call $start_clock)))
    (global.set $time (i64.add (global.get $time) (i64.const 1000)))
    (i64.store (local.get $result) (global.get $time)) (i32.const 0))
  (func (export "clock_res_get") (param i32 i32) (result i32)
    (i64.store (local.get 1) (i64.const 1000)) (i32.const 0))
  (func (export "random_get") (param $at i32) (param $len i32) (result i32)
    (local $end i32)
    (if (i64.eqz (global.get $random)) (then (global.set $random (call $seed))))
    (local.set $end (i32.add (local.get $at) (local.get $len)))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (global.set $random
        (i64.add (i64.mul (global.get $random) (i64.const 6364136223846793005)) (i64.const 1442695040888963407)))
      (i32.store8 (local.get $at) (i32.wrap_i64 (i64.shr_u (global.get $random) (i64.const 33))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
    (i32.const 0))

  ;; The stream of a file descriptor; -1 if it has none.
  (func $stream (param $fd i32) (result i32)
    (if (i32.eq (local.get $fd) (i32.const 1)) (then
      (if (i32.eq (global.get $stdout) (i32.const -1)) (then (global.set $stdout (call $get_stdout))))
      (return (global.get $stdout))))
    (if (i32.eq (local.get $fd) (i32.const 2)) (then
      (if (i32.eq (global.get $stderr) (i32.const -1)) (then (global.set $stderr (call $get_stderr))))
      (return (global.get $stderr))))
    (i32.const -1))
  ;; At most 4,096 bytes at a time, as the stream says. Whether the log has room is no concern of the module's.
  (func $write (param $stream i32) (param $at i32) (param $len i32)
    (local $part i32) (local $first i64) (local $second i64)
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $len)))
      (local.set $part (select (local.get $len) (i32.const 4096) (i32.lt_u (local.get $len) (i32.const 4096))))
      (local.set $first (i64.load (i32.const 0)))
      (local.set $second (i64.load (i32.const 8)))
      (call $print (local.get $stream) (local.get $at) (local.get $part) (i32.const 0))
      (i64.store (i32.const 0) (local.get $first))
      (i64.store (i32.const 8) (local.get $second))
      (local.set $at (i32.add (local.get $at) (local.get $part)))
      (local.set $len (i32.sub (local.get $len) (local.get $part)))
      (br $next))))
  (func (export "fd_write") (param $fd i32) (param $vectors i32) (param $count i32) (param $written i32) (result i32)
    (local $stream i32) (local $sum i32)
    (local.set $stream (call $stream (local.get $fd)))
    (if (i32.eq (local.get $stream) (i32.const -1)) (then (return (i32.const 8))))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (call $write (local.get $stream) (i32.load (local.get $vectors)) (i32.load offset=4 (local.get $vectors)))
      (local.set $sum (i32.add (local.get $sum) (i32.load offset=4 (local.get $vectors))))
      (local.set $vectors (i32.add (local.get $vectors) (i32.const 8)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next)))
    (i32.store (local.get $written) (local.get $sum)) (i32.const 0))
  ;; Standard input, output and error are character devices that can be written to: so libraries write line by line.
  (func (export "fd_fdstat_get") (param $fd i32) (param $result i32) (result i32)
    (if (i32.gt_u (local.get $fd) (i32.const 2)) (then (return (i32.const 8))))
    (i64.store (local.get $result) (i64.const 2))
    (i64.store offset=8 (local.get $result) (i64.const 64))
    (i64.store offset=16 (local.get $result) (i64.const 0))
    (i32.const 0))

  ;; 8: no such file descriptor; 52: not offered; 70: cannot seek.
  (func (export "fd_close") (param i32) (result i32) (i32.const 8))
  (func (export "fd_fdstat_set_flags") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_prestat_get") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_prestat_dir_name") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_read") (param i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_seek") (param i32 i64 i32 i32) (result i32) (i32.const 70))
  (func (export "fd_advise") (param i32 i64 i64 i32) (result i32) (i32.const 52))
  (func (export "fd_allocate") (param i32 i64 i64) (result i32) (i32.const 52))
  (func (export "fd_datasync") (param i32) (result i32) (i32.const 52))
  (func (export "fd_fdstat_set_rights") (param i32 i64 i64) (result i32) (i32.const 52))
  (func (export "fd_filestat_get") (param i32 i32) (result i32) (i32.const 52))
  (func (export "fd_filestat_set_size") (param i32 i64) (result i32) (i32.const 52))
  (func (export "fd_filestat_set_times") (param i32 i64 i64 i32) (result i32) (i32.const 52))
  (func (export "fd_pread") (param i32 i32 i32 i64 i32) (result i32) (i32.const 52))
  (func (export "fd_pwrite") (param i32 i32 i32 i64 i32) (result i32) (i32.const 52))
  (func (export "fd_readdir") (param i32 i32 i32 i64 i32) (result i32) (i32.const 52))
  (func (export "fd_renumber") (param i32 i32) (result i32) (i32.const 52))
  (func (export "fd_sync") (param i32) (result i32) (i32.const 52))
  (func (export "fd_tell") (param i32 i32) (result i32) (i32.const 52))
  (func (export "path_create_directory") (param i32 i32 i32) (result i32) (i32.const 52))
  (func (export "path_filestat_get") (param i32 i32 i32 i32 i32) (result i32) (i32.const 52))
  (func (export "path_filestat_set_times") (param i32 i32 i32 i32 i64 i64 i32) (result i32) (i32.const 52))
  (func (export "path_link") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 52))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 52))
  (func (export "path_readlink") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 52))
  (func (export "path_remove_directory") (param i32 i32 i32) (result i32) (i32.const 52))
  (func (export "path_rename") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 52))
  (func (export "path_symlink") (param i32 i32 i32 i32 i32) (result i32) (i32.const 52))
  (func (export "path_unlink_file") (param i32 i32 i32) (result i32) (i32.const 52))
  (func (export "poll_oneoff") (param i32 i32 i32 i32) (result i32) (i32.const 52))
  (func (export "sock_accept") (param i32 i32 i32) (result i32) (i32.const 52))
  (func (export "sock_recv") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 52))
  (func (export "sock_send") (param i32 i32 i32 i32 i32) (result i32) (i32.const 52))
  (func (export "sock_shutdown") (param i32 i32) (result i32) (i32.const 52)))
