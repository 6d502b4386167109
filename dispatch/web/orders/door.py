"""The blueprint of the pages about orders."""

from flask import Blueprint

blueprint = Blueprint("pages_orders", __name__)
