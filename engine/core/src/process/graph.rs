//! The graph of needs over activities and phases: cycles, and what lies upstream.
//!
//! A phase is two nodes: it begins when its needs are satisfied, before any of its activities,
//! and it is done after all of them.

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// An activity.
    Activity(u32),
    /// The beginning of a phase.
    Begin(u32),
    /// The end of a phase.
    Done(u32),
}

/// The graph: for each node the nodes that it needs.
pub(super) struct Graph {
    activities: u32,
    needs: Vec<Vec<u32>>,
}

impl Graph {
    /// A graph over activities, given by the phase of each, and as many phases as asked for.
    pub(super) fn new(phase_of: &[u32], phases: u32) -> Self {
        let activities = u32::try_from(phase_of.len()).expect("documents have a bounded length");
        let mut graph = Self {
            activities,
            needs: vec![Vec::new(); phase_of.len() + 2 * phases as usize],
        };
        for phase in 0..phases {
            graph.need(Moment::Done(phase), Moment::Begin(phase));
        }
        for (activity, phase) in (0..).zip(phase_of) {
            graph.need(Moment::Activity(activity), Moment::Begin(*phase));
            graph.need(Moment::Done(*phase), Moment::Activity(activity));
        }
        graph
    }

    /// Adds that `moment` needs `other`.
    pub(super) fn need(&mut self, moment: Moment, other: Moment) {
        let (moment, other) = (self.node(moment), self.node(other));
        self.needs[moment as usize].push(other);
    }

    fn node(&self, moment: Moment) -> u32 {
        match moment {
            Moment::Activity(activity) => activity,
            Moment::Begin(phase) => self.activities + 2 * phase,
            Moment::Done(phase) => self.activities + 2 * phase + 1,
        }
    }

    fn moment(&self, node: u32) -> Moment {
        match node.checked_sub(self.activities) {
            None => Moment::Activity(node),
            Some(node) if node % 2 == 0 => Moment::Begin(node / 2),
            Some(node) => Moment::Done(node / 2),
        }
    }

    /// Cycles that share no node, each as the moments along it: every moment needs the next, and the
    /// last needs the first. Empty only if there is no cycle.
    pub(super) fn cycles(&self) -> Vec<Vec<Moment>> {
        let mut cycles = Vec::new();
        let mut search = Search {
            mark: vec![Mark::New; self.needs.len()],
            path: Vec::new(),
        };
        for root in (0..).take(self.needs.len()) {
            search.from(root, &self.needs, |cycle| {
                cycles.push(cycle.iter().map(|node| self.moment(*node)).collect());
            });
        }
        cycles
    }

    /// What lies upstream of every node. The graph must be without cycles.
    pub(super) fn upstream(&self) -> Upstream {
        let nodes = self.needs.len();
        let words = nodes.div_ceil(64);
        let mut rows = vec![0_u64; nodes * words];
        for node in self.needs_first() {
            let at = node as usize * words;
            for need in &self.needs[node as usize] {
                let need = *need as usize;
                for word in 0..words {
                    rows[at + word] |= rows[need * words + word];
                }
                rows[at + need / 64] |= 1 << (need % 64);
            }
        }
        Upstream { words, rows }
    }

    /// The moments, each after all that it needs. The graph must be without cycles.
    pub(super) fn in_order(&self) -> Vec<Moment> {
        let nodes = self.needs_first().into_iter();
        nodes.map(|node| self.moment(node)).collect()
    }

    /// The nodes, each after all that it needs.
    fn needs_first(&self) -> Vec<u32> {
        let mut dependents = vec![Vec::new(); self.needs.len()];
        let mut open: Vec<usize> = self.needs.iter().map(Vec::len).collect();
        for (node, needs) in (0_u32..).zip(&self.needs) {
            for need in needs {
                dependents[*need as usize].push(node);
            }
        }
        let ready = |(node, open): (u32, &usize)| (*open == 0).then_some(node);
        let mut order: Vec<u32> = (0..).zip(&open).filter_map(ready).collect();
        let mut next = 0;
        while let Some(node) = order.get(next).copied() {
            next += 1;
            for dependent in &dependents[node as usize] {
                open[*dependent as usize] -= 1;
                if open[*dependent as usize] == 0 {
                    order.push(*dependent);
                }
            }
        }
        order
    }

