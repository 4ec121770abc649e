"""Break the controller in every small way, one at a time, and tell which faults no test notices: docs/mutants.md.

The faults are those that mutmut knows, and a few more. They are run here and not by mutmut, which breaks plain
functions only: here half of the model is constants, profiles, prices and properties. Each fault gets a process of its
own, forked from one that has imported all that is slow, with the tests that run the broken lines, the quickest first,
until one fails.
"""

import argparse
import ast
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator
import contextlib
from dataclasses import dataclass
import functools
import gc
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
import io
import json
import math
import os
from pathlib import Path
from random import Random
import re
import resource
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from types import CodeType, UnionType
from typing import Any

from hypothesis import HealthCheck, Phase, errors, settings
import libcst as cst
from libcst import matchers as m
from libcst.metadata import MetadataWrapper, WhitespaceInclusivePositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_arg_removal, operator_assignment, operator_number
import pytest

ROOT = Path(__file__).resolve().parent.parent
LIMIT_FACTOR, LIMIT_S = 10, 2
"""A test may take this many times what it took before, and so many s more, of the processor: load does not count."""
PATIENCE = 5
"""Whatever ran out of time is tried again, alone, with so many times as much."""
NEARBY, START_S = 4, 0.1
"""What it counts for that a test has noticed a fault of the same function, next to one of the same module; and what
any test takes besides, s. Only the order of the tests follows from these: guessed, and quicker than by time alone."""
MEMORY = 4 << 30
"""What a mutant may take, bytes."""

# -- what is broken ---------------------------------------------------------------------------------------------------

SAME = m.OneOf(
    m.Annotation(),
    m.Assert(),
    m.Assign(targets=[m.AssignTarget(m.Name("__all__"))]),
    m.Call(func=m.Name("isinstance") | m.Name("cast") | m.Name("TypeVar")),
    m.Decorator(),
    m.Expr(m.Call(func=m.Attribute(value=m.Name("_LOGGER")))),
    m.Expr(m.SimpleString() | m.ConcatenatedString()),
    m.FunctionDef(decorators=[m.AtLeastN(m.DoNotCare(), n=0), m.Decorator(m.Name("overload")), m.ZeroOrMore()]),
    m.If(test=m.Name("TYPE_CHECKING")),
    m.Import(),
    m.ImportFrom(),
    m.Raise(),  # its text; whether it is raised is up to the condition before it
    m.TypeAlias(),
    m.TypeParameters(),
)
"""Where a change changes nothing that a test should see: documentation, types, and the wording of errors."""
SAME_ARGUMENT = m.Arg(keyword=m.OneOf(*map(m.Name, ("frozen", "kw_only", "repr", "slots", "strict"))))

NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "floor": "ceil", "ceil": "floor"}


def _numbers(node: cst.BaseNumber) -> Iterator[cst.CSTNode]:
    """Change a number by a clear amount: mutmut's one more is nothing to 2560 s, and a lot to 0.075."""
    value = node.evaluated_value
    changed = (value + 1,) if isinstance(value, int) and value < 10 else (value * 2, type(value)(value / 2))
    for new in changed if value else (type(value)(1),):
        yield node.with_changes(value=repr(new))


def _names(node: cst.Name) -> Iterator[cst.CSTNode]:
    if node.value in NAMES:
        yield node.with_changes(value=NAMES[node.value])


def _operands(node: cst.BooleanOperation) -> Iterator[cst.CSTNode]:
    """Leave one side out."""
    for side in (node.left, node.right):
        yield side.with_changes(lpar=node.lpar, rpar=node.rpar) if node.lpar else side


def _calls(node: cst.Expr) -> Iterator[cst.CSTNode]:
    """Do not do it."""
    if isinstance(node.value, cst.Call):
        yield cst.Pass()


def _arguments(node: cst.Call) -> Iterator[cst.CSTNode]:
    """Leave one out that may have a default."""
    for number, arg in enumerate(node.args):
        if len(node.args) > 1 and (arg.keyword or arg is node.args[-1]) and not m.matches(arg, SAME_ARGUMENT):
            yield node.with_changes(args=[*node.args[:number], *node.args[number + 1 :]])


