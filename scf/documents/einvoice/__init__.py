"""EN 16931: what the standard's own rules say of an invoice that claims to follow it.

``rulesets`` knows which rules a document declares, ``stylesheets`` prepares them, ``validator``
runs them in this process, ``service`` keeps warm processes that do it under limits, ``sentences``
says what each rule wants, and ``checking`` keeps the verdict with the document.
"""
