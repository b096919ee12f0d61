"""One module for each analyser; `reviewbot.engines.analyzers` runs them."""
