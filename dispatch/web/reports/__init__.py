"""Pages of reports: figures with their orders, pictures with their tables, files to take away."""

from dispatch.web.reports import approving, files, overriding, page, pictures
from dispatch.web.reports.door import blueprint

__all__ = ["approving", "blueprint", "files", "overriding", "page", "pictures"]
