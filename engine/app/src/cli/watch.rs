//! Following a release until it ends: on a terminal as a tree that is drawn again, elsewhere as one
//! line for each change. The event stream only says that something changed; what is shown is
//! always the whole release as the server has it, so a lost event cannot make it wrong.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, sleep, sleep_until, timeout};

use super::Context;
use super::error::Error;
use super::screen::{self, Screen};
use super::text::Paint;
use super::tree::{self, Look, changes::changes};
use crate::client::sse::{Events, Next};
use crate::client::view::Release;
use crate::client::{self, Call, Client};
use crate::exit::Exit;
use crate::wire;

/// How long events are gathered before the release is read again.
const COALESCE: Duration = Duration::from_millis(100);
/// How often a terminal is drawn again, for the spans that grow.
const REDRAW: Duration = Duration::from_millis(250);
/// How long a stream may be silent before it is taken for dead; the server keeps it alive.
const SILENCE: Duration = Duration::from_mins(1);
/// First and longest pause before the server is asked again after the connection was lost.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// How long a server that is gone is waited for: long enough for a restart or an upgrade.
const PATIENCE: Duration = Duration::from_mins(10);

/// How the release is shown while it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// A tree that is drawn again.
    Screen,
    /// One line for each change.
    Lines,
    /// The whole release as one JSON line, for each change.
    Json,
    /// Nothing until it ends.
    Quiet,
}

/// What to follow, and when to stop.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// The release.
    pub(super) id: String,
    /// Whether to show nothing until the end.
    pub(super) quiet: bool,
    /// When to stop before the end.
    pub(super) stop: Stop,
}

/// When to stop following a release that has not ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stop {
    /// When something is on hold and nothing else moves.
    pub(super) on_hold: bool,
    /// When people must decide and nothing else moves.
    pub(super) on_people: bool,
}

/// Follows a release; the exit code says how it ended.
pub(super) async fn follow(
    context: &mut Context,
    client: &Client,
    wish: Wish,
) -> Result<Exit, Error> {
    let mode = match (wish.quiet, context.out.is_json(), context.out.is_terminal()) {
        (true, ..) => Mode::Quiet,
        (_, true, _) => Mode::Json,
        (_, _, true) => Mode::Screen,
        (_, _, false) => Mode::Lines,
    };
    let mut watch = Watch {
        context,
        client,
        wish,
        mode,
        screen: Screen::default(),
        shown: None,
        lost: None,
    };
    watch.run().await
}

struct Watch<'a> {
    context: &'a mut Context,
    client: &'a Client,
    wish: Wish,
    mode: Mode,
    screen: Screen,
    shown: Option<(Release, Value)>,
    lost: Option<(Instant, Duration)>,
}

