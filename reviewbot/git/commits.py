"""What a commit says: its parents, its author, its message."""

from dataclasses import dataclass

from reviewbot.git.objects import GitObject


@dataclass(frozen=True)
class Commit:
    """One commit."""

    sha: str
    parents: tuple[str, ...]
    author: str
    """The author's name, without the address."""
    subject: str
    body: str

    @property
    def short(self) -> str:
        """The abbreviated SHA, for people."""
        return self.sha[:10]


def read_commit(found: GitObject) -> Commit:
    """The commit of an object of that type, read whole."""
    head, _, message = (found.data or b"").partition(b"\n\n")
    fields: dict[str, list[bytes]] = {}
    for line in head.split(b"\n"):
        name, _, value = line.partition(b" ")
        fields.setdefault(name.decode("ascii", "replace"), []).append(value)
    author = fields.get("author", [b""])[0].rpartition(b" <")[0]
    paragraphs = _decoded(message).strip().split("\n\n", 1)
    return Commit(
        sha=found.sha,
        parents=tuple(parent.decode("ascii", "replace") for parent in fields.get("parent", ())),
        author=_decoded(author),
        subject=" ".join(paragraphs[0].split()),
        body=paragraphs[1].strip() if len(paragraphs) > 1 else "",
    )


def _decoded(text: bytes) -> str:
    """UTF-8, else Latin-1: a commit's own word on its encoding could name any codec."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")
