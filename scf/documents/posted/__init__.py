"""Documents that a program sends as data, each under an id of its own: what became of which."""