def _assignments(node: cst.Assign | cst.AugAssign) -> Iterator[cst.CSTNode]:
    """Leave what is there; a name in a function would be missing."""
    targets = [node.target] if isinstance(node, cst.AugAssign) else [each.target for each in node.targets]
    if all(isinstance(target, cst.Attribute | cst.Subscript) for target in targets):
        yield cst.Pass()


def _conditions(test: cst.BaseExpression, *, both: bool) -> Iterator[cst.CSTNode]:
    """Take one branch whatever the condition says, as mutmut does where one is part of an expression."""
    test = test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    yield cst.BooleanOperation(left=test, operator=cst.And(), right=cst.Name("False"))
    if both:
        yield cst.BooleanOperation(left=test, operator=cst.Or(), right=cst.Name("True"))


OPERATORS: tuple[tuple[type | UnionType, Callable[[Any], Iterable[cst.CSTNode]]], ...] = (
    # Without its Nones instead of arguments and values, which strict types refuse
    *(
        (kind, operator)
        for kind, operator in mutation_operators
        if operator not in (operator_arg_removal, operator_assignment, operator_number)
    ),
    (cst.BaseNumber, _numbers),
    (cst.Name, _names),
    (cst.BooleanOperation, _operands),
    (cst.Expr, _calls),
    (cst.Call, _arguments),
    (cst.Assign | cst.AugAssign, _assignments),
)


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One fault."""

    path: Path
    where: str
    """The module and what of it: a function, or the name that is assigned to."""
    number: int
    """The line in the file."""
    lines: frozenset[int]
    """The lines that are executed if it is."""
    before: str
    after: str
    source: str
    """The whole module with the fault in it."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What stays the same while other lines come and go."""
        return self.where, " ".join(self.before.split()), " ".join(self.after.split())

    @property
    def diff(self) -> str:
        """Tell it as a patch would."""
        old = [f"-{line}" for line in self.before.splitlines()]
        new = [f"+{line}" for line in self.after.splitlines()]
        return "\n".join((f"{self.path.name}:{self.number} in {self.where}", *old, *new))


