"""The duplicate registry that financiers share: who says that it finances which claim.

Owns the port, the keyed prints of a claim, the book itself (this installation may keep it for
others), its two adapters, and the evidence of every answer. A claim is searched, registered and
searched again right before money goes out; what cannot be answered is not paid.
"""
