"""HTML: the staff console, the phone page, the public site."""
