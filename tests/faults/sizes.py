"""How much is sent through each fault: a little by default, a few hundred orders with DISPATCH_TEST_LONG=1."""

import os

LONG = os.environ.get("DISPATCH_TEST_LONG") == "1"
ORDERS = 300 if LONG else 24
AT_LEAST_SECONDS = 20.0 if LONG else 5.0
AT_MOST_SECONDS = 60.0
"""A fault ends then, also when calls are still to be answered."""
