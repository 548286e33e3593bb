"""The documents tell the truth: what is made from the code is current, what the README shows is what the lanes run."""

from __future__ import annotations

import json
import re
from pathlib import Path

from gateway.app import ROUTES
from gateway.config.load import parse
from gateway.config.manual import defaults, schema
from gateway.core.errors import TABLE, Code
from gateway.core.policy import Policy

ROOT = Path(__file__).resolve().parents[1]


def errors_page() -> str:
    """docs/errors.md, from the one table of errors."""
    rows = [
        f"| `{code.value}` | {kind.status} | `{kind.type}` | {'yes, after Retry-After' if kind.again else 'no'} |"
        for code, kind in TABLE.items()
    ]
    return "\n".join(
        [
            "# Errors",
            "",
            'Every error that a client can get. On the OpenAI surface it is `{"error":{"message","type","code"}}`, on Ollama\'s',
            '`{"error":"message","code":"…"}`; inside a stream whose headers have gone, the same as a last event or line, after which',
            "nothing follows. A final error has status 400 and `x-should-retry: false`: clients do not ask again. Texts say what to",
            "change, and hold no digits that a client takes for a status.",
            "",
            "| code | status | type | worth asking again |",
            "|---|---|---|---|",
            *rows,
            "",
            "Made from `gateway/core/errors.py`; `tests/test_docs.py` keeps it current.",
            "",
        ]
    )


def test_the_errors_page_is_current() -> None:
    page = ROOT / "docs" / "errors.md"
    assert page.read_text() == errors_page(), "write it anew: python -m tests.test_docs"


def test_every_code_has_its_row() -> None:
    assert set(TABLE) == set(Code)


def test_the_default_policy_is_current_and_is_the_default() -> None:
    text = (ROOT / "policies" / "default.yaml").read_text()
    assert text == defaults(), "make generated"
    assert parse(text, name="default.yaml") == Policy()
    assert (ROOT / "policies" / "schema.json").read_text() == schema() + "\n", "make generated"


def test_every_shipped_policy_is_valid() -> None:
    for file in sorted((ROOT / "policies").glob("*.yaml")):
        parse(file.read_text(), name=file.name)


def test_the_readmes_json_is_json_and_points_at_the_gateway() -> None:
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        assert "http://127.0.0.1:8484/v1" in json.dumps(json.loads(block))


def test_every_word_of_what_was_done_is_explained() -> None:
    """Words are told in two forms: `did("word")` and what `Fitted.did` lists."""
    said = {
        word
        for file in (ROOT / "gateway").rglob("*.py")
        for line in file.read_text().splitlines()
        if ".do(" in line or "*((" in line
        for word in re.findall(r'"([a-z_]+)"', line)
    }
    explained = set(re.findall(r"^\| `([a-z_]+)` \|", (ROOT / "docs" / "http.md").read_text(), re.MULTILINE))
    assert {"compacted", "continued", "retried", "mended"} <= said
    assert said <= explained


def test_every_path_is_told_of() -> None:
    page = (ROOT / "docs" / "http.md").read_text()
    for route in ROUTES:
        path = route.path.removeprefix("/v1").removesuffix("/*") or "/"
        assert path in page or path.removeprefix("/api/") in page, path


def test_links_inside_the_project_lead_somewhere() -> None:
    pages = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "deploy/README.md"]
    for page in [*pages, *(f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md"))]:
        text = (ROOT / page).read_text()
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (ROOT / page).parent.joinpath(target).exists(), f"{page}: {target}"


if __name__ == "__main__":
    (ROOT / "docs" / "errors.md").write_text(errors_page())
