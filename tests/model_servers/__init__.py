"""Loopback model servers: they speak a model API, check every request against its real shape,
play scripted behaviours, and keep a bill of what they would have charged."""

from model_servers.behaviours import (
    Answer,
    Behaviour,
    Drip,
    Fail,
    Hang,
    HangUp,
    Oversize,
    Redirect,
    Refusal,
)
from model_servers.claude import ClaudeServer
from model_servers.local_servers import LlamaCppServer, LocalServer, OllamaServer, VllmServer
from model_servers.openai import OpenAIServer
from model_servers.server import Asked, Charge, ModelServer

__all__ = [
    "Answer",
    "Asked",
    "Behaviour",
    "Charge",
    "ClaudeServer",
    "Drip",
    "Fail",
    "Hang",
    "HangUp",
    "LlamaCppServer",
    "LocalServer",
    "ModelServer",
    "OllamaServer",
    "OpenAIServer",
    "Oversize",
    "Redirect",
    "Refusal",
    "VllmServer",
]
