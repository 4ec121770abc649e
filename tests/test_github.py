"""What runs at GitHub, as far as it can be known without running there."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
import shlex
from typing import Any

import pytest
import yaml

from scripts.run_tests import PARTS

ROOT = Path(__file__).parent.parent
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")


def load(path: Path) -> dict[str, Any]:
    """Read a workflow; YAML 1.1, which the library speaks, takes its key `on` for a truth value."""
    content: dict[Any, Any] = yaml.safe_load(path.read_text())
    return {"on" if key is True else key: value for key, value in content.items()}


def steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job["steps"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
class TestWorkflow:
    def test_every_action_is_pinned_to_a_commit_and_says_which_version_that_is(self, path: Path) -> None:
        lines = [line for line in path.read_text().splitlines() if "uses:" in line]
        assert lines
        for line in lines:
            assert re.search(r"uses: [\w-]+/[\w./-]+@[0-9a-f]{40} # \S+", line), line

    def test_it_may_read_only_where_it_does_not_say_otherwise(self, path: Path) -> None:
        workflow = load(path)
        assert workflow["permissions"] == {"contents": "read"}
        for name, job in workflow["jobs"].items():
            allowed = {"contents": "write"} if (path.stem, name) == ("release", "zip") else None
            assert job.get("permissions") == allowed
        for step in steps(workflow):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False

    def test_nothing_that_strangers_write_gets_into_a_command(self, path: Path) -> None:
        workflow = load(path)
        assert "pull_request_target" not in workflow["on"]
        for step in steps(workflow):
            assert "${{" not in step.get("run", "")

    def test_it_ends(self, path: Path) -> None:
        assert all(job["timeout-minutes"] <= 90 for job in load(path)["jobs"].values())

    def test_what_it_runs_of_ours_exists(self, path: Path) -> None:
        for step in steps(load(path)):
            command, *parts = shlex.split(step.get("run", "true"))
            if command.startswith("scripts/"):
                assert (ROOT / command).stat().st_mode & 0o111
            if command == "scripts/test":
                assert {*parts} <= PARTS.keys()


def test_the_checks_that_matter_run_on_every_change() -> None:
    used = {step.get("uses", step.get("run", "")).split("@")[0] for path in WORKFLOWS for step in steps(load(path))}
    assert {"scripts/test", "home-assistant/actions/hassfest", "hacs/action"} <= used
    for path in WORKFLOWS:
        if path.stem != "release":
            assert {"push", "pull_request"} <= load(path)["on"].keys()


def test_the_release_uploads_what_hacs_looks_for() -> None:
    hacs = json.loads((ROOT / "hacs.json").read_text())
    workflow = load(GITHUB / "workflows" / "release.yml")
    commands = [step.get("run", "") for step in steps(workflow)]
    assert all(hacs["filename"] in command for command in commands[-2:])
    # A release that is published without it cannot be installed for as long as the workflow takes
    assert workflow["on"].keys() == {"push"}
    assert "--draft" in commands[-1]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_has_what_github_asks_for(path: Path) -> None:
    form = load(path)
    assert {"name", "description", "body"} <= form.keys()
    fields = [part for part in form["body"] if part["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields)
    for field in fields:
        assert field["type"] in ("textarea", "input", "dropdown")
        assert field["attributes"]["label"]
        assert ("options" in field["attributes"]) == (field["type"] == "dropdown")


def test_a_bug_comes_with_diagnostics() -> None:
    (field,) = [
        field for field in load(GITHUB / "ISSUE_TEMPLATE" / "bug.yml")["body"] if field.get("id") == "diagnostics"
    ]
    assert field["validations"]["required"] is True


def test_dependabot_keeps_the_pins_fresh() -> None:
    updates = load(GITHUB / "dependabot.yml")["updates"]
    assert "github-actions" in {update["package-ecosystem"] for update in updates}


def test_the_owner_of_the_code_is_the_manifests() -> None:
    manifest = json.loads((ROOT / "custom_components" / "amp_sensor" / "manifest.json").read_text())
    assert (GITHUB / "CODEOWNERS").read_text().split() == ["*", *manifest["codeowners"]]
