"""create_app(): the pages and the API in one Flask application."""

from typing import cast

import structlog
from flask import Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from flask_talisman import Talisman
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError

from config.settings import Settings, get_settings
from dispatch.api import appointments as api_appointments
from dispatch.api import asking as api_asking
from dispatch.api import beneficiaries as api_beneficiaries
from dispatch.api import calendar as api_calendar
from dispatch.api import campaigns as api_campaigns
from dispatch.api import care as api_care
from dispatch.api import catalogue as api_catalogue
from dispatch.api import complaints as api_complaints
from dispatch.api import contacts as api_contacts
from dispatch.api import counter as api_counter
from dispatch.api import devices as api_devices
from dispatch.api import disclosing as api_disclosing
from dispatch.api import duties as api_duties
from dispatch.api import errors as api_errors
from dispatch.api import festivals as api_festivals
from dispatch.api import firms as api_firms
from dispatch.api import funds as api_funds
from dispatch.api import gifts as api_gifts
from dispatch.api import giving as api_giving
from dispatch.api import grid as api_grid
from dispatch.api import life as api_life
from dispatch.api import order_answers as api_order_answers
from dispatch.api import order_callers as api_order_callers
from dispatch.api import order_clocks as api_order_clocks
from dispatch.api import order_requests as api_order_requests
from dispatch.api import orders as api_orders
from dispatch.api import redeeming as api_redeeming
from dispatch.api import reports as api_reports
from dispatch.api import rounds as api_rounds
from dispatch.api import station as api_station
from dispatch.api import stock as api_stock
from dispatch.api import treasury as api_treasury
from dispatch.api import vouchers as api_vouchers
from dispatch.api import webhooks as api_webhooks
from dispatch.api.errors import HouseApi
from dispatch.boot import boot
from dispatch.errors import DispatchError, Unavailable
from dispatch.gateways import proxy
from dispatch.gateways.broker import Broker
from dispatch.transaction import Doors, is_passing
from dispatch.web import (
    abroad,
    access,
    asking,
    bank,
    beneficiaries,
    calendar,
    campaigns,
    cards,
    care,
    consents,
    counselling,
    counter,
    courses,
    demo_inbox,
    devices,
    disclosing,
    docs,
    family,
    festivals,
    firms,
    funds,
    giving,
    home,
    knowledge,
    life,
    live,
    orders,
    pages,
    phone,
    public_asking,
    rounds,
    selling,
    shipments,
    spendings,
    station,
    stock,
    system,
    treasury,
    vendor,
    vouchers,
)
from dispatch.web import errors as web_errors
from dispatch.web import reports as web_reports
from dispatch.web.language import DEFAULT_LANGUAGE, chosen_locale, compile_translations, remember_language

MOST_BODY_BYTES = 256 * 1024
MOST_FORM_PARTS = 200
MACHINE_PREFIXES = ("/api/", "/open311/")
CACHED_ENDPOINTS = frozenset({"static", "vendor.file"})
YEAR_SECONDS = 31_536_000

PAGES = (
    system.blueprint,
    vendor.blueprint,
    access.blueprint,
    live.blueprint,
    home.blueprint,
    orders.blueprint,
    knowledge.blueprint,
    firms.blueprint,
    funds.blueprint,
    bank.blueprint,
    abroad.blueprint,
    spendings.blueprint,
    treasury.blueprint,
    consents.blueprint,
    calendar.blueprint,
    giving.blueprint,
    giving.public_blueprint,
    counselling.blueprint,
    counselling.public_blueprint,
    courses.blueprint,
    station.blueprint,
    disclosing.blueprint,
    care.blueprint,
    care.public_blueprint,
    asking.blueprint,
    life.blueprint,
    festivals.blueprint,
    devices.blueprint,
    public_asking.blueprint,
    campaigns.blueprint,
    beneficiaries.blueprint,
    cards.blueprint,
    counter.blueprint,
    stock.blueprint,
    phone.blueprint,
    selling.blueprint,
    rounds.blueprint,
    shipments.blueprint,
    vouchers.blueprint,
    vouchers.firm_blueprint,
    family.blueprint,
    family.public_blueprint,
    web_reports.blueprint,
    demo_inbox.blueprint,
    docs.blueprint,
)
API = (
    api_orders.blueprint,
    api_order_answers.blueprint,
    api_order_callers.blueprint,
    api_order_clocks.blueprint,
    api_order_requests.blueprint,
    api_complaints.blueprint,
    api_catalogue.blueprint,
    api_calendar.blueprint,
    api_grid.blueprint,
    api_firms.blueprint,
    api_webhooks.blueprint,
    api_care.blueprint,
    api_duties.blueprint,
    api_contacts.blueprint,
    api_appointments.blueprint,
    api_asking.blueprint,
    api_life.blueprint,
    api_festivals.blueprint,
    api_vouchers.blueprint,
    api_redeeming.blueprint,
    api_devices.blueprint,
    api_station.blueprint,
    api_giving.blueprint,
    api_gifts.blueprint,
    api_funds.blueprint,
    api_treasury.blueprint,
    api_rounds.blueprint,
    api_campaigns.blueprint,
    api_stock.blueprint,
    api_beneficiaries.blueprint,
    api_counter.blueprint,
    api_reports.blueprint,
    api_disclosing.blueprint,
)

