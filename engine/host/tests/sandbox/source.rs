//! Guests written in WAT against the canonical ABI: small enough to be put together for one test.

/// A descriptor that demands nothing but to record what the tests record.
pub(crate) const DESCRIPTOR: &str = r#"{"name":"probe","version":"1.2.3","outputs":{},"capabilities":{"evidence":["deployment","link"]}}"#;

/// The body of a `run` that succeeds without outputs.
pub(crate) const SUCCEED: &str = "(call $succeed «{}»)";

/// What every guest imports.
const IMPORTS: &str = r#"
  (import "fermata:activity/log@0.1.0" "write" (func $log (param i32 i32 i32)))
  (import "fermata:activity/http@0.1.0" "send"
    (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "fermata:activity/secrets@0.1.0" "handle" (func $handle (param i32 i32 i32)))
"#;

/// How a guest of one world is called.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) interface: &'static str,
    pub(crate) function: &'static str,
    /// The parameters of the function, flat.
    pub(crate) params: &'static str,
    /// What only this world may import.
    pub(crate) imports: &'static str,
}

pub(crate) const ACTIVITY: Shape = Shape {
    interface: "fermata:activity/run@0.1.0",
    function: "run",
    params: "i32",
    imports: r#"
  (import "fermata:activity/progress@0.1.0" "report" (func $report (param i32 i32 i32 i32)))
  (import "fermata:activity/evidence@0.1.0" "record" (func $record (param i32 i32 i32 i32 i32)))
"#,
};

/// What every guest has: an allocator that never frees, and ways to answer.
const PRELUDE: &str = r#"
  (memory (export "memory") 2)
  (global $next (mut i32) (i32.const 65536))
  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (local.set $at (global.get $next))
    (global.set $next (i32.add (global.get $next) (local.get 3)))
    (block $fits (loop $grow
      (br_if $fits (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
      (br_if $grow (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))
      unreachable))
    (local.get $at))
  (func $succeed (param $at i32) (param $len i32) (result i32)
    (i32.store8 (i32.const 1024) (i32.const 0)) (i32.store8 (i32.const 1032) (i32.const 0))
    (i32.store (i32.const 1040) (local.get $at)) (i32.store (i32.const 1044) (local.get $len))
    (i32.const 1024))
  (func $fail (param $retry i32) (param $at i32) (param $len i32) (result i32)
    (i32.store8 (i32.const 1024) (i32.const 1)) (i32.store8 (i32.const 1032) (i32.eqz (local.get $retry)))
    (i32.store (i32.const 1040) (local.get $at)) (i32.store (i32.const 1044) (local.get $len))
    (i32.store8 (i32.const 1048) (i32.const 0)) (i32.store8 (i32.const 1060) (i32.const 0))
    (i32.store8 (i32.const 1072) (local.get $retry)) (i64.store (i32.const 1080) (i64.const 1500))
    (i32.const 1024))
  (func $suspend (param $at i32) (param $len i32) (param $signal i32) (result i32)
    (i32.store8 (i32.const 1024) (i32.const 0)) (i32.store8 (i32.const 1032) (i32.const 1))
    (i32.store (i32.const 1040) (local.get $at)) (i32.store (i32.const 1044) (local.get $len))
    (i32.store8 (i32.const 1048) (local.get $signal)) (i64.store (i32.const 1056) (i64.const 2000))
    (if (local.get $signal) (then
      (i32.store (i32.const 1056) (local.get $at)) (i32.store (i32.const 1060) (local.get $len))))
    (i32.store8 (i32.const 1064) (i32.const 0))
    (i32.const 1024))
  ;; Sends a request without body; succeeds with the answer's body, or fails with the error's text.
  (func $call (param $url i32) (param $len i32) (param $headers i32) (param $count i32) (result i32)
    (call $send «GET» (local.get $url) (local.get $len) (local.get $headers) (local.get $count)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2048))
    (if (result i32) (i32.load8_u (i32.const 2048))
      (then (if (result i32) (i32.eq (i32.load8_u (i32.const 2056)) (i32.const 2))
        (then (call $fail (i32.const 0) «timeout»))
        (else (if (result i32) (i32.eq (i32.load8_u (i32.const 2056)) (i32.const 4))
          (then (call $fail (i32.const 0) «too large»))
          (else (call $fail (i32.const 0) (i32.load (i32.const 2064)) (i32.load (i32.const 2068))))))))
      (else (call $succeed (i32.load (i32.const 2068)) (i32.load (i32.const 2072))))))
  ;; Puts a header with the handle of a secret at 3072, or fails.
  (func $with_secret (param $name i32) (param $len i32) (param $url i32) (param $url_len i32) (result i32)
    (call $handle (local.get $name) (local.get $len) (i32.const 3000))
    (if (result i32) (i32.load8_u (i32.const 3000))
      (then (call $fail (i32.const 0) (i32.load (i32.const 3008)) (i32.load (i32.const 3012))))
      (else
        (call $log (i32.const 1) (i32.load (i32.const 3004)) (i32.load (i32.const 3008)))
        (call $header «authorization» (i32.load (i32.const 3004)) (i32.load (i32.const 3008)))
        (call $call (local.get $url) (local.get $url_len) (i32.const 3072) (i32.const 1)))))
  (func $header (param i32 i32 i32 i32)
    (i32.store (i32.const 3072) (local.get 0)) (i32.store (i32.const 3076) (local.get 1))
    (i32.store (i32.const 3080) (local.get 2)) (i32.store (i32.const 3084) (local.get 3)))
