//! The graph of needs: dependents, cycles, reachability.
