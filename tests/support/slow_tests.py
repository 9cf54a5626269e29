"""What `--fast` leaves out: tests that start a process, a browser or PostgreSQL, or go through recorded days."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

import hypothesis
import pytest

STARTERS = {"subprocess", "multiprocessing", "playwright"}
"""Modules that start processes or browsers."""
CALLS = {"create_subprocess_exec", "create_subprocess_shell", "forkpty"}
"""Functions of other modules that do so."""


RECORDED = {"reference", "long"}
"""Fixtures of tests that go through recorded days, or that have fuller figures for `--long`."""
EXAMPLES = 15
"""Examples that are tried of a property with `--fast`, at most."""


def is_slow(item: pytest.Item) -> bool:
    """Whether a test, or a fixture that it asks for, starts a process, a browser or PostgreSQL, or needs recordings.

    The code is followed from the test through all functions and classes under `tests` that it names, so that no list
    of slow tests has to be kept. What is slow for another reason has the marker `slow`.
    """
    if not isinstance(item, pytest.Function):
        return False
    if RECORDED & {*item.fixturenames} or item.get_closest_marker("slow"):
        return True
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    if "postgres" in parameters.values():  # its fixture is asked for at run time
        return True
    fixtures = [each.func for found in item._fixtureinfo.name2fixturedefs.values() for each in found]
    return any(_starts_something(function) for function in (item.function, *fixtures))


def limit_examples(items: list[pytest.Item]) -> None:
    """Have Hypothesis try at most `EXAMPLES` examples in each of these tests."""
    for item in items:
        function = getattr(item, "obj", None)
        function = getattr(function, "__func__", function)
        if hypothesis.is_hypothesis_test(function):
            name = "_hypothesis_internal_use_settings"
            asked = getattr(function, name, None) or hypothesis.settings()
            few = hypothesis.settings(asked, max_examples=min(asked.max_examples, EXAMPLES))
            setattr(function, name, few)


@cache
def _starts_something(function: Any) -> bool:
    seen: set[int] = set()
    waiting = [inspect.unwrap(function)]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        for name, found in _named_by(current):
            home = found.__name__ if isinstance(found, ModuleType) else getattr(found, "__module__", None) or ""
            if name in CALLS or {name.partition(".")[0], home.partition(".")[0]} & STARTERS:
                return True
            if isinstance(found, FunctionType | type) and home.startswith("tests."):
                waiting.append(inspect.unwrap(found) if isinstance(found, FunctionType) else found)
    return False


def _named_by(thing: Any) -> Iterator[tuple[str, Any]]:
    """The names that a function's code or a class's methods use, each with what it stands for in its module."""
    if isinstance(thing, type):
        yield from ((base.__name__, base) for base in thing.__bases__)
        yield from ((name, found) for name, found in vars(thing).items() if isinstance(found, FunctionType))
        return
    if not isinstance(thing, FunctionType):
        return
    names = set(_names(thing.__code__))
    known = {**vars(sys.modules.get(thing.__module__, object)), **thing.__globals__}
    for name in names:
        found = known.get(name)
        yield name, found
        if isinstance(found, ModuleType) and found.__name__.startswith("tests."):
            yield from ((inner, vars(found)[inner]) for inner in names & vars(found).keys())


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
