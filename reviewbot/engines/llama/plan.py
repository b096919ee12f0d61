"""How a model is loaded: decided by `fit` before anything is read, carried out by the child."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

KvType = Literal["f16", "q8_0"]
"""How the keys and values of past tokens are kept: 16 bits, or 8 (half the memory; needs flash
attention)."""


@dataclass(frozen=True)
class LoadPlan:
    """Everything that llama.cpp is told when it loads a model."""

    model: Path
    """The GGUF file; its first part, if it is split."""
    context_tokens: int
    """Tokens of one request: prompt and answer."""
    cells: int
    """Tokens that all sequences hold together (llama.cpp's `n_ctx`, one unified cache)."""
    sequences: int
    """Requests in one batch."""
    gpu_layers: int
    """Layers on GPUs: 0 for none, all of them where they fit."""
    kv: KvType = "f16"
    flash_attention: bool = False
    batch_tokens: int = 512
    """Most tokens of one decode step."""
    threads: int = 0
    """0: as many as llama.cpp takes by itself."""
