"""A GitHub on loopback: stateful, with real git content behind it, and GitHub's own limits."""