CONTENT_SECURITY_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}

log = structlog.get_logger()


def serve() -> Flask:
    """What gunicorn runs in each of its processes: the application, a thread beside it for hints."""
    Broker.in_background()
    return create_app()


def create_app(settings: Settings | None = None) -> Flask:
    """The application of one process: settings, engine, pages, API, errors, headers.

    Opens the engine unless a test has opened one already; refuses what boot refuses.
    """
    chosen = settings or get_settings()
    if Doors.engine is None:
        boot()
    app = Flask("dispatch", static_folder="web/static", template_folder="web/templates")
    configure(app, chosen)
    proxy.install(app, chosen)
    Babel(app, locale_selector=chosen_locale)
    protect(app, chosen)
    with app.app_context():
        system.watch()
    app.before_request(check_body)
    app.after_request(remember_language)
    app.after_request(keep_private)
    app.context_processor(pages.page_context)
    for blueprint in PAGES:
        app.register_blueprint(blueprint)
    api = HouseApi(app)
    for blueprint in API:
        api.register_blueprint(blueprint)
    app.register_error_handler(DispatchError, answer_business_error)
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(DBAPIError, answer_database_error)
    app.register_error_handler(PoolTimeout, answer_database_error)
    return app


def configure(app: Flask, settings: Settings) -> None:
    """Flask's and its extensions' own settings; ours are read where they are needed."""
    app.config.update(
        SECRET_KEY=settings.secret,
        DEBUG=settings.debug,
        MAX_CONTENT_LENGTH=MOST_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MOST_BODY_BYTES,
        MAX_FORM_PARTS=MOST_FORM_PARTS,
        BABEL_DEFAULT_LOCALE=DEFAULT_LANGUAGE,
        BABEL_DEFAULT_TIMEZONE="Asia/Shanghai",
        BABEL_TRANSLATION_DIRECTORIES=str(compile_translations(settings.home / "translations").absolute()),
        API_TITLE="后庆派单 · Houqing Dispatch",
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def protect(app: Flask, settings: Settings) -> None:
    """Security headers; https is forced where the installation's own address says https."""
    is_https = settings.base_url.startswith("https://")
    Talisman(
        app,
        content_security_policy=CONTENT_SECURITY_POLICY,
        force_https=False,
        strict_transport_security=is_https,
        session_cookie_secure=is_https,
        session_cookie_samesite="Lax",
        frame_options="DENY",
        referrer_policy="same-origin",
        permissions_policy={"camera": "(self)", "geolocation": "(self)", "microphone": "()"},
    )


def check_body() -> None:
    """Let a view that takes photos have its own limit; refuse a NUL, which PostgreSQL cannot store."""
    view = app_view()
    most = getattr(view, "most_bytes", None)
    if most is not None:
        request.max_content_length = most
    is_form = request.mimetype == "application/x-www-form-urlencoded"
    texts = [*request.args.values(), *(request.form.values() if is_form else ())]
    if any("\x00" in text for text in texts) or "\x00" in request.path:
        raise BadRequest


def app_view() -> object:
    """The view function of this request, None when there is none."""
    endpoint = request.endpoint
    return None if endpoint is None else current_app.view_functions.get(endpoint)


def keep_private(response: Response) -> Response:
    """Nothing is stored by browsers and proxies but files that hold no personal data."""
    if request.endpoint not in CACHED_ENDPOINTS:
        response.headers.setdefault("Cache-Control", "no-store")
    elif request.endpoint == "static" and "v" in request.args:
        response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
    return response


def is_machine() -> bool:
    """Whether the asker is a machine: by address, never by what it says it accepts."""
    return request.path.startswith(MACHINE_PREFIXES)


def answer_business_error(error: DispatchError) -> Response:
    """Problem details for machines, a page for people."""
    return api_errors.problem_of(error) if is_machine() else web_errors.page_of(error)


def answer_http_error(error: HTTPException) -> Response:
    """The same for what Flask, webargs or a view raised as an HTTP error."""
    return api_errors.problem_of_http(error) if is_machine() else web_errors.page_of_http(error)


def answer_database_error(error: Exception) -> ResponseReturnValue:
    """Trouble of the moment is 503, to be repeated with the same key; anything else is our fault.

    Told as every other error of the address is: the phone page has its own way, in two shapes.
    """
    if isinstance(error, PoolTimeout) or (isinstance(error, DBAPIError) and is_passing(error)):
        log.warning("database_unavailable", error=type(error).__name__)
        return current_app.handle_user_exception(Unavailable("系统暂时忙不过来，请稍后再试"))
    log.error("request_failed", error=type(error).__name__, exc_info=error)
    return cast("ResponseReturnValue", current_app.handle_http_exception(InternalServerError(original_exception=error)))
