"""What a person sees when something went wrong: what happened, what was kept, what to do next."""

import structlog
from flask import Response, make_response, render_template, request
from flask_babel import gettext
from werkzeug.exceptions import HTTPException

from dispatch.errors import Conflict, DispatchError, Invalid, NotAllowed, NotFound, Unavailable
from dispatch.web.pages import told

STATUS_OF: tuple[tuple[type[DispatchError], int], ...] = (
    (Invalid, 422),
    (NotAllowed, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Unavailable, 503),
)


def page_of(error: DispatchError) -> Response:
    """The page, or for htmx the message beside the work, for a business error."""
    status = next((status for kind, status in STATUS_OF if isinstance(error, kind)), 500)
    return error_page(status, told(error), {})


def page_of_http(error: HTTPException) -> Response:
    """The page for an HTTP error; keeps the headers that belong to it (Allow, Retry-After, Location)."""
    if error.response is not None:
        return make_response(error.response)
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    return error_page(error.code or 500, sentence(error.code or 500), headers)


def sentence(status: int) -> str:
    """What happened, in words, by status."""
    words = {
        400: gettext("请求的内容不完整或不正确，没有保存。请返回检查后再试。"),
        401: gettext("请先登录。"),
        403: gettext("您没有权限做这件事，什么都没有改动。"),
        404: gettext("没有找到，或者您无权查看。"),
        405: gettext("这个地址不能这样使用。"),
        413: gettext("提交的内容太大，没有保存。"),
        429: gettext("操作太频繁，请稍等再试。已填写的内容还在。"),
        503: gettext("系统暂时忙不过来，请稍后再试。已填写的内容还在。"),
    }
    return words.get(status, gettext("系统出了问题，已经记录。已填写的内容还在，请稍后再试。"))


def error_page(status: int, message: str, headers: dict[str, str]) -> Response:
    """A full page; for a request by htmx only the message, put where every page shows messages."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    is_fragment = request.headers.get("HX-Request") == "true"
    template = "errors/message.html" if is_fragment else "errors/page.html"
    page = render_template(template, status=status, message=message, request_id=request_id)
    response = make_response(page, status)
    response.headers.update(headers)
    if is_fragment:
        response.headers["HX-Retarget"] = "#messages"
        response.headers["HX-Reswap"] = "innerHTML"
    return response
