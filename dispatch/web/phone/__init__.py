"""The phone page `/w/<token>`: what a firm does with the one order that its link opens."""

from dispatch.web.phone import acts, paying
from dispatch.web.phone.door import blueprint

__all__ = ["acts", "blueprint", "paying"]
