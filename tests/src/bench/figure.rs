//! A figure with its goal, and the table of all.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

/// One measured value.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// A stable name: `subject.figure_unit`.
    pub name: &'static str,
    /// What was measured.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// What we want to reach; absent where the figure only informs.
    pub goal: Option<f64>,
    /// Which direction is good.
    pub better: Better,
}

/// Which direction is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

impl Figure {
    /// A figure where less is better.
    pub fn lower(name: &'static str, value: f64, unit: &'static str, goal: Option<f64>) -> Self {
        Self {
            name,
            value: rounded(value),
            unit,
            goal,
            better: Better::Lower,
        }
    }

    /// A figure where more is better.
    pub fn higher(name: &'static str, value: f64, unit: &'static str, goal: Option<f64>) -> Self {
        Self {
            name,
            value: rounded(value),
            unit,
            goal,
            better: Better::Higher,
        }
    }

    fn verdict(&self) -> &'static str {
        match (self.goal, self.better) {
            (None, _) => "",
            (Some(goal), Better::Higher) if self.value >= goal => "met",
            (Some(goal), Better::Lower) if self.value <= goal => "met",
            (Some(_), _) => "missed",
        }
    }
}

/// Three places are more than the noise leaves.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The figures as a table for people.
pub fn table(figures: &[Figure]) -> String {
    let mut text = format!(
        "{:<34}{:>14}  {:<14}{:>10}\n",
        "figure", "value", "unit", "goal"
    );
    for figure in figures {
        let sign = if figure.better == Better::Higher {
            "≥"
        } else {
            "≤"
        };
        let goal = figure
            .goal
            .map_or(String::new(), |goal| format!("{sign} {goal}"));
        let row = (
            figure.name,
            figure.value,
            figure.unit,
            goal,
            figure.verdict(),
        );
        writeln!(
            text,
            "{:<34}{:>14.3}  {:<14}{:>10}  {}",
            row.0, row.1, row.2, row.3, row.4
        )
        .expect("writing to a string cannot fail");
    }
    text
}

/// The value below which `share` (0 to 1) of the durations lie, in seconds.
pub fn percentile(durations: &mut [Duration], share: f64) -> f64 {
    durations.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a list of thousands"
    )]
    let at = ((durations.len() - 1) as f64 * share) as usize;
    durations[at].as_secs_f64()
}
