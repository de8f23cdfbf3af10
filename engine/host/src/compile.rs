//! Compilation, in a process of its own: a hostile component can exhaust the compiler, but nothing else.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;

use crate::engine;
use crate::error::{AdmitError, Error};
use crate::limits::{Limits, length};
use crate::rejection::{COMPILE_WALL, Rejection};

/// Compilers at once: each uses as many cores as there are, up to [`COMPILE_THREADS`].
const COMPILERS_MAX: usize = 2;
/// Threads of one compiler, so that an upload leaves room for the runs.
const COMPILE_THREADS: &str = "2";
/// How far the compiler stands back behind the engine for processor time.
const NICENESS: i32 = 10;
/// What is read of a compiler's complaint.
const COMPLAINT_BYTES_MAX: u64 = 4 * 1024;
/// The compiler understood the bytes and refused them.
const EXIT_REFUSED: u8 = 65;
/// The compiler could not do its work.
const EXIT_FAILED: u8 = 70;
/// The compiler panicked, which it does where it gets no memory, or over bytes that nobody has thought of.
const EXIT_PANICKED: u8 = 101;
/// Signals by which the system ends a compiler that reached its limits.
const SIGNAL_ABORT: i32 = 6;
const SIGNAL_KILL: i32 = 9;
const SIGNAL_CPU: i32 = 24;

/// How components are compiled.
#[derive(Clone, Debug)]
pub enum Compiler {
    /// By a process that calls [`compile_child_main`].
    Child {
        /// The program.
        program: PathBuf,
        /// Its arguments.
        args: Vec<OsString>,
    },
    /// In this process: for tests, and for nobody who takes uploads from others.
    InProcess,
}

/// Compiles, at most two components at a time.
#[derive(Debug)]
pub(crate) struct Compilation {
    compiler: Compiler,
    slots: Semaphore,
    limits: Limits,
}

impl Compilation {
    pub(crate) fn new(compiler: Compiler, limits: Limits) -> Self {
        Self {
            compiler,
            slots: Semaphore::new(COMPILERS_MAX),
            limits,
        }
    }

    /// Native code of the `component`.
    pub(crate) async fn compile(&self, component: Vec<u8>) -> Result<Vec<u8>, AdmitError> {
        let _slot = self
            .slots
            .acquire()
            .await
            .expect("the semaphore is never closed");
        match &self.compiler {
            Compiler::InProcess => tokio::task::spawn_blocking(move || in_process(&component))
                .await
                .map_err(|error| Error::Compiler(error.to_string()))?,
            Compiler::Child { program, args } => {
                let mut command = Command::new(program);
                command.args(args);
                self.in_child(command, component).await
            }
        }
    }

    async fn in_child(
        &self,
        mut command: Command,
        component: Vec<u8>,
    ) -> Result<Vec<u8>, AdmitError> {
        let mut child = command
            .env_clear()
            .env("RAYON_NUM_THREADS", COMPILE_THREADS)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Error::Compiler(error.to_string()))?;
        let wall = Duration::from_millis(self.limits.compile_wall.0);
        match tokio::time::timeout(wall, converse(&mut child, &component, &self.limits)).await {
            Ok(answer) => answer,
            Err(_) => Err(limit(
                COMPILE_WALL,
                format!("it took more than {} s", wall.as_secs()),
            )),
        }
    }
}

fn limit(limit: &'static str, reason: String) -> AdmitError {
    Rejection::CompileLimit { limit, reason }.into()
}

fn in_process(component: &[u8]) -> Result<Vec<u8>, AdmitError> {
    let engine = engine::compiling()?;
    engine
        .precompile_component(component)
        .map_err(|error| invalid(format!("{error:#}")))
}

fn invalid(reason: String) -> AdmitError {
    Rejection::Invalid { reason }.into()
}

async fn converse(
    child: &mut Child,
    component: &[u8],
    limits: &Limits,
) -> Result<Vec<u8>, AdmitError> {
    let stdin = child.stdin.take().expect("piped above");
    let stdout = child.stdout.take().expect("piped above");
    let stderr = child.stderr.take().expect("piped above");
    // Reading ends the conversation as soon as there is too much; a child that ends early is no error of the writer.
    let (written, native, complaint) = tokio::try_join!(
        async { Ok(hand_over(stdin, component, limits).await) },
        native(stdout, limits.native_bytes),
        async {
            let mut complaint = Vec::new();
            let read = stderr
                .take(COMPLAINT_BYTES_MAX)
                .read_to_end(&mut complaint)
                .await;
            read.map(|_| complaint).map_err(unusable)
        }
    )?;
    let status = child.wait().await.map_err(unusable)?;
    if status.success() {
        written.map_err(unusable)?;
        return Ok(native);
    }
    let complaint = String::from_utf8_lossy(&complaint).trim().to_owned();
    Err(explain(status, complaint))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that `map_err` asks for"
)]
fn unusable(error: std::io::Error) -> AdmitError {
    Error::Compiler(error.to_string()).into()
}

