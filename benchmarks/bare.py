"""The peer of intake: one Flask route with one INSERT, under the same gunicorn."""

from flask import Flask, Response, jsonify, request
from sqlalchemy import create_engine, text

from config.settings import get_settings

TABLE = (
    "CREATE TABLE IF NOT EXISTS bare_orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
    "service_code text, description text, address_text text, caller_name text, caller_phone text, "
    "created_at timestamptz DEFAULT now())"
)
INSERT = text(
    "INSERT INTO bare_orders (service_code, description, address_text, caller_name, caller_phone) "
    "VALUES (:service_code, :description, :address_text, :caller_name, :caller_phone) RETURNING id"
)


def create_app() -> Flask:
    """One route, one statement, one commit."""
    app = Flask("bare")
    engine = create_engine(get_settings().database_url, pool_size=8)

    @app.post("/bare")
    def place() -> tuple[Response, int]:
        with engine.begin() as connection:
            identity = connection.execute(INSERT, request.get_json()).scalar_one()
        return jsonify(id=identity), 201

    return app
