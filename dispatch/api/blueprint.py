"""The blueprint of every domain of the API: bodies are read within bounds, and taken once per Idempotency-Key."""

from collections.abc import Callable
from typing import Any, TypeVar

import flask_smorest
from flask import Request
from flask_babel import gettext
from marshmallow import Schema
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest

from dispatch.api.once import KEY_PARAMETER

View = TypeVar("View", bound=Callable[..., Any])


class BoundedParser(FlaskParser):
    """Reads what a request says; refuses (400) what is nested too deep or has a number of thousands of digits."""

    def load_json(self, req: Request, schema: Schema) -> Any:
        """The JSON of the body."""
        try:
            return super().load_json(req, schema)
        except (RecursionError, ValueError) as error:
            raise BadRequest(gettext("请求的内容不是可以读取的 JSON")) from error


class Blueprint(flask_smorest.Blueprint):
    """flask-smorest's blueprint with our reader."""

    ARGUMENTS_PARSER = BoundedParser()

    def arguments(self, schema: type[Schema] | Schema, **options: Any) -> Any:
        """Read a part of the request by this schema, made once: a schema copies all its fields when it is made."""
        return super().arguments(schema() if isinstance(schema, type) else schema, **options)

    def takes(self, schema: type[Schema], answer: type[Schema], *, status: int = 200) -> Callable[[View], View]:
        """A body in, an answer out, once per Idempotency-Key; no body is needed where no field is."""
        needed = any(field.required for field in schema().fields.values())

        def decorate(view: View) -> View:
            answered = self.arguments(schema, required=needed)(self.response(status, answer)(view))
            keyed: View = self.doc(parameters=[KEY_PARAMETER])(answered)
            return keyed

        return decorate