"#;

/// The parts of a guest, as WAT. `«text»` stands for the address and the length of a text.
pub(crate) struct Source<'a> {
    pub(crate) world: &'a Shape,
    pub(crate) descriptor: &'a str,
    pub(crate) imports: &'a str,
    pub(crate) more: &'a str,
    /// What `describe` does before it answers.
    pub(crate) describe: &'a str,
    /// The body of `run`, or of what the world has in its place; the local 0 of `run` points to the parameters.
    pub(crate) run: &'a str,
}

impl Default for Source<'_> {
    fn default() -> Self {
        Self {
            world: &ACTIVITY,
            descriptor: DESCRIPTOR,
            imports: "",
            more: "",
            describe: "",
            run: SUCCEED,
        }
    }
}

impl Source<'_> {
    /// The core module.
    pub(crate) fn module(&self) -> Vec<u8> {
        let Self {
            world,
            descriptor,
            imports,
            more,
            describe,
            run,
        } = self;
        let Shape {
            interface,
            function,
            params,
            imports: of_world,
        } = world;
        let template = format!(
            r#"(module $probe {IMPORTS} {of_world} {imports} {PRELUDE} {more}
              (func $describe (export "{interface}#describe") (result i32)
                {describe} (i32.store (i32.const 512) (i32.const DESCRIPTOR_AT)) (i32.store (i32.const 516) (i32.const {len}))
                (i32.const 512))
              (func $run (export "{interface}#{function}") (param {params}) (result i32) {run})
              DATA)"#,
            len = descriptor.len()
        );
        wat::parse_str(interned(&template, descriptor)).unwrap()
    }
}

/// A guest whose `run` has this body.
pub(crate) fn guest(run: &str) -> Vec<u8> {
    Source {
        run,
        ..Source::default()
    }
    .module()
}

/// Texts begin here; everything below is scratch space.
const TEXTS_AT: usize = 8192;

fn interned(template: &str, descriptor: &str) -> String {
    let mut at = TEXTS_AT;
    let mut data = String::new();
    let mut place = |text: &str| {
        let escaped: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        data += &format!("(data (i32.const {at}) \"{escaped}\")\n");
        at += text.len();
        at - text.len()
    };
    let mut parts = template.split('«');
    let mut wat = parts.next().unwrap().to_owned();
    for part in parts {
        let (text, rest) = part.split_once('»').unwrap();
        wat += &format!(
            "(i32.const {}) (i32.const {}){rest}",
            place(text),
            text.len()
        );
    }
    let wat = wat.replace("DESCRIPTOR_AT", &place(descriptor).to_string());
    wat.replace("DATA", &data)
}
