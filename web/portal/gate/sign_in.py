"""Signing in and out: the password, then the second factor, or a recovery code for a lost one."""

from flask import redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.wrappers import Response as BaseResponse

from scf.kernel.actor import Actor
from scf.kernel.errors import NotSignedIn, RuleViolation
from scf.parties import sessions as store
from scf.parties import signin
from scf.parties.factors import proof
from scf.parties.signin import TooManyTries
from scf.parties.signin import sign_in as sign_person_in
from web import second_factor, sessions
from web.context import actor, demo_world, now, platform
from web.device import seen
from web.portal.gate import steps
from web.portal.gate.enrol import email_of, pending
from web.portal.pages import portal

Answer = str | BaseResponse | tuple[str, int] | tuple[str, int, dict[str, str]]


class SignIn(BaseModel):
    """The sign-in form."""

    model_config = ConfigDict(extra="ignore")
    email: str = Field(min_length=3, max_length=254)
    password: str = Field(min_length=1, max_length=1000)


@portal.get("/sign-in")
def sign_in() -> str | BaseResponse:
    """Show the form, or go home when somebody is signed in."""
    try:
        actor()
    except NotSignedIn:
        return _form("", "")
    return redirect(url_for("portal.home"), 303)


@portal.post("/sign-in")
def sign_in_now() -> Answer:
    """Take the password; one answer for all who are not known by it."""
    email = request.form.get("email", "")[:254]
    try:
        form = SignIn.model_validate(request.form.to_dict())
    except ValidationError:
        return _form(email, _("Enter your address and your password.")), 422
    machine = request.remote_addr or ""
    try:
        person = sign_person_in(platform().db, form.email, form.password, machine, now(), seen())
    except TooManyTries as refusal:
        text, headers = steps.too_many(refusal)
        return _form(email, text), 429, headers
    except NotSignedIn:
        return _form(email, _("Address or password is not right.")), 401
    if steps.factors_of(person).first_time:
        sessions.begin(session, person, store.ENROL, steps.wanted() | pending(person))
        return steps.go(url_for("portal.enrol"))
    sessions.begin(session, person, store.CODE, steps.wanted())
    return steps.go(url_for("portal.second_step"))


def _form(email: str, problem: str) -> str:
    demo = demo_world()
    return render_template("gate/sign_in.html", email=email, problem=problem, demo=demo)


@portal.get("/sign-in/code")
def second_step() -> Answer:
    """Ask for the second factor of the person whose password was right."""
    person = sessions.half_signed_in(request, store.CODE)
    if not steps.factors_of(person).strong:
        return steps.go(url_for("portal.recovery"))
    return _ask(person, "")


@portal.post("/sign-in/code")
def second_step_now() -> Answer:
    """Sign the person in by a code or a passkey, each good once."""
    person = sessions.half_signed_in(request, store.CODE)
    try:
        evidence = second_factor.prove(person, proof.Purpose(proof.SIGN_IN))
    except TooManyTries as refusal:
        steps.record(person, signin.REFUSED, "code")
        text, headers = steps.too_many(refusal)
        return _ask(person, text), 429, headers
    except RuleViolation:
        steps.record(person, signin.WRONG_CODE, "code")
        text = _("This is not right, or it was used before. Wait for the next code.")
        return _ask(person, text), 401
    steps.record(person, signin.SIGNED_IN, evidence.method)
    return steps.go(steps.enter(person))


def _ask(person: Actor, problem: str) -> str:
    with platform().db.snapshot() as conn:
        email = email_of(conn, person.user_id)
    return render_template(
        "gate/code.html",
        fields=second_factor.fields_of(person),
        person=person,
        email=email,
        problem=problem,
        demo=demo_world(),
    )


@portal.get("/sign-in/recovery")
def recovery() -> str:
    """Ask for a recovery code, in place of a factor that is lost."""
    return _recover(sessions.half_signed_in(request, store.CODE), "")


@portal.post("/sign-in/recovery")
def recovery_now() -> Answer:
    """Let the person set up a new factor: a recovery code opens nothing else."""
    person = sessions.half_signed_in(request, store.CODE)
    typed, purpose = request.form.get("recovery", ""), proof.Purpose(proof.ENROL)
    machine = request.remote_addr or ""
    try:
        proof.prove_by_recovery_code(platform().db, person, typed, purpose, now(), machine)
    except TooManyTries as refusal:
        steps.record(person, signin.REFUSED, "recovery")
        text, headers = steps.too_many(refusal)
        return _recover(person, text), 429, headers
    except RuleViolation:
        steps.record(person, signin.WRONG_CODE, "recovery")
        text = _("This recovery code is not right, or it was used before.")
        return _recover(person, text), 401
    sessions.begin(session, person, store.ENROL, steps.wanted() | pending(person))
    return steps.go(url_for("portal.enrol"))


def _recover(person: Actor, problem: str) -> str:
    factors = steps.factors_of(person)
    return render_template("gate/recovery.html", factors=factors, problem=problem)


@portal.post("/sign-out")
def sign_out() -> BaseResponse:
    """End the session everywhere it is known."""
    actor()
    sessions.finish(session)
    return redirect(url_for("portal.sign_in"), 303)
