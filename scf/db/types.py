"""Field types that carry both the column type and the strictness of the value.

A field list is declared once (SQLModel) and serves as table, input and output schema, so the type
of a money field must say everything: 64-bit column, integer only, bounds. ``Minor | None`` would
silently lose the column type (it becomes a 32-bit INTEGER on PostgreSQL); the ``Opt…`` twins exist
for that reason and a house test refuses the union.

SQLite tables are STRICT, which knows only INTEGER, REAL, TEXT, BLOB and ANY: the compile rules
below spell every SQLAlchemy type in those words.
"""

import datetime as dt
from typing import Annotated, Any, ClassVar

from pydantic import Strict, StringConstraints
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Index,
    LargeBinary,
    String,
    TextClause,
    Uuid,
)
from sqlalchemy import Text as SaText
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from scf.kernel.money import MAX_MINOR

MAX_PPM = 100_000_000  # 10,000 %: no rate or share of this platform is larger


class UtcInstant(TypeDecorator[dt.datetime]):
    """An aware UTC instant: ``timestamptz`` on PostgreSQL, fixed-width sortable text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:  # noqa: ANN401 - SQLAlchemy's signature
        """Text on SQLite, the native type elsewhere."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401
        """Refuse naive instants: a zone that is guessed is a day that is wrong."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "an instant must carry its zone"
            raise ValueError(msg)
        value = value.astimezone(dt.UTC)
        return _as_text(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:  # noqa: ANN401
        """Give an aware UTC instant back on both engines."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            # Reads what _as_text wrote, ten times as fast as strptime.
            return dt.datetime.fromisoformat(value)
        return value.astimezone(dt.UTC)  # type: ignore[no-any-return]


def _as_text(value: dt.datetime) -> str:
    """Write a UTC instant in 27 characters, 2026-03-10T09:00:00.000000Z, which sort as it does."""
    return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


JsonColumn = JSON().with_variant(JSONB(), "postgresql")


@compiles(String, "sqlite")
@compiles(SaText, "sqlite")
@compiles(Uuid, "sqlite")
@compiles(Date, "sqlite")
@compiles(DateTime, "sqlite")
@compiles(JSON, "sqlite")
def _sqlite_text(_type: object, _compiler: object, **_kw: object) -> str:
    return "TEXT"


@compiles(BigInteger, "sqlite")
@compiles(Boolean, "sqlite")
def _sqlite_integer(_type: object, _compiler: object, **_kw: object) -> str:
    return "INTEGER"


Minor = Annotated[int, Strict(), Field(ge=0, le=MAX_MINOR, sa_type=BigInteger)]
OptMinor = Annotated[
    int | None, Strict(), Field(default=None, ge=0, le=MAX_MINOR, sa_type=BigInteger)
]
SignedMinor = Annotated[int, Strict(), Field(ge=-MAX_MINOR, le=MAX_MINOR, sa_type=BigInteger)]
Ppm = Annotated[int, Strict(), Field(ge=0, le=MAX_PPM, sa_type=BigInteger)]
SignedPpm = Annotated[int, Strict(), Field(ge=-MAX_PPM, le=MAX_PPM, sa_type=BigInteger)]
OptPpm = Annotated[int | None, Strict(), Field(default=None, ge=0, le=MAX_PPM, sa_type=BigInteger)]
Count = Annotated[int, Strict(), Field(ge=0, le=2**53, sa_type=BigInteger)]
SignedCount = Annotated[int, Strict(), Field(ge=-(2**53), le=2**53, sa_type=BigInteger)]
OptCount = Annotated[int | None, Strict(), Field(default=None, ge=0, le=2**53, sa_type=BigInteger)]
# SQLModel's own ``regex`` binds only its tables; pydantic's constraint binds plain models as well.
_CURRENCY = StringConstraints(min_length=3, max_length=3, pattern=r"^[A-Z]{3}$")
Currency = Annotated[str, _CURRENCY, Field(sa_type=String)]
OptCurrency = Annotated[Annotated[str, _CURRENCY] | None, Field(default=None, sa_type=String)]
Id = Annotated[str, Field(min_length=1, max_length=64, sa_type=String)]
OptId = Annotated[str | None, Field(default=None, max_length=64, sa_type=String)]
Code = Annotated[str, Field(max_length=64, sa_type=String)]
OptCode = Annotated[str | None, Field(default=None, max_length=64, sa_type=String)]
Text = Annotated[str, Field(max_length=4000, sa_type=String)]
OptText = Annotated[str | None, Field(default=None, max_length=4000, sa_type=String)]
Day = Annotated[dt.date, Field(sa_type=Date)]
OptDay = Annotated[dt.date | None, Field(default=None, sa_type=Date)]
Instant = Annotated[dt.datetime, Field(sa_type=UtcInstant)]
OptInstant = Annotated[dt.datetime | None, Field(default=None, sa_type=UtcInstant)]
Flag = Annotated[bool, Field(sa_type=Boolean)]
Json = Annotated[Any, Field(sa_type=JsonColumn)]
OptJson = Annotated[Any, Field(default=None, nullable=True, sa_type=JsonColumn)]
# Keys: an explicit ``Field(primary_key=True)`` on a field would drop the column type again.
IdKey = Annotated[str, Field(primary_key=True, min_length=1, max_length=64, sa_type=String)]
CodeKey = Annotated[str, Field(primary_key=True, max_length=64, sa_type=String)]
TextKey = Annotated[str, Field(primary_key=True, max_length=4000, sa_type=String)]
InstantKey = Annotated[dt.datetime, Field(primary_key=True, sa_type=UtcInstant)]
CountKey = Annotated[int, Strict(), Field(primary_key=True, sa_type=BigInteger)]
SerialKey = Annotated[int | None, Field(default=None, primary_key=True, sa_type=BigInteger)]
Blob = Annotated[bytes, Field(sa_type=LargeBinary)]


class Record(SQLModel):
    """Base of every table: STRICT on SQLite.

    Combine with a field list, ``class X(XFields, Record, table=True)``; add constraints with
    ``__table_args__ = table_args(CheckConstraint(…))``.
    """

    __table_args__: ClassVar[Any] = ({"sqlite_strict": True},)


def table_args(*constraints: object) -> tuple[Any, ...]:
    """Give ``__table_args__`` with the constraints and the options every table has."""
    return (*constraints, {"sqlite_strict": True})


def index_where(condition: TextClause, name: str, *columns: str, unique: bool = False) -> Index:
    """Give an index over the rows that meet a condition, the same one on both engines."""
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
