"""From a routed change to anchored, ranked findings."""
