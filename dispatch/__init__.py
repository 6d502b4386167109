"""后庆派单: the community hotline in which a call becomes a finished order."""

import gc

# Before anything else of the house is loaded: at Python's own 700 every start is searched for garbage a thousand times
# among things that stay, a third of its processor time.
gc.set_threshold(20_000, 50, 10)
