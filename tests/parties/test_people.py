"""People, their passwords, tokens and sessions: what ends, ends everywhere at once."""

import json

import pytest
from sqlalchemy import select, text

from scf.db.engine import Database
from scf.kernel.actor import OPERATOR, Role
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn
from scf.parties import ratelimit, sessions, tokens
from scf.parties.access import MAY, ROLES_OF_KIND, may
from scf.parties.models import ApiToken, User, WebSession
from scf.parties.ratelimit import Limit
from scf.parties.service import actor_of_email
from tests.support.people import NOON, PASSWORD, World, small_prepare, small_world
from tests.support.racing import race

prepare = small_prepare  # every test begins in the small world

LIFETIMES = sessions.Lifetimes()
OTHER_PASSWORD = "gravel-lantern-mimic-52"


def whose(world: World, token: str) -> str:
    with world.platform.db.snapshot() as conn:
        return tokens.actor_of_token(conn, token, world.clock.now()).user_id


def test_a_token_speaks_for_its_person_until_it_expires(db: Database) -> None:
    world = small_world(db)
    token = world.token("maker")
    assert whose(world, token) == world.people["maker"].user_id
    world.clock.advance(days=30)
    with pytest.raises(NotSignedIn):
        whose(world, token)


@pytest.mark.parametrize("token", ["", "trib_", "trib_" + "A" * 43, "x" * 10_000])
def test_an_unknown_token_speaks_for_nobody(db: Database, token: str) -> None:
    world = small_world(db)
    with pytest.raises(NotSignedIn):
        whose(world, token)


def test_a_token_is_nowhere_in_the_database_in_clear(db: Database) -> None:
    world = small_world(db)
    token = world.token("maker")
    assert not _found_anywhere(db, token)
    assert not _found_anywhere(db, PASSWORD)
    assert _found_anywhere(db, "Maker")


def _found_anywhere(db: Database, needle: str) -> bool:
    from scf.schema import metadata

    with db.snapshot() as conn:
        for table in metadata.tables.values():
            for row in conn.execute(select(table)):
                if needle in json.dumps(list(row), default=repr):
                    return True
    return False


def test_a_repeated_creation_shows_no_second_token(db: Database) -> None:
    world = small_world(db)
    maker = world.people["maker"]
    (first, _), (second, outcome) = (
        tokens.create(world.platform.runner, maker, user_id=maker.user_id, label="erp", key="same")
        for _ in range(2)
    )
    assert first is not None
    assert second is None
    assert outcome.replayed
    assert whose(world, first) == maker.user_id


def test_a_withdrawn_token_is_refused(db: Database) -> None:
    world = small_world(db)
    token = world.token("treasurer")
    with db.snapshot() as conn:
        row = conn.execute(select(ApiToken.__table__)).one()  # type: ignore[attr-defined]
    with pytest.raises(NotFound):  # of another organisation: it does not exist
        world.run("token.revoke", world.people["bank-admin"], token_id=row.id)
    world.run("token.revoke", world.people["supplier-admin"], token_id=row.id)
    with pytest.raises(NotSignedIn):
        whose(world, token)


def test_nobody_makes_a_token_for_somebody_else(db: Database) -> None:
    world = small_world(db)
    with pytest.raises(NotAllowed):
        tokens.create(
            world.platform.runner,
            world.people["bank-admin"],
            user_id=world.people["maker"].user_id,
            label="mine now",
            key="k",
        )


def test_a_disabled_person_is_out_everywhere_at_once(db: Database) -> None:
    world = small_world(db)
    maker, token = world.people["maker"], world.token("maker")
    session = sessions.start(db, maker.user_id, {}, NOON, LIFETIMES)
    world.run("user.disable", world.people["bank-admin"], user_id=maker.user_id)
    with pytest.raises(NotSignedIn):
        whose(world, token)
    assert sessions.load(db, session, NOON, LIFETIMES) is None
    with db.snapshot() as conn:
        assert actor_of_email(conn, "maker@bank.example") is None
    with pytest.raises(Conflict):
        world.run("user.disable", world.people["bank-admin"], user_id=maker.user_id)


