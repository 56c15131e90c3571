"""Whether what is invoiced was ordered, sent and received: the rule, its tolerances, its units.

Owns the pure judgement of one invoice against its order, what buyer and seller agreed about pack
sizes, what people decided about an invoice that does not fit, and the worklist of those invoices.
"""
