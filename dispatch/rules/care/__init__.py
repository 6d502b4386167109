"""Rules of care: when visits recur."""