class _Breaker(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (WhitespaceInclusivePositionProvider,)

    def __init__(self, path: Path, source: str, module: cst.Module) -> None:
        super().__init__()
        self.mutants: list[Mutant] = []
        self._path, self._source, self._module = path, source, module
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._scope: list[tuple[cst.CSTNode, str]] = []
        self._statements: list[cst.CSTNode] = []
        self._seen: set[str] = set()

    def on_visit(self, node: cst.CSTNode) -> bool:
        if m.matches(node, SAME) or m.matches(node, SAME_ARGUMENT):
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._scope.append((node, node.name.value))
        elif not any(isinstance(outer, cst.FunctionDef) for outer, _ in self._scope):
            if isinstance(node, cst.Assign):
                self._scope.append((node, self._module.code_for_node(node.targets[0].target)))
            elif isinstance(node, cst.AnnAssign):
                self._scope.append((node, self._module.code_for_node(node.target)))
        if isinstance(node, cst.BaseSmallStatement | cst.BaseCompoundStatement):
            self._statements.append(node)
        for kind, operator in OPERATORS:
            if isinstance(node, kind):
                # Of the three things that mutmut does to the letters of a string, one tells all
                for new in list(operator(node))[: 1 if kind is cst.BaseString else None]:
                    self._add(node, new)
        if isinstance(node, cst.If | cst.CompIf | cst.While):
            for new in _conditions(node.test, both=not isinstance(node, cst.While)):
                self._add(node.test, new)
        # Bases and keywords of a class are for its making, and for types
        if isinstance(node, cst.ClassDef):
            node.body.visit(self)
            return False
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if self._scope and self._scope[-1][0] is original_node:
            self._scope.pop()
        if self._statements and self._statements[-1] is original_node:
            self._statements.pop()

    def _add(self, node: cst.CSTNode, new: cst.CSTNode) -> None:
        span = self.get_metadata(WhitespaceInclusivePositionProvider, node)
        start = self._starts[span.start.line - 1] + span.start.column
        end = self._starts[span.end.line - 1] + span.end.column
        source = self._source[:start] + self._module.code_for_node(new) + self._source[end:]
        if source in self._seen:
            return
        try:
            ast.parse(source)
        except SyntaxError:  # without the brackets that let it go over several lines
            return
        self._seen.add(source)
        first = self._starts[span.start.line - 1]
        rest = len(self._source) - self._starts[span.end.line]
        before = self._source[first : len(self._source) - rest].splitlines()
        after = source[first : len(source) - rest].splitlines()
        number = span.start.line
        while before and after and before[0] == after[0]:
            before, after, number = before[1:], after[1:], number + 1
        while before and after and before[-1] == after[-1]:
            before, after = before[:-1], after[:-1]
        statement = self.get_metadata(WhitespaceInclusivePositionProvider, self._statements[-1])
        self.mutants.append(
            Mutant(
                path=self._path,
                where=".".join((self._path.stem, *(name for _, name in self._scope))),
                number=number,
                lines=frozenset(range(min(statement.start.line, span.start.line), span.end.line + 1)),
                before="\n".join(before),
                after="\n".join(after),
                source=source,
            )
        )


def mutants_of(path: Path) -> list[Mutant]:
    """Return all faults that can be built into a module."""
    source = path.read_text()
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    breaker = _Breaker(path, source, wrapper.module)
    wrapper.visit(breaker)
    return breaker.mutants


# -- how it is noticed ------------------------------------------------------------------------------------------------

TIME = "time"
"""How a fault is noticed that lets a test run for ever, or ends its process."""
LOAD_ALONE = (errors.DeadlineExceeded, errors.FailedHealthCheck)
"""What a slow machine brings about without any fault."""


class _Loader(SourceFileLoader):
    """Loads a module from what somebody else made of its source."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code


class _Finder:
    def __init__(self, name: str, path: Path, source: str) -> None:
        self._name, self._path = name, path
        self._code = compile(source, str(path), "exec", dont_inherit=True)

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name != self._name:
            return None
        loader = _Loader(name, str(self._path), self._code)
        return spec_from_file_location(name, self._path, loader=loader)


class _Judge:
    """Runs the tests that are asked for, in that order, and takes down what happens (a plugin of pytest)."""

    def __init__(self, tests: dict[str, float] | None = None, unfit: Iterable[str] = (), patience: float = 1) -> None:
        self.tests, self.unfit, self.patience = tests, unfit, patience
        self.times: dict[str, float] = {}
        self.failed: dict[str, str] = {}
        """The tests that failed, with the kind of error."""
        self.test = ""
        """The one that runs."""

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed[report.nodeid] = "ImportError"

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.tests is None:
            return
        order = {test: number for number, test in enumerate(self.tests)}
        # A parameter may be named after what is broken
        families = {test.split("[")[0]: number for test, number in order.items()}
        place = {
            item: order.get(item.nodeid, families.get(item.nodeid.split("[")[0]))
            for item in items
            if item.nodeid not in self.unfit
        }
        items[:] = sorted((item for item in items if place.get(item) is not None), key=place.__getitem__)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self.test = item.nodeid
        sys.monitoring.restart_events()
        if self.tests is not None:
            self.allow(self.tests.get(item.nodeid, 1))
        began = time.process_time()
        try:
            return (yield)
        finally:
            self.times[item.nodeid] = time.process_time() - began
            self.test = ""
            if self.tests is not None:
                self.allow(1)

    def allow(self, usual_s: float) -> None:
        """End this process should the next thing take much longer than usual: by its own time, whatever the load."""
        signal.setitimer(signal.ITIMER_PROF, (LIMIT_FACTOR * usual_s + LIMIT_S) * self.patience)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.excinfo and call.excinfo.errisinstance(LOAD_ALONE):
            report.outcome = "passed"
        if report.failed and call.excinfo:
            self.failed.setdefault(item.nodeid, call.excinfo.typename)
        return report


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of one fault."""

    caught: bool
    how: str = ""
    """The kind of error; empty where it was not caught."""
    by: str = ""
    """The test."""


class Bench:
    """One project, with everything slow imported, and a process for each thing that is to be tried."""

    def __init__(self, root: Path, package: Path, tests: Path, without: Iterable[str]) -> None:
        self.root, self.package, self.tests = root, package, tests
        self.name = ".".join(package.relative_to(root).parts)
        self.arguments = [
            *("-qq", "--tb=no", "--assert=plain", "--import-mode=importlib", f"--rootdir={root}"),
            *("-p", "no:cacheprovider", "-p", "_hypothesis_pytestplugin", "--hypothesis-profile=mutants"),
            *("-W", "ignore", f"--confcutdir={tests}", *(f"--ignore={tests / name}" for name in without)),
        ]
        os.chdir(root)
        sys.path.insert(0, str(root))
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        settings.register_profile(
            "mutants",
            derandomize=True,  # the same verdict each time
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.generate, Phase.target),  # that it fails is enough
            report_multiple_bugs=False,
        )
        with contextlib.redirect_stdout(io.StringIO()) as told:
            code = pytest.main([*self.arguments, str(tests), "--collect-only"])
        if code != pytest.ExitCode.OK:
            raise SystemExit(told.getvalue())
        ours = {path.name for path in root.iterdir() if path.is_dir()} | {path.stem for path in root.glob("*.py")}
        above = {self.name.rsplit(".", count)[0] for count in range(1, self.name.count(".") + 1)}
        for name in [name for name in sys.modules if name.split(".")[0] in ours and name not in above]:
            del sys.modules[name]
        gc.collect()
        gc.freeze()  # or each process would copy everything at its first collection

        self.lines: dict[str, dict[int, list[str]]] = {}
        """By file and line, the tests that execute it; an empty name stands for the import."""
        self.times: dict[str, float] = {}
        """Of each test, s of the processor."""
        self.unfit: dict[str, str] = {}
        """Tests that fail without any fault, and so cannot notice one."""
        self.killers: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """How many faults of a module, or of a part of one, each test has noticed."""

    def module(self, path: Path) -> str:
        return self.name if path.stem == "__init__" else f"{self.name}.{path.stem}"

    def fork(self, work: Callable[[], object], folder: Path) -> int:
        """Start a process that writes what the work returns into the folder; return its number."""
        if pid := os.fork():
            return pid
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            with contextlib.suppress(ValueError, OSError):  # macOS knows no such limit
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(nowhere, stream)
            path = folder / str(os.getpid())
            try:
                path.write_text(json.dumps(work()))
            except BaseException:  # noqa: BLE001 -- the parent tells of it
                path.with_suffix(".error").write_text(traceback.format_exc())
        finally:
            os._exit(0)

    @staticmethod
    def result(pid: int, folder: Path) -> Any:
        """Return what came of a process; None where it came to an end before."""
        path = folder / str(pid)
        if (error := path.with_suffix(".error")).exists():
            raise RuntimeError(error.read_text())
        return json.loads(path.read_text()) if path.exists() else None

    def alone(self, work: Callable[[], Any]) -> Any:
        """Do something in a process of its own, and return what came of it."""
        with tempfile.TemporaryDirectory() as folder:
            pid = self.fork(work, Path(folder))
            os.waitpid(pid, 0)
            return self.result(pid, Path(folder))

    def measure(self) -> None:
        """Run the tests as they are: once for the lines that each executes, once for its time, as mutants are run."""

        def cover() -> object:
            judge = _Judge()
            executed: dict[str, dict[int, set[str]]] = {}

            def line(code: CodeType, number: int) -> object:
                if code.co_filename.startswith(f"{self.package}/"):
                    executed.setdefault(code.co_filename, {}).setdefault(number, set()).add(judge.test)
                return sys.monitoring.DISABLE  # until the next test

            watcher = sys.monitoring.PROFILER_ID
            sys.monitoring.use_tool_id(watcher, "mutants")
            sys.monitoring.register_callback(watcher, sys.monitoring.events.LINE, line)
            sys.monitoring.set_events(watcher, sys.monitoring.events.LINE)
            pytest.main([*self.arguments, str(self.tests)], plugins=[judge])
            return {
                file: {number: list(tests) for number, tests in lines.items()} for file, lines in executed.items()
            }, judge.failed

        def watch() -> object:
            judge = _Judge()
            path = self.package / "__init__.py"
            sys.meta_path.insert(0, _Finder(self.name, path, path.read_text()))  # type: ignore[arg-type] -- it has what imports ask for, not all of the protocol
            pytest.main([*self.arguments, str(self.tests)], plugins=[judge])
            return judge.times, judge.failed

        lines, failed = self.alone(cover)
        self.times, failed_too = self.alone(watch)
        self.lines = {file: {int(line): tests for line, tests in found.items()} for file, found in lines.items()}
        self.unfit = failed | failed_too
        self.times = {test: used_s for test, used_s in self.times.items() if test not in self.unfit}

    def tests_for(self, mutant: Mutant, most_s: float = math.inf) -> dict[str, float]:
        """Return the tests that could notice a fault and their usual times: those that execute it.

        First come those that noticed others there, and are quick; then the quickest parameters of each test, then the
        rest; as many as take `most_s` in sum.
        """
        lines = self.lines.get(str(mutant.path), {})
        tests = {test for line in mutant.lines for test in lines.get(line, ())}
        near: set[str] = set()
        if "" in tests:  # it happens at import, so to all of them: most of all to those that execute what it is used by
            near = {test for name in re.findall(r"\w+", mutant.where.split(".")[-1]) for test in self.users(name)}
            tests = set(self.times)
        there, module = self.killers[mutant.where], self.killers[mutant.path.stem]
        families: Counter[str] = Counter()
        place = {}
        for test in sorted(tests & self.times.keys(), key=lambda test: (self.times[test], test)):
            family = test.split("[")[0]
            promise = (NEARBY * there[test] + module[test]) / (START_S + self.times[test])
            place[test] = (-promise, test not in near, families[family], self.times[test])
            families[family] += 1
        order = {}
        for test in sorted(place, key=place.__getitem__):
            if order and (most_s := most_s - self.times[test]) < 0:
                break
            order[test] = self.times[test]
        return order

    @functools.cache  # noqa: B019 -- there is one bench
    def users(self, name: str) -> frozenset[str]:
        """Return the tests that execute a line which has this name in it."""
        word = re.compile(rf"\b{name}\b")
        return frozenset(
            test
            for file, lines in self.lines.items()
            for number, text in enumerate(Path(file).read_text().splitlines(), 1)
            if word.search(text)
            for test in lines.get(number, ())
        )

    def judge(self, mutant: Mutant, tests: dict[str, float], patience: float) -> object:
        """Run the tests against a fault, and return the first that fails, and how."""
        judge = _Judge(tests, self.unfit, patience)
        judge.allow(1)
        sys.meta_path.insert(0, _Finder(self.module(mutant.path), mutant.path, mutant.source))  # type: ignore[arg-type] -- it has what imports ask for, not all of the protocol
        try:
            import_module(self.name)
        except Exception as error:  # noqa: BLE001 -- whatever a fault may raise
            return "", type(error).__name__
        files = sorted({str(self.root / test.split("::")[0]) for test in tests})
        code = pytest.main([*self.arguments, "-x", *files], plugins=[judge])
        if code == pytest.ExitCode.USAGE_ERROR:
            return "", "ImportError"  # of a conftest.py
        if code != pytest.ExitCode.OK and not judge.failed:
            raise RuntimeError(f"pytest ended with {code!r}")
        return next(iter(judge.failed.items()), None)

    def run(
        self,
        mutants: list[Mutant],
        jobs: int,
        *,
        most_s: float = math.inf,
        patience: float = 1,
        seen: Callable[[int], None] = lambda _: None,
    ) -> dict[Mutant, Verdict]:
        """Try all of them, so many at a time."""
        verdicts: dict[Mutant, Verdict] = {}
        running: dict[int, Mutant] = {}
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            waiting = list(reversed(mutants))
            while waiting or running:
                while waiting and len(running) < jobs:
                    mutant = waiting.pop()
                    if tests := self.tests_for(mutant, most_s):
                        work = lambda mutant=mutant, tests=tests: self.judge(mutant, tests, patience)  # noqa: E731
                        running[self.fork(work, folder)] = mutant
                    else:
                        verdicts[mutant] = Verdict(caught=False)
                if running:
                    pid, status = os.wait()
                    found = self.result(pid, folder)
                    by, how = ("", TIME) if status else found or ("", "")
                    mutant = running.pop(pid)
                    verdicts[mutant] = Verdict(caught=bool(how), how=how, by=by)
                    if by:
                        for place in (mutant.where, mutant.path.stem):
                            self.killers[place][by] += 1
                    (folder / str(pid)).unlink(missing_ok=True)  # its number may come again
                    seen(len(verdicts))
        slow = [mutant for mutant, verdict in verdicts.items() if verdict.how == TIME]
        if slow and patience == 1:
            verdicts |= self.run(slow, 1, most_s=most_s, patience=PATIENCE)
        return {mutant: verdicts[mutant] for mutant in mutants}


