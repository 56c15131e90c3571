"""Watching what judges firms: whether its firms have moved, and whether it says what happens.

Owns what each month's morning showed and the alarms that a night raised. It reads the stored
assessments and the book, and changes nothing that prices. What people set aside and what was lost
stands in the later rooms; ``scf.reporting.watching`` puts all of it on one page.
"""
