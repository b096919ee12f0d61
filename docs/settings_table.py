"""Writes the table of settings in the README from the settings class; `make fmt` runs it."""

from pathlib import Path

from reviewbot.config.settings import PREFIX, SECRETS, Settings

README = Path(__file__).parent.parent / "README.md"
START, END = "<!-- settings: written by docs/settings_table.py -->", "<!-- end of settings -->"


def settings_table() -> str:
    """The table: one row for each setting, in the order of the class."""
    rows = ["| Variable | Default | What |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        variable = f"`{PREFIX}{name.upper()}`"
        if name in SECRETS:
            variable += " (or `…_FILE`)"
        rows.append(f"| {variable} | {_default(field.default, name)} | {field.description} |")
    return "\n".join(rows)


def with_table(readme: str) -> str:
    """The README with the table between its two marks. Raises ValueError if a mark is missing."""
    start, end = readme.index(START) + len(START), readme.index(END)
    return f"{readme[:start]}\n{settings_table()}\n{readme[end:]}"


def _default(value: object, name: str) -> str:
    if name == "data_dir":
        return "`~/.local/share/reviewbot`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "" if value in (None, "") else f"`{value}`"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
