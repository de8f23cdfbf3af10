//! A process with the instances of a fan-out put in: what one release runs from then on.
//!
//! Instances come after everything that is there, so no position ever changes. The group keeps its
//! place in the graph, and with it what it needs and what needs it; its instances need what its
//! parts needed.

use std::ops::Range;
use std::sync::Arc;

use super::fan_out::labels;
use super::{
    Activity, ActivityIx, FanOut, Group, Instance, Instances, Join, Phase, PhaseIx, Process, Role,
};
use crate::json::Json;
use crate::limits::{EXPANDED_ACTIVITIES_MAX, INSTANCES_MAX};

impl Process {
    /// How the group is fanned out, if it is.
    pub fn fan_out(&self, group: Group) -> Option<&FanOut> {
        match group {
            Group::Phase(ix) => self.phases.get(ix.0 as usize)?.fan_out(),
            Group::Activity(ix) => self.activities.get(ix.0 as usize)?.fan_out(),
        }
    }

    /// Where the instances of the group are, once they are known.
    pub fn instances(&self, group: Group) -> Option<&Instances> {
        match group {
            Group::Phase(ix) => self.phases.get(ix.0 as usize)?.instances.as_ref(),
            Group::Activity(ix) => self.activities.get(ix.0 as usize)?.instances.as_ref(),
        }
    }

    /// Whether the group may have `count` instances; the error says why not.
    pub fn has_room(&self, group: Group, count: usize) -> Result<(), String> {
        if count > INSTANCES_MAX {
            return Err(format!("{count} items are more than {INSTANCES_MAX}"));
        }
        let phases = self.phases.iter().filter(|phase| phase.instance.is_some());
        let activities = self.activities.iter();
        let instances = activities.filter(|activity| matches!(activity.role, Role::Instance(_)));
        let all = phases.count() + instances.count() + count;
        if all > INSTANCES_MAX {
            return Err(format!(
                "with {count} items the release would have {all} instances, more than {INSTANCES_MAX}"
            ));
        }
        let each = match group {
            Group::Phase(ix) => self.phase(ix).activities.len(),
            Group::Activity(_) => 1,
        };
        let all = self.activities.len() + each * count;
        if all > EXPANDED_ACTIVITIES_MAX {
            return Err(format!(
                "with {count} items the release would have {all} activities, more than {EXPANDED_ACTIVITIES_MAX}"
            ));
        }
        Ok(())
    }

    /// Puts one instance for each of `items` in, and one gate for each batch after the first. Nothing
    /// happens to what is not fanned out, or whose instances are in.
    pub fn expand(&mut self, group: Group, items: &[Json], batches: u32) {
        if self.fan_out(group).is_none() || self.instances(group).is_some() {
            return;
        }
        let labels = labels(items);
        let instances = (0..).zip(items).zip(labels);
        let instances = instances.map(|((index, item), label)| Instance {
            of: group,
            index,
            item: item.clone(),
            label,
        });
        let (template, nodes) = match group {
            Group::Phase(ix) => self.expand_phase(ix, instances),
            Group::Activity(ix) => (Box::default(), self.expand_activity(ix, instances)),
        };
        let gates = self.add_gates(group, batches);
        let found = Instances {
            template,
            nodes,
            gates,
        };
        match group {
            Group::Phase(ix) => {
                let phase = &mut self.phases[ix.0 as usize];
                phase.activities = 0..0;
                phase.instances = Some(found);
            }
            Group::Activity(ix) => self.activities[ix.0 as usize].instances = Some(found),
        }
    }

    fn expand_activity(
        &mut self,
        ix: ActivityIx,
        instances: impl Iterator<Item = Instance>,
    ) -> Range<u32> {
        let first = self.next_activity();
        let group = self.activity(ix);
        let (definition, phase) = (Arc::clone(&group.definition), group.phase);
        self.activities.extend(instances.map(|instance| Activity {
            definition: Arc::clone(&definition),
            phase,
            needs: Vec::new(),
            joins: Vec::new(),
            dependents: Vec::new(),
            instances: None,
            role: Role::Instance(Box::new(instance)),
        }));
        first..self.next_activity()
    }

    fn expand_phase(
        &mut self,
        ix: PhaseIx,
        instances: impl Iterator<Item = Instance>,
    ) -> (Box<[ActivityIx]>, Range<u32>) {
        let (first, first_activity) = (self.next_phase(), self.next_activity());
        let group = self.phase(ix);
        let definition = Arc::clone(&group.definition);
        let template: Box<[ActivityIx]> = group.activities.clone().map(ActivityIx).collect();
        let template: Box<[ActivityIx]> = template
            .into_iter()
            .filter(|ix| self.activity(*ix).role == Role::Member)
            .collect();
        let parts = self.take_template(&template);
        let each = number(parts.len());
        for instance in instances {
            let phase = PhaseIx(self.next_phase());
            let start = self.next_activity();
            self.phases.push(Phase {
                definition: Arc::clone(&definition),
                needs: Vec::new(),
                joins: Vec::new(),
                dependents: Vec::new(),
                activities: start..start + each,
                instances: None,
                instance: Some(Box::new(instance)),
            });
            let copies = parts.iter().map(|part| Activity {
                phase,
                needs: moved(&part.needs, &template, start),
                joins: moved_joins(&part.joins, &template, start),
                dependents: moved(&part.dependents, &template, start),
                ..part.clone()
            });
            self.activities.extend(copies);
        }
        let all = first_activity..self.next_activity();
        self.wire_outside(&parts, &template, all);
        (template, first..self.next_phase())
    }

