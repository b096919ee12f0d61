"""llama.cpp's C API, as much of it as we use. Only the child process loads the library.

One thread may decode at a time; `tokens` may be called beside it.
"""

import ctypes
import os
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from reviewbot.engines.llama.plan import LoadPlan
from reviewbot.errors import EngineError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: llama.cpp keeps track of this many sequences in one context, at most.
MAX_SEQUENCES = 256
#: Longest text of one token, bytes: vocabularies have runs of some hundred blanks.
_LONGEST_PIECE = 1_024
_KV_TYPES = {"f16": 1, "q8_0": 8}


@cache
def _library() -> tuple[Any, list[str], object]:
    """llama_cpp, its errors as it says them, and the function that hears them: C calls it as
    long as the process lives.

    Raises EngineError if it is not installed or does not fit this machine.
    """
    try:
        import llama_cpp
    except (ImportError, RuntimeError, OSError) as error:
        raise EngineError(f"llama-cpp-python can't be loaded: {error}") from error
    said: list[str] = []

    def hear(level: int, text: bytes, _: object) -> None:
        if level == 4:  # GGML_LOG_LEVEL_ERROR
            said.append(text.decode("utf-8", "replace").strip())

    log = llama_cpp.llama_log_callback(hear)
    llama_cpp.llama_log_set(log, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    return llama_cpp, said, log


class Row(NamedTuple):
    """One token of a decode step."""

    token: int
    position: int
    sequence: int
    wanted: bool
    """Its scores are needed: the next token of the sequence is chosen after it."""


class DecodeError(Exception):
    """llama.cpp could not compute a step: its state can't be trusted any more."""


class Native:
    """A model, its vocabulary and one context over which all sequences share cells."""

    def __init__(self, plan: LoadPlan, *, sequences: int) -> None:
        """`sequences` is how many may exist at once, kept prefixes included.

        Raises EngineError if llama.cpp is not installed or can't load the file.
        """
        llama_cpp, self._said, _ = _library()
        self._c = llama_cpp
        self._said.clear()
        self._model = self._load(plan)
        self._vocabulary = llama_cpp.llama_model_get_vocab(self._model)
        self.vocabulary_size: int = llama_cpp.llama_vocab_n_tokens(self._vocabulary)
        self.trained_context: int = llama_cpp.llama_model_n_ctx_train(self._model)
        self._context = self._open(plan, sequences)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self.batch_tokens: int = llama_cpp.llama_n_batch(self._context)
        self.cells: int = llama_cpp.llama_n_ctx(self._context)
        self._batch = llama_cpp.llama_batch_init(self.batch_tokens, 0, 1)
        self.piece = lru_cache(maxsize=65_536)(self._piece)

    def _load(self, plan: LoadPlan) -> Any:
        params = self._c.llama_model_default_params()
        params.n_gpu_layers = plan.gpu_layers
        model = self._c.llama_model_load_from_file(os.fsencode(plan.model), params)
        if not model:
            raise EngineError(f"{plan.model.name}: llama.cpp can't load it: {self._reason()}")
        return model

    def _open(self, plan: LoadPlan, sequences: int) -> Any:
        params = self._c.llama_context_default_params()
        # a context far beyond what the model was trained for takes a minute to refuse
        params.n_ctx = min(plan.cells, self.trained_context * plan.sequences)
        params.n_batch = params.n_ubatch = plan.batch_tokens
        params.n_seq_max = sequences
        # without it, scores for every token of a batch are reserved: batch x vocabulary x 4 bytes
        params.n_outputs_max = sequences  # not less: llama.cpp would end the process
        if plan.threads:
            params.n_threads = params.n_threads_batch = plan.threads
        params.kv_unified = True  # sequences then share cells of a common start, nothing is copied
        params.flash_attn_type = int(plan.flash_attention)
        params.type_k = params.type_v = _KV_TYPES[plan.kv]
        context = self._c.llama_init_from_model(self._model, params)
        if not context:
            self._c.llama_model_free(self._model)
            raise EngineError(
                f"{plan.model.name}: no room for a context of {plan.cells} tokens: {self._reason()}"
            )
        return context

    def _reason(self) -> str:
        """What llama.cpp said first: the cause; what follows is who was told of it."""
        said = self._said[0] if self._said else "it gives no reason"
        return said.rpartition("error loading model: ")[2][:300]

    def close(self) -> None:
        """Free everything; nothing else may be called after it."""
        self._c.llama_batch_free(self._batch)
        self._c.llama_free(self._context)
        self._c.llama_model_free(self._model)

    @property
    def description(self) -> str:
        """Architecture, size class and quantisation, as llama.cpp words them."""
        buffer = ctypes.create_string_buffer(128)
        self._c.llama_model_desc(self._model, buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace")

    # vocabulary

    def tokens(self, text: str) -> list[int]:
        """The tokens of plain text: nothing in it is read as a control token."""
        return self._tokens(text, special=False)

    def control(self, name: str) -> int:
        """The one token of this name. Raises EngineError if the vocabulary has none."""
        found = self._tokens(name, special=True)
        if len(found) != 1:
            raise EngineError(f"the model's vocabulary has no {name}: it does not speak ChatML")
        return found[0]

    def _tokens(self, text: str, *, special: bool) -> list[int]:
        raw = text.encode("utf-8", "replace")
        buffer = (ctypes.c_int32 * (len(raw) + 8))()
        count = self._c.llama_tokenize(
            self._vocabulary, raw, len(raw), buffer, len(buffer), False, special
        )
        return list(buffer[:count])

    def _piece(self, token: int) -> bytes:
        buffer = ctypes.create_string_buffer(_LONGEST_PIECE)
        size = self._c.llama_token_to_piece(
            self._vocabulary, token, buffer, _LONGEST_PIECE, 0, False
        )
        return buffer.raw[: max(size, 0)]

    def ends(self, token: int) -> bool:
        """The token says that the answer is over."""
        return bool(self._c.llama_vocab_is_eog(self._vocabulary, token))

    # sequences

    def copy(self, source: int, target: int, end: int) -> None:
        """Let `target` start with the first `end` tokens of `source`, in the same cells."""
        self._c.llama_memory_seq_cp(self._memory, source, target, 0, end)

    def drop(self, sequence: int) -> None:
        """Forget a sequence; cells that no other one shares are free again."""
        self._c.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def decode(self, rows: Sequence[Row]) -> None:
        """Compute one step: at most `batch_tokens` rows, in order of position for each sequence.

        Raises DecodeError.
        """
        batch = self._batch
        for index, row in enumerate(rows):
            batch.token[index] = row.token
            batch.pos[index] = row.position
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = row.sequence
            batch.logits[index] = row.wanted
        batch.n_tokens = len(rows)
        self._said.clear()
        status = self._c.llama_decode(self._context, batch)
        if status:
            reason = self._said[0] if self._said else "no reason given"
            raise DecodeError(f"llama_decode returned {status}: {reason}")

    def scores(self, row: int) -> "NDArray[np.float32]":
        """The score of each token of the vocabulary after a wanted row; valid until the next
        step."""
        import numpy as np

        address = self._c.llama_get_logits_ith(self._context, row)
        return np.ctypeslib.as_array(address, (self.vocabulary_size,))

    def grammar(self, gbnf: str) -> "Grammar":
        """Raises EngineError if llama.cpp can't parse it."""
        self._said.clear()
        state = self._c.llama_sampler_init_grammar(self._vocabulary, gbnf.encode(), b"root")
        if not state:  # using it would end the process
            raise EngineError(f"llama.cpp can't parse the grammar: {self._reason()}")
        return Grammar(self._c, state)


class Grammar:
    """Where an answer stands in its grammar."""

    def __init__(self, library: Any, state: Any) -> None:
        self._c, self._state = library, state
        self._one = library.llama_token_data(0, 0.0, 0.0)
        self._list = library.llama_token_data_array(ctypes.pointer(self._one), 1, -1, False)

    def allows(self, token: int) -> bool:
        """Whether the answer may go on with `token`: some hundredths of a millisecond."""
        self._one.id, self._one.logit = token, 0.0
        self._c.llama_sampler_apply(self._state, ctypes.byref(self._list))
        return bool(self._one.logit == 0.0)

    def allowed(self, tokens: "NDArray[np.int32]") -> "NDArray[np.bool_]":
        """The same for many: about 0.2 microseconds for each."""
        import numpy as np

        data: Any = np.zeros(
            len(tokens), [("id", np.int32), ("logit", np.float32), ("p", np.float32)]
        )
        data["id"] = tokens
        pointer = data.ctypes.data_as(self._c.llama_token_data_p)
        candidates = self._c.llama_token_data_array(pointer, len(tokens), -1, False)
        self._c.llama_sampler_apply(self._state, ctypes.byref(candidates))
        result: NDArray[np.bool_] = data["logit"] == 0.0
        return result

    def accept(self, token: int) -> None:
        """Go on. `token` must be allowed: llama.cpp ends the process otherwise."""
        self._c.llama_sampler_accept(self._state, token)

    def close(self) -> None:
        self._c.llama_sampler_free(self._state)
