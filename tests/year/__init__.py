"""A lived year of the love supermarket, checked by arithmetic of its own."""
