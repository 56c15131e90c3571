"""Firms, their identifiers and bank accounts; people, roles, tokens and sessions.

Owns who is who and who may do what: ``access.py`` is the one table of role × action,
``visibility.py`` says which rows an organisation may see. Money leaves only to an account that a
second person has verified. Knows nothing of documents or programmes.
"""
