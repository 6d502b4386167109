"""Log-in, second factor, log-out and the account page."""

import segno
from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext

from config.settings import get_settings
from dispatch import clock
from dispatch.errors import Invalid
from dispatch.gateways import limits
from dispatch.gateways.limits import limiter
from dispatch.models.access import User
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.access.sign_in import local_path
from dispatch.services.access import sessions, sign_in, users
from dispatch.services.access.sign_in import Outcome, SignIn
from dispatch.transaction import retrying, transaction
from dispatch.web.access import guard
from dispatch.web.access.guard import COOKIE, SEE_OTHER, allow, check_csrf, current_actor, open_to_all

REFUSED_STATUS = 422
QR_SCALE = 5

blueprint = Blueprint("access", __name__)
blueprint.before_app_request(guard.begin_request)
blueprint.after_app_request(guard.keep_visit)
blueprint.app_context_processor(lambda: {"csrf_token": guard.csrf_token})


@blueprint.record_once
def install(state: BlueprintSetupState) -> None:
    """The limits come with the pages that need them first."""
    limits.install(state.app, get_settings())


@blueprint.get("/login")
@open_to_all("the log-in itself")
def log_in() -> str:
    """Ask for name and password."""
    guard.begin_visit()
    return log_in_page(None)


@blueprint.post("/login")
@open_to_all("the log-in itself: token of the visit, limits and lock-out instead of a session")
@limiter.limit(limits.LOG_IN_BY_ADDRESS, key_func=limits.address)
@limiter.limit(limits.LOG_IN_BY_NAME, key_func=limits.login_name)
def try_log_in() -> Response:
    """Check name and password: in, on to the code, or refused without saying why."""
    check_csrf()
    result = check_password(request.form.get("login", ""), request.form.get("password", ""))
    if result.outcome is Outcome.REFUSED:
        words = gettext("登录名或密码不正确，或账号暂时不能登录。什么都没有改动。")
        return make_response(log_in_page(words), REFUSED_STATUS)
    if result.outcome is Outcome.CODE_NEEDED:
        return with_session(result, url_for("access.code", next=wanted_page()))
    return with_session(result, wanted_page())


@retrying
def check_password(login: str, password: str) -> SignIn:
    """One transaction of the log-in; what this browser held before is dead after a success."""
    with transaction(EVERYTHING) as session:
        now = clock.now(session)
        result = sign_in.log_in(session, login, password, now=now)
        if result.outcome is not Outcome.REFUSED:
            sessions.end_token(session, request.cookies.get(COOKIE, ""), now)
        return result


@blueprint.get("/login/code")
@open_to_all("second step of the log-in: only a pending session sees anything")
def code() -> Response:
    """Ask for the code; who has none yet scans the secret first."""
    return code_page(None)


@blueprint.post("/login/code")
@open_to_all("second step of the log-in: token of the pending session, limits and lock-out")
@limiter.limit(limits.CODE, key_func=limits.address)
def try_code() -> Response:
    """Check the code: in, or refused."""
    check_csrf()
    result = check_code(request.cookies.get(COOKIE, ""), request.form.get("code", ""))
    if result.outcome is Outcome.REFUSED:
        return code_page(gettext("验证码不正确、已经用过或已过期，请输入新的验证码。"))
    return with_session(result, wanted_page())


@retrying
def check_code(token: str, given: str) -> SignIn:
    """One transaction of the second step."""
    with transaction(EVERYTHING) as session:
        return sign_in.check_code(session, token, given, real=clock.real(session), now=clock.now(session))


@blueprint.post("/logout")
@allow(None)
def log_out() -> Response:
    """End this session."""
    with transaction() as session:
        sessions.log_out(session, actor=current_actor(), now=clock.now(session))
    return without_session()


@blueprint.get("/account")
@allow(None)
def account() -> str:
    """The person's own page: password, second factor, open sessions."""
    return account_page({})


@blueprint.post("/account/password")
@allow(None)
@limiter.limit(limits.CODE, key_func=limits.address)
def change_password() -> Response:
    """Change one's own password; all sessions end, this one too."""
    try:
        keep_password(request.form.get("old_password", ""), request.form.get("password", ""))
    except Invalid as error:
        return make_response(account_page({error.field: gettext(error.template, **error.facts)}), REFUSED_STATUS)
    return without_session()


