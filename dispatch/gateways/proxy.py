"""Trust in named reverse proxies: before anything else looks at a request, it gets the address it came from."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

from config.settings import Settings
from dispatch.rules.access.forwarded import client_of, forwarded_host, forwarded_scheme, is_trusted

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_FORWARDED",
)


class TrustedProxies:
    """A WSGI application that reads X-Forwarded-* from our own proxies, and takes them away from everybody.

    werkzeug's ProxyFix counts hops and believes whoever connects; this one looks at who connects.
    """

    def __init__(self, application: "WSGIApplication", settings: Settings) -> None:
        """Stand in front of an application."""
        self.application = application
        self.trusted = settings.trusted_proxies

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Set address, scheme and host of a request that one of our proxies hands on; pass every request on."""
        said = {name: environ.pop(name, "") for name in FORWARDED}
        peer = environ.get("REMOTE_ADDR", "")
        if is_trusted(peer, self.trusted):
            environ["REMOTE_ADDR"] = client_of(peer, said["HTTP_X_FORWARDED_FOR"], self.trusted)
            scheme = forwarded_scheme(said["HTTP_X_FORWARDED_PROTO"])
            host = forwarded_host(said["HTTP_X_FORWARDED_HOST"])
            environ.update({"wsgi.url_scheme": scheme} if scheme else {})
            environ.update({"HTTP_HOST": host} if host else {})
        return self.application(environ, start_response)


def install(app: Flask, settings: Settings) -> None:
    """Stand in front of this application."""
    app.wsgi_app = TrustedProxies(app.wsgi_app, settings)  # type: ignore[method-assign]
