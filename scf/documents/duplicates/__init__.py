"""Invoices that look like another one although their numbers differ, and what people said of them.

Owns the suspicion (two documents, the rule, what is equal and what differs) and each organisation's
own verdict on it. A suspicion refuses nothing by itself: it takes the decision away from the policy
and gives it to a person. The same number is another matter: such a document is never stored.
"""
