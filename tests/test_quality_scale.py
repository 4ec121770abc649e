"""The audit against Home Assistant's Integration Quality Scale: whole, and with evidence that exists."""

from pathlib import Path
import re
from typing import Any

import pytest
import yaml

from tests.evidence import ROOT, missing
from tests.test_docs import anchors

AUDIT: dict[str, dict[str, str]] = yaml.safe_load(
    (ROOT / "custom_components" / "amp_sensor" / "quality_scale.yaml").read_text()
)["rules"]

# In the order of Home Assistant's own list, of 2026.10
RULES = """
action-setup appropriate-polling brands common-modules config-flow config-flow-test-coverage dependency-transparency
docs-actions docs-conditions docs-high-level-description docs-installation-instructions docs-removal-instructions
docs-triggers entity-event-setup entity-unique-id has-entity-name runtime-data test-before-configure test-before-setup
unique-config-entry

action-exceptions config-entry-unloading docs-configuration-parameters docs-installation-parameters entity-unavailable
integration-owner log-when-unavailable parallel-updates reauthentication-flow test-coverage

devices diagnostics discovery discovery-update-info docs-data-update docs-examples docs-known-limitations
docs-supported-devices docs-supported-functions docs-troubleshooting docs-use-cases dynamic-devices entity-category
entity-device-class entity-disabled-by-default entity-translations exception-translations icon-translations
reconfiguration-flow repair-issues stale-devices

async-dependency inject-websession strict-typing
""".split()  # noqa: SIM905 -- by tier, as one reads it
EXEMPT = {"discovery", "discovery-update-info", "test-before-setup"}
EVIDENCE = re.compile(r"^((?:README\.md|[\w.]+/[\w./]+\.\w+)(?:#[\w-]+|(?:::\w+)+)?)$", re.MULTILINE)


def test_every_rule_is_audited() -> None:
    assert len(RULES) == 54
    assert list(AUDIT) == RULES


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_met_as_its_evidence_shows(rule: str) -> None:
    audit: dict[str, Any] = AUDIT[rule]
    assert audit.keys() == {"status", "comment"}
    assert audit["status"] == ("exempt" if rule in EXEMPT else "done")
    found = EVIDENCE.findall(audit["comment"])
    assert found or rule in EXEMPT, "no evidence"
    for evidence in found:
        assert missing(evidence) is None
        page, _, anchor = evidence.partition("#")
        assert not anchor or anchor in anchors(ROOT / Path(page)), f"{page} has no heading {anchor}"
