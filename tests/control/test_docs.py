"""docs/controller.md says what the code does."""

import contextlib
import io
import re

from custom_components.amp_sensor.control import Mode, Reason
from tests.control.constants import DOC, constants, filled

TEXT = DOC.read_text()


def test_the_tables_are_those_of_the_code() -> None:
    assert filled(TEXT) == TEXT, "run: python -m tests.control.constants"


def test_every_constant_tells_its_origin() -> None:
    assert [names for _, names, text in constants() if len(text) < 20] == []


def test_every_reason_and_every_mode_is_told() -> None:
    rows = re.findall(r"^\| `(\w+)` \| \S", TEXT.split("## What it returns")[1].split("\n## ")[0], re.MULTILINE)
    assert rows == [str(reason) for reason in Reason]
    rows = re.findall(r"^\| (\w+) \|", TEXT.split("## The modes")[1].split("The last three")[0], re.MULTILINE)
    assert rows == ["mode", *Mode]


def test_the_example_does_what_it_says() -> None:
    ((code, output),) = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", TEXT, re.DOTALL)
    assert len(code.splitlines()) <= 30
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "docs/controller.md", "exec"), {})  # noqa: S102 -- our own documentation
    assert printed.getvalue() == output
