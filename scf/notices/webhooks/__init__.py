"""What happened is told to an organisation's own programs, signed, until they have heard it.

Owns the endpoints that an organisation names, what is on its way to each and how every try went.
An event reaches an endpoint at least once, under an id by which the receiver knows it again.
"""
