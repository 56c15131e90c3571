"""Write the next frozen migration: what the models say that the migrations do not yet.

    python tools/freeze_schema.py "limits know a sector"

The file is made once and then belongs to history: read it, mend it, commit it. Triggers are not
compared; a migration that needs them changed says so itself.
"""

import hashlib
import re
import sys
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.dialects.postgresql import JSONB

sys.path.insert(0, str(Path(__file__).parent.parent))

from scf import schema
from scf.db import migrate
from scf.db.types import UtcInstant
from scf.ledger.triggers import TRIGGERS

HEADER = '''"""{title}."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from scf.db.types import UtcInstant
from scf.ledger.triggers import TRIGGERS

revision = "{revision}"
down_revision = {previous}


def upgrade() -> None:
'''


def render_item(kind: str, obj: Any, _context: AutogenContext) -> str | Literal[False]:  # noqa: ANN401
    """Spell our own column types."""
    if kind == "type" and isinstance(obj, UtcInstant):
        return "UtcInstant()"
    if kind == "type" and type(obj).__name__ == "JSON":
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    if kind == "type" and isinstance(obj, JSONB):
        return "postgresql.JSONB()"
    return False


def main(title: str) -> None:
    """Compare the models with a database at the newest revision and write the difference."""
    url = "sqlite:///var/freeze.db"
    Path("var").mkdir(exist_ok=True)
    Path("var/freeze.db").unlink(missing_ok=True)
    previous = migrate.newest()
    if previous:
        migrate.upgrade(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"render_item": render_item, "target_metadata": schema.metadata}
        )
        script = produce_migrations(context, schema.metadata)
        if script.upgrade_ops is None:
            raise RuntimeError("nothing to compare")
        body = render_python_code(
            script.upgrade_ops, sqlalchemy_module_prefix="sa.", render_item=render_item
        )
    number = f"{len(list((migrate.MIGRATIONS / 'versions').glob('[0-9]*_*.py'))) + 1:04d}"
    # Until the first release the first migration is written anew: by its digest a database of an
    # earlier one is known and refused, instead of answering that a column is missing.
    told = repr((body, sorted(TRIGGERS["sqlite"].items()), sorted(TRIGGERS["postgresql"].items())))
    revision = f"{number}_{hashlib.sha256(told.encode()).hexdigest()[:8]}"
    name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    file = migrate.MIGRATIONS / "versions" / f"{number}_{name}.py"
    header = HEADER.format(
        title=title, revision=revision, previous=repr(previous).replace("'", '"')
    )
    lines = "\n".join(f"    {line.strip()}" if line.strip() else "" for line in [body])
    text = header + lines + "\n"
    if not previous:
        text += (
            "    for statement in TRIGGERS[op.get_bind().dialect.name].values():\n"
            "        op.execute(sa.text(statement))\n"
        )
    file.write_text(text, encoding="utf-8")
    Path("var/freeze.db").unlink(missing_ok=True)
    print(file)


if __name__ == "__main__":
    main(sys.argv[1])
