//! How people call the parts of a process: `phase/activity`, with the item in brackets where there
//! are instances, as in `production[eu-north]/payment`.

use super::{Activity, ActivityIx, Group, Instance, Phase, PhaseIx, Process, Role};

impl Process {
    /// The name of the phase, with its item if it is an instance.
    pub fn phase_path(&self, ix: PhaseIx) -> String {
        let phase = self.phase(ix);
        match &phase.instance {
            Some(instance) => format!("{}[{}]", phase.name, instance.label),
            None => phase.name.to_string(),
        }
    }

    /// `phase/activity`, as people write it.
    pub fn path(&self, ix: ActivityIx) -> String {
        let activity = self.activity(ix);
        format!("{}/{}", self.phase_path(activity.phase), local(activity))
    }

    /// The name of an activity within its phase, with its item if it is an instance.
    pub fn local_path(&self, ix: ActivityIx) -> String {
        local(self.activity(ix))
    }

    /// The name of a group, as people write it.
    pub fn group_path(&self, group: Group) -> String {
        match group {
            Group::Phase(ix) => self.phase_path(ix),
            Group::Activity(ix) => self.path(ix),
        }
    }

    /// The activity that people call `phase/activity`, or `activity` alone where that is unique. An
    /// instance goes by its label, or else by its place: `production[eu-north]/payment` is
    /// `production[0]/payment`.
    pub fn find(&self, path: &str) -> Option<ActivityIx> {
        let (phase, name) = match path.split_once('/') {
            Some((phase, name)) => (Some(phase), name),
            None => (None, path),
        };
        exact(self.find_activities(phase, name, false))
            .or_else(|| exact(self.find_activities(phase, name, true)))
    }

    fn find_activities<'p>(
        &'p self,
        phase: Option<&'p str>,
        name: &'p str,
        by_index: bool,
    ) -> impl Iterator<Item = ActivityIx> + 'p {
        let name = Called::of(name);
        let phase = phase.map(Called::of);
        let found = move |activity: &Activity| {
            is_activity(activity, name, by_index)
                && phase.is_none_or(|phase| is_phase(self.phase(activity.phase), phase, by_index))
        };
        let numbered = (0..).map(ActivityIx).zip(&self.activities);
        numbered.filter_map(move |(ix, activity)| found(activity).then_some(ix))
    }

    /// The phase of that name, or the instance that people call `phase[item]`.
    pub fn find_phase(&self, path: &str) -> Option<PhaseIx> {
        let called = Called::of(path);
        let find = |by_index| {
            let mut numbered = (0..).map(PhaseIx).zip(&self.phases);
            let found = numbered.find(|(_, phase)| is_phase(phase, called, by_index));
            found.map(|(ix, _)| ix)
        };
        find(false).or_else(|| find(true))
    }

    /// What people call `path` and has `each`: a phase, or an activity.
    pub fn find_group(&self, path: &str) -> Option<Group> {
        let phase = self.find_phase(path);
        if let Some(ix) = phase.filter(|ix| self.phase(*ix).instances.is_some()) {
            return Some(Group::Phase(ix));
        }
        let activity = self.find(path)?;
        let fanned = self.activity(activity).instances.is_some();
        fanned.then_some(Group::Activity(activity))
    }
}

fn local(activity: &Activity) -> String {
    match &activity.role {
        Role::Instance(instance) => format!("{}[{}]", activity.name, instance.label),
        Role::Gate(_, batch) => format!("{}[{batch}]", activity.name),
        Role::Member | Role::Template => activity.name.to_string(),
    }
}

/// A name as somebody wrote it, with what stands in its brackets.
#[derive(Clone, Copy)]
struct Called<'a> {
    name: &'a str,
    label: Option<&'a str>,
}

impl<'a> Called<'a> {
    fn of(path: &'a str) -> Self {
        let bracketed = path.strip_suffix(']').and_then(|path| path.split_once('['));
        match bracketed {
            Some((name, label)) => Self {
                name,
                label: Some(label),
            },
            None => Self {
                name: path,
                label: None,
            },
        }
    }

    fn is(&self, instance: &Instance, by_index: bool) -> bool {
        match self.label {
            Some(label) if by_index => label.parse() == Ok(instance.index),
            label => label == Some(&*instance.label),
        }
    }
}

fn is_activity(activity: &Activity, called: Called<'_>, by_index: bool) -> bool {
    activity.name.as_str() == called.name
        && match &activity.role {
            Role::Instance(instance) => called.is(instance, by_index),
            Role::Gate(_, batch) => called
                .label
                .is_some_and(|label| label.parse() == Ok(*batch)),
            Role::Member | Role::Template => called.label.is_none(),
        }
}

fn is_phase(phase: &Phase, called: Called<'_>, by_index: bool) -> bool {
    phase.name.as_str() == called.name
        && match &phase.instance {
            Some(instance) => called.is(instance, by_index),
            None => called.label.is_none(),
        }
}

/// The only one of `found`.
fn exact(mut found: impl Iterator<Item = ActivityIx>) -> Option<ActivityIx> {
    match (found.next(), found.next()) {
        (Some(ix), None) => Some(ix),
        _ => None,
    }
}