# -- what was looked at -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """Faults that nobody need notice, and why."""

    kind: str
    where: tuple[str, ...]
    reason: str
    line: str | None = None
    """None stands for every fault there: for prices that were chosen on the benchmark."""
    becomes: str | None = None

    def covers(self, mutant: Mutant) -> bool:
        where, before, after = mutant.key
        return where in self.where and self.line in (None, before) and self.becomes in (None, after)

    def __str__(self) -> str:
        change = "" if self.line is None else f", `{self.line}` → `{self.becomes}`"
        return f"{', '.join(self.where)}{change}"


def accepted(path: Path) -> list[Accepted]:
    """Read the list of survivors that somebody looked at."""
    if not path.exists():
        return []
    entries = [
        Accepted(kind=kind, **entry | {"where": tuple(where if isinstance(where := entry["where"], list) else [where])})
        for kind, entries in tomllib.loads(path.read_text()).items()
        for entry in entries
    ]
    if bare := [str(entry) for entry in entries if not entry.reason]:
        raise SystemExit(f"{path}: no reason is given for {'; '.join(bare)}")
    return entries


def proposal(mutants: Iterable[Mutant]) -> str:
    """Write entries for that list, to which only the reason has to be added."""
    names = ("where", "line", "becomes", "reason")
    return "\n".join(
        "\n".join(
            (
                "[[accepted]]",
                *(
                    f"{name} = {json.dumps(text, ensure_ascii=False)}"
                    for name, text in zip(names, (*key, ""), strict=True)
                ),
                "",
            )
        )
        for key in dict.fromkeys(mutant.key for mutant in mutants)
    )


