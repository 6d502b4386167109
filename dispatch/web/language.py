"""In which language a page speaks: ?lang, else the cookie, else the person's own choice, else Chinese.

The API has one wish more, before Chinese: Accept-Language. Pages leave it: a browser's says little of who sits there.
"""

import os
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Response, g, request

LANGUAGES = {"zh_CN": "中文", "en": "English"}
DEFAULT_LANGUAGE = "zh_CN"
LOCALES = {language: Locale.parse(language) for language in LANGUAGES}
ACCEPTED = {"zh-CN": "zh_CN", "zh": "zh_CN", "en": "en"}
COOKIE = "lang"
YEAR_SECONDS = 31_536_000
SOURCES = Path(__file__).parent / "translations"
CATALOGUE = Path("en") / "LC_MESSAGES"


def chosen_language() -> str:
    """The locale of this request."""
    wishes = (request.args.get("lang"), request.cookies.get(COOKIE), g.get("locale"), accepted_language())
    return next((wish for wish in wishes if wish in LANGUAGES), DEFAULT_LANGUAGE)


def chosen_locale() -> Locale:
    """The same as the library knows it, so that it does not look for it among all of the world's each time."""
    return LOCALES[chosen_language()]


def accepted_language() -> str | None:
    """What the header Accept-Language of a request to the API asks for, if we speak it."""
    if not request.path.startswith("/api/"):
        return None
    return ACCEPTED.get(request.accept_languages.best_match(list(ACCEPTED)) or "")


def remember_language(response: Response) -> Response:
    """Keep a choice made by ?lang in a cookie of one year; it holds nothing else."""
    wish = request.args.get("lang")
    if wish in LANGUAGES and wish != request.cookies.get(COOKIE):
        response.set_cookie(COOKIE, wish, max_age=YEAR_SECONDS, samesite="Lax", httponly=True, secure=request.is_secure)
    return response


def compile_translations(folder: Path) -> Path:
    """Write the catalogues as the library reads them below `folder`, and return it; processes may do so at once."""
    target = folder / CATALOGUE
    target.mkdir(parents=True, exist_ok=True)
    with (SOURCES / CATALOGUE / "messages.po").open("rb") as source:
        catalogue = read_po(source, locale="en")
    written = target / f"messages.{os.getpid()}"
    with written.open("wb") as compiled:
        write_mo(compiled, catalogue)
    written.replace(target / "messages.mo")
    return folder