/// The native code that the child writes.
async fn native(stdout: ChildStdout, bytes_max: u64) -> Result<Vec<u8>, AdmitError> {
    let mut native = Vec::new();
    stdout
        .take(bytes_max + 1)
        .read_to_end(&mut native)
        .await
        .map_err(unusable)?;
    if native.len() as u64 > bytes_max {
        return Err(limit(
            "native",
            format!("the native code has more than {bytes_max} bytes"),
        ));
    }
    Ok(native)
}

/// Tells the child its limits and then the component.
async fn hand_over(
    mut stdin: ChildStdin,
    component: &[u8],
    limits: &Limits,
) -> std::io::Result<()> {
    stdin
        .write_all(&limits.compile_memory_bytes.to_le_bytes())
        .await?;
    stdin.write_all(&limits.compile_cpu.0.to_le_bytes()).await?;
    stdin.write_all(component).await
}

/// Why the compiler ended without code.
fn explain(status: std::process::ExitStatus, complaint: String) -> AdmitError {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) if code == i32::from(EXIT_REFUSED) => invalid(complaint),
        (Some(code), _) if code == i32::from(EXIT_PANICKED) => limit(
            "compile-memory",
            format!("the compiler gave up: {complaint}"),
        ),
        (_, Some(SIGNAL_CPU | SIGNAL_KILL)) => {
            limit("compile-cpu", "the processor time was used up".into())
        }
        (_, Some(SIGNAL_ABORT)) => limit("compile-memory", "the memory was used up".into()),
        (_, Some(signal)) => limit(
            "compile-memory",
            format!("the compiler was ended by signal {signal}"),
        ),
        _ => Error::Compiler(format!("{status}: {complaint}")).into(),
    }
}

/// The compiling process: reads a component from standard input and writes native code to standard output.
///
/// Call it before anything else is set up: it has to run in a process without threads, secrets or open files.
pub fn compile_child_main() -> ExitCode {
    match child() {
        Ok(native) => match std::io::stdout().lock().write_all(&native) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::from(EXIT_FAILED),
        },
        Err(error) => {
            let code = if matches!(error, AdmitError::Rejected(_)) {
                EXIT_REFUSED
            } else {
                EXIT_FAILED
            };
            let text = match error {
                AdmitError::Rejected(Rejection::Invalid { reason }) => reason,
                other => other.to_string(),
            };
            // Nobody is left to tell if the parent has gone.
            drop(std::io::stderr().write_all(text.as_bytes()));
            ExitCode::from(code)
        }
    }
}

fn child() -> Result<Vec<u8>, AdmitError> {
    let failed = |error: std::io::Error| Error::Compiler(error.to_string());
    let mut stdin = std::io::stdin().lock();
    let mut number = [0; 8];
    stdin.read_exact(&mut number).map_err(failed)?;
    let memory_bytes = u64::from_le_bytes(number);
    stdin.read_exact(&mut number).map_err(failed)?;
    let cpu_seconds = u64::from_le_bytes(number).div_ceil(1000);
    restrict(memory_bytes, cpu_seconds).map_err(failed)?;
    let mut component = Vec::new();
    stdin
        .take(length(memory_bytes) as u64)
        .read_to_end(&mut component)
        .map_err(failed)?;
    in_process(&component)
}

fn restrict(memory_bytes: u64, cpu_seconds: u64) -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, nice, setrlimit};
    let both = |value| Rlimit {
        current: Some(value),
        maximum: Some(value),
    };
    setrlimit(Resource::As, both(memory_bytes))?;
    setrlimit(Resource::Core, both(0))?;
    // The soft limit ends the process by a signal that names its cause; the hard one is a second later.
    setrlimit(
        Resource::Cpu,
        Rlimit {
            current: Some(cpu_seconds),
            maximum: Some(cpu_seconds + 1),
        },
    )?;
    nice(NICENESS)?;
    Ok(())
}
