//! What an approval is given for. Whoever approves sees instructions, and lets everything behind
//! them go on: the process version, the components it runs, the inputs. If one of them changes, it
//! is something else that was approved.

use std::fmt::Write as _;

use crate::id::Digest;
use crate::process::ActivityIx;
use crate::release::Release;
use crate::release::index::Node;
use crate::release::state::ActivityState;

impl Release {
    /// The digest of what an approval of a question with these instructions is given for.
    pub(super) fn content(&self, instructions: &str) -> Digest {
        let text = format!("{}\n{instructions}", self.gated);
        Digest::of(text.as_bytes())
    }

    /// Takes the digest of what all questions have in common, which is looked at far more often than
    /// it changes.
    pub(super) fn gate(&mut self) {
        let mut text = format!("process {}\n", self.process_ref.digest);
        for pinned in &self.pins {
            let (uses, pin) = (&pinned.uses, &pinned.pin);
            writeln!(text, "component {uses} {} {}", pin.version, pin.digest)
                .expect("a string takes all");
        }
        text.push_str("inputs ");
        text.push_str(self.inputs.as_str());
        self.gated = Digest::of(text.as_bytes());
    }

    /// Something was amended that people were asked to approve: their approvals lapse in this turn.
    pub(super) fn content_amended(&mut self, amended: &str) {
        self.gated = Digest::of(format!("{}\namended {amended}", self.gated).as_bytes());
        let asked = self.index.asked.iter().copied();
        self.frontier.extend(asked.map(Node::Activity));
    }

    /// The digest that the question of the activity should have and does not.
    pub(super) fn changed_content(&self, ix: ActivityIx) -> Option<Digest> {
        let ActivityState::NeedsPeople(question) = self.activity_state(ix) else {
            return None;
        };
        let content = self.content(&question.instructions);
        (content != question.content).then_some(content)
    }
}
