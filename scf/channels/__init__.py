"""Documents in and events out by other systems, without a person at the keyboard.

Owns the drop folders of organisations, here or on their own SFTP servers, the senders of signed
messages, and the acknowledgements that go back. Each channel acts as a person of its own, with
that person's role, through the same commands as everybody.
"""
