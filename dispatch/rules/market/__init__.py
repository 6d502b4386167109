"""The rules of the love supermarket: what may be given, what is taken first, how stock is counted and inspected."""