    /// The activities that the instances run copies of, which from now on stand for nothing.
    fn take_template(&mut self, template: &[ActivityIx]) -> Vec<Activity> {
        let take = |ix: &ActivityIx| {
            let activity = &mut self.activities[ix.0 as usize];
            let part = activity.clone();
            activity.role = Role::Template;
            activity.needs.clear();
            activity.joins.clear();
            activity.dependents.clear();
            part
        };
        template.iter().map(take).collect()
    }

    /// Lets what the parts need outside their phase know the copies in their place.
    fn wire_outside(&mut self, parts: &[Activity], template: &[ActivityIx], copies: Range<u32>) {
        for (at, part) in parts.iter().enumerate() {
            let outside = part.needs.iter().filter(|need| !template.contains(need));
            for need in outside {
                let dependents = &mut self.activities[need.0 as usize].dependents;
                dependents.retain(|dependent| *dependent != template[at]);
                let copies = copies.clone().skip(at).step_by(parts.len());
                dependents.extend(copies.map(ActivityIx));
            }
        }
    }

    fn add_gates(&mut self, group: Group, batches: u32) -> Range<u32> {
        let first = self.next_activity();
        let phase = match group {
            Group::Phase(ix) => ix,
            Group::Activity(ix) => self.activity(ix).phase,
        };
        let gate = self.fan_out(group).and_then(|fan_out| fan_out.gate.clone());
        if let Some(definition) = gate {
            self.activities.extend((2..=batches).map(|batch| Activity {
                definition: Arc::clone(&definition),
                phase,
                needs: Vec::new(),
                joins: Vec::new(),
                dependents: Vec::new(),
                instances: None,
                role: Role::Gate(group, batch),
            }));
        }
        first..self.next_activity()
    }

    /// The activity that an expression means by `read`: for the parts of an instance it is the part of
    /// the same instance.
    pub(crate) fn seen_from(&self, reader: ActivityIx, read: ActivityIx) -> ActivityIx {
        if let Role::Instance(instance) = &self.activity(reader).role
            && instance.of == Group::Activity(read)
        {
            // Only what is called on the way back reads what its own activity gave.
            return reader;
        }
        let phase = self.phase(self.activity(reader).phase);
        let Some(instance) = phase.instance.as_deref() else {
            return read;
        };
        let template = self.instances(instance.of).map(|found| &found.template);
        match template.and_then(|template| template.binary_search(&read).ok()) {
            Some(at) => ActivityIx(phase.activities.start + number(at)),
            None => read,
        }
    }

    fn next_phase(&self) -> u32 {
        number(self.phases.len())
    }

    fn next_activity(&self) -> u32 {
        number(self.activities.len())
    }
}

impl Phase {
    /// How it is fanned out, if it is; an instance is not.
    pub fn fan_out(&self) -> Option<&FanOut> {
        self.each.as_ref().filter(|_| self.instance.is_none())
    }
}

impl Activity {
    /// How it is fanned out, if it is; an instance is not.
    pub fn fan_out(&self) -> Option<&FanOut> {
        self.each.as_ref().filter(|_| self.role == Role::Member)
    }

    /// Which instance of an activity it is, if it is one.
    pub fn instance(&self) -> Option<&Instance> {
        match &self.role {
            Role::Instance(instance) => Some(instance),
            Role::Member | Role::Gate(..) | Role::Template => None,
        }
    }
}

/// The positions of what an instance whose copies begin at `start` needs: its own copies in place of
/// the template.
fn moved(from: &[ActivityIx], template: &[ActivityIx], start: u32) -> Vec<ActivityIx> {
    let moved = |ix: &ActivityIx| match template.binary_search(ix) {
        Ok(at) => ActivityIx(start + number(at)),
        Err(_) => *ix,
    };
    from.iter().map(moved).collect()
}

fn moved_joins(
    from: &[Join<ActivityIx>],
    template: &[ActivityIx],
    start: u32,
) -> Vec<Join<ActivityIx>> {
    let moved = |join: &Join<ActivityIx>| {
        let mut of = moved(&join.of, template, start);
        of.sort_unstable();
        Join {
            at_least: join.at_least,
            of: of.into(),
        }
    };
    from.iter().map(moved).collect()
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("a release has at most EXPANDED_ACTIVITIES_MAX activities")
}
