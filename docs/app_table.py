"""Writes what the GitHub App may do into docs/operating.md, from the list that setup and doctor use;
`make fmt` runs it."""

from pathlib import Path

from reviewbot.github.needs import EVENTS, EXTRAS, NEEDS, UNASKED

DOCUMENT = Path(__file__).parent / "operating.md"
START, END = "<!-- app: written by docs/app_table.py -->", "<!-- end of app -->"


def app_table() -> str:
    """Permissions, then events."""
    rows = ["| Permission | Level | What for |", "|---|---|---|"]
    rows += [f"| {need.name} | {need.level} | {need.why} |" for need in NEEDS]
    rows += [
        f"| {need.name}, with `{option}` | {need.level} | {need.why} |"
        for option, need in EXTRAS.items()
    ]
    rows += ["", "| Event | What for |", "|---|---|"]
    rows += [f"| `{event}` | {why} |" for event, why in EVENTS.items()]
    sent = ", ".join(f"`{event}`" for event in UNASKED)
    return "\n".join([*rows, "", f"GitHub sends {sent} to every App, without a subscription."])


def with_table(text: str) -> str:
    """The document with the tables between their marks. Raises ValueError if a mark is missing."""
    start, end = text.index(START) + len(START), text.index(END)
    return f"{text[:start]}\n{app_table()}\n{text[end:]}"


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