CLAIMS = ("AssertionError", "Failed")
"""Errors by which a test says that something is wrong, and does not merely run into it."""

# -- what is told -----------------------------------------------------------------------------------------------------


def table(verdicts: dict[Mutant, Verdict], known: list[Accepted]) -> str:
    """Sum up by module."""
    heads = ("module", "faults", "caught", "by a claim", "by an error", "by time", "not caught", "of these looked at")
    rows = [heads, ("---",) * len(heads)]
    for name in (*sorted({mutant.path.stem for mutant in verdicts}), "all"):
        some = {mutant: verdict for mutant, verdict in verdicts.items() if name in (mutant.path.stem, "all")}
        ways = Counter(
            "claim" if verdict.how in CLAIMS else TIME if verdict.how == TIME else "error"
            for verdict in some.values()
            if verdict.caught
        )
        left = [mutant for mutant, verdict in some.items() if not verdict.caught]
        looked_at = sum(any(entry.covers(mutant) for entry in known) for mutant in left)
        share = f"{100 * ways.total() / len(some):.1f} %"
        counts = (len(some), share, ways["claim"], ways["error"], ways[TIME], len(left), looked_at)
        rows.append((name, *map(str, counts)))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def report(verdicts: dict[Mutant, Verdict], known: list[Accepted]) -> tuple[str, list[Mutant], list[Accepted]]:
    """Tell what came of it; return with it what is left to look at, and entries that nothing answers to."""
    left = {
        mutant: [entry for entry in known if entry.covers(mutant)]
        for mutant, verdict in verdicts.items()
        if not verdict.caught
    }
    new = [mutant for mutant, entries in left.items() if not entries]
    parts = [table(verdicts, known)]
    for kind in dict.fromkeys(entry.kind for entry in known):
        counts = Counter(entries[0] for entries in left.values() if entries and entries[0].kind == kind)
        lines = [f"- {entry}: {count}. {entry.reason}" for entry, count in counts.items()]
        parts.append("\n".join((f"## Looked at: {kind} ({counts.total()})", "", *lines)))
    parts.append("\n\n".join((f"## Not looked at ({len(new)})", *(f"```diff\n{mutant.diff}\n```" for mutant in new))))
    modules = {mutant.path.stem for mutant in verdicts}
    met = {entry for entries in left.values() for entry in entries}
    stale = [
        entry
        for entry in known
        if entry not in met and modules.issuperset(where.split(".")[0] for where in entry.where)
    ]
    if stale:
        parts.append("\n".join(("## Looked at, and gone: take these out", "", *(f"- {entry}" for entry in stale))))
    return "\n\n".join(parts) + "\n", new, stale


