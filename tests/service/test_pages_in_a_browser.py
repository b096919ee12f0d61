"""The pages as a real browser shows them, on a desk and on a telephone, light and dark. Skipped where
no Chromium is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from browser import Browser, browsing
from listening import Listener, listening
from publishing.sample_reviews import hostile_review, shop_review
from sample_month import write_month

from reviewbot.service.health import Check
from reviewbot.store.reports import open_report_store

NOW = datetime(2026, 11, 29, 18, tzinfo=UTC)
PAGES = ("/", "/reviews", "/report/2026-11", "/reviews/shop", "/reviews/hostile", "/reviews/no")
TITLES = (
    "<script>document.title = 'owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "</title></style><svg onload=\"document.title='owned'\">" + "a" * 300,
)
#: Least contrast of text to what is behind it (WCAG 2.2, AA).
CONTRAST = 4.5

#: All texts whose contrast is too small: what they say, and their contrast.
PALE = """
(() => {
  const read = text => {
    const numbers = (text.match(/-?[\\d.]+(e-?\\d+)?/g) || []).map(Number);
    const scale = text.startsWith("color(") ? 255 : 1;
    const [r, g, b, a] = numbers;
    return [r * scale, g * scale, b * scale, a === undefined ? 1 : a];
  };
  const over = (top, below) => {
    const mixed = [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
    return [...mixed, 1];
  };
  const behind = element => {
    if (!element) return [255, 255, 255, 1];
    const own = read(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own : over(own, behind(element.parentElement));
  };
  const light = color => {
    const [r, g, b] = color.slice(0, 3).map(c => c / 255)
      .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim(), element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility() || element.closest("title, desc, .unseen")) continue;
    const style = getComputedStyle(element), below = behind(element);
    const ink = over(read(element.closest("svg") ? style.fill : style.color), below);
    const [a, b] = [light(ink), light(below)].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (!(contrast >= LEAST)) found.push(`${text.slice(0, 40)}: ${contrast.toFixed(2)}`);
  }
  return found;
})()
""".replace("LEAST", str(CONTRAST))
#: What whoever can't see needs and is missing.
UNTOLD = """
(() => {
  const found = [], all = name => [...document.querySelectorAll(name)];
  const levels = all("h1, h2, h3, h4").map(h => +h.tagName[1]);
  if (levels[0] !== 1 || levels.filter(l => l === 1).length !== 1) found.push("one h1, first");
  levels.forEach((l, i) => { if (i && l > levels[i - 1] + 1) found.push(`h${l} after h${levels[i - 1]}`); });
  for (const one of ["header", "main", "html[lang]", "title"])
    if (all(one).filter(e => e.namespaceURI !== "http://www.w3.org/2000/svg" && !e.closest("main article")).length !== 1)
      found.push(one);
  all("nav").forEach(nav => { if (!nav.ariaLabel) found.push("nav without label"); });
  all("table").forEach(table => { if (!table.caption?.textContent.trim()) found.push("table without caption"); });
  all("th").forEach(th => { if (!th.scope) found.push(`th without scope: ${th.textContent}`); });
  all("input:not([type=hidden]), select").forEach(field => {
    if (!field.labels.length) found.push(`field without label: ${field.name}`); });
  all("svg.chart").forEach(svg => { if (!svg.querySelector("title") || !svg.querySelector("desc"))
    found.push("chart without words"); });
  return found;
})()
"""


@dataclass
class Pages:
    """A browser before a listener, signed in."""

    browser: Browser
    listener: Listener
    cookie: str

    def open(self, path: str, width: int = 1200, *, dark: bool = False) -> Browser:
        url = f"{self.listener.url}{path}"
        self.browser.open(url, width=width, dark=dark, cookie=self.cookie)
        return self.browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    folder = tmp_path_factory.mktemp("browser")
    with (
        browsing(folder) as browser,
        open_report_store(f"sqlite:///{folder}/reviewbot.db") as store,
        listening(folder, store, now=NOW) as listener,
    ):
        write_month(store)
        shop, hostile = shop_review(), hostile_review()
        store.save_review(replace(shop, id="shop", created_at=NOW.replace(hour=9)))
        store.save_review(replace(hostile, id="hostile", created_at=NOW.replace(hour=10)))
        for number, title in enumerate(TITLES):
            change = replace(shop.change, title=title)
            at = NOW.replace(hour=11 + number)
            store.save_review(replace(shop, id=f"t{number}", change=change, created_at=at))
        listener.health.seen.append(Check("worker", False, "silent for 40 s"))
        session = listener.login.redeem(listener.login.issue())
        yield Pages(browser, listener, f"reviewbot_session={session}")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 400])
def test_pages_fit_and_can_be_read(pages: Pages, width: int, *, dark: bool) -> None:
    for path in PAGES:
        shown = pages.open(path, width, dark=dark)

        assert shown.ask("document.documentElement.scrollWidth <= innerWidth"), path
        assert shown.ask(PALE) == [], path
        ground = shown.ask("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(20, 23, 29)") is dark


def test_whoever_cannot_see_is_told_as_much(pages: Pages) -> None:
    for path in (*PAGES, "/reviews?repository=acme/none", "/login"):
        assert pages.open(path).ask(UNTOLD) == [], path


def test_pages_ask_nobody_else(pages: Pages) -> None:
    for path in PAGES:
        shown = pages.open(path)

        assert [url.split("?")[0] for url in shown.requests if "favicon" not in url] == [
            f"{pages.listener.url}{path}"
        ]


def test_titles_that_want_to_act_are_only_read(pages: Pages) -> None:
    for path in ("/", "/reviews", "/reviews/t0", "/reviews/t1", "/reviews/t2"):
        shown = pages.open(path)

        assert "owned" in shown.ask("document.body.innerText")
        assert shown.ask("document.title") != "owned"
        assert (
            shown.ask("document.querySelectorAll('script, img, [onload], [onerror]').length") == 0
        )


def test_the_keyboard_is_enough(pages: Pages) -> None:
    shown = pages.open("/")
    focused = "document.activeElement"

    shown.press("Tab")
    first = shown.ask(f"{focused}.textContent")
    on_screen = shown.ask(f"{focused}.getBoundingClientRect().left >= 0")
    shown.press("Tab")
    outline = shown.ask(f"getComputedStyle({focused}).outlineStyle")
    reached = set()
    for _ in range(60):
        shown.press("Tab")
        reached.add(shown.ask(f"({focused}.getAttribute('href') || {focused}.className || '')"))

    assert (first, on_screen, outline) == ("Skip to the content", True, "solid")
    assert {"/reviews", "/report", "wide", "/report/2026-11", "/reviews/t2"} <= reached


def test_the_skip_link_leads_past_the_navigation(pages: Pages) -> None:
    shown = pages.open("/")

    shown.press("Tab")
    shown.press("Enter")

    assert shown.ask("location.hash") == "#content"


def test_the_measure_of_contrast_finds_what_is_pale(pages: Pages) -> None:
    shown = pages.open("/")
    heading = "document.querySelector('h1').style"

    shown.ask(f"{heading}.color = '#888'")

    assert shown.ask(PALE) == ["November 2026 so far: 3.54"]