    /// Whether `other` must be settled before `moment` is.
    pub(super) fn is_upstream(&self, upstream: &Upstream, other: Moment, moment: Moment) -> bool {
        let (other, moment) = (self.node(other) as usize, self.node(moment) as usize);
        upstream.rows[moment * upstream.words + other / 64] >> (other % 64) & 1 == 1
    }
}

/// For each node the set of nodes upstream of it, as bits.
pub(super) struct Upstream {
    words: usize,
    rows: Vec<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    OnPath,
    Done,
}

/// A depth-first search that keeps its own stack, since a chain may be as long as a document.
struct Search {
    mark: Vec<Mark>,
    /// The nodes on the way, each with the number of needs already followed.
    path: Vec<(u32, usize)>,
}

impl Search {
    fn from(&mut self, root: u32, needs: &[Vec<u32>], mut found: impl FnMut(&[u32])) {
        if self.mark[root as usize] != Mark::New {
            return;
        }
        self.enter(root);
        while let Some((node, followed)) = self.path.last_mut() {
            let Some(need) = needs[*node as usize].get(*followed).copied() else {
                self.mark[*node as usize] = Mark::Done;
                self.path.pop();
                continue;
            };
            *followed += 1;
            match self.mark[need as usize] {
                Mark::New => self.enter(need),
                Mark::OnPath => self.close(need, &mut found),
                Mark::Done => {}
            }
        }
    }

    fn enter(&mut self, node: u32) {
        self.mark[node as usize] = Mark::OnPath;
        self.path.push((node, 0));
    }

    /// Reports the cycle from `start` to the end of the path, and leaves its nodes.
    fn close(&mut self, start: u32, found: &mut impl FnMut(&[u32])) {
        let at = self.path.iter().position(|(node, _)| *node == start);
        let cycle: Vec<u32> = self
            .path
            .drain(at.unwrap_or_default()..)
            .map(|(node, _)| node)
            .collect();
        for node in &cycle {
            self.mark[*node as usize] = Mark::Done;
        }
        found(&cycle);
    }
}

#[cfg(test)]
mod tests {
    use super::Moment::{Activity, Begin, Done};
    use super::*;

    #[test]
    fn cycles_through_phases_are_found_and_chains_are_none() {
        // Phase 0 holds activity 0, phase 1 holds activity 1.
        let mut graph = Graph::new(&[0, 1], 2);
        graph.need(Begin(1), Done(0));
        assert!(graph.cycles().is_empty());
        graph.need(Activity(0), Activity(1));
        let cycles = graph.cycles();
        assert_eq!(cycles.len(), 1);
        assert!(cycles[0].contains(&Activity(0)) && cycles[0].contains(&Activity(1)));
    }

    #[test]
    fn upstream_is_transitive_through_phases() {
        let mut graph = Graph::new(&[0, 1, 1, 2], 3);
        graph.need(Begin(1), Done(0));
        graph.need(Activity(2), Activity(1));
        let upstream = graph.upstream();
        let is = |other, moment| graph.is_upstream(&upstream, other, moment);
        assert!(is(Activity(0), Activity(2)) && is(Done(0), Activity(2)));
        assert!(is(Activity(1), Activity(2)));
        assert!(!is(Activity(2), Activity(1)) && !is(Activity(2), Activity(2)));
        assert!(!is(Done(1), Activity(2)) && !is(Activity(3), Activity(2)));
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let count = 100_000;
        let mut graph = Graph::new(&vec![0; count as usize], 1);
        for activity in 1..count {
            graph.need(Activity(activity), Activity(activity - 1));
        }
        assert!(graph.cycles().is_empty());
        graph.need(Activity(0), Activity(count - 1));
        assert_eq!(graph.cycles().len(), 1);
    }
}
