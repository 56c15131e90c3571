"""What happened is told to the people whom it concerns, after the command that did it.

Owns the notices that a person finds in the portal. They come from the outbox: each event once per
person, whatever is delivered twice. Changes nothing that an earlier room owns.
"""
