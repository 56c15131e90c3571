"""The books: one immutable double-entry book per organisation.

Owns accounts, entries and postings and the database triggers that keep them balanced and
unchangeable. Knows accounts, amounts and events; knows no invoice and no advance.
"""
