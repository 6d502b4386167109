"""后庆派单: the community hotline in which a call becomes a finished order."""
