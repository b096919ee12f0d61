"""Fixtures that every test may use."""

pytest_plugins = ["model_servers.fixtures"]
