"""Files for the browser from installed wheels: an allow-list, served from site-packages, never from a CDN."""

import gzip
import hashlib
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from flask import Blueprint, Response, abort, request, url_for

from dispatch.web.access import open_to_all

ICONS = (
    "arrow-left",
    "arrow-repeat",
    "bar-chart",
    "bell",
    "bell-fill",
    "binoculars",
    "box-arrow-right",
    "box-seam",
    "calendar-plus",
    "calendar3",
    "camera",
    "cash-coin",
    "chat-left-text",
    "check-circle",
    "check-lg",
    "chevron-down",
    "clock",
    "clock-history",
    "cloud-slash",
    "dash-lg",
    "diagram-3",
    "download",
    "eraser",
    "exclamation-diamond-fill",
    "exclamation-octagon-fill",
    "exclamation-triangle",
    "exclamation-triangle-fill",
    "eye",
    "geo-alt",
    "gift",
    "heart",
    "hourglass-split",
    "house",
    "inbox",
    "info-circle",
    "journal-check",
    "kanban",
    "list-ul",
    "lock",
    "pause-circle",
    "people",
    "person",
    "person-check",
    "person-raised-hand",
    "play-circle",
    "play-fill",
    "plus-lg",
    "printer",
    "search",
    "send",
    "sign-merge-right",
    "shop",
    "signpost-2",
    "signpost-split",
    "star",
    "table",
    "telephone",
    "telephone-inbound",
    "telephone-outbound",
    "tools",
    "truck",
    "x-circle",
    "x-lg",
    "x-octagon",
)
SYMBOL = re.compile(r'<symbol [^>]*id="([^"]+)">.*?</symbol>', re.DOTALL)
YEAR_SECONDS = 31_536_000
DIGEST_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Source:
    """Where a served file lies: package, path inside it, media type."""

    package: str
    path: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Asset:
    """A file ready to be sent, plain and compressed, with the digest that its address carries."""

    media_type: str
    plain: bytes = field(repr=False)
    compressed: bytes = field(repr=False)
    digest: str


FILES = {
    "bootstrap.css": Source("flask_bootstrap", "static/bootstrap5/css/bootstrap.min.css", "text/css"),
    "icons.svg": Source("flask_bootstrap", "static/bootstrap5/icons/bootstrap-icons.svg", "image/svg+xml"),
    "swagger-ui.css": Source("swagger_ui", "static/swagger-ui.css", "text/css"),
    "swagger-ui.js": Source("swagger_ui", "static/swagger-ui-bundle.js", "text/javascript"),
    "htmx.js": Source("js_lib_htmx", "static/htmx/htmx.min.js", "text/javascript"),
}

blueprint = Blueprint("vendor", __name__, url_prefix="/vendor")


@blueprint.get("/<name>")
@open_to_all("files of public libraries")
def file(name: str) -> Response:
    """One file of the allow-list, compressed where the browser takes it, kept by the browser for a year."""
    if name not in FILES:
        abort(404)
    asset = asset_of(name)
    is_compressed = "gzip" in request.headers.get("Accept-Encoding", "")
    response = Response(asset.compressed if is_compressed else asset.plain, content_type=asset.media_type)
    if is_compressed:
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    response.set_etag(f"{asset.digest}-{'z' if is_compressed else 'p'}")
    response.cache_control.public = True
    response.cache_control.max_age = YEAR_SECONDS
    response.cache_control.immutable = True
    return response.make_conditional(request)


def vendor_url(name: str) -> str:
    """The address of a file of the allow-list; it changes when the file does."""
    return url_for("vendor.file", name=name, v=asset_of(name).digest)


@cache
def asset_of(name: str) -> Asset:
    """A file of the allow-list from its package; the icons are cut down to those that pages use."""
    source = FILES[name]
    spec = find_spec(source.package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(source.package)
    content = (Path(spec.origin).parent / source.path).read_bytes()
    if name == "icons.svg":
        content = cut_icons(content.decode()).encode()
    if name == "bootstrap.css":
        content = content.partition(b"/*# sourceMappingURL")[0]
    digest = hashlib.sha256(content).hexdigest()[:DIGEST_CHARACTERS]
    return Asset(source.media_type, content, gzip.compress(content, mtime=0), digest)


def cut_icons(sprite: str) -> str:
    """The sprite with only the icons that pages use, so that it weighs some kB instead of a megabyte."""
    symbols = [match.group(0) for match in SYMBOL.finditer(sprite) if match.group(1) in ICONS]
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>'
