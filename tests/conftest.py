"""Fixtures that every test may use."""

pytest_plugins = ["databases", "model_servers.fixtures"]