def test_an_administrator_rules_only_the_own_organisation(db: Database) -> None:
    world = small_world(db)
    admin = world.people["supplier-admin"]
    with pytest.raises(NotFound):
        world.run("user.disable", admin, user_id=world.people["maker"].user_id)
    with pytest.raises(Conflict, match="SELF"):
        world.run("user.disable", admin, user_id=admin.user_id)
    with pytest.raises(NotAllowed):
        world.run(
            "user.add",
            admin,
            email="a@b.example",
            name="A",
            org_id=world.firms["bank"],
            roles=["officer_maker"],
            password=OTHER_PASSWORD,
        )
    with db.read(admin) as reading:
        assert {row.org_id for row in reading.execute(select(User)).scalars()} == {admin.org_id}
    with db.read(world.people["treasurer"]) as reading:
        assert len(reading.execute(select(User)).scalars().all()) == 1


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"roles": ["officer_maker"]}, "ROLE"),
        ({"roles": ["operator"]}, "ROLE"),
        ({"roles": []}, "INPUT"),
        ({"email": "no address"}, "INPUT"),
        ({"email": "a@b.example\r\nBcc: x"}, "INPUT"),
        ({"password": "password"}, "PASSWORD_COMMON"),
        ({"password": "new.supplier"}, "PASSWORD_CONTEXT"),
        ({"password": "y" * 300}, "INPUT"),
        ({"state": "ACTIVE"}, "INPUT"),
        ({"password_hash": "x"}, "INPUT"),
    ],
)
def test_a_person_is_added_only_with_sound_fields(
    db: Database, more: dict[str, object], code: str
) -> None:
    world = small_world(db)
    good = {
        "email": "new@supplier.example",
        "name": "New",
        "roles": ["treasurer"],
        "password": OTHER_PASSWORD,
    }
    with pytest.raises(InvalidInput) as refused:
        world.run("user.add", world.people["supplier-admin"], **(good | more))
    assert refused.value.code == code
    assert OTHER_PASSWORD not in f"{refused.value} {refused.value.facts}"


def test_one_address_is_one_person(db: Database) -> None:
    world = small_world(db)
    with pytest.raises(Conflict, match="EMAIL_TAKEN"):
        world.run(
            "user.add",
            world.people["supplier-admin"],
            email="Maker@BANK.example",
            name="Double",
            roles=["treasurer"],
            password=OTHER_PASSWORD,
        )


def test_a_new_password_needs_the_present_one_and_ends_every_session(db: Database) -> None:
    world = small_world(db)
    maker = world.people["maker"]
    session = sessions.start(db, maker.user_id, {}, NOON, LIFETIMES)
    with pytest.raises(InvalidInput, match="PASSWORD_CURRENT"):
        world.run("user.set_password", maker, password=OTHER_PASSWORD, current="wrong")
    assert sessions.load(db, session, NOON, LIFETIMES) is not None
    world.run("user.set_password", maker, password=OTHER_PASSWORD, current=PASSWORD)
    assert sessions.load(db, session, NOON, LIFETIMES) is None


def test_a_session_ends_idle_and_at_its_absolute_end(db: Database) -> None:
    world = small_world(db)
    user_id, clock = world.people["maker"].user_id, world.clock
    session = sessions.start(db, user_id, {"a": 1}, clock.now(), LIFETIMES)
    for _ in range(24):  # used every half hour but one minute: alive until the absolute end
        live = sessions.load(db, session, clock.now(), LIFETIMES)
        assert live is not None
        assert live.actor == world.people["maker"]
        assert live.data == {"a": 1}
        clock.advance(minutes=29)
    clock.advance(minutes=24 + 1)
    assert sessions.load(db, session, clock.now(), LIFETIMES) is None

    idle = sessions.start(db, user_id, {}, clock.now(), LIFETIMES)
    clock.advance(minutes=30)
    assert sessions.load(db, idle, clock.now(), LIFETIMES) is None


def test_a_new_session_ends_the_one_it_replaces(db: Database) -> None:
    world = small_world(db)
    user_id = world.people["maker"].user_id
    old = sessions.start(db, user_id, {}, NOON, LIFETIMES)
    new = sessions.start(db, user_id, {}, NOON, LIFETIMES, instead_of=old)
    assert sessions.load(db, old, NOON, LIFETIMES) is None
    assert sessions.load(db, new, NOON, LIFETIMES) is not None
    with db.snapshot() as conn:
        assert len(sessions.of_user(conn, user_id, NOON, LIFETIMES)) == 1
        kept = conn.execute(select(WebSession.__table__.c.id_digest)).scalars().all()  # type: ignore[attr-defined]
    assert new not in kept


def test_tries_are_counted_across_everybody_who_counts(db: Database) -> None:
    limit = Limit(tries=10, seconds=60)
    verdicts = race(
        32, lambda _: str(ratelimit.hit(db, "login", "a@b.example", limit, NOON).allowed)
    )
    assert verdicts == {"True": 10, "False": 22}
    other = ratelimit.hit(db, "login", "c@d.example", limit, NOON)
    assert other.allowed
    late = NOON.replace(minute=1)
    again = ratelimit.hit(db, "login", "a@b.example", limit, late)
    assert again.allowed
    assert again.retry_after == 60


def test_the_rate_table_keeps_no_address_in_clear(db: Database) -> None:
    ratelimit.hit(db, "login", "a@b.example", Limit(1, 60), NOON)
    with db.snapshot() as conn:
        keys = conn.execute(text("SELECT key FROM rate_window")).scalars().all()
    assert keys
    assert "a@b.example" not in keys[0]


def test_every_role_of_a_kind_exists_and_nobody_is_given_the_operators() -> None:
    given = frozenset().union(*ROLES_OF_KIND.values())
    assert given == frozenset(Role) - {Role.OPERATOR}
    assert may(OPERATOR, "user.add")
    assert not may(OPERATOR, "account.verify")
    assert not may(OPERATOR, "no.such.action")
    assert all(roles for roles in MAY.values())
