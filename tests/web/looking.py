"""Looking at a page as a machine does: what axe finds on it, and whether it hangs over the edge of the screen."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, ViewportSize

FOUND = """async ([within, rules]) => {
  const fades = (one) => one.playState === 'running' && one.effect.getComputedTiming().endTime !== Infinity;
  const moves = () => document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling, .htmx-added')
    || document.getAnimations().some(fades);
  for (const end = performance.now() + 5000; moves(); await new Promise(requestAnimationFrame)) {
    if (performance.now() > end) throw new Error('the page does not come to rest');
  }
  const { violations } = await axe.run(within, { rules, resultTypes: ['violations'] });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`));
}"""
"""Axe is asked once no request is under way and nothing fades any more (what turns for ever may turn)."""
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def violations(page: Page, *, within: str = "html", rules: dict[str, Any] | None = None) -> list[str]:
    """What axe finds on a page that has come to rest: rule, place and what is wrong there."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(FOUND, [within, rules or {}])
    return found


def look(page: Page, *, within: str = "html", rules: dict[str, Any] | None = None) -> None:
    """Nothing for axe to find, and nothing wider than the screen."""
    assert (page.url, violations(page, within=within, rules=rules)) == (page.url, [])
    assert not page.evaluate(WIDER), page.url


def look_at_both_widths(page: Page) -> None:
    """The same at a desk and on a phone."""
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        look(page)
