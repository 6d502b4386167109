"""The shape of what comes in and goes out: marshmallow schemas, a file a domain; unknown fields are refused."""
