//! The command line: arguments in, an exit code out. Everything but `serve` and what works on a
//! data directory goes through the HTTP API, as any other client would.

pub(crate) mod args;
pub(crate) mod error;
pub(crate) mod grant;
pub(crate) mod out;
pub(crate) mod values;

mod access;
mod act;
mod attempt;
mod backup;
mod component;
mod definition;
mod diagnostic;
mod difference;
mod doctor;
mod events;
mod inbox;
mod input_set;
mod ledger;
mod lock;
mod logs;
mod notifier;
mod pages;
mod policy;
mod process;
mod project;
mod rehearse;
mod release;
mod rollback;
mod screen;
mod script_grants;
mod secret;
mod signal;
mod table;
mod text;
mod tree;
mod upload;
mod watch;
mod why;

use std::path::Path;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};
use serde_json::{Value, json};

use crate::client::{Client, token};
use crate::exit::Exit;
use crate::{serve, wire};
use args::{Cli, Command, ComponentCommand, GlobalArgs};
use error::Error;
use out::Out;

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Context {
    /// What every command understands.
    pub(crate) global: GlobalArgs,
    /// Where it prints to.
    pub(crate) out: Out,
}

impl Context {
    /// A client for the server that was named.
    pub(crate) fn client(&self) -> Result<Client, Error> {
        let global = &self.global;
        let token = token::find(
            global.token.as_deref(),
            global.token_file.as_deref(),
            Path::new(token::BOOTSTRAP_FILE),
            &global.server,
        )?;
        Ok(Client::new(&global.server, token, global.timeout)?)
    }
}

/// Reads the command line, does what it says, and tells the shell how it went.
pub(crate) fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    match Cli::from_arg_matches(&matches) {
        Ok(mut cli) => {
            prefer_flags(&mut cli.global, &matches);
            match &cli.command {
                Command::Serve(args) => serve::serve(args).into(),
                Command::CompileComponent => wire::compile_component(),
                _ => run(cli).into(),
            }
        }
        Err(error) => error.exit(),
    }
}

/// A token file on the command line goes before a token in the environment.
fn prefer_flags(global: &mut GlobalArgs, matches: &ArgMatches) {
    let from = |name: &str| matches.value_source(name);
    if from("token_file") == Some(ValueSource::CommandLine)
        && from("token") == Some(ValueSource::EnvVariable)
    {
        global.token = None;
    }
}

/// Does what the command line says.
pub(crate) fn run(cli: Cli) -> Exit {
    let out = Out::standard(cli.global.output);
    let mut context = Context {
        global: cli.global,
        out,
    };
    let outcome = ask(&mut context, cli.command);
    settle(&mut context.out, outcome)
}

/// The exit code for how a command ended; says what went wrong.
fn settle(out: &mut Out, outcome: Result<Exit, Error>) -> Exit {
    match outcome {
        Ok(exit) => exit,
        // Whoever read the answer has seen enough.
        Err(error) if error.is_closed_pipe() => Exit::Ok,
        Err(error) => {
            // If even standard error is closed, the exit code still tells.
            drop(out.error(&error));
            error.exit()
        }
    }
}

/// Runs a command that asks the server.
fn ask(context: &mut Context, command: Command) -> Result<Exit, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(dispatch(context, command))
}

async fn dispatch(context: &mut Context, command: Command) -> Result<Exit, Error> {
    match command {
        Command::Process(command) => process::run(context, command).await?,
        Command::Component(ComponentCommand::New(args)) => project::new(context, &args)?,
        Command::Component(ComponentCommand::Build { folder }) => project::build(context, &folder)?,
        Command::Component(ComponentCommand::Test(args)) => {
            return project::test(context, &args).await;
        }
        Command::Component(command) => component::run(context, command).await?,
        Command::Definition(command) => definition::run(context, command).await?,
        Command::Rehearse(args) => return rehearse::run(context, &args).await,
        Command::Release(command) => return release::run(context, command).await,
        Command::Attempt(command) => attempt::run(context, &command).await?,
        Command::Inbox(args) => inbox::run(context, &args).await?,
        Command::Ledger(args) => ledger::run(context, &args).await?,
        Command::Lock(command) => lock::run(context, command).await?,
        Command::Policy(command) => return policy::run(context, *command).await,
        Command::Secret(command) => secret::run(context, command).await?,
        Command::Notifier(command) => return notifier::run(context, command).await,
        Command::Token(command) => access::token(context, command).await?,
        Command::Principal(command) => access::principal(context, command).await?,
        Command::Backup(args) => backup::backup(context, &args).await?,
        Command::Restore(args) => backup::restore(context, &args)?,
        Command::Doctor => return doctor::run(context).await,
        Command::Completions { shell } => completions(context, shell)?,
        Command::Version => version(context)?,
        Command::Serve(_) | Command::CompileComponent => {
            unreachable!("`main` keeps the commands that ask no server")
        }
    }
    Ok(Exit::Ok)
}

/// The entries of a list.
fn items(answer: &Value) -> impl Iterator<Item = &Value> {
    list(answer, "items")
}

/// The entries of the list under `name`; none if there is no such list.
fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn completions(context: &mut Context, shell: clap_complete::Shell) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "fermata", &mut script);
    context.out.raw(&String::from_utf8_lossy(&script))
}

fn version(context: &mut Context) -> Result<(), Error> {
    let version = env!("CARGO_PKG_VERSION");
    if context.out.is_json() {
        context.out.json(&json!({ "version": version }))
    } else {
        context.out.line(&format!("fermata {version}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The token that is left after flags have gone before the environment.
    fn token_left(line: &str) -> Option<String> {
        let matches = Cli::command()
            .try_get_matches_from(line.split_whitespace())
            .expect("valid");
        let mut cli = Cli::from_arg_matches(&matches).expect("valid");
        prefer_flags(&mut cli.global, &matches);
        cli.global.token
    }

    #[test]
    fn a_token_on_the_command_line_stays() {
        for line in [
            "fermata doctor --token t",
            "fermata --token t doctor",
            "fermata doctor --token t --token-file f",
            "fermata release list --token t",
        ] {
            assert_eq!(token_left(line).as_deref(), Some("t"), "{line}");
        }
    }
}
