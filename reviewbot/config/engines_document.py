"""`REVIEWBOT_ENGINES`: further engines by name, and what each is for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from reviewbot.config.documents import load_document, validate
from reviewbot.config.narrowing import REPOSITORY
from reviewbot.config.rule_document import AreaName, Closed

#: Short, since it is a part of keys in the store.
EngineName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,13}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9+#.-]{0,39}$")]
EngineTier = Literal["claude", "local"]


class EngineChoice(Closed):
    """Which engine is for what, by its name; the first that is named counts, in this order."""

    areas: Annotated[dict[AreaName, EngineName], REPOSITORY] = Field(
        {},
        max_length=50,
        description="`{area: engine}`: for files that a rule of the area matches.",
    )
    languages: Annotated[dict[Language, EngineName], REPOSITORY] = Field(
        {},
        max_length=50,
        description="`{language: engine}`, as `identify` calls it: `python`, `c++`.",
    )
    tiers: Annotated[dict[EngineTier, EngineName], REPOSITORY] = Field(
        {}, description="`{tier: engine}`: for the rest of what goes there."
    )

    def names(self) -> Iterator[str]:
        """All engines that it names."""
        for part in (self.areas, self.languages, self.tiers):
            yield from part.values()


class NamedEngine(Closed):
    """One engine: a Claude model, or an OpenAI-compatible server."""

    tier: EngineTier
    """What it stands in for; it is never asked about what goes to the other tier."""
    model: str = Field(min_length=1, max_length=200)
    url: str = Field("", max_length=500)
    context_tokens: int = Field(16_384, ge=2_048, le=1_048_576)
    private: bool = False
    """The server is ours although not on this machine."""
    key_file: Path | None = None
    """Of the server's key; Claude's is the operator's."""

    @model_validator(mode="after")
    def _whole(self) -> "NamedEngine":
        if self.tier == "local" and not self.url:
            raise ValueError("an engine of tier local needs the `url` of its server")
        if self.tier == "claude" and (self.url or self.key_file):
            raise ValueError("an engine of tier claude has no `url` and no `key_file`")
        return self


class EnginesFile(Closed):
    """The whole file."""

    version: Literal[1] = 1
    engines: dict[EngineName, NamedEngine] = Field(max_length=20)
    use: EngineChoice = EngineChoice()

    @model_validator(mode="after")
    def _known(self) -> "EnginesFile":
        for name in self.use.names():
            if name not in self.engines:
                raise ValueError(f"`use` names {name}, which is not under `engines`")
        for tier, name in self.use.tiers.items():
            if self.engines[name].tier != tier:
                raise ValueError(f"{name} is of tier {self.engines[name].tier}, not {tier}")
        return self


def parse_engines(text: str | bytes, source: str) -> EnginesFile:
    """Read the file's text. Raises DocumentError with the line and the likely fix."""
    return validate(EnginesFile, load_document(text, source))
