"""The address under which a person's own pages stand."""

from flask import Blueprint

account = Blueprint("account", __name__, url_prefix="/account")
