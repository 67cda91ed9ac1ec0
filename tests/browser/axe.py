"""What every page must stand: axe-core finds nothing serious, the browser complains about nothing, nothing sticks out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page

AXE = (Path(__file__).parent.parent / "vendor" / "axe-core-4.14.1" / "axe.min.js").read_text()
SERIOUS = ("serious", "critical")

KEEP_VIOLATIONS = """
window.policyViolations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.policyViolations.push(`${event.violatedDirective}: ${event.blockedURI || event.sourceFile}`);
});
"""

RUN = """
async (rules) => {
  const only = rules ? {runOnly: {type: "rule", values: rules}} : {};
  const found = await axe.run(document, {resultTypes: ["violations"], ...only});
  return found.violations.map((rule) => ({
    rule: rule.id,
    impact: rule.impact,
    help: rule.help,
    where: rule.nodes.slice(0, 3).map((node) => `${node.target.join(" ")} ${node.failureSummary.split("\\n")[1] ?? ""}`),
  }));
}
"""

# Elements that make the page wider than the screen; those inside a scroller of their own may.
TOO_WIDE = """
() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .slice(-3)
    .map((element) => element.outerHTML.slice(0, 100));
}
"""


class Watch:
    """Listens to one page from before its first address on."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.add_init_script(KEEP_VIOLATIONS)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"console: {message.text} ({message.location.get('url', '')})")

    def problems(self, rules: Sequence[str] = ()) -> list[str]:
        """Everything wrong with what the page shows now; forgets what the console said so far. rules: of axe; all."""
        complaints, self.complaints = self.complaints, []
        violations = self.page.evaluate("window.policyViolations ?? []")
        self.page.evaluate(AXE)
        serious = [
            f"{found['rule']} ({found['impact']}): {found['help']}: {'; '.join(found['where'])}"
            for found in self.page.evaluate(RUN, list(rules) or None)
            if found["impact"] in SERIOUS
        ]
        wide = [f"wider than the screen: {element}" for element in self.page.evaluate(TOO_WIDE)]
        return [*complaints, *(f"policy: {violation}" for violation in violations), *serious, *wide]


def check(page: Page) -> None:
    """Fails with the list of what is wrong on this page; the page must come from the fixtures of tests/browser."""
    watch: Watch = page.watch  # type: ignore[attr-defined]
    page.wait_for_load_state()  # styles and pictures belong to what is judged
    if problems := watch.problems():
        pytest.fail("\n".join([page.url, *problems]), pytrace=False)
