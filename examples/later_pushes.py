"""A pull request that is pushed to ten times, as a simulated GitHub shows it in the end: Markdown.

`python examples/later_pushes.py [FILE]`: the real service reviews it in its own processes; models are
loopback servers that always see the same problems.
"""

import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))
sys.path.append(str(Path(__file__).parents[1] / "tests" / "service"))

from pushing import ten_pushes
from serving import HURRIED_SERVE, surroundings


def main(out: str = "") -> None:
    with tempfile.TemporaryDirectory() as folder, surroundings(Path(folder)) as service:
        service.start(*HURRIED_SERVE)
        service.listening()
        pushed = ten_pushes(service)
        page = service.github.render(pushed.repository, pushed.pull)
        print("requests to GitHub, by push:", *pushed.requests, file=sys.stderr)
    if out:
        Path(out).write_text(page, encoding="utf-8")
    else:
        print(page)


if __name__ == "__main__":
    main(*sys.argv[1:2])