def fill(page: Path, text: str) -> None:
    """Put the table into the documentation."""
    pattern = re.compile(r"(<!-- mutants: [^\n]*-->\n).*?(<!-- /mutants -->)", re.DOTALL)
    filled, found = pattern.subn(lambda match: f"{match[1]}{text}\n{match[2]}", page.read_text())
    if found != 1:
        raise ValueError(f"{page} has no place for the table")
    page.write_text(filled)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/mutants", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="of the package, such as prices; default: all")
    parser.add_argument("--survivors", action="store_true", help="only those that nothing noticed last time")
    parser.add_argument("--list", action="store_true", help="tell what would be broken, and run nothing")
    parser.add_argument("--docs", action="store_true", help="write the table into docs/mutants.md (all modules)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time; default: all cores")
    parser.add_argument("--sample", type=int, metavar="N", help="only so many of them, always the same ones")
    parser.add_argument(
        "--seconds", type=float, default=math.inf, metavar="S", help="of tests for each at most; default: all of them"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="of the project; default: this one")
    parser.add_argument("--package", type=Path, default=Path("custom_components/amp_sensor/control"))
    parser.add_argument("--tests", type=Path, default=Path("tests/control"))
    # They compare the code with pages: any change of a number would count as noticed
    parser.add_argument(
        "--without", nargs="*", default=["test_docs.py"], metavar="FILE", help="tests that are left out"
    )
    options = parser.parse_args()
    if options.docs and (options.modules or options.survivors):
        parser.error("--docs wants all of them")
    root = options.root.resolve()
    package, tests, folder = root / options.package, root / options.tests, root / ".mutants"
    paths = {path.stem: path for path in sorted(package.glob("*.py"))}
    if unknown := [name for name in options.modules if name not in paths]:
        parser.error(f"there is no module {', '.join(unknown)}, but {', '.join(paths)}")
    mutants = [mutant for name in options.modules or paths for mutant in mutants_of(paths[name])]
    last = folder / "last.json"
    before: dict[tuple[str, ...], bool] = {}
    if last.exists():
        before = {tuple(key): caught for *key, caught in json.loads(last.read_text())}
    if options.survivors:
        mutants = [mutant for mutant in mutants if before.get(mutant.key) is False]
    if options.sample and options.sample < len(mutants):
        chosen = Random(0).sample(range(len(mutants)), options.sample)
        mutants = [mutants[number] for number in sorted(chosen)]
    if options.list:
        print("\n\n".join(mutant.diff for mutant in mutants))
    if options.list or not mutants:
        print(f"{len(mutants)} faults")
        return 0

    known = accepted(tests / "survivors.toml")
    began = time.monotonic()
    bench = Bench(root, package, tests, options.without)
    bench.measure()
    print(f"{len(mutants)} faults, {len(bench.times)} tests of {sum(bench.times.values()):.1f} s", flush=True)
    for test, how in bench.unfit.items():
        print(f"left out, as it fails without any fault: {test} ({how})")

    def seen(count: int) -> None:
        if count % 50 == 0:
            print(f"{count} in {time.monotonic() - began:.0f} s", flush=True)

    verdicts = bench.run(mutants, options.jobs, most_s=options.seconds, seen=seen)
    text, new, stale = report(verdicts, known)
    used = os.times()
    computed_s = used.user + used.system + used.children_user + used.children_system
    print(f"\n{text}\n{time.monotonic() - began:.0f} s, and {computed_s:.0f} s of a core")
    folder.mkdir(exist_ok=True)
    # Equal lines of one function share their key: one that is not noticed counts
    before |= {mutant.key: True for mutant in mutants}
    before |= {mutant.key: False for mutant, verdict in verdicts.items() if not verdict.caught}
    last.write_text(json.dumps([[*key, caught] for key, caught in before.items()], indent=0))
    (folder / "report.md").write_text(text)
    (folder / "new.toml").write_text(proposal(new))
    if options.docs:
        fill(root / "docs" / "mutants.md", table(verdicts, known))
    return 1 if new or stale or bench.unfit else 0


if __name__ == "__main__":
    sys.exit(main())
