"""The API's documentation `/api/docs`: Swagger UI from its wheel on a page of our own, without inline script."""

from flask import Blueprint, render_template

from dispatch.web.access import open_to_all

blueprint = Blueprint("docs", __name__, url_prefix="/api")


@blueprint.get("/docs")
@open_to_all("the description of the API holds no data")
def docs() -> str:
    """Every call of the API, to be read and, with a key, tried."""
    return render_template("docs/api.html")
