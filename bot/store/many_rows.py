"""Runs one statement for many rows by the driver alone, where SQLAlchemy's handling of each row's values costs most."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import UpdateBase


@dataclass(frozen=True)
class _Prepared:
    """A statement as the driver takes it."""

    text: str
    order: Sequence[str]
    """The names of its parameters by place; empty where the driver takes them by name."""
    constants: Mapping[str, Any]
    """The values that the statement has by itself."""
    encoders: Mapping[str, Callable[[Any], Any]]
    """What turns the value of a parameter into what the driver takes, for those whose type wants it."""


async def run_for_each(
    connection: AsyncConnection,
    statement: Callable[[], UpdateBase],
    rows: Sequence[Mapping[str, Any]],
    shared: Mapping[str, Any],
) -> None:
    """Run a statement once for each of `rows`, which have its parameters by name, and those in `shared` alike.

    `statement` is a module's function: what it makes is compiled once for each kind of database.
    """
    prepared = _prepared(statement, connection.dialect)
    encoders = prepared.encoders
    common = {**prepared.constants, **shared}
    common = {name: encoders[name](value) if name in encoders else value for name, value in common.items()}
    varying = [name for name in encoders if name not in common]
    values = []
    for row in rows:
        value = {**common, **row}
        for name in varying:
            value[name] = encoders[name](value[name])
        values.append(tuple([value[name] for name in prepared.order]) if prepared.order else value)
    await connection.exec_driver_sql(prepared.text, values)


@cache
def _prepared(statement: Callable[[], UpdateBase], dialect: Dialect) -> _Prepared:
    compiled = statement().compile(dialect=dialect)
    encoders = {name: bind.type.bind_processor(dialect) for name, bind in compiled.binds.items()}
    return _Prepared(
        text=str(compiled),
        order=compiled.positiontup or (),
        constants={name: bind.effective_value for name, bind in compiled.binds.items() if not bind.required},
        encoders={name: encode for name, encode in encoders.items() if encode is not None},
    )
