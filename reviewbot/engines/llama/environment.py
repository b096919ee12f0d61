"""What the process with the model may know of ours: how to find programs, libraries and cards."""

import os

_NAMES = {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR"}
#: Settings of the loader, of OpenMP, and of the drivers of cards.
_STARTS = ("LD_", "OMP_", "GOMP_", "GGML_", "CUDA_", "NVIDIA_", "HIP_", "ROCR_", "HSA_", "VK_")


def child_environment() -> dict[str, str]:
    """Our environment without anything that could be a secret."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _NAMES or name.startswith(_STARTS)
    }
    # a failed check would start a debugger and print every thread's stack
    return {**kept, "GGML_NO_BACKTRACE": "1"}
