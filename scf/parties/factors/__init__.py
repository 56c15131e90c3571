"""The second factor: codes of an authenticator, passkeys, recovery codes; each proof counts once.

Owns how a person proves to be that person beyond the password, at sign-in and again before money
moves, and what is kept as evidence of it. Which pages ask for it is web's to say.
"""
