"""What can go wrong, in the business's words: the first docstring line of an error is what people are told."""

from collections.abc import Mapping
from inspect import cleandoc


class DispatchError(Exception):
    """出了问题,请稍后再试"""

    def __init__(self, message: str | None = None, **facts: object) -> None:
        """Keep the message template (a Chinese message id with %(name)s places) and the facts that fill it."""
        self.template = message or cleandoc(self.__class__.__doc__ or "").split("\n", 1)[0]
        self.facts: Mapping[str, object] = facts
        super().__init__(self.template)

    @property
    def message(self) -> str:
        """The message in the source language, with its facts filled in."""
        return self.template % self.facts if self.facts else self.template

    def __str__(self) -> str:
        """The class and template only: facts may hold personal data and this text reaches logs."""
        return f"{self.__class__.__name__}: {self.template}"


class Invalid(DispatchError):
    """填写的内容不正确"""

    def __init__(self, field: str, message: str | None = None, **facts: object) -> None:
        """Name the field that is wrong; the message says what to do about it."""
        super().__init__(message, **facts)
        self.field = field


class NotAllowed(DispatchError):
    """您没有权限做这件事"""


class NotFound(DispatchError):
    """没有找到,或者您无权查看"""


class Conflict(DispatchError):
    """情况已经变化,请刷新后再看"""


class Unavailable(DispatchError):
    """对方系统暂时无法连接"""