@retrying
def keep_password(old: str, new: str) -> None:
    """One transaction of the change."""
    actor = current_actor()
    with transaction() as session:
        users.change_password(session, own_id(), old=old, new=new, actor=actor, now=clock.now(session))


@blueprint.get("/account/second-factor")
@allow(None)
def second_factor() -> str:
    """Show the secret as a picture to scan."""
    return second_factor_page({})


@blueprint.post("/account/second-factor")
@allow(None)
@limiter.limit(limits.CODE, key_func=limits.address)
def confirm_second_factor() -> Response:
    """Switch the second factor on with its first code."""
    try:
        with transaction() as session:
            sign_in.confirm_enrolment(
                session,
                own_id(),
                request.form.get("code", ""),
                actor=current_actor(),
                real=clock.real(session),
            )
    except Invalid as error:
        page = second_factor_page({error.field: gettext(error.template, **error.facts)})
        return make_response(page, REFUSED_STATUS)
    return make_response(redirect(url_for("access.account"), SEE_OTHER))


def log_in_page(refusal: str | None) -> str:
    """The log-in form; the name that was typed is kept."""
    return render_template(
        "access/log_in.html", refusal=refusal, login=request.form.get("login", ""), next_page=wanted_page()
    )


def code_page(refusal: str | None) -> Response:
    """The form of the second step, with the picture to scan for who has not enrolled; else back to the log-in."""
    with transaction(EVERYTHING) as session:
        now = clock.now(session)
        pending = sessions.pending_session(session, request.cookies.get(COOKIE, ""), now)
        if pending is None:
            return make_response(redirect(url_for("access.log_in", next=wanted_page()), SEE_OTHER))
        is_enrolled = sign_in.has_second_factor(session.get_one(User, pending.user_id))
        address = None if is_enrolled else sign_in.begin_enrolment(session, pending.user_id)
    page = render_template(
        "access/code.html",
        refusal=refusal,
        picture=picture_of(address),
        secret=secret_of(address),
        next_page=wanted_page(),
    )
    return make_response(page, REFUSED_STATUS if refusal else 200)


def account_page(errors: dict[str, str]) -> str:
    """The account page."""
    with transaction() as session:
        user = session.get_one(User, own_id())
        return render_template(
            "access/account.html",
            user=user,
            errors=errors,
            has_second_factor=sign_in.has_second_factor(user),
            sessions=sessions.open_sessions(session, user.id, clock.now(session)),
            now=clock.now(session),
        )


def second_factor_page(errors: dict[str, str]) -> str:
    """The page that enrols a phone."""
    with transaction() as session:
        address = sign_in.begin_enrolment(session, own_id())
    return render_template(
        "access/second_factor.html", errors=errors, picture=picture_of(address), secret=secret_of(address)
    )


def own_id() -> int:
    """The user who is logged in."""
    user_id = current_actor().user_id
    if user_id is None:
        raise Invalid("user", "请先登录")
    return user_id


def picture_of(address: str | None) -> str | None:
    """A QR picture as a data address, which the policy of the page allows for images."""
    return None if address is None else segno.make(address).svg_data_uri(scale=QR_SCALE)


def secret_of(address: str | None) -> str | None:
    """The secret to be typed where a camera is missing, in groups of four."""
    if address is None:
        return None
    secret = address.partition("secret=")[2].partition("&")[0]
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def wanted_page() -> str:
    """Where to go after the log-in: a page of this site only."""
    return local_path(request.form.get("next") or request.args.get("next"))


def with_session(result: SignIn, address: str) -> Response:
    """Go on, with the new session's cookie."""
    response = make_response(redirect(address, SEE_OTHER))
    guard.set_cookie(response, COOKIE, result.token or "")
    response.delete_cookie(guard.VISIT_COOKIE, path="/")
    return response


def without_session() -> Response:
    """Back to the log-in, without the cookie."""
    g.pop("actor", None)
    response = make_response(redirect(url_for("access.log_in"), SEE_OTHER))
    response.delete_cookie(COOKIE, path="/")
    return response