impl Watch<'_> {
    async fn run(&mut self) -> Result<Exit, Error> {
        loop {
            let heard = match self.refresh().await {
                Ok(Some(exit)) => return self.finish(exit),
                Ok(None) => self.listen().await,
                Err(error) => Err(error),
            };
            match heard {
                Ok(Some(exit)) => return self.finish(exit),
                // The server ends a stream when the release ends; it must not be asked in a rush.
                Ok(None) => sleep(PAUSE.0).await,
                Err(Error::Client(error)) if error.may_pass() => self.pause(error).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads the release and shows it; gives the exit code if there is nothing more to wait for.
    async fn refresh(&mut self) -> Result<Option<Exit>, Error> {
        let body = self
            .client
            .json(Call::get(&["releases", &self.wish.id]))
            .await?;
        let release = Release::parse(&body).map_err(|error| Error::Failed {
            what: format!("the server's answer is no release this program understands: {error}"),
            next: Some("use the same version of `fermata` as the server".into()),
        })?;
        self.show(&release, &body)?;
        let exit = verdict(&release, self.wish.stop);
        self.shown = Some((release, body));
        Ok(exit)
    }

    fn show(&mut self, release: &Release, body: &Value) -> Result<(), Error> {
        let before = self.shown.as_ref();
        match self.mode {
            Mode::Quiet => Ok(()),
            Mode::Screen => self.draw(release, false),
            Mode::Json if before.is_some_and(|(_, old)| old == body) => Ok(()),
            Mode::Json => self.context.out.json_line(body),
            Mode::Lines => {
                let look = look(self.context.out.paint(), usize::MAX, false);
                for line in changes(before.map(|(old, _)| old), release, &look) {
                    self.context.out.line(&line)?;
                }
                Ok(())
            }
        }
    }

    /// Draws the tree; all of it if this is the last time, else what fits.
    fn draw(&mut self, release: &Release, last: bool) -> Result<(), Error> {
        let (width, height) = super::out::Out::size();
        let mut look = look(self.context.out.paint(), width, false);
        let mut text = tree::render(release, &look);
        if screen::rows(&text, width) >= height && !last {
            look.compact = true;
            text = tree::render(release, &look);
            text = screen::fit(
                text,
                (width, height),
                &format!("fermata release show {}", release.id),
            );
        }
        self.screen.draw(&mut self.context.out, &text)
    }

    /// Listens until the release has ended, or the stream has.
    async fn listen(&mut self) -> Result<Option<Exit>, Error> {
        let last = self
            .version()
            .checked_sub(1)
            .map(|number| number.to_string());
        let path = ["releases", &self.wish.id, "events"];
        let mut events = self.client.follow(&path, last.as_deref()).await?;
        if self.lost.take().is_some() && self.mode != Mode::Quiet {
            self.screen.leave();
            self.context.out.remark("the server is back")?;
        }
        let mut due: Option<Instant> = None;
        let mut redraws = tokio::time::interval(REDRAW);
        redraws.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                heard = hear(&mut events) => match heard? {
                    Some(true) => due = due.or_else(|| Some(Instant::now() + COALESCE)),
                    Some(false) => {}
                    None => return Ok(None),
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    due = None;
                    if let Some(exit) = self.refresh().await? {
                        return Ok(Some(exit));
                    }
                }
                _ = redraws.tick(), if self.mode == Mode::Screen => {
                    if let Some((release, body)) = self.shown.take() {
                        self.draw(&release, false)?;
                        self.shown = Some((release, body));
                    }
                }
            }
        }
    }

    fn version(&self) -> u64 {
        self.shown
            .as_ref()
            .map_or(0, |(release, _)| release.version)
    }

    /// Waits a moment before the server is asked again; longer each time, and not for ever.
    async fn pause(&mut self, error: client::Error) -> Result<(), Error> {
        let (since, pause) = match self.lost {
            Some((since, pause)) => (since, (pause * 2).min(PAUSE.1)),
            None if self.shown.is_none() => return Err(error.into()),
            None => {
                if self.mode != Mode::Quiet {
                    self.screen.leave();
                    self.context.out.remark(&format!("{error}; trying again"))?;
                }
                (Instant::now(), PAUSE.0)
            }
        };
        if since.elapsed() > PATIENCE {
            return Err(error.into());
        }
        self.lost = Some((since, pause));
        sleep(pause).await;
        Ok(())
    }

    fn finish(&mut self, exit: Exit) -> Result<Exit, Error> {
        let Some((release, body)) = self.shown.take() else {
            return Ok(exit);
        };
        if self.mode == Mode::Screen {
            self.draw(&release, true)?;
        }
        if self.mode == Mode::Quiet {
            if self.context.out.is_json() {
                self.context.out.json(&body)?;
            } else {
                super::release::show_tree(&mut self.context.out, &release)?;
            }
        }
        let stopped = match exit {
            Exit::WaitsForPeople => "waits for people",
            _ if release.has_ended() => return Ok(exit),
            _ => "is on hold",
        };
        let id = &release.id;
        self.context.out.remark(&format!(
            "{id} {stopped} and nothing else moves: `fermata release why {id}` says how to go on"
        ))?;
        Ok(exit)
    }
}

/// Waits for something on the stream: whether it is an event; `None` if the stream has ended.
async fn hear(events: &mut Events) -> Result<Option<bool>, client::Error> {
    match timeout(SILENCE, events.next()).await {
        Ok(Some(Ok(Next::Event(_)))) => Ok(Some(true)),
        Ok(Some(Ok(Next::Alive))) => Ok(Some(false)),
        Ok(Some(Err(error))) => Err(error),
        Ok(None) | Err(_) => Ok(None),
    }
}

fn look(paint: Paint, width: usize, compact: bool) -> Look {
    Look {
        width,
        paint,
        now: wire::now(),
        compact,
    }
}

/// The exit code for a release, once there is nothing more to wait for.
fn verdict(release: &Release, stop: Stop) -> Option<Exit> {
    if release.has_ended() {
        let good = release.state == "succeeded";
        return Some(if good { Exit::Ok } else { Exit::Failure });
    }
    if stop.on_people && release.waits_for_people() {
        return Some(Exit::WaitsForPeople);
    }
    (stop.on_hold && release.is_stuck()).then_some(Exit::Failure)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_exit_code_says_how_it_ended() {
        for (state, activity, on_hold, expected) in [
            ("running", "running", true, None),
            ("running", "on-hold", true, Some(Exit::Failure)),
            ("running", "on-hold", false, None),
            ("succeeded", "succeeded", false, Some(Exit::Ok)),
            ("failed", "failed", false, Some(Exit::Failure)),
            ("aborted", "on-hold", true, Some(Exit::Failure)),
            ("paused", "ready", true, None),
            ("running", "needs-people", true, Some(Exit::WaitsForPeople)),
            ("running", "needs-people", false, None),
        ] {
            let body = json!({"state": state, "phases": [{"activities": [{"state": activity}]}]});
            let release = Release::parse(&body).expect("a release");
            let stop = Stop {
                on_hold,
                on_people: on_hold,
            };
            assert_eq!(verdict(&release, stop), expected, "{state} {activity}");
        }
    }
}
